import Kernels
import Networks
import Tensors

/// The transformer of both towers: pre-norm attention and a two-layer feed-forward (transformers'
/// CLIPEncoder).
struct CLIPEncoder: Sendable {
    private struct Layer: Sendable {
        let norm1: LayerNorm  // layer_norm1
        let attention: MultiHeadAttention
        let feedForward: FeedForward  // layer_norm2, mlp.fc1, mlp.fc2

        func callAsFunction(_ x: Tensor, _ rows: SequenceRows, mask: AttentionMask?) -> Tensor {
            let hidden = attention(norm1(x), rows, mask: mask, adding: x)
            return feedForward(hidden, adding: hidden)
        }
    }

    private let layers: [Layer]

    init(
        _ scope: WeightScope, width: Int, hiddenWidth: Int, layers: Int, heads: Int, activation: Activation,
        epsilon: Float
    ) {
        self.layers = (0..<layers).map { index in
            let place = scope["layers"][index]
            return Layer(
                norm1: LayerNorm(place["layer_norm1"], width: width, epsilon: epsilon),
                attention: MultiHeadAttention(
                    place["self_attn"], names: .transformers, width: width, contextWidth: width, heads: heads,
                    inputBias: true),
                feedForward: FeedForward(
                    norm: LayerNorm(place["layer_norm2"], width: width, epsilon: epsilon),
                    first: Linear(place["mlp"]["fc1"], inputs: width, outputs: hiddenWidth),
                    .activation(activation),
                    second: Linear(place["mlp"]["fc2"], inputs: hiddenWidth, outputs: width)))
        }
    }

    /// `[rows.count, width]` to the same; `seen` gets the input and the state after each layer, `[batch,
    /// length, width]`.
    func callAsFunction(
        _ x: Tensor, _ rows: SequenceRows, mask: AttentionMask? = nil, seen: ((Tensor) -> Void)?
    ) -> Tensor {
        var hidden = x
        seen?(rows.spread(hidden))
        for layer in layers {
            hidden = layer(hidden, rows, mask: mask)
            seen?(rows.spread(hidden))
        }
        return hidden
    }
}
