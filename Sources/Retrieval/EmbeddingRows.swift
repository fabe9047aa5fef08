package import Files
package import Tensors

/// The rows that are searched, [count, width], in memory or in a mapped file, which may be larger than the
/// memory.
package struct EmbeddingRows: Sendable {
    private enum Storage: Sendable {
        case memory(Tensor)
        case file(any TensorSource, name: String)
    }

    private let storage: Storage
    package let count: Int
    package let width: Int

    /// `vectors`: [rows, width].
    /// - Throws: where it has another shape.
    package init(_ vectors: Tensor) throws {
        try self.init(.memory(vectors), shape: vectors.shape)
    }

    /// A stored tensor: read where it lies if it holds aligned floats, else read into memory.
    /// - Throws: where no tensor has that name, or it is not [rows, width].
    package init(file: any TensorSource, name: String) throws {
        guard let entry = file.entry(name) else {
            throw EngineError(.data, "no tensor is named \(name)", place: file.path)
        }
        let isAligned = try file.withUnsafeBytes(of: name) {
            Int(bitPattern: $0.baseAddress) % MemoryLayout<Float>.alignment == 0
        }
        let storage: Storage =
            entry.type == .float32 && isAligned ? .file(file, name: name) : .memory(try file.tensor(name))
        try self.init(storage, shape: entry.shape)
    }

    private init(_ storage: Storage, shape: [Int]) throws {
        guard shape.count == 2, shape[1] > 0 else {
            throw EngineError(.shape, "expected embeddings of shape [rows, width], found \(shape)")
        }
        self.storage = storage
        (count, width) = (shape[0], shape[1])
    }

    func withUnsafePointer<R>(_ body: (UnsafePointer<Float>) throws -> R) throws -> R {
        switch storage {
        case .memory(let tensor): return try tensor.withUnsafePointer(body)
        case .file(let file, let name):
            return try file.withUnsafeBytes(of: name) { bytes in
                guard let start = bytes.baseAddress else {
                    throw EngineError(.data, "\(name) is empty", place: file.path)
                }
                return try body(start.assumingMemoryBound(to: Float.self))
            }
        }
    }
}
