import Kernels
import Tensors

/// Group normalisation over `[batch, height, width, channels]`, with the SiLU that follows it nearly
/// everywhere.
package struct GroupNorm: Sendable {
    private let groups: Int
    private let channels: Int
    private let epsilon: Float
    private let weight: Lazy<Tensor>
    private let bias: Lazy<Tensor>

    package init(_ scope: WeightScope, groups: Int, channels: Int, epsilon: Float) {
        (self.groups, self.channels, self.epsilon) = (groups, channels, epsilon)
        let weight = scope.parameter("weight", [channels])
        let bias = scope.parameter("bias", [channels])
        self.weight = Lazy { weight.load() }
        self.bias = Lazy { bias.load() }
    }

    package func callAsFunction(_ x: Tensor, activation: FusedActivation = .none) -> Tensor {
        precondition(
            x.rank >= 2 && x.shape[x.rank - 1] == channels,
            "expected [batch, ..., \(channels)], found \(x.shape)")
        let batch = x.shape[0]
        return x.withUnsafePointer { source in
            weight.value.withUnsafePointer { weight in
                bias.value.withUnsafePointer { bias in
                    Tensor(shape: x.shape) { out in
                        groupNormalisation(
                            source, batch: batch, pixels: x.count / batch / channels, channels: channels,
                            groups: groups, epsilon: epsilon,
                            weight: weight, bias: bias, activation: activation, into: out)
                    }
                }
            }
        }
    }
}

/// Layer normalisation over the last axis.
package struct LayerNorm: Sendable {
    private let width: Int
    private let epsilon: Float
    private let weight: Lazy<Tensor>
    private let bias: Lazy<Tensor>

    package init(_ scope: WeightScope, width: Int, epsilon: Float) {
        (self.width, self.epsilon) = (width, epsilon)
        let weight = scope.parameter("weight", [width])
        let bias = scope.parameter("bias", [width])
        self.weight = Lazy { weight.load() }
        self.bias = Lazy { bias.load() }
    }

    package func callAsFunction(_ x: Tensor) -> Tensor {
        precondition(x.shape.last == width, "expected [..., \(width)], found \(x.shape)")
        return x.withUnsafePointer { source in
            Tensor(shape: x.shape) { apply(source, rows: x.count / width, into: $0) }
        }
    }

    /// `[rows, width]` to the same.
    func apply(_ x: UnsafePointer<Float>, rows: Int, into out: UnsafeMutablePointer<Float>) {
        weight.value.withUnsafePointer { weight in
            bias.value.withUnsafePointer { bias in
                layerNormalisation(
                    x, rows: rows, width: width, epsilon: epsilon, weight: weight, bias: bias, into: out)
            }
        }
    }
}
