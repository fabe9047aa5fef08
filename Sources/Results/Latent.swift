import Tensors

/// A picture in the space where it is denoised, with all that a denoising can go on from.
package struct Latent: Sendable {
    /// [channels, height, width], in the network's units: what the autoencoder gave times its scaling factor.
    package var tensor: Tensor
    /// The model that it was made for; nil for numbers read from a file.
    package var model: ModelIdentity?
    /// Why there is no schedule, in words that fit "this latent ...": "came from arithmetic".
    package var origin: Origin

    package enum Origin: String, Sendable {
        case encoded = "comes straight from `encode`"
        case computed = "comes from arithmetic"
        case file = "was read from a file"
        case noised = "has noise of a schedule"
    }

    package init(tensor: Tensor, model: ModelIdentity? = nil, origin: Origin) {
        self.tensor = tensor
        self.model = model
        self.origin = origin
    }
}
