import Files
import Tensors

/// What tells values apart, exactly: two values are one group or one partner in a join if their identities
/// are equal. Their texts will not do: all latents of a size read the same, and numbers are shown with few
/// digits.
package enum ValueIdentity: Hashable, Sendable {
    case none
    case boolean(Bool)
    case number(Double)
    /// All that is not a number.
    case undefinedNumber
    case text(String)
    case list([ValueIdentity])
    case record([String: ValueIdentity])
    /// Arrays of numbers by their bytes: pictures, latents, embeddings, tensors, of one kind.
    /// `state` is what a latent remembers: its model and its place on a schedule.
    case array(ValueKind, shape: [Int], digest: String, state: String)
    case object(ObjectIdentifier)
    case other(ValueKind, String)
}

extension Value {
    /// - Throws: where a picture cannot be read.
    package func identity() throws -> ValueIdentity {
        switch self {
        case .none: return .none
        case .boolean(let truth): return .boolean(truth)
        case .number(let number): return number.isNaN ? .undefinedNumber : .number(number)
        case .text(let text): return .text(text)
        case .list(let values): return .list(try values.map { try $0.identity() })
        case .record(let record): return .record(try Self.identities(record.fields))
        case .table(let table):
            return .list(try (0..<table.rowCount).map { .record(try Self.identities(table.row($0).fields)) })
        case .picture, .embedding, .latent, .tensor:
            guard let tensor = try elements() else { return .none }
            let bytes = tensor.withUnsafePointer {
                [UInt8](UnsafeRawBufferPointer(start: $0, count: tensor.count * MemoryLayout<Float>.size))
            }
            var state = ""
            if case .latent(let latent) = self {
                state = """
                    \(latent.origin.rawValue) \(latent.model?.digest ?? "") \
                    \(latent.run.map { "\($0.left) of \($0.steps), call \($0.index)" } ?? "")
                    """
            }
            return .array(kind, shape: tensor.shape, digest: try Digest.sha256(bytes), state: state)
        case .measure(let measure):
            return .list(
                try [measure.value, measure.low, measure.high, Double(measure.n)].map {
                    try Value.number($0).identity()
                })
        case .model(let model): return .object(ObjectIdentifier(model))
        case .view: return .other(kind, summary)
        }
    }

    private static func identities(_ fields: [(name: String, value: Value)]) throws -> [String: ValueIdentity]
    {
        try Dictionary(fields.map { ($0.name, try $0.value.identity()) }) { first, _ in first }
    }
}

/// The rows of a table that agree in some columns, in the order of first appearance.
package struct RowGroups {
    package private(set) var members: [[Int]] = []
    private var places: [[ValueIdentity]: Int] = [:]

    package init(_ columns: [Column], rowCount: Int) throws {
        for row in 0..<rowCount {
            let key = try columns.map { try $0.values[row].identity() }
            if let place = places[key] {
                members[place].append(row)
            } else {
                places[key] = members.count
                members.append([row])
            }
        }
    }

    /// The rows that agree with this row of other columns.
    package func members(like columns: [Column], row: Int) throws -> [Int]? {
        try places[columns.map { try $0.values[row].identity() }].map { members[$0] }
    }

    /// By row the number of its group.
    package var groupOfRow: [Int] {
        var result = [Int](repeating: 0, count: members.reduce(0) { $0 + $1.count })
        for (group, rows) in members.enumerated() { for row in rows { result[row] = group } }
        return result
    }
}
