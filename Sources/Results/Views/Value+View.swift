import Tensors

extension Value {
    /// How the value shows when nothing else is asked for.
    package var view: View {
        switch self {
        case .view(let view): view
        case .table(let table): .table(table.view)
        case .record(let record):
            .table(
                TableView(
                    headings: [.init(name: "field", kind: .text), .init(name: "value", kind: .text)],
                    rows: record.fields.map { [.text($0.name), $0.value.cell()] }))
        case .picture(let picture):
            .grid(GridView(rows: [[GridView.Cell(picture: picture, description: "a picture")]]))
        case .text(let text): .text(text)
        default: .text(summary)
        }
    }

    /// The value in one line: what stands in a cell of a table, or in a message.
    package var summary: String {
        // More elements of lists in lists than anybody reads.
        var left = 10_000
        return summary(&left)
    }

    private func summary(_ left: inout Int) -> String {
        func joined(_ values: some Sequence<Value>) -> String {
            var texts: [String] = []
            for value in values {
                left -= 1
                guard left > 0 else { return (texts + ["..."]).joined(separator: ", ") }
                texts.append(value.summary(&left))
            }
            return texts.joined(separator: ", ")
        }
        return switch self {
        case .none: "none"
        case .boolean(let value): value ? "yes" : "no"
        case .number(let number): NumberFormat.plain(number)
        case .text(let text): text
        case .list(let values):
            values.count > 24
                ? "[" + joined(values.prefix(20)) + ", ... \(values.count) in all]"
                : "[" + joined(values) + "]"
        case .record(let record):
            "{"
                + record.fields.map { field in
                    "\(field.name): \(left > 0 ? field.value.summary(&left) : "...")"
                }.joined(separator: ", ") + "}"
        case .table(let table): "a table of \(table.rowCount) \(table.rowCount == 1 ? "row" : "rows")"
        case .picture: "image"
        case .embedding(let embedding): "embedding \(embedding.states.shape.shapeText)"
        case .latent(let latent): "latent \(latent.tensor.shape.shapeText)"
        case .tensor(let tensor): "tensor \(tensor.shape.shapeText)"
        case .measure(let measure): measure.text(ColumnFormat(for: [measure]))
        case .model(let model): model.summary
        case .view: "a view"
        }
    }

    package func cell(_ format: ColumnFormat? = nil) -> TableView.Cell {
        switch self {
        case .none: .missing
        case .picture(let picture): .picture(picture)
        case .number(let number): .text(format?(number) ?? NumberFormat.plain(number))
        case .measure(let measure): .text(format.map(measure.text) ?? summary)
        default: .text(summary)
        }
    }
}

extension Table {
    /// The shown columns, numbers formatted per column.
    package var view: TableView {
        let columns = shownColumns
        let cells = columns.map(\.cells)
        return TableView(
            headings: columns.map { .init(name: $0.name, kind: $0.kind) },
            rows: (0..<rowCount).map { row in cells.map { $0[row] } }, source: self,
            note: shownNote)
    }

    private var shownNote: String? {
        let all = (partial.map { [$0.message] } ?? []) + notes
        return all.isEmpty ? nil : all.joined(separator: "; ")
    }
}

extension Column {
    package var cells: [TableView.Cell] {
        let measures = values.compactMap { if case .measure(let measure) = $0 { measure } else { nil } }
        let format = ColumnFormat(
            for: measures, and: values.compactMap { if case .number(let number) = $0 { number } else { nil } }
        )
        return values.map { $0.cell(format) }
    }
}

extension [Int] {
    /// "4 x 8 x 8", as shapes are written in messages.
    package var shapeText: String { isEmpty ? "of one number" : map(String.init).joined(separator: " x ") }
}
