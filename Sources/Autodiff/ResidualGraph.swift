/// The residual block of UNet and autoencoder; the forward pass of `Models.ResidualBlock` on a tape.
struct ResidualGraph {
    let name: String
    let groups: Int
    let epsilon: Float

    /// - Parameter time: SiLU of the time embedding, `[batch, width]`; nil in the autoencoder.
    func callAsFunction(_ tape: Tape, _ x: Node, time: Node? = nil) -> Node {
        tape.block([x] + (time.map { [$0] } ?? [])) { tape, inputs in
            let x = inputs[0]
            var hidden = tape.groupNorm(
                x, name + ".norm1", groups: groups, epsilon: epsilon, activation: .silu)
            hidden = tape.convolution(hidden, name + ".conv1")
            if inputs.count > 1 {
                hidden = tape.adding(tape.linear(inputs[1], name + ".time_emb_proj"), toEachPixelOf: hidden)
            }
            hidden = tape.groupNorm(
                hidden, name + ".norm2", groups: groups, epsilon: epsilon, activation: .silu)
            hidden = tape.convolution(tape.dropout(hidden), name + ".conv2")
            let hasShortcut = tape.parameters.index(of: name + ".conv_shortcut.weight") != nil
            return tape.sum(
                hidden, hasShortcut ? tape.convolution(x, name + ".conv_shortcut", padding: 0) : x)
        }
    }
}

extension Tape {
    /// Multi-head attention with its four projections under diffusers' names; `context` nil for
    /// self-attention.
    func attention(_ x: Node, context: Node?, _ name: String, heads: Int) -> Node {
        let source = context ?? x
        let mixed = attention(
            queries: linear(x, name + ".to_q"), keys: linear(source, name + ".to_k"),
            values: linear(source, name + ".to_v"), heads: heads)
        return linear(mixed, name + ".to_out.0")
    }
}
