import Networks
import Tensors

/// One level of the way down: residual blocks, each followed by a transformer where the level has them; then
/// half the size.
struct DownBlock: Sendable {
    private let resnets: [ResidualBlock]
    private let attentions: [SpatialTransformer]
    private let downsampler: Convolution2D?

    init(_ scope: WeightScope, level: Int, _ c: UNetConfiguration, layers: inout CrossAttentionLayers) {
        let channels = c.blockOutChannels[level]
        var resnets: [ResidualBlock] = [], attentions: [SpatialTransformer] = []
        for index in 0..<c.layersPerBlock[level] {
            let inputs = index > 0 ? channels : c.blockOutChannels[max(0, level - 1)]
            resnets.append(
                ResidualBlock(
                    scope["resnets"][index], inputs: inputs, outputs: channels, groups: c.normGroups,
                    epsilon: c.normEpsilon, timeWidth: c.timeEmbeddingWidth))
            if c.downBlocks[level] == .cross {
                attentions.append(
                    SpatialTransformer(scope["attentions"][index], level: level, c, layers: &layers))
            }
        }
        (self.resnets, self.attentions) = (resnets, attentions)
        let last = level == c.blockOutChannels.count - 1
        downsampler =
            last
            ? nil
            : Convolution2D(
                scope["downsamplers"][0]["conv"], inputs: channels, outputs: channels, stride: 2,
                padding: c.downsamplePadding,
                padsEnd: c.downsamplePadding == 0)
    }

    /// Appends every layer's output to `skips`, as the way up wants them.
    func callAsFunction(_ x: Tensor, skips: inout [Tensor], _ predicting: Predicting, name: String) -> Tensor
    {
        var hidden = x
        for (index, resnet) in resnets.enumerated() {
            hidden = resnet(hidden, time: predicting.time(hidden))
            predicting.trace?.record("\(name).resnets.\(index)", hidden)
            if index < attentions.count {
                hidden = attentions[index](hidden, predicting, name: "\(name).attentions.\(index)")
                predicting.trace?.record("\(name).attentions.\(index)", hidden)
            }
            skips.append(hidden)
        }
        if let downsampler {
            hidden = downsampler(hidden)
            skips.append(hidden)
        }
        predicting.trace?.record(name, hidden)
        return hidden
    }
}

/// The deepest level's middle: residual, transformers and residuals.
struct MidBlock: Sendable {
    private let resnets: [ResidualBlock]
    private let attentions: [SpatialTransformer]

    init(
        _ scope: WeightScope, _ kind: UNetConfiguration.MidBlock, _ c: UNetConfiguration,
        layers: inout CrossAttentionLayers
    ) {
        let level = c.blockOutChannels.count - 1
        // The plain form is diffusers' UNetMidBlock2D with num_layers = 0: a single residual block.
        resnets = (0..<(kind == .cross ? 2 : 1)).map {
            ResidualBlock(
                scope["resnets"][$0], inputs: c.blockOutChannels[level], outputs: c.blockOutChannels[level],
                groups: c.normGroups, epsilon: c.normEpsilon,
                timeWidth: c.timeEmbeddingWidth)
        }
        attentions =
            kind == .cross
            ? [SpatialTransformer(scope["attentions"][0], level: level, c, isMiddle: true, layers: &layers)]
            : []
    }

    func callAsFunction(_ x: Tensor, _ predicting: Predicting) -> Tensor {
        var hidden = resnets[0](x, time: predicting.time(x))
        for (index, attention) in attentions.enumerated() {
            hidden = attention(hidden, predicting, name: "mid_block.attentions.\(index)")
            hidden = resnets[index + 1](hidden, time: predicting.time(hidden))
        }
        predicting.trace?.record("mid_block", hidden)
        return hidden
    }
}

/// One level of the way up: residual blocks over the joined skip of the way down, transformers, then twice
/// the size.
struct UpBlock: Sendable {
    private let resnets: [ResidualBlock]
    private let attentions: [SpatialTransformer]
    private let upsampler: Convolution2D?

    /// - Parameter index: from the deepest level, 0, to the first.
    init(_ scope: WeightScope, index: Int, _ c: UNetConfiguration, layers: inout CrossAttentionLayers) {
        let levels = c.blockOutChannels.count
        let level = levels - 1 - index
        let channels = c.blockOutChannels[level]
        let before = c.blockOutChannels[min(levels - 1, level + 1)]
        let skipOfLast = c.blockOutChannels[max(0, level - 1)]
        let count = c.layersPerBlock[level] + 1
        var resnets: [ResidualBlock] = [], attentions: [SpatialTransformer] = []
        for layer in 0..<count {
            let skip = layer == count - 1 ? skipOfLast : channels
            resnets.append(
                ResidualBlock(
                    scope["resnets"][layer], inputs: (layer == 0 ? before : channels) + skip,
                    outputs: channels, groups: c.normGroups, epsilon: c.normEpsilon,
                    timeWidth: c.timeEmbeddingWidth))
            if c.upBlocks[index] == .cross {
                attentions.append(
                    SpatialTransformer(scope["attentions"][layer], level: level, c, layers: &layers))
            }
        }
        (self.resnets, self.attentions) = (resnets, attentions)
        upsampler =
            index == levels - 1
            ? nil : Convolution2D(scope["upsamplers"][0]["conv"], inputs: channels, outputs: channels)
    }

    /// Takes its skips from the end of `skips`. The result is enlarged to the size of the next skip, which is
    /// twice its own unless the latent does not divide by two so often.
    func callAsFunction(_ x: Tensor, skips: inout [Tensor], _ predicting: Predicting, name: String) -> Tensor
    {
        var hidden = x
        for (index, resnet) in resnets.enumerated() {
            let skip = skips.removeLast()
            hidden = resnet(
                joinedChannels(hidden, skip.repeated(hidden.shape[0] / skip.shape[0])),
                time: predicting.time(hidden))
            predicting.trace?.record("\(name).resnets.\(index)", hidden)
            if index < attentions.count {
                hidden = attentions[index](hidden, predicting, name: "\(name).attentions.\(index)")
            }
        }
        if let upsampler, let next = skips.last {
            hidden = upsampler(hidden, enlargedTo: (next.shape[1], next.shape[2]))
        }
        predicting.trace?.record(name, hidden)
        return hidden
    }
}

extension SpatialTransformer {
    init(
        _ scope: WeightScope, level: Int, _ c: UNetConfiguration, isMiddle: Bool = false,
        layers: inout CrossAttentionLayers
    ) {
        self.init(
            scope, channels: c.blockOutChannels[level], heads: c.heads[level],
            depth: c.transformerLayersPerBlock[level],
            contextWidth: c.crossAttentionWidth[level], groups: c.normGroups,
            onlyCross: !isMiddle && c.onlyCrossAttention[level], layers: &layers)
    }
}
