import Interpreting
import Results
import SourceText

/// `grid`: pictures in rows and columns.
enum GridVerb {
    private static let pictures = Slot(
        "pictures", .columns, .positional, repeats: true,
        "columns of pictures or latents; all pictures if none is named")
    private static let rows = Slot("rows", .column, "a row for each value of this column")
    private static let cols = Slot(
        "cols", .columnOrCount, in: 1...64, "a column for each value of this column, or so many to a row")
    private static let labels = Slot("labels", .column, "what to write below each picture")

    static let grid = VerbDeclaration(
        "grid", .looking,
        "Arranges pictures: in rows and columns by the values of columns, or as they come with labels.",
        input: .table,
        asArgument: true,
        slots: [pictures, rows, cols, labels],
        notes: [
            "Latents are shown as what the autoencoder of `model` makes of them, noise and all.",
            """
            With `rows` and `cols`, a picture column that is the same all along a row, such as a \
            neighbour in a sweep, stands there once.
            """,
        ],
        columns: .other(.view),
        examples: [
            "dataset monsters split=test | first 8 | grid image labels=text",
            "dataset monsters split=test | first 8 | grid image cols=4",
        ], computes: ["decode"], readsModel: true
    ) { invocation in
        let table = try invocation.table()
        let columns: [Column]
        if let named = invocation[pictures] {
            columns = try named.map { name in
                let column = try invocation.column(
                    name, of: table, slot: "pictures",
                    cure: name == "generated" ? "put `decode` before it" : nil)
                if column.kind == .latent { return try PictureDecoding.shown(column, of: table, invocation) }
                guard column.kind == .image || column.kind == .none else {
                    throw Complaint(
                        .wrongType, "`grid` arranges pictures, and `\(name)` is \(column.kind.phrase)",
                        label: "not a picture column", slot: "pictures")
                }
                return column
            }
        } else {
            columns = table.columns.filter { $0.kind == .image }
            guard !columns.isEmpty || table.rowCount == 0 else {
                throw Complaint(
                    .missingColumn, "this table has no pictures",
                    label: "columns: " + table.columnNames.joined(separator: " "),
                    help: "`decode` makes pictures of latents")
            }
        }
        let labels = try invocation[labels].map { try invocation.column($0, of: table, slot: "labels") }
        let rows = try invocation[rows].map { try invocation.column($0, of: table, slot: "rows") }
        var view: GridView
        let width = invocation[cols]
        if case .column(let name) = width {
            let cols = try invocation.column(name, of: table, slot: "cols")
            view = try arranged(
                table, columns,
                rows: rows ?? (Set(table.items).count > 1 ? table.column("text") ?? table.itemColumn : nil),
                cols: cols, labels: labels)
        } else if let rows {
            view = try ragged(table, columns, rows: rows, labels: labels)
        } else {
            let count: Int? = if case .count(let count) = width { count } else { nil }
            view = wrapped(table, columns, width: count, labels: labels)
        }
        if let partial = table.partial { view.note = partial.message }
        return .view(.grid(view))
    }

    /// What a picture shows, in words.
    static func description(_ column: String, _ text: String) -> String {
        text.isEmpty ? column : "\(column): \(text)"
    }

    private static func cell(
        _ table: Table, _ column: Column, _ row: Int, _ labels: Column?, heading: String = ""
    ) -> GridView.Cell? {
        guard case .picture(let picture) = column.values[row] else { return nil }
        let text = table.value("text", row)?.summary ?? ""
        let words = [description(column.name, text), heading].filter { !$0.isEmpty }.joined(separator: ", ")
        return GridView.Cell(picture: picture, label: labels?.values[row].summary ?? "", description: words)
    }

    /// As they come, `width` to a row.
    private static func wrapped(_ table: Table, _ columns: [Column], width: Int?, labels: Column?) -> GridView
    {
        if columns.count > 1, width == nil {
            return GridView(
                columnHeadings: columns.map(\.name),
                rows: (0..<table.rowCount).map { row in columns.map { cell(table, $0, row, labels) } })
        }
        let cells = (0..<table.rowCount).flatMap { row in columns.map { cell(table, $0, row, labels) } }
        let width = max(1, width ?? min(8, cells.count))
        let rows = stride(from: 0, to: cells.count, by: width).map { start in
            let part = Array(cells[start..<min(start + width, cells.count)])
            return part + Array(repeating: nil, count: width - part.count)
        }
        return GridView(rows: rows)
    }

    /// A row per value of a column, as many pictures as there are.
    private static func ragged(_ table: Table, _ columns: [Column], rows: Column, labels: Column?) throws
        -> GridView
    {
        let groups = try Groups(rows)
        let cells = groups.members.map { members in
            members.flatMap { row in columns.map { cell(table, $0, row, labels) } }
        }
        let width = cells.map(\.count).max() ?? 0
        let isOneEach = groups.members.allSatisfy { $0.count == 1 }
        return GridView(
            columnHeadings: isOneEach && columns.count > 1 ? columns.map(\.name) : [],
            rowHeadings: groups.values,
            rows: cells.map { $0 + Array(repeating: nil, count: width - $0.count) })
    }

    private static func arranged(
        _ table: Table, _ columns: [Column], rows: Column?, cols: Column, labels: Column?
    ) throws -> GridView {
        let rowGroups = try rows.map(Groups.init) ?? Groups(all: table.rowCount)
        let colGroups = try Groups(cols)
        var headings: [String] = []
        var cells: [[GridView.Cell?]] = Array(repeating: [], count: rowGroups.members.count)
        var hidden = 0
        for column in columns {
            if isConstant(column, along: rowGroups) {
                headings.append(column.name)
                for (index, members) in rowGroups.members.enumerated() {
                    cells[index].append(members.first.flatMap { cell(table, column, $0, labels) })
                }
                continue
            }
            for (colIndex, value) in colGroups.values.enumerated() {
                let heading = "\(cols.name)=\(value)"
                headings.append(columns.count > 1 ? "\(column.name) \(heading)" : heading)
                let inColumn = Set(colGroups.members[colIndex])
                for (index, members) in rowGroups.members.enumerated() {
                    let here = members.filter(inColumn.contains)
                    hidden += max(0, here.count - 1)
                    cells[index].append(
                        here.first.flatMap { cell(table, column, $0, labels, heading: heading) })
                }
            }
        }
        return GridView(
            columnHeadings: headings, rowHeadings: rows == nil ? [] : rowGroups.values, rows: cells,
            note: hidden > 0 ? "\(hidden) more pictures share these places and are not shown" : nil)
    }

    /// Whether each row of the grid has one and the same picture all along it, and more than one place for
    /// it.
    private static func isConstant(_ column: Column, along groups: Groups) -> Bool {
        guard groups.members.contains(where: { $0.count > 1 }) else { return false }
        return groups.members.allSatisfy { members in
            guard let first = members.first, case .picture(let picture) = column.values[first] else {
                return false
            }
            return members.allSatisfy { row in
                if case .picture(let other) = column.values[row] { other === picture } else { false }
            }
        }
    }

    /// The distinct values of a column in order of first appearance, and their rows.
    private struct Groups {
        var values: [String] = []
        var members: [[Int]] = []

        init(_ column: Column) throws {
            members = try RowGroups([column], rowCount: column.values.count).members
            values = members.map { column.values[$0[0]].summary }
        }

        init(all count: Int) {
            values = [""]
            members = [Array(0..<count)]
        }
    }
}
