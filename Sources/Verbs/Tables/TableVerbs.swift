import Interpreting
import OpenedModels
import Results
import SourceText
import Tensors

/// The verbs that pick, order and combine rows. All but `group` keep each row's item.
enum TableVerbs {
    static let all = [first, last, sample, rowsWhere, sort, select, with, group, stack, join]

    private static let count = Slot("n", .whole, .positional, default: 1, in: 0...10_000_000, "how many rows")

    static let first = VerbDeclaration(
        "first", .tables, "Keeps the first rows.", input: .table, slots: [count],
        columns: .kept, examples: ["test = dataset monsters split=test | first 8", "items n=1..5 | first"]
    ) { invocation in
        let table = try invocation.table()
        return .table(table.rows(0..<min(table.rowCount, invocation[count])))
    }

    static let last = VerbDeclaration(
        "last", .tables, "Keeps the last rows.", input: .table, slots: [count],
        columns: .kept, examples: ["items n=1..5 | last 2 | table", "items n=1..5 | last"]
    ) { invocation in
        let table = try invocation.table()
        let count = min(table.rowCount, invocation[count])
        return .table(table.rows((table.rowCount - count)..<table.rowCount))
    }

    static let sample = VerbDeclaration(
        "sample", .tables, "Keeps rows drawn at random, in the order in which they stood.", input: .table,
        slots: [count, Seeds.slot], columns: .kept,
        examples: ["items n=1..100 | sample 5 seed=1 | table", "items n=1..100 | sample | table"]
    ) { invocation in
        let table = try invocation.table()
        var generator = Seeds.generator(invocation, item: 0)
        let drawn = generator.permutation(table.rowCount).prefix(invocation[count])
        return .table(table.rows(drawn.sorted()))
    }

    private static let condition = Slot(
        "condition", .condition, required: .positional,
        "yes for the rows to keep; a missing value counts as no")

    static let rowsWhere = VerbDeclaration(
        "where", .tables, "Keeps the rows for which a condition holds.", input: .table,
        slots: [condition],
        columns: .kept,
        examples: [
            "items k=20..60:10 | where (k > 30) | table",
            "items n=1..9 | where (n % 2 == 0 and item < 6) | table",
        ]
    ) { invocation in
        let table = try invocation.table()
        let condition = invocation[condition]
        let kept = try (0..<table.rowCount).filter { row in
            if case .boolean(true) = try condition(table, row: row) { true } else { false }
        }
        return .table(table.rows(kept))
    }

    private static let by = Slot("by", .expression, required: .positional, "a column or an expression")
    private static let down = Slot("down", .boolean, default: false, "whether the largest comes first")

    static let sort = VerbDeclaration(
        "sort", .tables,
        "Orders the rows by an expression; equal rows keep their order, missing values come last.",
        input: .table,
        slots: [by, down], columns: .kept,
        examples: ["items k=3,1,2 | sort k | table", "items k=3,1,2 | sort (k % 3) down=yes | table"]
    ) { invocation in
        let table = try invocation.table()
        var key = invocation[by]
        // `sort (c)` with a variable that holds a column's name is that column, as for `select (c)`.
        if table.rowCount > 0, !table.has(key.source),
            case .text(let name)? = invocation.variable(key.source), table.has(name)
        {
            key = RowExpression(source: name) { table, row in table.value(name, row) ?? .none }
        }
        let down = invocation[down]
        // Measures stand where their values do.
        let keys = try (0..<table.rowCount).map { row in
            let value = try key(table, row: row)
            return value.number.map { .number($0) } ?? value
        }
        let kinds = Set(keys.map(\.kind)).subtracting([.none])
        guard kinds.count <= 1, kinds.isSubset(of: [.number, .text, .boolean]) else {
            throw Complaint.unsortable(Column("", keys).kind, slot: by.name)
        }
        let order = (0..<table.rowCount).sorted { a, b in
            if keys[a].isNone || keys[b].isNone {
                return keys[a].isNone == keys[b].isNone ? a < b : keys[b].isNone
            }
            if keys[a].precedes(keys[b]) { return !down }
            if keys[b].precedes(keys[a]) { return down }
            return a < b
        }
        return .table(table.rows(order))
    }

    private static let selected = Slot(
        "columns", .columns, required: .positional, repeats: true, "names of columns")

