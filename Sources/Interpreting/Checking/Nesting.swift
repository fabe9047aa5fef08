import Results
import SourceText

/// How deep values go and how much they hold. A loop whose block gives `[it]` goes one level deeper with each
/// turn, and one that gives `[it, it]` holds twice as much while it takes no more memory: what goes through a
/// value by recursion would find no end of the stack or of time. So each value that is kept from one
/// statement or turn to the next is looked at once.
package struct Nesting {
    /// Deeper than what JSON may hold.
    package static let deepest = 600
    /// Elements of lists in lists, however many of them are the same.
    package static let mostElements = 1 << 24

    private var elements = 0

    private init() {}

    /// Throws where a value goes too deep or holds too much.
    /// - Parameter known: a value that was looked at before; the columns that are its own are not looked at
    ///   again.
    package static func check(_ value: Value, after known: Value? = nil) throws {
        var nesting = Nesting()
        guard case .table(let table) = value, case .table(let before)? = known else {
            return try nesting.visit(value, depth: 0)
        }
        for column in table.columns {
            if let old = before.column(column.name), column.values.isSameStorage(as: old.values) { continue }
            try nesting.visit(column.values, depth: 1)
        }
    }

    /// How many elements a list has with all inside of it, counted up to `limit`; the limit where it goes
    /// deeper than so many levels.
    package static func count(_ value: Value, upTo limit: Int, levels: Int = Nesting.deepest + 1) -> Int {
        guard case .list(let values) = value else { return 1 }
        guard levels > 0 else { return limit }
        var total = values.count
        for case .list(let inner) in values where total < limit {
            total += count(.list(inner), upTo: limit - total, levels: levels - 1)
        }
        return total
    }

    private static func check(_ depth: Int) throws {
        guard depth < deepest else {
            throw Complaint(
                .nestingTooDeep, "values lie inside each other more than \(deepest) deep",
                label: "one too many")
        }
    }

    private mutating func visit(_ value: Value, depth: Int) throws {
        try Self.check(depth)
        switch value {
        case .list(let values): try visit(values, depth: depth)
        case .record(let record): for field in record.fields { try visit(field.value, depth: depth + 1) }
        case .table(let table): for column in table.columns { try visit(column.values, depth: depth + 1) }
        default: break
        }
    }

    private mutating func visit(_ values: [Value], depth: Int) throws {
        try Self.check(depth)
        for value in values {
            switch value {
            case .list(let inner):
                elements += inner.count
                guard elements <= Nesting.mostElements else {
                    throw Complaint(
                        .engineMemory,
                        "lists inside of lists hold more than \(Nesting.mostElements) elements",
                        label: "too much",
                        help: "a table holds as many rows as there is memory for")
                }
                try visit(inner, depth: depth + 1)
            case .record, .table: try visit(value, depth: depth + 1)
            default: break
            }
        }
    }
}

extension [Value] {
    /// Whether both are the same array, not only equal ones.
    fileprivate func isSameStorage(as other: [Value]) -> Bool {
        count == other.count
            && withUnsafeBufferPointer { mine in
                other.withUnsafeBufferPointer { mine.baseAddress == $0.baseAddress }
            }
    }
}
