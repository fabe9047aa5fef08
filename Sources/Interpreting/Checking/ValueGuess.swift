import Results
import SourceText
import Syntax

/// What the check before running knows of a value. It never says more than is sure.
enum ValueGuess {
    case unknown
    case table(ColumnGuess)
    /// One of these numbers, texts, truths, models or lists of them.
    case among([Value])
    case kind(ValueKind)

    /// What is known of a value that is there.
    init(_ value: Value) {
        switch value {
        case .table(let table): self = .table(ColumnGuess(of: table))
        case .number, .text, .boolean, .none, .model: self = .among([value])
        case .list(let values): self = values.count <= 200 && Self.isSmall(value) ? .among([value]) : .unknown
        default: self = .kind(value.kind)
        }
    }

    /// Whether the check can go on with it at no cost.
    static func isSmall(_ value: Value) -> Bool {
        if case .text(let text) = value { return text.utf8.count <= 1 << 16 }
        return Nesting.count(value, upTo: CheckBudget.mostElements + 1, levels: CheckBudget.mostLevels)
            <= CheckBudget.mostElements
    }

    /// Its kind, where that is sure.
    var kind: ValueKind? {
        switch self {
        case .unknown: return nil
        case .table: return .table
        case .kind(let kind): return kind
        case .among(let values):
            guard let kind = values.first?.kind, values.allSatisfy({ $0.kind == kind }) else { return nil }
            return kind
        }
    }

    /// The columns that it has as a table.
    var columns: ColumnGuess {
        switch self {
        case .table(let columns): return columns
        case .among(let values):
            let isText =
                !values.isEmpty
                && values.allSatisfy { value in
                    switch value {
                    case .text: true
                    case .list(let texts): !texts.isEmpty && texts.allSatisfy { $0.kind == .text }
                    default: false
                    }
                }
            return isText ? ColumnGuess(only: ["text"], kinds: ["text": .one(.text)]) : .unknown
        case .unknown, .kind: return .unknown
        }
    }

    /// An element of it, for a name that goes through a list.
    var element: ValueGuess {
        guard case .among(let values) = self else { return .unknown }
        let elements = values.flatMap { Resolver.listed($0) }
        return elements.count <= 200 ? .among(elements) : .unknown
    }

    /// Whether the two are surely the same.
    func isSame(as other: ValueGuess) -> Bool {
        switch (self, other) {
        case (.unknown, .unknown): true
        case (.table(let a), .table(let b)): a == b
        case (.kind(let a), .kind(let b)): a == b
        default: false
        }
    }

    /// One or the other.
    func merged(with other: ValueGuess) -> ValueGuess {
        if case .among(let a) = self, case .among(let b) = other,
            columns == .unknown || other.columns == .unknown
        {
            return a.count + b.count <= 200 ? .among(a + b) : .unknown
        }
        guard isTable, other.isTable else { return .unknown }
        return .table(columns.merged(with: other.columns))
    }

    private var isTable: Bool {
        if case .table = self { return true }
        return columns != .unknown
    }
}

extension Expression {
    /// Adds the names that the expression reads; false where its value depends on more than names, or is no
    /// plain value.
    func collectNames(into names: inout Set<String>) -> Bool {
        switch kind {
        case .number, .boolean, .none: return true
        case .name(let name):
            names.insert(name)
            return true
        case .text(let parts):
            return parts.allSatisfy { part in
                if case .value(let inner) = part { inner.collectNames(into: &names) } else { true }
            }
        case .group(let inner), .negative(let inner), .not(let inner): return inner.collectNames(into: &names)
        case .list(let items), .call(_, let items): return items.allSatisfy { $0.collectNames(into: &names) }
        case .binary(_, let a, let b): return a.collectNames(into: &names) && b.collectNames(into: &names)
        case .range(let a, let b, let step):
            return a.collectNames(into: &names) && b.collectNames(into: &names)
                && (step?.collectNames(into: &names) ?? true)
        default: return false
        }
    }
}
