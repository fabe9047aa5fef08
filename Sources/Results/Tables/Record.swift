/// Named values in a fixed order: a row of a table, or `{a: 1, b: 2}`.
package struct Record: Sendable {
    /// In the order in which they are shown.
    package private(set) var fields: [(name: String, value: Value)]
    /// Of a table's row: the number of its item in the source, and how it came to be.
    package var item: Int?
    package var recipe: Recipe?

    package init(fields: [(name: String, value: Value)] = [], item: Int? = nil, recipe: Recipe? = nil) {
        self.fields = fields
        self.item = item
        self.recipe = recipe
    }

    package subscript(name: String) -> Value? {
        if let field = fields.first(where: { $0.name == name }) { return field.value }
        if name == Table.itemName, let item { return .number(Double(item)) }
        return nil
    }

    /// Whether a field begins with `name` and a point, as `near.image` does with `near`.
    package func hasFields(under name: String) -> Bool {
        fields.contains { $0.name.hasPrefix(name + ".") }
    }

    package mutating func set(_ name: String, _ value: Value) {
        if let index = fields.firstIndex(where: { $0.name == name }) {
            fields[index].value = value
        } else {
            fields.append((name, value))
        }
    }
}
