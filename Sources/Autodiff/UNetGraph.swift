package import Models
internal import Tensors

#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

/// The forward pass of `Models.UNet` on a tape, level by level as there.
package struct UNetGraph {
    package let configuration: UNetConfiguration

    package init(_ configuration: UNetConfiguration) { self.configuration = configuration }

    /// - Parameters:
    ///   - sample: `[batch, height, width, inChannels]`.
    ///   - timesteps: one per item.
    ///   - context: encoder states `[batch, length, width]`.
    /// - Returns: `[batch, height, width, outChannels]`.
    package func predict(_ tape: Tape, sample: Node, timesteps: [Float], context: Node) -> Node {
        let c = configuration
        let waves = tape.constant(TimeEmbedding.sinusoids(timesteps, c))
        let time = tape.silu(
            tape.linear(tape.silu(tape.linear(waves, "time_embedding.linear_1")), "time_embedding.linear_2"))
        let input = c.centersInput ? tape.constant(sample.value * 2 - 1) : sample
        var hidden = tape.convolution(input, "conv_in", padding: (c.inputKernel - 1) / 2)
        var skips = [hidden]
        for level in c.downBlocks.indices {
            let name = "down_blocks.\(level)"
            for layer in 0..<c.layersPerBlock[level] {
                hidden = resnet("\(name).resnets.\(layer)")(tape, hidden, time: time)
                if c.downBlocks[level] == .cross {
                    hidden = transformer(tape, hidden, context, "\(name).attentions.\(layer)", level: level)
                }
                skips.append(hidden)
            }
            if level < c.downBlocks.count - 1 {
                hidden = tape.convolution(
                    hidden, "\(name).downsamplers.0.conv", stride: 2, padding: c.downsamplePadding,
                    padsEnd: c.downsamplePadding == 0)
                skips.append(hidden)
            }
        }
        if let mid = c.midBlock {
            hidden = resnet("mid_block.resnets.0")(tape, hidden, time: time)
            if mid == .cross {
                hidden = transformer(
                    tape, hidden, context, "mid_block.attentions.0", level: c.downBlocks.count - 1,
                    isMiddle: true)
                hidden = resnet("mid_block.resnets.1")(tape, hidden, time: time)
            }
        }
        for index in c.upBlocks.indices {
            let name = "up_blocks.\(index)"
            let level = c.upBlocks.count - 1 - index
            for layer in 0...c.layersPerBlock[level] {
                hidden = resnet("\(name).resnets.\(layer)")(
                    tape, tape.joinedChannels(hidden, skips.removeLast()), time: time)
                if c.upBlocks[index] == .cross {
                    hidden = transformer(tape, hidden, context, "\(name).attentions.\(layer)", level: level)
                }
            }
            if let next = skips.last, index < c.upBlocks.count - 1 {
                hidden = tape.convolution(
                    tape.enlarged(hidden, height: next.shape[1], width: next.shape[2]),
                    "\(name).upsamplers.0.conv")
            }
        }
        let normal = tape.groupNorm(
            hidden, "conv_norm_out", groups: c.normGroups, epsilon: c.normEpsilon, activation: .silu)
        return tape.convolution(normal, "conv_out", padding: (c.outputKernel - 1) / 2)
    }

    private func resnet(_ name: String) -> ResidualGraph {
        ResidualGraph(name: name, groups: configuration.normGroups, epsilon: configuration.normEpsilon)
    }

    /// Pixels attend to each other and to the prompt.
    private func transformer(
        _ tape: Tape, _ x: Node, _ context: Node, _ name: String, level: Int, isMiddle: Bool = false
    ) -> Node {
        let c = configuration
        let heads = c.heads[level], looksAtPromptFirst = !isMiddle && c.onlyCrossAttention[level]
        return tape.block([x, context]) { tape, inputs in
            let x = inputs[0], context = inputs[1]
            let (batch, pixels, channels) = (x.shape[0], x.shape[1] * x.shape[2], x.shape[3])
            var hidden = tape.groupNorm(x, name + ".norm", groups: c.normGroups, epsilon: 1e-6)
            hidden = tape.reshaped(tape.pointwise(hidden, name + ".proj_in"), [batch, pixels, channels])
            for index in 0..<c.transformerLayersPerBlock[level] {
                let block = "\(name).transformer_blocks.\(index)"
                let first = tape.layerNorm(hidden, block + ".norm1", epsilon: 1e-5)
                let mixed = tape.attention(
                    first, context: looksAtPromptFirst ? context : nil, block + ".attn1", heads: heads)
                hidden = tape.sum(tape.dropout(mixed), hidden)
                let told = tape.attention(
                    tape.layerNorm(hidden, block + ".norm2", epsilon: 1e-5), context: context,
                    block + ".attn2", heads: heads)
                hidden = tape.sum(tape.dropout(told), hidden)
                let gate = tape.linear(
                    tape.layerNorm(hidden, block + ".norm3", epsilon: 1e-5), block + ".ff.net.0.proj")
                hidden = tape.sum(
                    tape.linear(tape.dropout(tape.gatedGelu(gate)), block + ".ff.net.2"), hidden)
            }
            return tape.sum(tape.pointwise(tape.reshaped(hidden, x.shape), name + ".proj_out"), x)
        }
    }
}

extension Tape {
    /// A linear layer over channels, stored as one or as a 1 x 1 convolution.
    func pointwise(_ x: Node, _ name: String) -> Node { linear(x, name) }
}
