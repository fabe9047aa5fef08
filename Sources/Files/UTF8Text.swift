internal import Tensors

/// Text in UTF-8, and where bytes are none.
package enum UTF8Text {
    /// The place of the first byte that is no part of a character in UTF-8; nil where all are.
    static func firstOther(in bytes: some Collection<UInt8>) -> Int? {
        if String(validating: bytes, as: UTF8.self) != nil { return nil }
        var decoder = Unicode.UTF8.ForwardParser()
        var iterator = bytes.makeIterator()
        var place = 0
        while true {
            switch decoder.parseScalar(from: &iterator) {
            case .valid(let scalar): place += scalar.count
            case .error: return place
            case .emptyInput: return nil
            }
        }
    }

    /// Throws an error that names the first byte of a part of a file that is no text. Lines end as LF, CRLF
    /// or CR; lines and bytes count from 1.
    package static func check(_ part: Range<Int>, of bytes: [UInt8], in file: String) throws {
        guard let first = firstOther(in: bytes[part]) else { return }
        let offset = part.lowerBound + first
        let breaks = bytes[..<offset].indices.filter {
            bytes[$0] == 0x0A
                || bytes[$0] == 0x0D && !(bytes.indices.contains($0 + 1) && bytes[$0 + 1] == 0x0A)
        }
        let hex = String(bytes[offset], radix: 16, uppercase: true)
        throw EngineError(
            .format, "expected text in UTF-8, found the byte 0x\(hex.count < 2 ? "0" : "")\(hex)",
            place: "\(file), line \(breaks.count + 1), byte \(offset - (breaks.last ?? -1))",
            cure: "save the file in UTF-8")
    }
}
