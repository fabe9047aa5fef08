internal import Tensors

/// A safetensors file, memory mapped: eight bytes of header length, a JSON header, the tensors' bytes.
/// Opening reads and checks the header only, as strictly as the reference reader: every tensor inside the
/// file, sizes as the shapes say, no overlap, no hole, nothing left over. See `MappedFile` for what happens
/// when the file changes underneath.
package final class SafetensorsFile: TensorSource {
    package let path: String
    package let names: [String]
    /// The header's `__metadata__`.
    package let metadata: [String: String]
    private let entries: [String: StoredTensor]
    private let file: MappedFile

    /// As the reference reader: longer headers are taken for damage.
    private static let longestHeader = 100_000_000

    package init(path: String) throws {
        let file = try MappedFile(path: path)
        let size = file.bytes.count
        guard size >= 8 else {
            throw Self.damaged(path, "the file has \(size) bytes, a header needs at least 8")
        }
        let length = file.bytes.loadUnaligned(as: UInt64.self).littleEndian
        guard length <= UInt64(size - 8) else {
            throw Self.damaged(path, "the header's length is given as \(length) bytes, the file has \(size)")
        }
        guard length <= UInt64(Self.longestHeader) else {
            throw Self.damaged(path, "the header's length is given as \(length) bytes")
        }
        let start = 8 + Int(length)
        let text = Array(file.bytes[8..<start])
        if let number = SafetensorsHeader.fraction(in: text) {
            throw Self.damaged(path, "a shape or an offset is written as \(number), not as a whole number")
        }
        let header = try JSON.decode(SafetensorsHeader.self, from: text, place: path)
        var entries: [String: StoredTensor] = [:]
        entries.reserveCapacity(header.tensors.count)
        for (name, fields) in header.tensors {
            entries[name] = try Self.checked(name, fields, from: start, size: size, path: path)
        }
        try Self.checkCover(entries, from: start, size: size, path: path)
        self.path = path
        self.file = file
        self.entries = entries
        metadata = header.metadata
        names = entries.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    /// The file as it was opened, for its digest.
    package var reading: FileReading { file.reading }

    package func entry(_ name: String) -> StoredTensor? { entries[name] }

    package func withUnsafeBytes<R>(of name: String, _ body: (UnsafeRawBufferPointer) throws -> R) throws -> R
    {
        guard let entry = entries[name] else {
            throw EngineError(.weights, "no tensor is named \(name); there are \(names.count)", place: path)
        }
        return try withExtendedLifetime(file) {
            try body(UnsafeRawBufferPointer(rebasing: file.bytes[entry.range]))
        }
    }

    /// A hint to read a tensor ahead.
    package func willNeed(_ name: String) { if let entry = entries[name] { file.willNeed(entry.range) } }

    /// A hint that a tensor will not be needed soon, for instance once it is packed.
    package func dontNeed(_ name: String) { if let entry = entries[name] { file.dontNeed(entry.range) } }

    private static func checked(
        _ name: String, _ fields: SafetensorsHeader.Fields, from start: Int, size: Int, path: String
    ) throws -> StoredTensor {
        guard let type = ElementType(rawValue: fields.dtype) else {
            throw EngineError(
                .unsupported, "\(name): elements of type \(fields.dtype) are not supported", place: path,
                cure: "supported: " + ElementType.allCases.map(\.rawValue).joined(separator: ", "))
        }
        // As if no extent were zero, so that any of them can be multiplied.
        var bytes = type.byteCount
        for extent in fields.shape {
            guard extent >= 0 else {
                throw damaged(path, "\(name): the shape \(fields.shape) has a negative extent")
            }
            let (product, overflow) = bytes.multipliedReportingOverflow(by: max(1, extent))
            if overflow { throw damaged(path, "\(name): the shape \(fields.shape) is too large") }
            bytes = product
        }
        if fields.shape.contains(0) { bytes = 0 }
        guard fields.data_offsets.count == 2 else {
            throw damaged(path, "\(name): expected two offsets, found \(fields.data_offsets.count)")
        }
        let (lower, upper) = (fields.data_offsets[0], fields.data_offsets[1])
        guard lower >= 0, lower <= upper, upper <= size - start else {
            throw damaged(
                path, "\(name): offsets \(lower) to \(upper) are outside the \(size - start) bytes of data")
        }
        guard upper - lower == bytes else {
            throw damaged(
                path,
                """
                \(name): \(type.rawValue) of shape \(fields.shape) takes \(bytes) bytes, the offsets \
                \(lower) to \(upper) give \(upper - lower)
                """)
        }
        return StoredTensor(type: type, shape: fields.shape, range: start + lower..<start + upper)
    }

    private static func checkCover(
        _ entries: [String: StoredTensor], from start: Int, size: Int, path: String
    ) throws {
        var end = start
        let ordered = entries.sorted {
            ($0.value.range.lowerBound, $0.value.range.upperBound) < (
                $1.value.range.lowerBound, $1.value.range.upperBound
            )
        }
        for (name, entry) in ordered {
            if entry.range.lowerBound < end {
                throw damaged(path, "\(name): its bytes overlap those of another tensor")
            }
            if entry.range.lowerBound > end {
                throw damaged(
                    path, "\(entry.range.lowerBound - end) bytes before \(name) belong to no tensor")
            }
            end = entry.range.upperBound
        }
        if end < size { throw damaged(path, "\(size - end) bytes at the end belong to no tensor") }
    }

    private static func damaged(_ path: String, _ message: String) -> EngineError {
        EngineError(
            .format, "not a usable safetensors file: " + message, place: path,
            cure: "the file may be cut short; fetch it again")
    }
}

/// The header's JSON.
struct SafetensorsHeader: Decodable {
    struct Fields: Decodable {
        var dtype: String
        var shape: [Int]
        var data_offsets: [Int]
    }

    private struct Key: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    var metadata: [String: String] = [:]
    var tensors: [(name: String, fields: Fields)] = []

    /// A number of a list in this form, which the reference reader refuses and the JSON decoder does not tell
    /// from a whole one: "2.0". The only lists in a header are shapes and offsets.
    static func fraction(in text: [UInt8]) -> String? {
        var isInString = false, isEscaped = false, lists = 0
        for (place, byte) in text.enumerated() {
            if isInString {
                isInString = isEscaped || byte != UInt8(ascii: "\"")
                isEscaped = !isEscaped && byte == UInt8(ascii: "\\")
                continue
            }
            switch byte {
            case UInt8(ascii: "\""): isInString = true
            case UInt8(ascii: "["): lists += 1
            case UInt8(ascii: "]"): lists -= 1
            case UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"):
                guard lists > 0 else { continue }
                let isPart = { (byte: UInt8) in
                    UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte || Array("+-.eE".utf8).contains(byte)
                }
                let start = text[..<place].lastIndex { !isPart($0) }.map { $0 + 1 } ?? 0
                return String(decoding: text[start...].prefix { isPart($0) }, as: UTF8.self)
            default: break
            }
        }
        return nil
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        for key in container.allKeys {
            if key.stringValue == "__metadata__" {
                // Some writers leave null where there is none.
                metadata = try container.decodeIfPresent([String: String].self, forKey: key) ?? [:]
            } else {
                tensors.append((key.stringValue, try container.decode(Fields.self, forKey: key)))
            }
        }
    }
}