    static let select = VerbDeclaration(
        "select", .tables, "Keeps some columns, in the order in which they are named.", input: .table,
        slots: [selected],
        columns: .listed(["columns"]),
        examples: [
            "items a=1,2 b=3,4 c=5,6 | select c a | table", "items a=1,2 b=3,4 | select a,item | table",
        ]
    ) { invocation in
        let table = try invocation.table()
        let names = invocation[selected]
        for name in names { _ = try invocation.column(name, of: table, slot: "columns") }
        return .table(table.selecting(names))
    }

    private static let assigned = Slot(
        open: "columns", .assignments, isRequired: true, "a later one sees the earlier ones")

    static let with = VerbDeclaration(
        "with", .tables, "Adds columns by expressions over the row, or replaces them.", input: .table,
        slots: [assigned], adds: ["NAME"], replaces: true,
        notes: [
            """
            NaN and infinity stay what arithmetic makes them; where a network, a picture or a score would be \
            made of them, that is an error.
            """
        ],
        columns: .kept,
        examples: [
            "items k=20..60:10 | with share=(k/70) | table", "items a=1,2 | with b=(a*a) c=(a + b) | table",
        ],
        checks: { use in try Table.refuseItem(among: use.openNames) }
    ) { invocation in
        try Table.refuseItem(among: invocation[assigned].map(\.name))
        var table = try invocation.table()
        for (name, expression) in invocation[assigned] {
            var values: [Value] = []
            values.reserveCapacity(table.rowCount)
            for row in 0..<table.rowCount {
                values.append(try expression(table, row: row))
                if row == 0 { try invocation.reckonColumn(name, values[0], rows: table.rowCount) }
            }
            table.set(Column(name, values))
        }
        table.record(invocation.step())
        return .table(table)
    }

    private static let keys = Slot(
        "columns", .columns, required: .positional, repeats: true, "the columns to agree in")
    private static let said = Slot(open: "values", .assignments, "what to say of each group")

    static let group = VerbDeclaration(
        "group", .tables,
        """
        Makes one row of all rows that agree in some columns; in its expressions a column is the list of \
        the group's values.
        """,
        input: .table,
        slots: [keys, said], adds: ["n", "NAME"],
        notes: [
            """
            The column `n` counts the rows of each group. Groups stand in the order in which they first \
            appear.
            """
        ],
        columns: .listed(["columns"]),
        examples: [
            "items k=1,1,2 x=5,7,9 | group k mean=(mean(x)) | table", "items k=1,1,2 | group k | table",
        ],
        checks: { use in try refuseCollision(keys: use[keys] ?? [], values: use.openNames) }
    ) { invocation in
        let table = try invocation.table()
        let names = invocation[keys]
        let keys = try names.map { try invocation.column($0, of: table, slot: "columns") }
        try refuseCollision(keys: names, values: invocation[said].map(\.name))
        let groups = try RowGroups(keys, rowCount: table.rowCount).members
        let keyColumns = keys.map { column in Column(column.name, groups.map { column.values[$0[0]] }) }
        let lists = table.columns.filter { column in !names.contains(column.name) }.map { column in
            Column(column.name, groups.map { group in .list(group.map { column.values[$0] }) })
        }
        let recipes = groups.map { group in Recipe(invocation.step(), of: group.map { table.recipes[$0] }) }
        let items = Column(
            Table.itemName, groups.map { group in .list(group.map { .number(Double(table.items[$0])) }) })
        let folded = Table(columns: keyColumns + lists + [items], rowCount: groups.count, recipes: recipes)
        var result = Table(columns: keyColumns, rowCount: groups.count, recipes: recipes)
        // A group that may lack rows has no count, and nothing else that is said of all of them.
        let isWhole = groups.map { table.isWhole(keys, $0[0]) }
        result.set(
            Column("n", groups.indices.map { isWhole[$0] ? .number(Double(groups[$0].count)) : .none }))
        for (name, expression) in invocation[said] {
            result.set(
                Column(name, try groups.indices.map { isWhole[$0] ? try expression(folded, row: $0) : .none })
            )
        }
        result.partial = table.partial
        return .table(result)
    }

    private static func refuseCollision(keys: [String], values: [String]) throws {
        for (slot, name) in values.map({ ($0, $0) }) + [("columns", "n")] where keys.contains(name) {
            throw Complaint(
                .columnExists,
                name == "n" ? "`n` counts the rows of each group" : "the groups are made by `\(name)`",
                label: "both would be the column `\(name)`", slot: slot,
                help: "choose another name, or `with` renames a column first")
        }
    }

    private static let parts = Slot(
        "tables", .tables, required: .positional, repeats: true, "variables that hold tables")
    private static let origin = Slot("as", .name, role: .namesResult, "the column with the variable's name")

