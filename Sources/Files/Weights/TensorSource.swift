package import Tensors

/// What a header says about one stored tensor.
package struct StoredTensor: Sendable, Hashable {
    package let type: ElementType
    /// Row-major, as in the file; empty for a scalar.
    package let shape: [Int]
    /// Where its bytes lie, counted from the start of the file.
    package let range: Range<Int>
    /// Of its elements, which may lie apart.
    package let count: Int

    init(type: ElementType, shape: [Int], range: Range<Int>, count: Int? = nil) {
        (self.type, self.shape, self.range, self.count) = (
            type, shape, range, count ?? range.count / type.byteCount
        )
    }
}

/// Named tensors in one file or in several: `SafetensorsFile`, `WeightFolder`.
package protocol TensorSource: Sendable {
    /// The file or folder, for messages.
    var path: String { get }
    /// Sorted by their UTF-8 bytes.
    var names: [String] { get }
    func entry(_ name: String) -> StoredTensor?
    /// The stored bytes, valid during `body` and of any alignment.
    func withUnsafeBytes<R>(of name: String, _ body: (UnsafeRawBufferPointer) throws -> R) throws -> R
    /// A hint that the tensor will not be needed soon, for instance once it is packed: its pages leave the
    /// process's memory.
    func dontNeed(_ name: String)
}

extension TensorSource {
    package func contains(_ name: String) -> Bool { entry(name) != nil }

    /// Bytes of all tensors.
    package var byteCount: Int { names.reduce(0) { $0 + (entry($1)?.range.count ?? 0) } }

    /// The tensor as floats in its stored shape; narrower types are widened, wider ones rounded.
    package func tensor(_ name: String) throws -> Tensor {
        let entry = try required(name)
        return try withUnsafeBytes(of: name) { bytes in
            Tensor(shape: entry.shape) { Widening.floats(entry.type, bytes, to: $0, count: entry.count) }
        }
    }

    /// Some rows, `[rows, ...]`, of a tensor of two axes or more as floats; only their part of the file is
    /// read.
    package func rows(_ rows: [Int], of name: String) throws -> Tensor {
        let entry = try required(name)
        let width = entry.shape.dropFirst().reduce(1, *), size = width * entry.type.byteCount
        precondition(
            rows.allSatisfy { $0 >= 0 && $0 < entry.shape[0] },
            "rows of \(name) outside its \(entry.shape[0])")
        return try withUnsafeBytes(of: name) { bytes in
            Tensor(shape: [rows.count] + entry.shape.dropFirst()) { out in
                for (place, row) in rows.enumerated() {
                    let part = UnsafeRawBufferPointer(rebasing: bytes[row * size..<(row + 1) * size])
                    Widening.floats(entry.type, part, to: out + place * width, count: width)
                }
            }
        }
    }

    /// The elements of a tensor of integers or booleans, in row-major order. A tensor of another type is an
    /// error.
    package func integers(_ name: String) throws -> [Int] {
        let entry = try required(name)
        return try withUnsafeBytes(of: name) { bytes in
            func load<T: FixedWidthInteger & BitwiseCopyable>(_: T.Type) -> [Int] {
                (0..<entry.count).map {
                    Int(
                        truncatingIfNeeded: bytes.loadUnaligned(
                            fromByteOffset: $0 * MemoryLayout<T>.size, as: T.self))
                }
            }
            return switch entry.type {
            case .int64: load(Int64.self)
            case .int32: load(Int32.self)
            case .int16: load(Int16.self)
            case .int8: load(Int8.self)
            case .uint8, .bool: load(UInt8.self)
            case .float64, .float32, .bfloat16, .float16:
                throw EngineError(
                    .format, "\(name): expected integers, found \(entry.type.rawValue)", place: path)
            }
        }
    }

    /// The elements as doubles, in row-major order. float64 is kept as it is, float types are widened,
    /// integers beyond 2^53 rounded.
    package func doubles(_ name: String) throws -> [Double] {
        let entry = try required(name)
        switch entry.type {
        case .float64:
            return try withUnsafeBytes(of: name) { bytes in
                (0..<entry.count).map { bytes.loadUnaligned(fromByteOffset: $0 * 8, as: Double.self) }
            }
        case .float32, .bfloat16, .float16: return try tensor(name).values.map(Double.init)
        default: return try integers(name).map(Double.init)
        }
    }

    private func required(_ name: String) throws -> StoredTensor {
        if let entry = entry(name) { return entry }
        throw EngineError(.weights, "no tensor is named \(name); there are \(names.count)", place: path)
    }
}
