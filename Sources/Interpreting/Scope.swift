import Results

/// Names and their values; what is not here is looked for in the scope around it.
package final class Scope {
    private var values: [String: Value] = [:]
    private var order: [String] = []
    package let parent: Scope?

    package init(parent: Scope? = nil) { self.parent = parent }

    package subscript(name: String) -> Value? { values[name] ?? parent?[name] }

    package func set(_ name: String, _ value: Value) {
        if values.updateValue(value, forKey: name) == nil { order.append(name) }
    }

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
