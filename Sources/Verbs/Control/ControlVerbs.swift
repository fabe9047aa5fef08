import Interpreting
import ItemWork
import OpenedModels
import Results
import SourceText

/// Sweeps, turns over rows, and checks.
enum ControlVerbs {
    static let all = [sweep, each, loop, expect]

    private enum OnError: String, CaseIterable { case stop, skip }

    private static let values = Slot(open: "values", .lists, "the first name changes slowest")
    private static let repeats = Slot(
        "repeat", .whole, default: 1, in: 1...1000, role: .addsColumn("repeat"),
        "how many times to run each point, each with new seeds; adds the column `repeat`")
    private static let onError = Slot(
        "on_error", .choice(OnError.self), default: .stop, role: .skipsErrors(OnError.skip.rawValue),
        "whether a point that fails ends the sweep")

    static let sweep = VerbDeclaration(
        "sweep", .control,
        """
        Runs a block at every combination of some values and stacks its tables, the point's columns in \
        front.
        """,
        input: .optional,
        slots: [values, repeats, onError], block: true, blockNames: .open, adds: ["NAME"],
        notes: [
            """
            All points use the same seeds, so that the differences between them are paired. What flows \
            in is `it` in the block.
            """,
            """
            To repeat with other random numbers take `repeat=`: with `seed=1,2` item 1 at seed 1 would \
            draw what item 0 draws at seed 2.
            """,
        ],
        columns: .block,
        examples: [
            "sweep k=20..60:20 { items x=1,2 | with y=(x*k) } | table",
            "sweep a=1,2 b=\"x\",\"y\" { items n=a } | table",
        ]
    ) { invocation in
        guard let block = invocation.block else { return .none }
        let session = invocation.session
        let lists = invocation[values], repeats = invocation[repeats], skips = invocation[onError] == .skip
        for (name, values) in lists where values.isEmpty {
            throw Complaint(.emptyTable, "`\(name)` has no values", label: "an empty list", slot: name)
        }
        let count = lists.reduce(repeats) { total, list in
            let (product, overflow) = total.multipliedReportingOverflow(by: list.values.count)
            return overflow ? .max : product
        }
        guard count <= 100_000 else {
            throw Complaint(.outOfRange, "this sweep has more than 100,000 points", label: "too many")
        }

        var tables: [Table] = []
        session.progress.begin("sweep", total: count)
        defer { session.progress.end() }
        let all = points(lists, repeats: repeats)
        let combinations = all.count / repeats
        return try SeedWatch.watching(session, points: all.count) { seeds in
            for (number, columns) in all.enumerated() {
                let repeatIndex = number / combinations
                let place = columns.map { "\($0.name)=\($0.value.summary)" }.joined(separator: ", ")
                seeds.begin(place)
                session.seedOffset += repeatIndex * Seeds.perRepeat
                defer { session.seedOffset -= repeatIndex * Seeds.perRepeat }
                // What a stop leaves: the points before, and what this one has finished.
                func stopped(at inner: Table.Partial?, _ innerPlace: String) -> Value {
                    var result = Table.stacked(tables)
                    let point = Block.values(columns)
                    let size = inner == nil ? tables.first?.rowCount : inner?.total
                    result.partial = .init(
                        place: [place, innerPlace].filter { !$0.isEmpty }.joined(separator: ", "),
                        kept: result.rowCount, total: size.map { $0 * count },
                        unfinished: (inner?.unfinished(within: point) ?? [point])
                            + all[(number + 1)...].map(Block.values), steps: inner?.steps)
                    return .table(result)
                }
                var table: Table
                do {
                    table = try Block.table(try block(it: invocation.input, columns), of: "sweep")
                } catch  where session.cancellation.isRequested && !tables.isEmpty && Stop.isStop(error) {
                    return stopped(at: nil, Stop.place(of: error) ?? "")
                } catch  where skips && !session.cancellation.isRequested {
                    session.warn("left out \(place): \(Block.title(of: error))")
                    session.progress.advance(by: 1)
                    continue
                } catch {
                    throw place.isEmpty ? error : NotedError(error, note: place)
                }
                for (name, _) in columns where table.has(name) {
                    throw Complaint(
                        .columnExists, "the block's table has a column `\(name)` already",
                        label: "the sweep would add it again", slot: name)
                }
                table.prepend(
                    columns.map { column in
                        Column(column.name, Array(repeating: column.value, count: table.rowCount))
                    })
                tables.append(table)
                seeds.end(session)
                session.progress.advance(by: 1)
                if session.cancellation.isRequested {
                    if let inner = table.partial { return stopped(at: inner, inner.place) }
                    if number + 1 < all.count {
                        return stopped(
                            at: .init(place: "", kept: table.rowCount, total: table.rowCount, unfinished: []),
                            "")
                    }
                }
            }
            try Reckoning.stack(tables, of: "sweep")
            return .table(.stacked(tables))
        }
    }

    /// All combinations, the first name slowest, as often as they are repeated.
    private static func points(_ lists: [(name: String, values: [Value])], repeats: Int) -> [[(
        name: String, value: Value
    )]] {
        let once = lists.reduce([[]]) { points, list in
            points.flatMap { point in list.values.map { point + [(name: list.name, value: $0)] } }
        }
        guard repeats > 1 else { return once }
        return (0..<repeats).flatMap { index in
            once.map { $0 + [(name: "repeat", value: .number(Double(index)))] }
        }
    }

