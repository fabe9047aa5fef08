import Networks
import Tensors

/// One head of attention over all pixels, in the middle of the encoder and the decoder.
private struct PixelAttention: Sendable {
    private let norm: GroupNorm  // group_norm
    private let attention: MultiHeadAttention

    init(_ scope: WeightScope, channels: Int, groups: Int) {
        norm = GroupNorm(scope["group_norm"], groups: groups, channels: channels, epsilon: 1e-6)
        attention = MultiHeadAttention(
            scope, names: .diffusers, width: channels, contextWidth: channels, heads: 1, inputBias: true)
    }

    func callAsFunction(_ x: Tensor) -> Tensor { attention(norm(x), adding: x) }
}

/// Residual, attention, residual (diffusers' UNetMidBlock2D).
struct VAEMidBlock: Sendable {
    private let first, second: ResidualBlock
    private let attention: PixelAttention?

    init(_ scope: WeightScope, _ c: VAEConfiguration) {
        let channels = c.blockOutChannels[c.blockOutChannels.count - 1]
        func resnet(_ index: Int) -> ResidualBlock {
            ResidualBlock(
                scope["resnets"][index], inputs: channels, outputs: channels, groups: c.normGroups,
                epsilon: 1e-6, timeWidth: nil)
        }
        (first, second) = (resnet(0), resnet(1))
        attention =
            c.hasMidAttention
            ? PixelAttention(scope["attentions"][0], channels: channels, groups: c.normGroups) : nil
    }

    func callAsFunction(_ x: Tensor, trace: ActivationTrace?, name: String) -> Tensor {
        var hidden = first(x)
        if let attention {
            hidden = attention(hidden)
            trace?.record("\(name).attentions.0", hidden)
        }
        hidden = second(hidden)
        trace?.record(name, hidden)
        return hidden
    }
}

/// Residual blocks of one level, then half or twice the size.
private struct Level: Sendable {
    let resnets: [ResidualBlock]
    let resampler: Convolution2D?

    func callAsFunction(_ x: Tensor, enlarging: Bool) -> Tensor {
        var hidden = x
        for resnet in resnets { hidden = resnet(hidden) }
        guard let resampler else { return hidden }
        return enlarging
            ? resampler(hidden, enlargedTo: (hidden.shape[1] * 2, hidden.shape[2] * 2)) : resampler(hidden)
    }
}

/// Pictures to the mean and log variance of their latents.
struct VAEEncoder: Sendable {
    private let convIn: Convolution2D
    private let levels: [Level]
    private let mid: VAEMidBlock
    private let normOut: GroupNorm
    private let convOut: Convolution2D

    init(_ scope: WeightScope, _ c: VAEConfiguration) {
        convIn = Convolution2D(scope["conv_in"], inputs: c.inChannels, outputs: c.blockOutChannels[0])
        levels = c.blockOutChannels.indices.map { level in
            let place = scope["down_blocks"][level]
            let channels = c.blockOutChannels[level]
            return Level(
                resnets: (0..<c.layersPerBlock).map { index in
                    ResidualBlock(
                        place["resnets"][index],
                        inputs: index > 0 ? channels : c.blockOutChannels[max(0, level - 1)],
                        outputs: channels,
                        groups: c.normGroups, epsilon: 1e-6, timeWidth: nil)
                },
                resampler: level == c.blockOutChannels.count - 1
                    ? nil
                    : Convolution2D(
                        place["downsamplers"][0]["conv"], inputs: channels, outputs: channels, stride: 2,
                        padding: 0, padsEnd: true))
        }
        mid = VAEMidBlock(scope["mid_block"], c)
        let last = c.blockOutChannels[c.blockOutChannels.count - 1]
        normOut = GroupNorm(scope["conv_norm_out"], groups: c.normGroups, channels: last, epsilon: 1e-6)
        convOut = Convolution2D(scope["conv_out"], inputs: last, outputs: 2 * c.latentChannels)
    }

    func callAsFunction(_ pictures: Tensor, trace: ActivationTrace?) -> Tensor {
        var hidden = convIn(pictures)
        trace?.record("encoder.conv_in", hidden)
        for (index, level) in levels.enumerated() {
            hidden = level(hidden, enlarging: false)
            trace?.record("encoder.down_blocks.\(index)", hidden)
        }
        hidden = mid(hidden, trace: trace, name: "encoder.mid_block")
        if let trace { trace.record("encoder.conv_norm_out", normOut(hidden)) }
        let moments = convOut(normOut(hidden, activation: .silu))
        trace?.record("encoder.conv_out", moments)
        return moments
    }
}

/// Latents to pictures.
struct VAEDecoder: Sendable {
    private let convIn: Convolution2D
    private let mid: VAEMidBlock
    private let levels: [Level]
    private let normOut: GroupNorm
    private let convOut: Convolution2D

    init(_ scope: WeightScope, _ c: VAEConfiguration) {
        let channels = Array(c.blockOutChannels.reversed())
        convIn = Convolution2D(scope["conv_in"], inputs: c.latentChannels, outputs: channels[0])
        mid = VAEMidBlock(scope["mid_block"], c)
        levels = channels.indices.map { level in
            let place = scope["up_blocks"][level]
            return Level(
                resnets: (0...c.layersPerBlock).map { index in
                    ResidualBlock(
                        place["resnets"][index],
                        inputs: index > 0 ? channels[level] : channels[max(0, level - 1)],
                        outputs: channels[level],
                        groups: c.normGroups, epsilon: 1e-6, timeWidth: nil)
                },
                resampler: level == channels.count - 1
                    ? nil
                    : Convolution2D(
                        place["upsamplers"][0]["conv"], inputs: channels[level], outputs: channels[level]))
        }
        let last = c.blockOutChannels[0]
        normOut = GroupNorm(scope["conv_norm_out"], groups: c.normGroups, channels: last, epsilon: 1e-6)
        convOut = Convolution2D(scope["conv_out"], inputs: last, outputs: c.outChannels)
    }

    func callAsFunction(_ latents: Tensor, trace: ActivationTrace?) -> Tensor {
        var hidden = convIn(latents)
        trace?.record("decoder.conv_in", hidden)
        hidden = mid(hidden, trace: trace, name: "decoder.mid_block")
        for (index, level) in levels.enumerated() {
            hidden = level(hidden, enlarging: true)
            trace?.record("decoder.up_blocks.\(index)", hidden)
        }
        if let trace { trace.record("decoder.conv_norm_out", normOut(hidden)) }
        return convOut(normOut(hidden, activation: .silu))
    }
}
