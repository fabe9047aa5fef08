import Interpreting
import Results
import SourceText

/// A session with a few verbs of its own: what the interpreter promises is not about the verbs that there
/// are.
extension Session {
    /// Takes the number of rows, how, and columns by expressions.
    static let verbs: [VerbDeclaration] = [
        SmallVerbs.rows, SmallVerbs.add, SmallVerbs.tell, SmallVerbs.turn, SmallVerbs.paint, SmallVerbs.look,
    ]

    static func small() -> Session { Session(verbs: VerbRegistry(verbs), access: FileAccess(base: ".")) }

    func result(_ text: String) -> ProgramResult { run(SourceFile(name: "t", text: text)) }

    /// The values that a program shows, as text.
    func shown(_ text: String) -> [String] { result(text).outputs.map(\.value.summary) }

    func codes(_ text: String) -> [DiagnosticCode] { check(SourceFile(name: "t", text: text)).map(\.code) }
}

enum SmallVerbs {
    enum Mode: String, CaseIterable { case plain, loud }

    static let count = Slot("n", .whole, .positional, default: 3, in: 0...100, "how many")
    static let share = Slot("share", .number, default: 0.000001, in: 0...1, "a small number")
    static let mode = Slot("mode", .choice(Mode.self), default: .plain, "how")
    static let limit = Slot("limit", .whole, "no default")
    static let title = Slot("title", .text, default: "", "a text")
    static let flag = Slot("flag", .boolean, default: true, "yes or no")

    /// A column `k` of 0, 1, ...
    static let rows = VerbDeclaration(
        "rows", .sources, "Makes rows.", input: .none, slots: [count], adds: ["k"], columns: .made,
        examples: []
    ) { invocation in
        .table(Table(columns: [Column("k", numbers: (0..<invocation[count]).map(Double.init))]))
    }

    static let name = Slot("as", .name, default: "sum", role: .namesResult, "the new column")
    static let values = Slot(open: "values", .assignments, "what to add")

    /// Columns by expressions, and a column of zeros by the name of `as`.
    static let add = VerbDeclaration(
        "add", .tables, "Adds columns.", input: .table, slots: [name, values], adds: ["AS", "NAME"],
        columns: .kept, examples: []
    ) { invocation in
        var table = try invocation.table()
        for (name, expression) in invocation[values] {
            table.set(Column(name, try (0..<table.rowCount).map { try expression(table, row: $0) }))
        }
        table.set(Column(invocation[name], numbers: Array(repeating: 0, count: table.rowCount)))
        return .table(table)
    }

    /// Says what its body got.
    static let tell = VerbDeclaration(
        "tell", .looking, "Tells its slots.", input: .none, slots: [count, share, mode, limit, title, flag],
        columns: .other(.text), examples: []
    ) { invocation in
        let limit = invocation[limit].map(String.init) ?? "none"
        let given = invocation.arguments.given.sorted().joined(separator: ",")
        return .text(
            """
            \(invocation[count]) \(invocation[share]) \(invocation[mode]) \(limit) \
            '\(invocation[title])' \(invocation[flag]) given \(given);\u{20}
            """
                + invocation.arguments.written.joined(separator: " "))
    }

    enum OnError: String, CaseIterable { case stop, skip }

    static let turns = Slot("turns", .whole, required: .positional, in: 1...100, "how often")
    static let onError = Slot(
        "failing", .choice(OnError.self), default: .stop, role: .skipsErrors("skip"), "what a failure does")
    static let marks = Slot("marks", .whole, role: .addsColumn("mark"), "numbers the turns")

    /// The block again and again, what it gave as its `it`.
    static let turn = VerbDeclaration(
        "turn", .control, "Runs a block.", input: .optional, slots: [turns, onError, marks], block: true,
        columns: .block, examples: []
    ) { invocation in
        guard let block = invocation.block else { return .none }
        var value = invocation.input
        for _ in 0..<invocation[turns] {
            do { value = try block(it: value) } catch  where invocation[onError] == .skip {}
        }
        guard case .table(var table)? = value, let mark = invocation[marks] else { return value ?? .none }
        table.set(Column("mark", numbers: Array(repeating: Double(mark), count: table.rowCount)))
        return .table(table)
    }

    static let word = Slot("word", .name, .positional, "a word")

    /// Takes its value as an argument too.
    static let look = VerbDeclaration(
        "look", .looking, "Looks.", input: .value, asArgument: true, slots: [word], columns: .other(.text),
        examples: []
    ) { invocation in .text("\(invocation.input?.summary ?? "nothing") \(invocation[word] ?? "none")") }

    enum Surface: String, CaseIterable { case wall, door }

    static let surface = Slot("surface", .choice(Surface.self), required: .positional, "what to paint")
    static let layers = Slot("layers", .whole, default: 2, in: 1...9, "wall: how often").only(
        with: surface, .wall)

    static let coats = Slot(
        "coats", .whole, by: surface, default: { $0 == .wall ? 3 : 1 }, in: 1...9,
        "how much; of a wall 3, else 1")

    static let paint = VerbDeclaration(
        "paint", .looking, "Paints.", input: .none, slots: [surface, layers, coats], columns: .other(.text),
        examples: []
    ) { invocation in .text("\(invocation[surface]) \(invocation[layers]) \(invocation[coats])") }
}
