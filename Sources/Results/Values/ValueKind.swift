/// The kinds of value that a user meets, under the names used in messages, in `describe` and as column types.
package enum ValueKind: String, Sendable, CaseIterable {
    case none, boolean, number, text, list, record, table, image, embedding, latent, tensor, measure, model,
        view, mixed

    /// The name with its article: "a number", "an image".
    package var phrase: String {
        switch self {
        case .none: "nothing"
        case .boolean: "yes or no"
        case .text: "text"
        case .image, .embedding: "an \(rawValue)"
        case .mixed: "values of several kinds"
        default: "a \(rawValue)"
        }
    }
}
