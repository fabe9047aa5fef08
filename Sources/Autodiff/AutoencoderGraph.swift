package import Models
internal import Tensors

/// The forward pass of `Models.VAE` on a tape.
package struct AutoencoderGraph {
    package let configuration: VAEConfiguration

    package init(_ configuration: VAEConfiguration) { self.configuration = configuration }

    /// - Parameter pictures: `[batch, height, width, inChannels]` in -1...1.
    /// - Returns: mean and log variance of the latents, `[batch, height / factor, width / factor,
    ///   latentChannels]`, the latter clamped as in the reference.
    package func encode(_ tape: Tape, _ pictures: Node) -> (mean: Node, logVariance: Node) {
        let c = configuration
        var hidden = tape.convolution(pictures, "encoder.conv_in")
        for level in c.blockOutChannels.indices {
            let name = "encoder.down_blocks.\(level)"
            for index in 0..<c.layersPerBlock { hidden = resnet("\(name).resnets.\(index)")(tape, hidden) }
            if level < c.blockOutChannels.count - 1 {
                hidden = tape.convolution(
                    hidden, "\(name).downsamplers.0.conv", stride: 2, padding: 0, padsEnd: true)
            }
        }
        hidden = middle(tape, hidden, "encoder.mid_block")
        hidden = tape.convolution(
            tape.groupNorm(
                hidden, "encoder.conv_norm_out", groups: c.normGroups, epsilon: 1e-6, activation: .silu),
            "encoder.conv_out")
        if c.hasQuantConv { hidden = tape.linear(hidden, "quant_conv") }
        let mean = tape.channels(0..<c.latentChannels, of: hidden)
        let logVariance = tape.clamped(
            tape.channels(c.latentChannels..<2 * c.latentChannels, of: hidden), -30...20)
        return (mean, logVariance)
    }

    /// Latents, not scaled, to pictures `[batch, height * factor, width * factor, outChannels]`.
    package func decode(_ tape: Tape, _ latents: Node) -> Node {
        let c = configuration
        var hidden = c.hasPostQuantConv ? tape.linear(latents, "post_quant_conv") : latents
        hidden = middle(tape, tape.convolution(hidden, "decoder.conv_in"), "decoder.mid_block")
        for level in c.blockOutChannels.indices {
            let name = "decoder.up_blocks.\(level)"
            for index in 0...c.layersPerBlock { hidden = resnet("\(name).resnets.\(index)")(tape, hidden) }
            if level < c.blockOutChannels.count - 1 {
                hidden = tape.convolution(
                    tape.enlarged(hidden, height: 2 * hidden.shape[1], width: 2 * hidden.shape[2]),
                    "\(name).upsamplers.0.conv")
            }
        }
        return tape.convolution(
            tape.groupNorm(
                hidden, "decoder.conv_norm_out", groups: c.normGroups, epsilon: 1e-6, activation: .silu),
            "decoder.conv_out")
    }

    private func resnet(_ name: String) -> ResidualGraph {
        ResidualGraph(name: name, groups: configuration.normGroups, epsilon: 1e-6)
    }

    /// Residual, attention of one head over all pixels, residual.
    private func middle(_ tape: Tape, _ x: Node, _ name: String) -> Node {
        var hidden = resnet(name + ".resnets.0")(tape, x)
        if configuration.hasMidAttention {
            hidden = tape.block([hidden]) { tape, inputs in
                let x = inputs[0]
                let normal = tape.groupNorm(
                    x, name + ".attentions.0.group_norm", groups: configuration.normGroups, epsilon: 1e-6)
                let flat = tape.reshaped(normal, [x.shape[0], x.shape[1] * x.shape[2], x.shape[3]])
                return tape.sum(
                    tape.reshaped(
                        tape.attention(flat, context: nil, name + ".attentions.0", heads: 1), x.shape), x)
            }
        }
        return resnet(name + ".resnets.1")(tape, hidden)
    }
}
