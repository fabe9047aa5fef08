import Files
import Results
import Tensors

/// Values for programs (`--json`): numbers unrounded, pictures by size and digest, tensors with their numbers
/// where there are few.
package enum ValueJSON {
    /// Largest tensor whose numbers are written out.
    package static let largestTensor = 4096

    package static func json(_ value: Value) throws -> JSON {
        switch value {
        case .none: .null
        case .boolean(let value): .bool(value)
        case .number(let value): number(value)
        case .text(let value): .string(value)
        case .list(let values): .array(try values.map(json))
        case .record(let record):
            .object(["kind": "record", "fields": .object(try fields(record))])
        case .table(let table): try json(table)
        case .picture(let picture): try json(picture)
        case .embedding(let embedding): tensor(embedding.states, kind: "embedding")
        case .latent(let latent): tensor(latent.tensor, kind: "latent")
        case .tensor(let values): tensor(values, kind: "tensor")
        case .measure(let measure):
            [
                "kind": "measure", "value": number(measure.value), "low": number(measure.low),
                "high": number(measure.high), "n": .number(Double(measure.n)),
            ]
        case .model(let model):
            ["kind": "model", "name": .string(model.name), "summary": .string(model.summary)]
        case .view(let view): try json(view)
        }
    }

    /// JSON has no infinities; they stand as text, so that they are not taken for missing values.
    private static func number(_ value: Double) -> JSON {
        value.isFinite ? .number(value) : .string(NumberFormat.plain(value))
    }

    private static func fields(_ record: Record) throws -> [String: JSON] {
        Dictionary(try record.fields.map { ($0.name, try json($0.value)) }, uniquingKeysWith: { $1 })
    }

    private static func json(_ table: Table) throws -> JSON {
        let columns = table.shownColumns
        var result: [String: JSON] = [
            "kind": "table",
            "columns": .array(columns.map { ["name": .string($0.name), "kind": .string($0.kind.rawValue)] }),
            "rows": .array(
                try (0..<table.rowCount).map { row in .array(try columns.map { try json($0.values[row]) }) }),
        ]
        if !table.notes.isEmpty { result["notes"] = .array(table.notes.map { .string($0) }) }
        if let partial = table.partial { result["partial"] = .string(partial.message) }
        return .object(result)
    }

    private static func json(_ picture: Picture) throws -> JSON {
        let bitmap = try picture.bitmap()
        return [
            "kind": "image", "width": .number(Double(bitmap.width)), "height": .number(Double(bitmap.height)),
            "digest": .string(try PictureFile.digest(bitmap)),
        ]
    }

    private static func tensor(_ values: Tensor, kind: String) -> JSON {
        var result: [String: JSON] = [
            "kind": .string(kind), "shape": .array(values.shape.map { .number(Double($0)) }),
        ]
        if values.count <= largestTensor {
            result["values"] = .array(values.values.map { number(Double($0)) })
        }
        return .object(result)
    }

    private static func json(_ view: View) throws -> JSON {
        switch view {
        case .text(let text): return ["kind": "text", "text": .string(text)]
        case .stack(let views): return ["kind": "stack", "views": .array(try views.map(json))]
        case .table(let table):
            if let source = table.source {
                // What is said of the view alone.
                guard let note = table.note, source.notes.isEmpty, source.partial == nil,
                    case .object(var result) = try json(source)
                else {
                    return try json(source)
                }
                result["note"] = .string(note)
                return .object(result)
            }
            var result: [String: JSON] = [
                "kind": "table",
                "columns": .array(
                    table.headings.map { ["name": .string($0.name), "kind": .string($0.kind.rawValue)] }),
                "rows": .array(try table.rows.map { .array(try $0.map(json)) }),
            ]
            if let note = table.note { result["note"] = .string(note) }
            return .object(result)
        case .plot(let plot):
            func json(_ point: PlotView.Point) -> JSON {
                var result: [String: JSON] = [
                    "x": plot.categories == nil ? number(point.x) : .string(plot.label(point.x)),
                    "value": number(point.value),
                ]
                if let low = point.low, let high = point.high {
                    (result["low"], result["high"]) = (number(low), number(high))
                }
                return .object(result)
            }
            return [
                "kind": "plot", "mark": .string(plot.mark.rawValue), "x": .string(plot.xName),
                "panels": .array(
                    plot.panels.map { panel in
                        [
                            "name": .string(panel.name),
                            "series": .array(
                                panel.series.map {
                                    ["name": .string($0.name), "points": .array($0.points.map(json))]
                                }),
                        ]
                    }),
            ]
        case .grid(let grid):
            return [
                "kind": "grid", "columns": .array(grid.columnHeadings.map { .string($0) }),
                "labels": .array(grid.rowHeadings.map { .string($0) }),
                "rows": .array(
                    try grid.rows.map { row in
                        .array(
                            try row.map { cell in
                                guard let cell else { return .null }
                                return ["picture": try json(cell.picture), "label": .string(cell.label)]
                            })
                    }),
            ]
        }
    }

    private static func json(_ cell: TableView.Cell) throws -> JSON {
        switch cell {
        case .text(let text): .string(text)
        case .missing: .null
        case .picture(let picture): try json(picture)
        }
    }
}
