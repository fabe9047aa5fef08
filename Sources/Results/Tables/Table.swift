/// A table of items: what flows through pipelines. Each row keeps the number of its item in the source that
/// was named first, through every verb, and the recipe by which it came to be. Rows that a verb multiplied
/// share their item.
package struct Table: Sendable {
    package static let itemName = "item"

    package private(set) var columns: [Column]
    package private(set) var rowCount: Int
    /// One number per row.
    package private(set) var items: [Int]
    /// One per row.
    package private(set) var recipes: [Recipe]
    /// Whether `item` is among the columns shown. It can be read either way.
    package var showsItem: Bool
    /// Set where a user stopped the work that made the table: it holds whole rows only, and fewer than asked
    /// for.
    package var partial: Partial?
    /// What a reader of its numbers must know, shown below it: with what they were measured, say.
    package var notes: [String] = []
    /// Where its measures are differences: to what.
    package var baseline: String?

    /// `items` defaults to 0, 1, 2, ...; every column must have `rowCount` values.
    package init(
        columns: [Column], rowCount: Int? = nil, items: [Int]? = nil, recipes: [Recipe]? = nil,
        showsItem: Bool = false
    ) {
        let rowCount = rowCount ?? columns.first?.values.count ?? items?.count ?? 0
        for column in columns {
            precondition(
                column.values.count == rowCount,
                "column \(column.name) has \(column.values.count) values for \(rowCount) rows")
        }
        precondition(
            items.map { $0.count == rowCount } ?? true, "\(items?.count ?? 0) items for \(rowCount) rows")
        precondition(
            recipes.map { $0.count == rowCount } ?? true,
            "\(recipes?.count ?? 0) recipes for \(rowCount) rows")
        self.columns = columns
        self.rowCount = rowCount
        self.items = items ?? Array(0..<rowCount)
        self.recipes = recipes ?? Array(repeating: Recipe(verb: "table"), count: rowCount)
        self.showsItem = showsItem
    }

    /// The names that an expression can read, `item` first.
    package var columnNames: [String] { [Table.itemName] + columns.map(\.name) }

    /// The columns that a view shows.
    package var shownColumns: [Column] { (showsItem ? [itemColumn] : []) + columns }

    package var itemColumn: Column { Column(Table.itemName, numbers: items.map(Double.init)) }

    package func has(_ name: String) -> Bool {
        name == Table.itemName || columns.contains { $0.name == name }
    }

    package func column(_ name: String) -> Column? {
        columns.first { $0.name == name } ?? (name == Table.itemName ? itemColumn : nil)
    }

    /// The value of a column in a row; nil if there is no such column.
    package func value(_ name: String, _ row: Int) -> Value? {
        if let column = columns.first(where: { $0.name == name }) { return column.values[row] }
        return name == Table.itemName ? .number(Double(items[row])) : nil
    }

    /// Row `index` as a record of all columns.
    package func row(_ index: Int) -> Record {
        Record(
            fields: columns.map { ($0.name, $0.values[index]) }, item: items[index], recipe: recipes[index])
    }

    /// Adds the column, or replaces the one of that name where it stands. A column `item` sets the items
    /// themselves.
    package mutating func set(_ column: Column) {
        precondition(
            column.values.count == rowCount,
            "column \(column.name) has \(column.values.count) values for \(rowCount) rows")
        partial?.forget(column.name)
        if let index = columns.firstIndex(where: { $0.name == column.name }) {
            columns[index] = column
        } else {
            columns.append(column)
        }
    }

    package mutating func set(items: [Int]) {
        precondition(items.count == rowCount, "\(items.count) items for \(rowCount) rows")
        self.items = items
        partial?.forget(Table.itemName)
    }

    package mutating func set(recipes: [Recipe]) {
        precondition(recipes.count == rowCount, "\(recipes.count) recipes for \(rowCount) rows")
        self.recipes = recipes
    }

    /// Notes one more verb in every row's recipe.
    package mutating func record(_ step: RecipeStep) {
        recipes = recipes.map { Recipe(step, of: [$0]) }
    }

    package mutating func remove(_ name: String) {
        columns.removeAll { $0.name == name }
    }

    /// Columns in front of the others.
    package mutating func prepend(_ added: [Column]) {
        columns = added + columns
    }

    /// The rows at `indices`, in that order; an index may stand more than once.
    package func rows(_ indices: some Sequence<Int>) -> Table {
        let indices = Array(indices)
        var result = self
        result.columns = columns.map { column in Column(column.name, indices.map { column.values[$0] }) }
        result.items = indices.map { items[$0] }
        result.recipes = indices.map { recipes[$0] }
        result.rowCount = indices.count
        return result
    }

    /// The columns of those names, in that order; `item` only decides whether it is shown.
    package func selecting(_ names: [String]) -> Table {
        var result = self
        result.columns = names.compactMap { name in columns.first { $0.name == name } }
        // What was said of measures goes with them.
        if !result.columns.contains(where: { $0.kind == .measure }) { result.notes = [] }
        result.showsItem = names.contains(Table.itemName)
        return result
    }

    /// The tables one below the other. Columns are those of all of them, in order of first appearance; what a
    /// table lacks is missing there.
    package static func stacked(_ tables: [Table]) -> Table {
        var names: [String] = []
        for table in tables {
            for column in table.columns where !names.contains(column.name) { names.append(column.name) }
        }
        var result = Table(
            columns: names.map { name in
                Column(
                    name,
                    tables.flatMap { $0.column(name)?.values ?? Array(repeating: .none, count: $0.rowCount) })
            },
            rowCount: tables.reduce(0) { $0 + $1.rowCount },
            items: tables.flatMap(\.items), recipes: tables.flatMap(\.recipes),
            showsItem: tables.contains { $0.showsItem })
        if Set(tables.map(\.baseline)).count == 1 { result.baseline = tables.first?.baseline }
        let partials = tables.compactMap(\.partial)
        if var partial = partials.first {
            partial.kept = result.rowCount
            partial.total = tables.reduce(0) { total, table in
                total.flatMap { total in (table.partial.map(\.total) ?? table.rowCount).map { $0 + total } }
            }
            partial.unfinished = partials.flatMap(\.unfinished)
            result.partial = partial
        }
        return result
    }
}
