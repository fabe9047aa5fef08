import Files
import Tensors

extension Table {
    /// The shown columns as CSV, numbers with all their digits; a measure has its bounds in columns of their
    /// own. `file` names what stands for a picture, latent or tensor.
    package func csv(file: (Column, _ row: Int) -> String = { column, row in column.values[row].summary })
        -> String
    {
        let columns = shownColumns.flatMap { column -> [Column] in
            // Numbers without an interval can stand among measures.
            let isOfMeasures =
                column.values.contains { $0.kind == .measure }
                && column.values.allSatisfy { $0.isNone || $0.number != nil }
            guard isOfMeasures else { return [column] }
            func part(_ body: (Measure) -> Double) -> [Value] {
                column.values.map {
                    if case .measure(let measure) = $0 { .number(body(measure)) } else { .none }
                }
            }
            return [
                Column(column.name, column.values.map { $0.number.map { .number($0) } ?? .none }),
                Column(column.name + ".low", part(\.low)),
                Column(column.name + ".high", part(\.high)),
            ]
        }
        return CSV.text(
            header: columns.map(\.name),
            rows: (0..<rowCount).map { row in
                columns.map { column in
                    switch column.values[row] {
                    case .none: ""
                    case .picture, .latent, .tensor, .embedding: file(column, row)
                    case let value: value.exactText
                    }
                }
            })
    }

    /// A table from a CSV file with a header: a column is of numbers if all its cells are, empty cells are
    /// missing. A column `item` numbers the rows.
    /// - Parameter place: the file as the user called it, for messages.
    /// - Throws: what is wrong with the file, with the line.
    package init(csvPath path: String, place: String) throws {
        let csv = try CSV.parse(FileSystem.readBytes(path), place: place)
        var columns: [Column] = []
        var items: [Int]?
        for (index, name) in csv.header.enumerated() {
            let cells = csv.rows.map { $0.fields[index] }
            let numbers = cells.map { Double($0) }
            let isNumeric =
                zip(cells, numbers).allSatisfy { $0.0.isEmpty || ($0.1?.isFinite ?? false) }
                && cells.contains { !$0.isEmpty }
            if name == Table.itemName, isNumeric {
                let whole = numbers.map { $0.flatMap { Int(exactly: $0) } }
                if whole.allSatisfy({ $0 != nil }) {
                    items = whole.compactMap { $0 }
                    continue
                }
            }
            columns.append(
                Column(
                    name,
                    zip(cells, numbers).map { cell, number in
                        cell.isEmpty ? .none : isNumeric ? .number(number ?? 0) : .text(cell)
                    }))
        }
        self.init(columns: columns, rowCount: csv.rows.count, items: items, showsItem: items != nil)
    }
}

extension Value {
    /// In one line with all digits, for programs: measures inside lists and records, too.
    fileprivate var exactText: String {
        switch self {
        case .list(let values): "[" + values.map(\.exactText).joined(separator: ", ") + "]"
        case .record(let record):
            "{" + record.fields.map { "\($0.name): \($0.value.exactText)" }.joined(separator: ", ") + "}"
        case .measure(let measure):
            measure.hasInterval
                ? """
                \(NumberFormat.plain(measure.value)) (\(NumberFormat.plain(measure.low)) to \
                \(NumberFormat.plain(measure.high)))
                """
                : NumberFormat.plain(measure.value)
        default: summary
        }
    }
}
