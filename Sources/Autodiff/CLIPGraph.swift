package import Models
internal import Networks
internal import Tensors

/// The forward passes of both towers of `Models.CLIP` on a tape.
package struct CLIPGraph {
    package let text: CLIPTextConfiguration
    package let vision: CLIPVisionConfiguration

    package init(text: CLIPTextConfiguration, vision: CLIPVisionConfiguration) {
        (self.text, self.vision) = (text, vision)
    }

    /// Projected embeddings `[texts, projection width]`, not normalised.
    /// - Parameter ids: rows of equal length.
    package func textFeatures(_ tape: Tape, _ ids: [[Int]]) -> Node {
        let length = ids.first?.count ?? 0
        var hidden = tape.embedding(ids, "text_model.embeddings.token_embedding.weight")
        hidden = tape.adding(
            "text_model.embeddings.position_embedding.weight", length: length, toEachItemOf: hidden)
        hidden = encoder(
            tape, hidden, "text_model.encoder", layers: text.layers, heads: text.heads,
            activation: text.activation, epsilon: text.epsilon, causal: true)
        hidden = tape.layerNorm(hidden, "text_model.final_layer_norm", epsilon: text.epsilon)
        return tape.linear(tape.rows(ids.map(text.pooledPosition), of: hidden), "text_projection")
    }

    /// Projected embeddings `[pictures, projection width]`, not normalised.
    /// - Parameter pixels: `[pictures, size, size, channels]`, normalised as the folder's preprocessor says.
    package func imageFeatures(_ tape: Tape, _ pixels: Node) -> Node {
        let patches = tape.convolution(
            pixels, "vision_model.embeddings.patch_embedding", stride: vision.patchSize, padding: 0)
        let flat = tape.reshaped(
            patches, [patches.shape[0], patches.shape[1] * patches.shape[2], vision.width])
        var hidden = tape.prepending("vision_model.embeddings.class_embedding", to: flat)
        hidden = tape.adding(
            "vision_model.embeddings.position_embedding.weight", length: hidden.shape[1], toEachItemOf: hidden
        )
        hidden = tape.layerNorm(hidden, "vision_model.pre_layrnorm", epsilon: vision.epsilon)
        hidden = encoder(
            tape, hidden, "vision_model.encoder", layers: vision.layers, heads: vision.heads,
            activation: vision.activation, epsilon: vision.epsilon,
            causal: false)
        let first = tape.rows(Array(repeating: 0, count: hidden.shape[0]), of: hidden)
        return tape.linear(
            tape.layerNorm(first, "vision_model.post_layernorm", epsilon: vision.epsilon), "visual_projection"
        )
    }

    private func encoder(
        _ tape: Tape, _ x: Node, _ name: String, layers: Int, heads: Int, activation: Activation,
        epsilon: Float, causal: Bool
    ) -> Node {
        var hidden = x
        for index in 0..<layers {
            let layer = "\(name).layers.\(index)"
            let normal = tape.layerNorm(hidden, layer + ".layer_norm1", epsilon: epsilon)
            let mixed = tape.attention(
                queries: tape.linear(normal, layer + ".self_attn.q_proj"),
                keys: tape.linear(normal, layer + ".self_attn.k_proj"),
                values: tape.linear(normal, layer + ".self_attn.v_proj"), heads: heads, causal: causal)
            hidden = tape.sum(tape.dropout(tape.linear(mixed, layer + ".self_attn.out_proj")), hidden)
            var fed = tape.linear(
                tape.layerNorm(hidden, layer + ".layer_norm2", epsilon: epsilon), layer + ".mlp.fc1")
            switch activation {
            case .quickGelu: fed = tape.quickGelu(fed)
            case .gelu: fed = tape.gelu(fed)
            case .silu: fed = tape.silu(fed)
            }
            hidden = tape.sum(tape.dropout(tape.linear(fed, layer + ".mlp.fc2")), hidden)
        }
        return hidden
    }
}
