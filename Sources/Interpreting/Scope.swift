import Results

/// Names and their values; what is not here is looked for in the scope around it.
package final class Scope {
    private var values: [String: Value] = [:]
    private var order: [String] = []
    package let parent: Scope?
    /// The row that a block runs for, whose columns are among its variables.
    private var row: [String: Value]?

    package init(parent: Scope? = nil) { self.parent = parent }

    package subscript(name: String) -> Value? { values[name] ?? parent?[name] }

    package func set(_ name: String, _ value: Value) {
        if values.updateValue(value, forKey: name) == nil { order.append(name) }
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
        order.removeAll { $0 == name }
    }

    package func removeAll() {
        values = [:]
        order = []
    }

    /// The names of this scope alone, oldest first.
    package var ownNames: [String] { order }

    /// All names that can be read here, innermost first.
    package var names: [String] { order + (parent?.names ?? []) }
}
