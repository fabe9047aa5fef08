import Kernels
import Tensors

/// y = x Wᵀ + b over the last axis; `weight` is `[outputs, inputs]` as the reference stores it.
package struct Linear: Sendable {
    package let inputs: Int
    package let outputs: Int
    private let matrix: Lazy<PackedMatrix>

    package init(_ scope: WeightScope, inputs: Int, outputs: Int, bias: Bool = true) {
        (self.inputs, self.outputs) = (inputs, outputs)
        let weight = scope.parameter("weight", [outputs, inputs])
        let bias = bias ? scope.parameter("bias", [outputs]) : nil
        matrix = Lazy { .packing(weight, taps: 1, bias: bias) }
    }

    /// `[..., inputs]` to `[..., outputs]`.
    package func callAsFunction(_ x: Tensor) -> Tensor {
        precondition(x.shape.last == inputs, "expected [..., \(inputs)], found \(x.shape)")
        let rows = x.count / inputs
        return x.withUnsafePointer { source in
            Tensor(shape: x.shape.dropLast() + [outputs]) { out in
                matrixProduct(source, rows: rows, inputStride: inputs, by: matrix.value, into: out, outputStride: outputs)
            }
        }
    }
}

extension PackedMatrix {
    /// Packs a stored weight `[outputs, channels, taps...]`.
    static func packing(_ weight: Parameter, taps: Int, bias: Parameter?) -> PackedMatrix {
        let outputs = weight.shape[0]
        let channels = weight.shape.dropFirst().reduce(1, *) / taps
        return weight.withValues {
            PackedMatrix(weights: $0, outputs: outputs, channels: channels, taps: taps, bias: bias?.load().values, precision: weight.precision)
        }
    }
}