    static let stack = VerbDeclaration(
        "stack", .tables, "Sets tables one below the other; a column says which one a row is from.",
        input: .none,
        slots: [parts, origin], adds: ["AS"],
        notes: ["A column that only some of the tables have is missing in the rows of the others."],
        columns: .stacked(parts.name),
        examples: [
            "a = items x=1,2; b = items x=3,4; stack a b as=source | table",
            "a = items x=1; stack a (items x=2) | table",
        ]
    ) { invocation in
        let parts = invocation[parts]
        try Reckoning.stack(parts.map(\.table), of: "stack")
        guard let name = invocation[origin] else { return .table(.stacked(parts.map(\.table))) }
        return .table(
            .stacked(
                try parts.map { part in
                    var table = part.table
                    guard !table.has(name) else {
                        throw Complaint(
                            .columnExists, "`\(part.name)` has a column `\(name)` already",
                            label: "choose another name", slot: "as")
                    }
                    if let partial = table.partial {
                        table.partial?.unfinished = partial.unfinished(within: [name: part.name])
                    }
                    table.prepend([Column(name, texts: Array(repeating: part.name, count: table.rowCount))])
                    return table
                }))
    }

    private static let other = Slot(
        "table", .table, required: .positional, role: .otherTable, "the other table")
    private static let shared = Slot(
        "on", .columns, required: .named, role: .sharedColumns,
        "columns that both have and that must be equal")
    private static let beginning = Slot(
        "as", .name, role: .namesResult, "what the other's columns begin with: `as=ours` gives `ours.NAME`")

    static let join = VerbDeclaration(
        "join", .tables, "Sets the columns of another table beside the rows that agree with it.",
        input: .table,
        slots: [other, shared, beginning], adds: ["AS.*"],
        notes: [
            """
            A row that agrees with none keeps its place, and the other's columns are missing there; with \
            several, it is repeated.
            """
        ],
        columns: .kept,
        examples: [
            "a = items k=1,2 x=5,6; b = items k=2,1 x=7,8; a | join b on=k as=b | table",
            "a = items x=5,6; b = items y=7,8; a | join b on=item | table",
        ]
    ) { invocation in
        let left = try invocation.table()
        let right = invocation[other]
        let names = invocation[shared]
        let prefix = invocation[beginning].map { $0 + "." } ?? ""
        let leftKeys = try names.map { try invocation.column($0, of: left, slot: "on") }
        let rightKeys = try names.map { name in
            guard let column = right.column(name) else {
                throw Complaint(
                    .missingColumn, "the other table has no column `\(name)`",
                    label: "it has " + right.columnNames.joined(separator: ", "), slot: "on")
            }
            return column
        }
        for (ours, theirs) in zip(leftKeys, rightKeys) {
            guard ours.kind != theirs.kind, !Set([ours.kind, theirs.kind]).contains(.none),
                !Set([ours.kind, theirs.kind]).contains(.mixed)
            else { continue }
            throw Complaint.noAgreement(ours.name, ours.kind, theirs.kind, slot: shared.name)
        }
        let groups = try RowGroups(rightKeys, rowCount: right.rowCount)
        let partners = try (0..<left.rowCount).map { try groups.members(like: leftKeys, row: $0) }
        let count = partners.reduce(0) { MemoryBudget.sum($0, $1?.count ?? 1) }
        try Reckoning.rows(
            count, columns: left.columns.count + right.columns.count, hasOwnRecipes: true, of: "join")
        var pairs: [(Int, Int?)] = []
        pairs.reserveCapacity(count)
        for (row, partners) in partners.enumerated() {
            if let partners { pairs += partners.map { (row, $0) } } else { pairs.append((row, nil)) }
        }
        var result = left.rows(pairs.map(\.0))
        for column in right.columns where !names.contains(column.name) {
            let name = prefix + column.name
            guard !left.has(name) else {
                throw Complaint(
                    .columnExists, "both tables have a column `\(name)`",
                    label: "`as=NAME` sets the other's apart", slot: "table",
                    help: "add as=NAME")
            }
            result.set(Column(name, pairs.map { pair in pair.1.map { column.values[$0] } ?? .none }))
        }
        let step = invocation.step()
        result.set(
            recipes: pairs.map { pair in
                Recipe(step, of: [left.recipes[pair.0]] + (pair.1.map { [right.recipes[$0]] } ?? []))
            })
        return .table(result)
    }
}
