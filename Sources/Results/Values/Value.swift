import Tensors

/// What a variable, a cell of a table or the result of a pipeline can be.
package indirect enum Value: Sendable {
    /// A missing value.
    case none
    case boolean(Bool)
    case number(Double)
    case text(String)
    case list([Value])
    case record(Record)
    case table(Table)
    case picture(Picture)
    case embedding(Embedding)
    case latent(Latent)
    /// Numbers of any shape without further meaning, in the reference's layout (channels before height and
    /// width).
    case tensor(Tensor)
    /// A figure with its interval.
    case measure(Measure)
    case model(any ModelHandle)
    /// What `table`, `show`, `grid`, `describe` and `help` give: something to look at.
    case view(View)

    package var kind: ValueKind {
        switch self {
        case .none: .none
        case .boolean: .boolean
        case .number: .number
        case .text: .text
        case .list: .list
        case .record: .record
        case .table: .table
        case .picture: .image
        case .embedding: .embedding
        case .latent: .latent
        case .tensor: .tensor
        case .measure: .measure
        case .model: .model
        case .view: .view
        }
    }

    /// What of a table is not finished.
    package var partial: Table.Partial? {
        if case .table(let table) = self { table.partial } else { nil }
    }

    package var isNone: Bool {
        if case .none = self { true } else { false }
    }

    /// The number, or a measure's value.
    package var number: Double? {
        switch self {
        case .number(let number): number
        case .measure(let measure): measure.value
        default: nil
        }
    }

    /// The numbers behind a number, picture (0...1), latent, embedding or tensor; nil for other kinds.
    package func elements() throws -> Tensor? {
        switch self {
        case .tensor(let tensor): tensor
        case .latent(let latent): latent.tensor
        case .embedding(let embedding): embedding.states
        case .picture(let picture): try picture.pixels()
        default: nil
        }
    }
}

/// A model as the language sees it: something with a name and fields. The engine's models are wrapped in the
/// Verbs module.
package protocol ModelHandle: AnyObject, Sendable {
    /// How the user named it.
    var name: String { get }
    /// What it is, in one line: parts and sizes.
    var summary: String { get }
    /// The fields that `model.NAME` reads, in the order in which they are listed.
    var fieldNames: [String] { get }
    func field(_ name: String) throws -> Value?
}
