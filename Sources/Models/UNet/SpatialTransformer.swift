import Kernels
import Networks
import Tensors

/// What a prediction is conditioned on: for each transformer block the keys and values of the encoder states,
/// computed once.
package struct Conditioning: Sendable {
    /// In the order in which the network calls its cross-attention layers.
    let keysValues: [PackedKeysValues]
    /// Number of prompts.
    package let count: Int
}

/// What the blocks of one prediction share.
struct Predicting {
    let conditioning: Conditioning
    /// Which prompt each item looks at: one for each item, and for guidance another for each after these.
    let contexts: [Int]
    /// SiLU of the time embedding, `[items, width]` and `[contexts, width]`.
    let timeOfItems, timeOfContexts: Tensor
    let trace: ActivationTrace?

    /// The time embedding for each row of a batch.
    func time(_ x: Tensor) -> Tensor { x.shape[0] == contexts.count ? timeOfContexts : timeOfItems }

    /// Activations of items that have not looked at a prompt yet, once for each context.
    func forEachContext(_ x: Tensor) -> Tensor { x.repeated(contexts.count / x.shape[0]) }
}

/// Cross-attention layers in the order in which the network is built, so that `Conditioning` can be indexed.
struct CrossAttentionLayers {
    private(set) var layers: [MultiHeadAttention] = []
    mutating func register(_ layer: MultiHeadAttention) -> Int {
        layers.append(layer)
        return layers.count - 1
    }
}

/// Pixels attend to each other and to the prompt (diffusers' Transformer2DModel, Rombach et al. 2022).
struct SpatialTransformer: Sendable {
    private let norm: GroupNorm
    private let projectIn: Linear  // proj_in: linear, or a 1 x 1 convolution, which is the same here
    private let blocks: [TransformerBlock]
    private let projectOut: Linear  // proj_out

    init(
        _ scope: WeightScope, channels: Int, heads: Int, depth: Int, contextWidth: Int, groups: Int,
        onlyCross: Bool, layers: inout CrossAttentionLayers
    ) {
        norm = GroupNorm(scope["norm"], groups: groups, channels: channels, epsilon: 1e-6)
        projectIn = Linear(scope["proj_in"], inputs: channels, outputs: channels)
        var blocks: [TransformerBlock] = []
        for index in 0..<depth {
            blocks.append(
                TransformerBlock(
                    scope["transformer_blocks"][index], width: channels, heads: heads,
                    contextWidth: contextWidth, onlyCross: onlyCross, layers: &layers))
        }
        self.blocks = blocks
        projectOut = Linear(scope["proj_out"], inputs: channels, outputs: channels)
    }

    /// `[batch, height, width, channels]` to the same.
    func callAsFunction(_ x: Tensor, _ predicting: Predicting, name: String) -> Tensor {
        var hidden = projectIn(norm(x))
        for (index, block) in blocks.enumerated() {
            hidden = block(hidden, predicting, name: "\(name).transformer_blocks.\(index)")
        }
        return projectOut(hidden, adding: predicting.forEachContext(x))
    }
}

/// diffusers' BasicTransformerBlock: self-attention, cross-attention, GEGLU feed-forward, each after a layer
/// norm and with its input added.
private struct TransformerBlock: Sendable {
    private let norm1, norm2: LayerNorm
    private let first: MultiHeadAttention  // attn1
    /// Set where the first attention looks at the prompt too (`only_cross_attention`).
    private let firstIndex: Int?
    private let cross: MultiHeadAttention  // attn2
    private let crossIndex: Int
    private let feedForward: FeedForward  // norm3, ff.net.0.proj, ff.net.2

    init(
        _ scope: WeightScope, width: Int, heads: Int, contextWidth: Int, onlyCross: Bool,
        layers: inout CrossAttentionLayers
    ) {
        norm1 = LayerNorm(scope["norm1"], width: width, epsilon: 1e-5)
        first = MultiHeadAttention(
            scope["attn1"], names: .diffusers, width: width, contextWidth: onlyCross ? contextWidth : width,
            heads: heads, inputBias: false)
        firstIndex = onlyCross ? layers.register(first) : nil
        norm2 = LayerNorm(scope["norm2"], width: width, epsilon: 1e-5)
        cross = MultiHeadAttention(
            scope["attn2"], names: .diffusers, width: width, contextWidth: contextWidth, heads: heads,
            inputBias: false)
        crossIndex = layers.register(cross)
        feedForward = FeedForward(
            norm: LayerNorm(scope["norm3"], width: width, epsilon: 1e-5),
            first: Linear(scope["ff"]["net"][0]["proj"], inputs: width, outputs: 8 * width), .gatedGelu,
            second: Linear(scope["ff"]["net"][2], inputs: 4 * width, outputs: width))
    }

    func callAsFunction(_ x: Tensor, _ predicting: Predicting, name: String) -> Tensor {
        func record(_ part: String, _ value: Tensor) {
            predicting.trace?.record(
                name + part,
                value.reshaped([value.shape[0], value.shape[1] * value.shape[2], value.shape[3]]))
        }
        /// What a layer gives, added to `x`; apart where the layer's own output is to be recorded.
        func residual(_ part: String, _ x: Tensor, _ layer: (Tensor?) -> Tensor) -> Tensor {
            guard predicting.trace != nil else { return layer(x) }
            let own = layer(nil)
            record(part, own)
            return added(own, x)
        }
        let keysValues = predicting.conditioning.keysValues, contexts = predicting.contexts
        var hidden = x
        if let firstIndex {
            hidden = predicting.forEachContext(x)
            hidden = residual(".attn1", hidden) {
                first(norm1(hidden), to: keysValues[firstIndex], contexts: contexts, adding: $0)
            }
        } else {
            hidden = predicting.forEachContext(residual(".attn1", x) { first(norm1(x), adding: $0) })
        }
        hidden = residual(".attn2", hidden) {
            cross(norm2(hidden), to: keysValues[crossIndex], contexts: contexts, adding: $0)
        }
        hidden = residual(".ff", hidden) { feedForward(hidden, adding: $0) }
        record("", hidden)
        return hidden
    }
}
