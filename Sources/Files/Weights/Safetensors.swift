package import Tensors

/// Writing of safetensors files. The bytes depend on the content alone and are those of the reference writer:
/// tensors by type, the widest first, then by name; the header without spaces inside, padded with spaces to a
/// multiple of 8.
package enum Safetensors {
    /// A tensor to store and the type to store it as.
    package enum Content: Sendable {
        case float32(Tensor)
        /// Rounded to the nearest half; what exceeds 65,504 becomes infinite.
        case float16(Tensor)
        case float64([Double], shape: [Int])
        case int64([Int], shape: [Int])
        case uint8([UInt8], shape: [Int])

        package var shape: [Int] {
            switch self {
            case .float32(let tensor), .float16(let tensor): tensor.shape
            case .float64(_, let shape), .int64(_, let shape), .uint8(_, let shape): shape
            }
        }

        package var type: ElementType {
            switch self {
            case .float32: .float32
            case .float16: .float16
            case .float64: .float64
            case .int64: .int64
            case .uint8: .uint8
            }
        }

        fileprivate var count: Int {
            switch self {
            case .float32(let tensor), .float16(let tensor): tensor.count
            case .float64(let values, _): values.count
            case .int64(let values, _): values.count
            case .uint8(let values, _): values.count
            }
        }

        fileprivate func withBytes(_ body: (UnsafeRawBufferPointer) throws -> Void) throws {
            switch self {
            case .float32(let tensor):
                try tensor.withUnsafePointer {
                    try body(UnsafeRawBufferPointer(start: $0, count: tensor.count * 4))
                }
            case .float16(let tensor):
                let halves = tensor.withUnsafePointer { source in
                    (0..<tensor.count).map { Float16(source[$0]) }
                }
                try halves.withUnsafeBytes(body)
            case .float64(let values, _): try values.withUnsafeBytes(body)
            case .int64(let values, _): try values.withUnsafeBytes(body)
            case .uint8(let values, _): try values.withUnsafeBytes(body)
            }
        }
    }

    /// Writes float32 tensors.
    package static func write(_ tensors: [String: Tensor], metadata: [String: String] = [:], to path: String)
        throws
    {
        try write(tensors.mapValues { .float32($0) }, metadata: metadata, to: path)
    }

    /// Writes the file atomically, one tensor at a time.
    package static func write(
        _ contents: [String: Content], metadata: [String: String] = [:], to path: String
    ) throws {
        let ordered = contents.sorted { a, b in
            let (x, y) = (a.value.type.order, b.value.type.order)
            return x != y ? x < y : a.key.utf8.lexicographicallyPrecedes(b.key.utf8)
        }
        if contents["__metadata__"] != nil {
            throw EngineError(.format, "a tensor cannot be named __metadata__", place: path)
        }
        for (name, content) in ordered {
            precondition(
                content.shape.reduce(1, *) == content.count,
                "\(name): shape \(content.shape), \(content.count) elements")
        }
        let head = header(ordered, metadata)
        try AtomicFile.write(to: path) { sink in
            try sink.write(head)
            for (_, content) in ordered { try content.withBytes { try sink.write($0) } }
        }
    }

    /// What stands before the values of a file with one float32 tensor, for values that are made piece by
    /// piece.
    package static func head(_ name: String, shape: [Int]) -> [UInt8] {
        var quoted = ""
        JSON.quote(name, to: &quoted)
        let bytes = shape.reduce(ElementType.float32.byteCount, *)
        return padded(
            "{\(quoted):{\"dtype\":\"F32\",\"shape\":[\(shape.map(String.init).joined(separator: ","))],\"data_offsets\":[0,\(bytes)]}}"
        )
    }

    /// The header's length, and the header filled up to a multiple of 8.
    private static func padded(_ header: String) -> [UInt8] {
        let text = Array(header.utf8)
        let filled = text + [UInt8](repeating: 0x20, count: (8 - text.count % 8) % 8)
        return withUnsafeBytes(of: UInt64(filled.count).littleEndian) { Array($0) } + filled
    }

    private static func header(_ ordered: [(key: String, value: Content)], _ metadata: [String: String])
        -> [UInt8]
    {
        var members: [String] = []
        func quoted(_ text: String) -> String {
            var out = ""
            JSON.quote(text, to: &out)
            return out
        }
        if !metadata.isEmpty {
            members.append("\"__metadata__\":" + JSON.object(metadata.mapValues { .string($0) }).text)
        }
        var offset = 0
        for (name, content) in ordered {
            let end = offset + content.count * content.type.byteCount
            let shape = content.shape.map(String.init).joined(separator: ",")
            members.append(
                quoted(name)
                    + ":{\"dtype\":\"\(content.type.rawValue)\",\"shape\":[\(shape)],\"data_offsets\":[\(offset),\(end)]}"
            )
            offset = end
        }
        return padded("{" + members.joined(separator: ",") + "}")
    }
}
