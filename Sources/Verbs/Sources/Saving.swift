import Files
import Interpreting
import Results
import SourceText
import Tensors

/// How values are written to files.
enum Saving {
    static func pictures(_ value: Value) -> [Picture] {
        let values: [Value]
        switch value {
        case .picture: values = [value]
        case .list(let list): values = list
        case .record(let record):
            // A row that was made holds its source too; the picture made last is the one that is meant.
            values = record.fields.last { $0.value.kind == .image }.map { [$0.value] } ?? []
        case .table(let table):
            values = table.columns.last { $0.kind == .image }?.values ?? []
        default: values = []
        }
        return values.compactMap { if case .picture(let picture) = $0 { picture } else { nil } }
    }

    static func write(_ picture: Picture, to path: String) throws {
        let recipe =
            picture.recipe.map { [(key: "noisebook", value: $0.lines.joined(separator: "\n"))] } ?? []
        try PNG.write(try picture.bitmap(), text: recipe, to: path)
    }

    /// Rows of one column, all of the same shape, as [rows, ...].
    private static func stacked(_ column: Column) throws -> Tensor {
        let tensors = try column.values.compactMap { try $0.elements() }
        guard tensors.count == column.values.count, let first = tensors.first else {
            throw Complaint(
                .wrongInput, "the column `\(column.name)` has missing values and cannot be saved as a tensor",
                label: "\(tensors.count) of \(column.values.count) rows")
        }
        guard tensors.allSatisfy({ $0.shape == first.shape }) else {
            throw Complaint(
                .differentLengths,
                "the rows of `\(column.name)` have different shapes and cannot be one tensor",
                label: "shapes differ")
        }
        return .stacked(tensors)
    }

    private static func isTensor(_ kind: ValueKind) -> Bool {
        kind == .tensor || kind == .latent || kind == .embedding
    }

    static func tensors(_ value: Value, to path: String) throws {
        var named: [String: Tensor] = [:]
        switch value {
        case .table(let table):
            for column in table.columns where isTensor(column.kind) {
                named[column.name] = try stacked(column)
            }
        case .record(let record):
            for (name, field) in record.fields where isTensor(field.kind) {
                named[name] = try field.elements()
            }
        default:
            // One latent or embedding is a batch of one, as in a table's column; a tensor is what it is.
            if isTensor(value.kind), let tensor = try value.elements() {
                named[value.kind.rawValue] =
                    value.kind == .tensor ? tensor : tensor.reshaped([1] + tensor.shape)
            }
        }
        guard !named.isEmpty else {
            throw Complaint(
                .wrongInput, "there are no tensors in \(value.kind.phrase) like this",
                label: "nothing for a .safetensors file")
        }
        try Safetensors.write(named, to: path)
    }

    /// `table.csv`, COLUMN-0000.png, COLUMN.safetensors. The table is written last, so that a folder with one
    /// is whole.
    static func folder(_ table: Table, to path: String) throws {
        try FileSystem.createFolder(path)
        func file(_ column: Column, _ row: Int) -> String {
            let name = String(column.name.map { $0 == "/" ? "_" : $0 })
            guard column.values[row].kind == .image else { return "\(name).safetensors" }
            let digits = String(row)
            return name + "-" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits + ".png"
        }
        for column in table.columns {
            for (row, value) in column.values.enumerated() {
                if case .picture(let picture) = value {
                    try write(picture, to: FileSystem.join(path, file(column, row)))
                }
            }
            if isTensor(column.kind) {
                try Safetensors.write(
                    [column.name: try stacked(column)], to: FileSystem.join(path, file(column, 0)))
            }
        }
        try AtomicFile.write(table.csv(file: file), to: FileSystem.join(path, "table.csv"))
    }

    static func json(_ value: Value) -> JSON {
        switch value {
        case .none, .view, .model, .picture: .null
        case .boolean(let truth): .bool(truth)
        case .number(let number): number.isFinite ? .number(number) : .null
        case .text(let text): .string(text)
        case .list(let values): .array(values.map(json))
        case .record(let record):
            .object(
                Dictionary(
                    record.fields.map { ($0.name, json($0.value)) }, uniquingKeysWith: { first, _ in first }))
        case .table(let table):
            .array(
                (0..<table.rowCount).map { row in
                    .object(
                        Dictionary(
                            table.shownColumns.map { ($0.name, json($0.values[row])) },
                            uniquingKeysWith: { first, _ in first }))
                })
        case .measure(let measure):
            .object(
                Dictionary(
                    uniqueKeysWithValues: Measure.fieldNames.map {
                        ($0, measure.field($0).flatMap { $0.isFinite ? .number($0) : nil } ?? .null)
                    }))
        case .tensor(let tensor): nested(tensor)
        case .latent(let latent): nested(latent.tensor)
        case .embedding(let embedding): nested(embedding.states)
        }
    }

    private static func nested(_ tensor: Tensor) -> JSON {
        tensor.rank <= 1
            ? .array(tensor.values.map { $0.isFinite ? .number(Double($0)) : .null })
            : .array((0..<tensor.shape[0]).map { nested(tensor[$0]) })
    }
}
