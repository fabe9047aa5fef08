import Networks
import Tensors

/// The residual block of UNet and VAE (diffusers' ResnetBlock2D): norm, SiLU, convolution, the timestep
/// added, norm, SiLU, convolution, and the input beside it.
struct ResidualBlock: Sendable {
    private let norm1: GroupNorm
    private let conv1: Convolution2D
    private let timeProjection: Linear?  // time_emb_proj
    private let norm2: GroupNorm
    private let conv2: Convolution2D
    private let shortcut: Linear?  // conv_shortcut, a 1 x 1 convolution

    init(_ scope: WeightScope, inputs: Int, outputs: Int, groups: Int, epsilon: Float, timeWidth: Int?) {
        norm1 = GroupNorm(scope["norm1"], groups: groups, channels: inputs, epsilon: epsilon)
        conv1 = Convolution2D(scope["conv1"], inputs: inputs, outputs: outputs)
        timeProjection = timeWidth.map { Linear(scope["time_emb_proj"], inputs: $0, outputs: outputs) }
        norm2 = GroupNorm(scope["norm2"], groups: groups, channels: outputs, epsilon: epsilon)
        conv2 = Convolution2D(scope["conv2"], inputs: outputs, outputs: outputs)
        shortcut = inputs == outputs ? nil : Linear(scope["conv_shortcut"], inputs: inputs, outputs: outputs)
    }

    /// - Parameter time: SiLU of the time embedding, `[batch, timeWidth]`.
    func callAsFunction(_ x: Tensor, time: Tensor? = nil) -> Tensor {
        var hidden = conv1(norm1(x, activation: .silu))
        if let timeProjection, let time { add(timeProjection(time), toEachPixelOf: &hidden) }
        return conv2(norm2(hidden, activation: .silu), adding: shortcut?(x) ?? x)
    }
}
