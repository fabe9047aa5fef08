import Results

/// Names and their values; what is not here is looked for in the scope around it.
package final class Scope {
    private var values: [String: Value] = [:]
    private var order: [String] = []
    package let parent: Scope?
    /// Of values that are no tables: what they were made from that is not finished. A table says so itself.
    private var origins: [String: Table.Partial] = [:]
    /// The row that a block runs for, whose columns are among its variables.
    private var row: [String: Value]?

    package init(parent: Scope? = nil) { self.parent = parent }

    package subscript(name: String) -> Value? { values[name] ?? parent?[name] }

    package func set(_ name: String, _ value: Value, from origin: Table.Partial? = nil) {
        origins[name] = origin
        if values.updateValue(value, forKey: name) == nil { order.append(name) }
    }

    /// What of the variable's value is not finished.
    func unfinished(_ name: String) -> Table.Partial? {
        guard let value = values[name] else { return parent?.unfinished(name) }
        return value.partial ?? origins[name]
    }

    /// Binds a row's columns: as variables, and for `.NAME`.
    func bind(row: [(name: String, value: Value)]) {
        self.row = Dictionary(row.map { ($0.name, $0.value) }) { first, _ in first }
        for (name, value) in row { set(name, value) }
    }

    /// What `.NAME` means in the innermost block that runs per row.
    func rowValue(_ name: String) -> Value? { row.map { $0[name] } ?? parent?.rowValue(name) }

    package func remove(_ name: String) {
        values[name] = nil
        origins[name] = nil
        order.removeAll { $0 == name }
    }

    package func removeAll() {
        values = [:]
        origins = [:]
        order = []
    }

    /// The names of this scope alone, oldest first.
    package var ownNames: [String] { order }

    /// All names that can be read here, innermost first.
    package var names: [String] { order + (parent?.names ?? []) }
}
