import Kernels
import Tensors

/// y = x Wᵀ + b over the last axis; `weight` is `[outputs, inputs]` as the reference stores it.
package struct Linear: Sendable {
    package let inputs: Int
    package let outputs: Int
    private let matrix: WeightMatrix

    package init(_ scope: WeightScope, inputs: Int, outputs: Int, bias: Bool = true) {
        (self.inputs, self.outputs) = (inputs, outputs)
        let weight = scope.parameter("weight", [outputs, inputs])
        let bias = bias ? scope.parameter("bias", [outputs]) : nil
        matrix = WeightMatrix(weight, taps: 1, bias: bias)
    }

    /// `[..., inputs]` to `[..., outputs]`.
    /// - Parameter residual: of the output's shape, added to it.
    package func callAsFunction(_ x: Tensor, adding residual: Tensor? = nil) -> Tensor {
        precondition(x.shape.last == inputs, "expected [..., \(inputs)], found \(x.shape)")
        let shape = Array(x.shape.dropLast()) + [outputs]
        precondition(
            residual.map { $0.shape == shape } ?? true, "cannot add \(residual?.shape ?? []) to \(shape)")
        return x.withUnsafePointer { source in
            Tensor(shape: shape) { out in
                withPointer(residual) { apply(source, rows: x.count / inputs, adding: $0, into: out) }
            }
        }
    }

    /// `[rows, inputs]` to `[rows, outputs]`, the rows so many floats apart, side by side where nothing is
    /// said.
    func apply(
        _ x: UnsafePointer<Float>, rows: Int, inputStride: Int? = nil,
        adding residual: UnsafePointer<Float>? = nil, into out: UnsafeMutablePointer<Float>,
        outputStride: Int? = nil
    ) {
        matrix.use(rows: rows) {
            matrixProduct(
                x, rows: rows, inputStride: inputStride ?? inputs, by: $0, adding: residual, into: out,
                outputStride: outputStride ?? outputs)
        }
    }
}
