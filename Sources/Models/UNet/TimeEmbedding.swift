import Networks
import Tensors

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Sinusoids of the timestep and two linear layers (Ho et al. 2020, after Vaswani et al. 2017).
package struct TimeEmbedding: Sendable {
    private let configuration: UNetConfiguration
    private let first: Linear  // time_embedding.linear_1
    private let second: Linear  // time_embedding.linear_2

    init(_ scope: WeightScope, _ configuration: UNetConfiguration) {
        self.configuration = configuration
        let channels = configuration.blockOutChannels[0]
        first = Linear(
            scope["time_embedding"]["linear_1"], inputs: channels, outputs: configuration.timeEmbeddingWidth)
        second = Linear(
            scope["time_embedding"]["linear_2"], inputs: configuration.timeEmbeddingWidth,
            outputs: configuration.timeEmbeddingWidth)
    }

    /// Timesteps of a batch to `[batch, width]`.
    func callAsFunction(_ timesteps: [Float], trace: ActivationTrace?) -> Tensor {
        let waves = Self.sinusoids(timesteps, configuration)
        trace?.record("time_proj", waves)
        let result = second(Activation.silu(first(waves)))
        trace?.record("time_embedding", result)
        return result
    }

    /// `[batch, channels]`, angles in Double: the reference's float32 angles are off by up to 6e-5 at 1,000.
    package static func sinusoids(_ timesteps: [Float], _ configuration: UNetConfiguration) -> Tensor {
        let channels = configuration.blockOutChannels[0], flips = configuration.flipsSineToCosine
        let half = channels / 2
        return Tensor(shape: [timesteps.count, channels]) { out in
            for (row, timestep) in timesteps.enumerated() {
                for i in 0..<half {
                    let angle =
                        Double(timestep)
                        * exp(-log(10_000) * Double(i) / (Double(half) - configuration.frequencyShift))
                    out[row * channels + i] = Float(flips ? cos(angle) : sin(angle))
                    out[row * channels + half + i] = Float(flips ? sin(angle) : cos(angle))
                }
            }
        }
    }
}
