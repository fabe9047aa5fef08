import Interpreting
import OpenedModels
import Results
import SourceText
import Syntax
import Tensors

/// Ways to look at values. Each gives a view, which terminal, Markdown and HTML draw alike.
enum LookingVerbs {
    static let all = [table, show, GridVerb.grid, PlotVerb.plot, describe, why]

    static let table = VerbDeclaration(
        "table", .looking, "Shows a table's rows, numbers formatted alike per column.", input: .table,
        asArgument: true,
        columns: .other(.view), examples: ["items k=20..60:10 | table", "t = items a=1,2; table t"]
    ) { invocation in .view(.table(try invocation.table().view)) }

    static let show = VerbDeclaration(
        "show", .looking, "Shows a value in the way that suits it: pictures as pictures, tables as tables.",
        input: .value, asArgument: true,
        notes: [
            """
            A table with picture columns shows them side by side, a row per row; `table` shows all \
            columns, `grid` arranges.
            """,
            """
            Latents, where no pictures are beside them, are shown as what the autoencoder of `model` \
            makes of them.
            """,
        ],
        examples: ["show (1 + 1)", "items a=1,2 | show"], computes: ["decode"], readsModel: true
    ) { invocation in
        guard let value = invocation.input else { return .none }
        if case .list(let values) = value, !values.isEmpty, values.allSatisfy({ $0.kind == .image }) {
            let cells = Saving.pictures(value).map { GridView.Cell(picture: $0, description: "a picture") }
            return .view(
                .grid(
                    GridView(
                        rows: stride(from: 0, to: cells.count, by: 8).map {
                            Array(cells[$0..<min($0 + 8, cells.count)])
                        })))
        }
        guard case .table(let table) = value else {
            guard case .latent(let latent) = value, hasModel(invocation, for: latent) else {
                return .view(value.view)
            }
            let decoding = try PictureDecoding([latent], invocation.model(), invocation) { _ in
                "the latent that is shown"
            }
            return .view(
                .grid(
                    GridView(rows: [
                        try decoding.allPictures().map {
                            GridView.Cell(picture: $0, description: "a latent, decoded")
                        }
                    ])))
        }
        var pictures = table.columns.filter { $0.kind == .image }
        if pictures.isEmpty, let column = table.columns.first(where: { $0.kind == .latent }),
            case .latent(let latent)? = column.values.first,
            hasModel(invocation, for: latent)
        {
            pictures = [try PictureDecoding.shown(column, of: table, invocation)]
        }
        guard !pictures.isEmpty, table.rowCount > 0 else { return .view(value.view) }
        let texts = table.column("text")
        return .view(
            .grid(
                GridView(
                    columnHeadings: pictures.count > 1 ? pictures.map(\.name) : [],
                    rows: (0..<table.rowCount).map { row in
                        pictures.enumerated().map { position, column in
                            guard case .picture(let picture) = column.values[row] else { return nil }
                            let text = texts?.values[row].summary ?? ""
                            return GridView.Cell(
                                picture: picture, label: position == 0 ? text : "",
                                description: GridVerb.description(column.name, text))
                        }
                    }, note: table.partial?.message)))
    }

    /// Whether `model` is there and can decode the latent.
    private static func hasModel(_ invocation: Invocation, for latent: Latent) -> Bool {
        guard case .model(let handle)? = invocation.variable("model"), let model = handle as? LoadedModel
        else { return false }
        return latent.tensor.rank == 3 && latent.tensor.shape[0] == model.model.unet.configuration.inChannels
    }

    static let describe = VerbDeclaration(
        "describe", .looking,
        "Says what a value is: type, shape, and mean, deviation, smallest and largest of its numbers.",
        input: .value,
        asArgument: true, columns: .other(.view),
        examples: ["items k=20..60:10 | describe", "describe [1, 2, 3]"]
    ) { invocation in
        guard let value = invocation.input else { return .none }
        let table: Table
        switch value {
        case .table(let rows): table = rows
        case .record(let record):
            let lines = try record.fields.map { ($0.name, $0.value.kind, try Statistics(of: [$0.value])) }
            return .view(.table(Statistics.view(lines, first: "field")))
        case .model(let model):
            let rows = try model.fieldNames.map { name -> [TableView.Cell] in
                let value = try model.field(name) ?? .none
                return [.text(name), .text(value.kind.rawValue), .text(value.summary)]
            }
            let headings = ["field", "type", "value"].map { TableView.Heading(name: $0, kind: .text) }
            return .view(.stack([.text(model.summary), .table(TableView(headings: headings, rows: rows))]))
        case .list(let values) where values.contains { $0.kind != .number }:
            // Of a column, what its elements are.
            let column = Column("value", values)
            var view = Statistics.view([("value", column.kind, try Statistics(of: values))], first: nil)
            view.note = "a list of \(values.count)"
            return .view(.table(view))
        default:
            let statistics = try Statistics(of: [value])
            return .view(.table(Statistics.view([("value", value.kind, statistics)], first: nil)))
        }
        let lines = try table.shownColumns.map { column in
            (column.name, column.kind, try Statistics(of: column.values))
        }
        var view = Statistics.view(lines, first: "column")
        view.note =
            "\(table.rowCount) \(table.rowCount == 1 ? "row" : "rows")"
            + (table.partial.map { "; \($0.message)" } ?? "")
        return .view(.table(view))
    }

