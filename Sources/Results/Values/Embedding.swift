import Tensors

/// A text as the network is told it.
package struct Embedding: Sendable {
    /// [tokens, width]: the text encoder's last states.
    package var states: Tensor
    /// The text, where it came from one; none after arithmetic or when read from a file.
    package var text: String?
    /// The model whose text encoder made it.
    package var model: ModelIdentity?

    package init(states: Tensor, text: String? = nil, model: ModelIdentity? = nil) {
        self.states = states
        self.text = text
        self.model = model
    }
}

/// Which model a latent or embedding belongs to.
package struct ModelIdentity: Sendable, Equatable {
    /// As the user named it, for messages.
    package var name: String
    /// Of the weights and configuration: two models are the same if their digests are.
    package var digest: String

    package init(name: String, digest: String) {
        self.name = name
        self.digest = digest
    }

    package static func == (a: ModelIdentity, b: ModelIdentity) -> Bool { a.digest == b.digest }
}
