import Diffusion
import Tensors

/// A picture in the space where it is denoised, with all that a denoising can go on from.
package struct Latent: Sendable {
    /// [channels, height, width], in the network's units: what the autoencoder gave times its scaling factor.
    package var tensor: Tensor
    /// The model that it was made for; nil for numbers read from a file.
    package var model: ModelIdentity?
    /// How it came to be, which decides what can be done with it.
    package var origin: Origin
    /// The schedule that it is on, and the place in it; nil where there is none (see `origin`).
    package var run: SchedulerRun?
    /// Goes on from the draws that made it: posterior, noise and scheduler draws of one seed come from one
    /// generator, in that order.
    package var generator: Generator?
    /// The seed that the generator began with.
    package var seed: Int?
    /// The row of a notebook's `denoise` that it comes from.
    package var tag: RowTag?

    package enum Origin: String, Sendable {
        case encoded = "comes straight from `encode`"
        case computed = "comes from arithmetic"
        case file = "was read from a file"
        case noised = "has the noise of a schedule"
    }

    package init(
        tensor: Tensor, model: ModelIdentity? = nil, origin: Origin, run: SchedulerRun? = nil,
        generator: Generator? = nil, seed: Int? = nil
    ) {
        self.tensor = tensor
        self.model = model
        self.origin = origin
        self.run = run
        self.generator = generator
        self.seed = seed
    }
}
