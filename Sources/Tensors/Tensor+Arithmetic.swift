extension Tensor {
    /// `body` of each element.
    @inlinable package func map(_ body: (Float) -> Float) -> Tensor {
        withUnsafePointer { source in
            Tensor(shape: shape) { out in
                for i in 0..<count { out[i] = body(source[i]) }
            }
        }
    }

    /// `body` of each pair of elements of two tensors of one shape.
    @inlinable package func zip(_ other: Tensor, _ body: (Float, Float) -> Float) -> Tensor {
        precondition(shape == other.shape, "shapes \(shape) and \(other.shape) differ")
        return withUnsafePointer { a in
            other.withUnsafePointer { b in
                Tensor(shape: shape) { out in
                    for i in 0..<count { out[i] = body(a[i], b[i]) }
                }
            }
        }
    }

    package static func + (a: Tensor, b: Tensor) -> Tensor { a.zip(b) { $0 + $1 } }
    package static func - (a: Tensor, b: Tensor) -> Tensor { a.zip(b) { $0 - $1 } }
    package static func * (a: Tensor, b: Tensor) -> Tensor { a.zip(b) { $0 * $1 } }
    package static func / (a: Tensor, b: Tensor) -> Tensor { a.zip(b) { $0 / $1 } }
    package static func + (a: Tensor, b: Float) -> Tensor { a.map { $0 + b } }
    package static func - (a: Tensor, b: Float) -> Tensor { a.map { $0 - b } }
    package static func * (a: Tensor, b: Float) -> Tensor { a.map { $0 * b } }
    package static func / (a: Tensor, b: Float) -> Tensor { a.map { $0 / b } }
    package static func * (a: Float, b: Tensor) -> Tensor { b * a }
    package static prefix func - (a: Tensor) -> Tensor { a.map { -$0 } }
}
