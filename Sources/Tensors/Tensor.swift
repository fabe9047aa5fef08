import Kernels

/// A dense array of `Float` in row-major order with value semantics: copies share storage until one is
/// written. Above the networks the layout is the reference's, `[batch, channels, height, width]`; inside them
/// it is channels last.
package struct Tensor: Sendable {
    /// Extent along each axis, outermost first. Empty for a scalar.
    package private(set) var shape: [Int]
    private var storage: TensorStorage

    package var count: Int { storage.count }
    package var rank: Int { shape.count }

    /// A tensor whose elements `body` fills; every one of `count` elements must be written.
    package init(shape: [Int], initializing body: (UnsafeMutablePointer<Float>) throws -> Void) rethrows {
        let count = shape.reduce(1, *)
        self.shape = shape
        storage = TensorStorage(count: count)
        try body(storage.pointer)
    }

    package init(shape: [Int], values: [Float]) {
        precondition(
            shape.reduce(1, *) == values.count,
            "shape \(shape) holds \(shape.reduce(1, *)) elements, \(values.count) given")
        self.init(shape: shape) { destination in
            values.withUnsafeBufferPointer { source in
                if let base = source.baseAddress { destination.update(from: base, count: source.count) }
            }
        }
    }

    package init(repeating value: Float, shape: [Int]) {
        let count = shape.reduce(1, *)
        self.init(shape: shape) { $0.update(repeating: value, count: count) }
    }

    package init(zeros shape: [Int]) { self.init(repeating: 0, shape: shape) }

    /// Stands for numbers that nobody has computed yet: each is no number, and so is all that follows from
    /// them.
    package static func unknown(_ shape: [Int]) -> Tensor { Tensor(repeating: .nan, shape: shape) }

    package var isUnknown: Bool { count > 0 && withUnsafePointer { $0[0].isNaN && $0[count - 1].isNaN } }

    /// The elements in row-major order, copied.
    package var values: [Float] {
        withUnsafePointer { Array(UnsafeBufferPointer(start: $0, count: count)) }
    }

    package func withUnsafePointer<R>(_ body: (UnsafePointer<Float>) throws -> R) rethrows -> R {
        let storage = storage
        return try withExtendedLifetime(storage) { try body(UnsafePointer(storage.pointer)) }
    }

    /// Read and write access; copies first if the storage is shared.
    package mutating func withUnsafeMutablePointer<R>(_ body: (UnsafeMutablePointer<Float>) throws -> R)
        rethrows -> R
    {
        if !isKnownUniquelyReferenced(&storage) {
            let copy = TensorStorage(count: count)
            copy.pointer.update(from: storage.pointer, count: count)
            storage = copy
        }
        let storage = storage
        return try withExtendedLifetime(storage) { try body(storage.pointer) }
    }

    /// The same elements under another shape of equal count.
    package func reshaped(_ shape: [Int]) -> Tensor {
        precondition(shape.reduce(1, *) == count, "cannot view \(self.shape) as \(shape)")
        var result = self
        result.shape = shape
        return result
    }
}

/// Elements aligned to a cache line, so that vector loads never straddle one. Unchecked Sendable: written
/// only while a single `Tensor` refers to it (see `withUnsafeMutablePointer`) or while it is being filled.
final class TensorStorage: @unchecked Sendable {
    let pointer: UnsafeMutablePointer<Float>
    let count: Int

    init(count: Int) {
        self.count = count
        pointer = BufferPool.take(max(count, 1))
    }

    deinit { BufferPool.give(pointer, max(count, 1)) }
}
