import Networks
import Tensors

/// The picture tower of CLIP: a vision transformer over patches (transformers' CLIPVisionModel).
package struct CLIPVision: Sendable {
    package struct Output: Sendable {
        /// `[batch, 1 + patches, width]`, before the last norm.
        package let states: Tensor
        /// `[batch, width]`: the normalised state of the class token.
        package let pooled: Tensor
    }

    package let configuration: CLIPVisionConfiguration
    private let patches: Convolution2D  // embeddings.patch_embedding
    private let classToken: Lazy<Tensor>  // embeddings.class_embedding
    private let positions: Lazy<Tensor>  // embeddings.position_embedding
    private let normIn: LayerNorm  // pre_layrnorm (spelt so)
    private let encoder: CLIPEncoder
    private let normOut: LayerNorm  // post_layernorm

    init(_ scope: WeightScope, _ configuration: CLIPVisionConfiguration) {
        let c = configuration
        self.configuration = c
        let side = c.imageSize / c.patchSize
        patches = Convolution2D(
            scope["embeddings"]["patch_embedding"], inputs: c.channels, outputs: c.width, kernel: c.patchSize,
            stride: c.patchSize, padding: 0, bias: false)
        let classEmbedding = scope["embeddings"].parameter("class_embedding", [c.width])
        let positionTable = scope["embeddings"]["position_embedding"].parameter(
            "weight", [side * side + 1, c.width])
        classToken = Lazy { classEmbedding.load() }
        positions = Lazy { positionTable.load() }
        normIn = LayerNorm(scope["pre_layrnorm"], width: c.width, epsilon: c.epsilon)
        encoder = CLIPEncoder(
            scope["encoder"], width: c.width, hiddenWidth: c.hiddenWidth, layers: c.layers, heads: c.heads,
            activation: c.activation, epsilon: c.epsilon)
        normOut = LayerNorm(scope["post_layernorm"], width: c.width, epsilon: c.epsilon)
    }

    /// - Parameter pixels: `[batch, channels, imageSize, imageSize]`, normalised as the folder's preprocessor
    ///   says.
    package func encode(_ pixels: Tensor, seen: ((Tensor) -> Void)? = nil) throws -> Output {
        let c = configuration
        guard pixels.rank == 4, pixels.shape[0] > 0,
            Array(pixels.shape.dropFirst()) == [c.channels, c.imageSize, c.imageSize]
        else {
            throw EngineError(
                .shape,
                """
                pixels of shape \(pixels.shape) do not fit: expected [batch, \(c.channels), \(c.imageSize), \
                \(c.imageSize)]
                """)
        }
        let embedded = embeddings(patches(pixels.channelsLast))
        let rows = SequenceRows(batch: embedded.shape[0], length: embedded.shape[1])
        let states = rows.spread(encoder(normIn(embedded.reshaped([rows.count, c.width])), rows, seen: seen))
        let first = Tensor.stacked((0..<pixels.shape[0]).map { states[$0][0] })
        return Output(states: states, pooled: normOut(first))
    }

    /// The class token before the patches, positions added.
    private func embeddings(_ patches: Tensor) -> Tensor {
        let batch = patches.shape[0], count = patches.shape[1] * patches.shape[2], width = configuration.width
        return patches.withUnsafePointer { patches in
            classToken.value.withUnsafePointer { token in
                positions.value.withUnsafePointer { positions in
                    Tensor(shape: [batch, count + 1, width]) { out in
                        for item in 0..<batch {
                            let to = out + item * (count + 1) * width
                            for i in 0..<width { to[i] = token[i] + positions[i] }
                            let from = patches + item * count * width
                            for i in 0..<(count * width) { to[width + i] = from[i] + positions[width + i] }
                        }
                    }
                }
            }
        }
    }
}
