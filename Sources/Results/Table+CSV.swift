import Files
import Tensors

extension Table {
    /// The shown columns as CSV, numbers with all their digits; a measure has its bounds in columns of their own. `file` names what stands
    /// for a picture, latent or tensor.
    package func csv(file: (Column, _ row: Int) -> String = { column, row in column.values[row].summary }) -> String {
        let columns = shownColumns.flatMap { column -> [Column] in
            guard column.kind == .measure else { return [column] }
            func part(_ body: (Measure) -> Double) -> [Value] {
                column.values.map { if case .measure(let measure) = $0 { .number(body(measure)) } else { .none } }
            }
            return [
                Column(column.name, part(\.value)), Column(column.name + ".low", part(\.low)), Column(column.name + ".high", part(\.high)),
            ]
        }
        return CSV.text(
            header: columns.map(\.name),
            rows: (0..<rowCount).map { row in
                columns.map { column in
                    switch column.values[row] {
                    case .none: ""
                    case .picture, .latent, .tensor, .embedding: file(column, row)
                    case let value: value.summary
                    }
                }
            })
    }

    /// A table from a CSV file with a header: a column is of numbers if all its cells are, empty cells are missing. A column `item` numbers
    /// the rows.
    package init(csvPath path: String, place: String) throws {
        let csv = try CSV.parse(FileSystem.readBytes(path), place: place)
        var columns: [Column] = []
        var items: [Int]?
        for (index, name) in csv.header.enumerated() {
            let cells = csv.rows.map { $0.fields[index] }
            let numbers = cells.map { Double($0) }
            let isNumeric = zip(cells, numbers).allSatisfy { $0.0.isEmpty || ($0.1?.isFinite ?? false) } && cells.contains { !$0.isEmpty }
            if name == Table.itemName, isNumeric {
                let whole = numbers.map { $0.flatMap { Int(exactly: $0) } }
                if whole.allSatisfy({ $0 != nil }) {
                    items = whole.compactMap { $0 }
                    continue
                }
            }
            columns.append(
                Column(name, zip(cells, numbers).map { cell, number in cell.isEmpty ? .none : isNumeric ? .number(number ?? 0) : .text(cell) }))
        }
        self.init(columns: columns, rowCount: csv.rows.count, items: items, showsItem: items != nil)
    }
}