    static let why = VerbDeclaration(
        "why", .looking, "Says how a value came to be: the verbs with all that mattered to the result.",
        input: .value, asArgument: true,
        notes: [
            """
            Of a table, the recipe of the first row; `why t[3]` gives another row's. Of a number, a \
            measure or a model, the statements that it comes from.
            """
        ],
        columns: .other(.view),
        examples: ["t = items k=1..3 | with double=(2*k); why t[1]", "t = items k=1..3; why t"]
    ) { invocation in
        switch invocation.input {
        case .record(let record):
            guard let recipe = record.recipe else { return .view(.text("written out as a record")) }
            return .view(.text(RecipeText.lines(recipe, item: record.item).joined(separator: "\n")))
        case .picture(let picture):
            return .view(
                .text(
                    picture.recipe.map { RecipeText.lines($0, item: nil).joined(separator: "\n") }
                        ?? "read, not computed"))
        case .table(let table):
            guard table.rowCount > 0 else { return .view(.text("no rows")) }
            var lines = RecipeText.lines(table.recipes[0], item: table.items[0])
            if table.rowCount > 1 { lines.append("# the first of \(table.rowCount) rows") }
            return .view(.text(lines.joined(separator: "\n")))
        case let value:
            return .view(
                .text(
                    ([(value ?? .none).summary] + statements(invocation).map { "  " + $0 }).joined(
                        separator: "\n")))
        }
    }
}

extension LookingVerbs {
    /// What the expression behind `why` comes from: the statements that made its variables, and theirs, the
    /// last first.
    private static func statements(_ invocation: Invocation) -> [String] {
        let expression = invocation.source.drop { $0 != " " }
        guard !expression.isEmpty else {
            return ["`why NAME`, with the value behind it, tells the statements that it comes from"]
        }
        var lines: [String] = []
        let source = SourceFile(name: "why", text: String(expression))
        for token in CodeToken.all(in: source, verbs: invocation.session.verbSet) where token.kind == .name {
            for line in invocation.session.origins[source.text(of: token.span)] ?? []
            where !lines.contains(line) { lines.append(line) }
        }
        return lines.isEmpty ? ["written out here, or what an expression gives"] : lines
    }
}

/// How recipes are written: for `why`, and for the text inside saved pictures.
enum RecipeText {
    static func lines(_ recipe: Recipe, item: Int?) -> [String] {
        recipe.lines + (item.map { ["# item \($0)"] } ?? [])
    }
}

/// Shape, mean, standard deviation (of the population), smallest and largest.
struct Statistics {
    var count = 0
    var missing = 0
    var shapes: Set<String> = []
    var numbers = 0
    var mean = 0.0
    var deviation = 0.0
    var smallest = Double.infinity
    var largest = -Double.infinity

    init(of values: [Value]) throws {
        var sum = 0.0
        var squares = 0.0
        var shift: Double?
        func take(_ number: Double) {
            // Shifted by the first number, so that large means do not swallow small deviations.
            let origin = shift ?? number
            shift = origin
            sum += number - origin
            squares += (number - origin) * (number - origin)
            smallest = min(smallest, number)
            largest = max(largest, number)
            numbers += 1
        }
        func visit(_ value: Value) throws {
            switch value {
            case .number(let number): take(number)
            case .measure(let measure): take(measure.value)
            case .list(let inner):
                shapes.insert("\(inner.count)")
                for element in inner { if case .number(let number) = element { take(number) } }
            default:
                guard let tensor = try value.elements() else { return }
                shapes.insert(tensor.shape.shapeText)
                for element in tensor.values { take(Double(element)) }
            }
        }
        for value in values {
            count += 1
            if value.isNone { missing += 1 } else { try visit(value) }
        }
        if numbers > 0 {
            mean = (shift ?? 0) + sum / Double(numbers)
            let spread = squares / Double(numbers) - (sum / Double(numbers)) * (sum / Double(numbers))
            deviation = max(0, spread).squareRoot()
        }
    }

    /// Of all values, where they have one.
    private var shape: String { shapes.count == 1 ? shapes.first ?? "" : shapes.isEmpty ? "" : "various" }

    static func view(
        _ lines: [(name: String, kind: ValueKind, statistics: Statistics)], first heading: String?
    ) -> TableView {
        let headings =
            (heading.map { [$0] } ?? []) + ["type", "shape", "missing", "mean", "std", "min", "max"]
        // With all digits, for programs.
        let values = lines.map { line -> [Value] in
            let statistics = line.statistics
            let numbers = [statistics.mean, statistics.deviation, statistics.smallest, statistics.largest].map
            { Value.number($0) }
            return (heading == nil ? [] : [.text(line.name)]) + [
                .text(line.kind.rawValue), .text(statistics.shape), .number(Double(statistics.missing)),
            ]
                + (statistics.numbers == 0 ? [.none, .none, .none, .none] : numbers)
        }
        let source = Table(
            columns: headings.enumerated().map { index, name in Column(name, values.map { $0[index] }) },
            rowCount: lines.count)
        return TableView(
            headings: headings.enumerated().map { index, name in
                .init(name: name, kind: index + (heading == nil ? 1 : 0) < 3 ? .text : .number)
            },
            rows: lines.map { line in
                let statistics = line.statistics
                let numbers = [
                    statistics.mean, statistics.deviation, statistics.smallest, statistics.largest,
                ]
                let format = ColumnFormat(for: statistics.numbers == 0 ? [] : numbers)
                let cells: [TableView.Cell] =
                    (heading == nil ? [] : [.text(line.name)]) + [
                        .text(line.kind.rawValue), .text(statistics.shape), .text("\(statistics.missing)"),
                    ]
                return cells + numbers.map { statistics.numbers == 0 ? .missing : .text(format($0)) }
            }, source: source)
    }
}
