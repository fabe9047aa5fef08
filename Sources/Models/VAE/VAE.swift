import Files
import Kernels
import Networks
import Tensors

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// The normal distribution of a picture's latents, `[batch, latentChannels, height, width]` each.
package struct LatentDistribution: Sendable {
    package let mean: Tensor
    /// Clamped to -30...20, as the reference does.
    package let logVariance: Tensor

    package var standardDeviation: Tensor { logVariance.map { exp(0.5 * $0) } }

    /// mean + standard deviation * noise.
    package func sample(noise: Tensor) -> Tensor { mean + standardDeviation * noise }

    /// Kullback-Leibler divergence from the standard normal distribution, summed over each item's elements.
    package var divergencePerItem: [Double] {
        (0..<mean.shape[0]).map { item in
            zip(mean[item].values, logVariance[item].values).reduce(0) { sum, pair in
                let (mean, logVariance) = (Double(pair.0), Double(pair.1))
                return sum + 0.5 * (mean * mean + exp(logVariance) - 1 - logVariance)
            }
        }
    }
}

/// The autoencoder between pictures and latents (diffusers' AutoencoderKL; Rombach et al. 2022).
package struct VAE: Sendable {
    package let configuration: VAEConfiguration
    package let parameterCount: Int
    /// Bytes of its weight files.
    package let byteCount: Int
    /// What its weight files hold beyond that.
    package let unused: UnusedWeights?
    private let encoder: VAEEncoder
    private let decoder: VAEDecoder
    private let quant: Linear?  // quant_conv, 1 x 1
    private let postQuant: Linear?  // post_quant_conv, 1 x 1

    /// Reads `config.json` and the headers of `diffusion_pytorch_model.safetensors`; weights are read when
    /// first used.
    package init(folder: String, precision: StoredPrecision = .float32) throws {
        let configuration = try VAEConfiguration(path: FileSystem.join(folder, "config.json"))
        try self.init(configuration, weights: WeightFiles.open(folder: folder), precision: precision)
    }

    package init(
        _ configuration: VAEConfiguration, weights: any TensorSource, precision: StoredPrecision = .float32
    ) throws {
        try self.init(configuration, WeightReader(weights, precision: precision, alternatives: Self.oldNames))
    }

    /// Names and shapes of the parameters, in the network's order.
    package static func parameters(_ configuration: VAEConfiguration) throws -> [(name: String, shape: [Int])]
    {
        let reader = WeightReader(listingFor: "vae")
        _ = try VAE(configuration, reader)
        // Here a 1 x 1 convolution is a linear layer; the reference stores its kernel's extents too.
        let convolutions = ["conv_shortcut.weight", "quant_conv.weight"]
        return reader.requests.map { request in
            (
                request.name,
                convolutions.contains(where: request.name.hasSuffix) ? request.shape + [1, 1] : request.shape
            )
        }
    }

    private init(_ configuration: VAEConfiguration, _ reader: WeightReader) throws {
        let c = configuration
        let root = reader.root
        self.configuration = c
        encoder = VAEEncoder(root["encoder"], c)
        decoder = VAEDecoder(root["decoder"], c)
        quant =
            c.hasQuantConv
            ? Linear(root["quant_conv"], inputs: 2 * c.latentChannels, outputs: 2 * c.latentChannels) : nil
        postQuant =
            c.hasPostQuantConv
            ? Linear(root["post_quant_conv"], inputs: c.latentChannels, outputs: c.latentChannels) : nil
        unused = try reader.finish()
        parameterCount = reader.parameterCount
        byteCount = reader.byteCount
    }

    /// Folders written before diffusers 0.17 name the attention's projections otherwise.
    private static func oldNames(_ name: String) -> [String] {
        for (new, old) in [("to_q", "query"), ("to_k", "key"), ("to_v", "value"), ("to_out.0", "proj_attn")] {
            let tail = [".weight", ".bias"].first { name.hasSuffix(".\(new)\($0)") }
            if let tail { return [name.dropLast(new.count + tail.count) + old + tail] }
        }
        return []
    }

    /// - Parameter pictures: `[batch, inChannels, height, width]` in -1...1; height and width divisible by
    ///   `configuration.factor`.
    package func encode(_ pictures: Tensor, trace: ActivationTrace? = nil) throws -> LatentDistribution {
        let c = configuration
        guard pictures.rank == 4, pictures.shape[1] == c.inChannels, pictures.count > 0 else {
            throw EngineError(
                .shape,
                """
                pictures of shape \(pictures.shape) do not fit: expected [batch, \(c.inChannels), height, \
                width]
                """)
        }
        BufferPool.serve("vae encoder")
        let moments = encodedMoments(pictures, trace)
        let parts = moments.channelsFirst
        let batch = parts.shape[0], height = parts.shape[2], width = parts.shape[3]
        let half = c.latentChannels * height * width
        func take(_ offset: Int, _ body: (Float) -> Float) -> Tensor {
            parts.withUnsafePointer { source in
                Tensor(shape: [batch, c.latentChannels, height, width]) { out in
                    for item in 0..<batch {
                        for i in 0..<half {
                            out[item * half + i] = body(source[item * 2 * half + offset + i])
                        }
                    }
                }
            }
        }
        return LatentDistribution(mean: take(0) { $0 }, logVariance: take(half) { max(-30, min(20, $0)) })
    }

    private func encodedMoments(_ pictures: Tensor, _ trace: ActivationTrace?) -> Tensor {
        let hidden = encoder(pictures.channelsLast, trace: trace)
        return quant?(hidden) ?? hidden
    }

    /// - Parameter latents: `[batch, latentChannels, height, width]`, already divided by the scaling factor.
    /// - Returns: `[batch, outChannels, height * factor, width * factor]`, about -1...1, not clamped.
    package func decode(_ latents: Tensor, trace: ActivationTrace? = nil) throws -> Tensor {
        let c = configuration
        guard latents.rank == 4, latents.shape[1] == c.latentChannels, latents.count > 0 else {
            throw EngineError(
                .shape,
                """
                latents of shape \(latents.shape) do not fit: expected [batch, \(c.latentChannels), height, \
                width]
                """)
        }
        BufferPool.serve("vae decoder")
        var hidden = latents.channelsLast
        if let postQuant {
            hidden = postQuant(hidden)
            trace?.record("post_quant_conv", hidden)
        }
        return decoder(hidden, trace: trace).channelsFirst
    }
}