    static let each = VerbDeclaration(
        "each", .control,
        """
        Runs a block once per row, with the row's columns as variables and the row as `it`, and stacks \
        its tables.
        """,
        input: .table, block: true, blockNames: .columns,
        columns: .block,
        examples: [
            "items k=1..3 | each { items n=1..3 | with m=(n*k) } | table",
            "items k=1..3 | each { with double=(2*k) } | table",
        ]
    ) { invocation in
        guard let block = invocation.block else { return .none }
        let table = try invocation.table()
        var tables: [Table] = []
        for row in 0..<table.rowCount {
            do {
                // One row of a table that is not finished is whole itself.
                var one = table.rows([row])
                one.partial = nil
                tables.append(
                    try Block.table(try block(it: .table(one), Block.variables(table.row(row))), of: "each"))
            } catch
                where invocation.session.cancellation.isRequested && !tables.isEmpty && Stop.isStop(error)
            {
                break
            } catch {
                throw NotedError(error, note: "row \(row), item \(table.items[row])")
            }
            if invocation.session.cancellation.isRequested { break }
        }
        try Reckoning.stack(tables, of: "each")
        var result = Table.stacked(tables)
        if tables.count < table.rowCount || result.partial != nil {
            let place =
                ["row \(tables.count) of \(table.rowCount)"] + [result.partial?.place].compactMap { $0 }
            result.partial = .init(
                place: place.joined(separator: ", "), kept: result.rowCount, total: nil,
                steps: result.partial?.steps)
        }
        return .table(result)
    }

    private static let turns = Slot(
        "table", .table, required: .positional, "one turn per row, such as a `schedule`")

    static let loop = VerbDeclaration(
        "loop", .control,
        """
        Runs a block once per row of a table, in order, with the row's columns as variables; `it` is \
        what the turn before gave.
        """,
        input: .value,
        slots: [turns], block: true, blockNames: .columnsOf(turns.name),
        notes: ["With `schedule`, `predict` and `with`, samplers are written in the language."],
        columns: .looped,
        examples: [
            "s = items k=1..3; items x=1 | loop s { with x=(x*10 + k) } | table",
            """
            model = load monsters; s = schedule ddim of=3; items x=1 | loop s { with \
            x=(x*alpha_bar_next) } | table
            """,
        ]
    ) { invocation in
        guard let block = invocation.block else { return .none }
        let table = invocation[turns]
        var value = invocation.input ?? .none
        let session = invocation.session
        session.progress.begin("loop", total: table.rowCount)
        defer { session.progress.end() }
        for row in 0..<table.rowCount {
            let place = "turn \(row) of \(table.rowCount)"
            // The rows go through the turns together, so none of them is whole before the last turn.
            if session.cancellation.isRequested {
                guard case .table(let unfinished) = value, unfinished.rowCount > 0 else {
                    throw Stop.error(at: place)
                }
                var result = unfinished.finished([])
                result.partial?.place = place
                return .table(result)
            }
            do {
                let next = try block(it: value, Block.variables(table.row(row)))
                try Nesting.check(next, after: value)
                value = next
            } catch {
                throw NotedError(error, note: "turn \(row) of \(table.rowCount)")
            }
            session.progress.advance(by: 1)
        }
        return value
    }

    private static let condition = Slot("condition", .claim, required: .positional, "what must hold")
    private static let reason = Slot("why", .text, .positional, "what to say where it does not")

    static let expect = VerbDeclaration(
        "expect", .control, "Fails the run where a condition does not hold.", input: .none,
        slots: [condition, reason], columns: .other(.none),
        examples: ["expect (1 + 1 == 2)", "t = items k=1..3; expect (max(t.k) <= 3) \"k is too large\""]
    ) { invocation in
        if invocation[condition] { return .none }
        if let standIns = invocation.session.standIns, !standIns.isExact {
            standIns.hasGap = true
            return .none
        }
        throw Complaint(
            .expectationFailed, invocation[reason] ?? "an expectation was not met",
            label: "this does not hold", slot: "condition")
    }
}

/// What verbs with blocks share.
enum Block {
    /// A block's value as rows: a table as it is, texts as the column `text`, another value as the column
    /// `value`.
    static func table(_ value: Value, of verb: String) throws -> Table {
        switch value {
        case .table(let table): return table
        case .record(let record): return Table(record)
        case .text: return Table(texts: [value]) ?? Table(columns: [])
        case .list(let values):
            return Table(texts: values) ?? Table(records: values) ?? Table(columns: [Column("value", values)])
        case .none, .view:
            throw Complaint(
                .wrongInput, "the block of `\(verb)` gives \(value.kind.phrase), not rows",
                label: "its last statement must give a table")
        default: return Table(columns: [Column("value", [value])])
        }
    }

    /// A row's columns as variables; `near.image` becomes the field of a record `near`.
    static func variables(_ row: Record) -> [(name: String, value: Value)] {
        var result: [(name: String, value: Value)] = [(Table.itemName, .number(Double(row.item ?? 0)))]
        var records: [String: Record] = [:]
        for (name, value) in row.fields {
            guard let point = name.firstIndex(of: ".") else {
                result.append((name, value))
                continue
            }
            records[String(name[..<point]), default: Record()].set(
                String(name[name.index(after: point)...]), value)
        }
        for (name, record) in records.sorted(by: { $0.key < $1.key })
        where !result.contains(where: { $0.name == name }) {
            result.append((name, .record(record)))
        }
        return result
    }

    /// A point of a sweep as its columns show it.
    static func values(_ point: [(name: String, value: Value)]) -> [String: String] {
        Dictionary(point.map { ($0.name, $0.value.summary) }) { first, _ in first }
    }

    static func title(of error: any Error) -> String {
        switch error {
        case let noted as NotedError: title(of: noted.underlying)
        case let complaint as Complaint: complaint.title
        case let diagnostic as Diagnostic: diagnostic.title
        default: "\(error)"
        }
    }
}
