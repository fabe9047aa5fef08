internal import Tensors

/// The members of a JSON object in the order of the file, which `JSON` does not keep: places in the bytes, so
/// that large ones need not be decoded. It finds ends only: what stands between them is judged by whoever
/// reads it.
package struct JSONMembers {
    package struct Member: Sendable {
        package let name: String
        /// Its value's bytes.
        package let place: Range<Int>
    }

    private let bytes: [UInt8]
    private let path: String
    private var place: Int
    private let end: Int

    /// - Parameters:
    ///   - place: of the object in `bytes`; the whole of them by default.
    ///   - path: what an error names.
    package static func read(_ bytes: [UInt8], at place: Range<Int>? = nil, path: String) throws -> [Member] {
        let place = place ?? 0..<bytes.count
        var scanner = JSONMembers(bytes: bytes, path: path, place: place.lowerBound, end: place.upperBound)
        return try scanner.members()
    }

    private mutating func members() throws -> [Member] {
        try expect("{")
        var members: [Member] = []
        skipSpace()
        while peek != UInt8(ascii: "}") {
            if !members.isEmpty { try expect(",") }
            skipSpace()
            let name = place
            try skipText()
            let text = bytes[name..<place]
            let isPlain = !text.contains(UInt8(ascii: "\\"))
            let key =
                isPlain
                ? String(decoding: text.dropFirst().dropLast(), as: UTF8.self)
                : try JSON.parse(Array(text), place: path).string ?? ""
            try expect(":")
            skipSpace()
            let start = place
            try skipValue()
            members.append(Member(name: key, place: start..<place))
            skipSpace()
        }
        return members
    }

    private var peek: UInt8? { place < end ? bytes[place] : nil }

    private mutating func skipSpace() {
        while let byte = peek, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { place += 1 }
    }

    private mutating func expect(_ mark: Unicode.Scalar) throws {
        skipSpace()
        guard peek == UInt8(ascii: mark) else { throw fault("expected \(mark)") }
        place += 1
    }

    private mutating func skipText() throws {
        try expect("\"")
        while let byte = peek, byte != UInt8(ascii: "\"") { place += byte == UInt8(ascii: "\\") ? 2 : 1 }
        try expect("\"")
    }

    private mutating func skipValue() throws {
        var depth = 0
        while let byte = peek {
            switch byte {
            case UInt8(ascii: "\""):
                try skipText()
                if depth == 0 { return }
                continue
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                if depth == 0 { return }
                depth -= 1
                if depth == 0 {
                    place += 1
                    return
                }
            case UInt8(ascii: ",") where depth == 0: return
            default: break
            }
            place += 1
        }
        throw fault("expected the end of a value")
    }

    private func fault(_ message: String) -> EngineError {
        EngineError(
            .format,
            "not valid JSON: byte \(place): \(message)\(place >= end ? ", found the end of the file" : "")",
            place: path)
    }
}
