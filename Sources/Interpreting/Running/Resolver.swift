import Results
import SourceText
import Syntax

/// Evaluates a bound command's arguments and checks them against the declaration.
package struct Resolver {
    let evaluator: Evaluator
    let bound: BoundCommand

    func arguments() throws -> Arguments {
        var bySlot: [String: SlotValue] = [:]
        var written: [String] = []
        for slot in bound.declaration.slots {
            if slot.place == .open, !bound.open.isEmpty {
                let (argument, text) = try open(slot)
                bySlot[slot.name] = argument
                written += text
            } else if let filled = bound.filled(slot.name) {
                let argument = try resolve(filled)
                bySlot[slot.name] = argument
                written.append(Resolver.written(slot, argument, source: source(of: filled)))
            } else if let standard = slot.standard, let argument = Resolver.standard(standard, for: slot) {
                bySlot[slot.name] = argument
                if slot.place == .named { written.append("\(slot.name)=\(standard)") }
            }
        }
        for filled in bound.filled {
            guard let taker = filled.slot.taker, case .name(let word)? = bySlot[taker.slot],
                let refusal = filled.slot.refusal(beside: word, of: bound.declaration)
            else { continue }
            throw evaluator.diagnostic(refusal, at: filled.span)
        }
        return Arguments(bySlot, given: Set(bound.filled.map(\.slot.name)), written: written)
    }

    private func source(of filled: BoundCommand.Filled) -> String {
        evaluator.source.text(of: filled.span)
    }

    private func resolve(_ filled: BoundCommand.Filled) throws -> SlotValue {
        let slot = filled.slot
        do {
            switch slot.kind {
            case .expression, .condition:
                guard case .expression(let list) = filled.parts.first, list.items.count == 1,
                    filled.parts.count == 1
                else {
                    throw Complaint(.wrongType, "`\(slot.name)` takes one expression", label: "several given")
                }
                return .perRow(perRow(list.items[0], isCondition: isCondition(slot)))
            case .claim:
                guard case .expression(let list) = filled.parts.first, list.items.count == 1,
                    filled.parts.count == 1
                else {
                    throw Complaint(.wrongType, "`\(slot.name)` takes one condition", label: "several given")
                }
                let (value, unfinished) = try evaluator.session.watchingReads {
                    try evaluator.value(of: list)
                }
                if let unfinished {
                    throw Complaint(
                        .partialValue, "the condition is about a value that is not finished",
                        label: unfinished.message)
                }
                return try Resolver.check(value, slot)
            case .tables: return .tables(try tables(filled))
            case .verdict:
                guard case .expression(let list) = filled.parts.first, list.items.count == 1,
                    filled.parts.count == 1
                else {
                    throw Complaint(.wrongType, "`\(slot.name)` takes one condition", label: "several given")
                }
                let (verdict, unfinished) = try evaluator.session.watchingReads {
                    try evaluator.verdict(on: list.items[0])
                }
                return .verdict(unfinished == nil ? verdict : .missing)
            case .columns,
                .choice where slot.repeats:
                return .names(
                    try filled.parts.flatMap { part -> [String] in
                        switch part {
                        case .raw(let items): items.map(\.column)
                        case .expression(let list): try texts(try evaluator.value(of: list), slot)
                        }
                    })
            default: break
            }
            let value: Value
            switch filled.parts.count == 1 ? filled.parts[0] : nil {
            case .raw(let items):
                return try Resolver.raw(slot.namesColumns ? items[0].column : items[0].raw, slot)
            case .expression(let list):
                value = try evaluator.value(of: list)
            case nil:
                var values: [Value] = []
                for part in filled.parts {
                    switch part {
                    case .raw(let items): values += items.map { .text($0.raw) }
                    case .expression(let list): values += try evaluator.elements(of: list.items)
                    }
                }
                value = .list(values)
            }
            return try Resolver.check(value, slot)
        } catch let complaint as Complaint {
            throw evaluator.diagnostic(complaint, at: filled.span)
        }
    }

    private func isCondition(_ slot: SlotDeclaration) -> Bool {
        if case .condition = slot.kind { true } else { false }
    }

    private func perRow(_ expression: Expression, isCondition: Bool) -> RowExpression {
        let evaluator = evaluator
        return RowExpression(source: evaluator.source.text(of: expression.ungrouped.span)) { table, row in
            do {
                let value = try evaluator.with(row: table, row).evaluate(expression)
                guard isCondition else { return value }
                return .boolean(try evaluator.located(expression.span) { try Arithmetic.truth(value) })
            } catch var diagnostic as Diagnostic where table.rowCount > 1 {
                diagnostic.notes.append("in the row of item \(table.items[row])")
                throw diagnostic
            }
        }
    }

    private func open(_ slot: SlotDeclaration) throws -> (SlotValue, [String]) {
        let texts = bound.open.map { "\($0.name.text)=\(evaluator.source.text(of: $0.list.span))" }
        if case .lists = slot.kind {
            return (
                .lists(
                    try bound.open.map { name, list in
                        let value = try evaluator.value(of: list)
                        if case .table = value {
                            throw evaluator.diagnostic(
                                Complaint(
                                    .wrongType, "`\(name.text)=` takes a list of values, and this is a table",
                                    label: "a table",
                                    help: """
                                        a column of it is a list: NAME.COLUMN; a list of tables goes in \
                                        square brackets
                                        """),
                                at: list.span)
                        }
                        return (name.text, Resolver.listed(value))
                    }), texts
            )
        }
        return (
            .assignments(
                try bound.open.map { name, list in
                    guard list.items.count == 1 else {
                        throw evaluator.diagnostic(
                            Complaint(
                                .wrongType, "`\(name.text)=` takes one expression",
                                label: "\(list.items.count) given",
                                help: "a list goes in square brackets: [1, 2, 3]"),
                            at: list.span)
                    }
                    return (name.text, perRow(list.items[0], isCondition: false))
                }), texts
        )
    }

    /// A value where a list is wanted: lists and tensors by their first axis, anything else alone.
    package static func listed(_ value: Value) -> [Value] {
        switch value {
        case .list(let values): return values
        case .tensor(let tensor) where tensor.rank == 1: return tensor.values.map { .number(Double($0)) }
        case .tensor(let tensor) where tensor.rank > 1:
            return (0..<tensor.shape[0]).map { .tensor(tensor[$0]) }
        default: return [value]
        }
    }

    private func tables(_ filled: BoundCommand.Filled) throws -> [(name: String, table: Table)] {
        var result: [(name: String, table: Table)] = []
        func add(_ name: String, _ value: Value, _ span: Span) throws {
            guard case .table(let table) = value else {
                throw evaluator.diagnostic(
                    Complaint(
                        .wrongType, "a table is needed, and this is \(value.kind.phrase)",
                        label: value.kind.phrase), at: span)
            }
            result.append((name, table))
        }
        for part in filled.parts {
            switch part {
            case .raw(let items):
                for item in items {
                    guard let value = evaluator.scope[item.raw] else {
                        throw evaluator.unknownName(item.raw, at: item.span)
                    }
                    evaluator.session.noteReading(evaluator.scope.unfinished(item.raw))
                    try add(item.raw, value, item.span)
                }
            case .expression(let list):
                for item in list.items {
                    try add(
                        evaluator.source.text(of: item.ungrouped.span), try evaluator.evaluate(item),
                        item.span)
                }
            }
        }
        return result
    }

    private func texts(_ value: Value, _ slot: SlotDeclaration) throws -> [String] {
        try Resolver.listed(value).map { element in
            guard case .text(let text) = element else { throw Resolver.unfit(element, slot) }
            return text
        }
    }

    // MARK: Checks that the static check shares

    /// Characters for a raw slot.
    static func raw(_ text: String, _ slot: SlotDeclaration) throws -> SlotValue {
        switch slot.kind {
        case .size:
            let parts = text.split(separator: "x", omittingEmptySubsequences: false)
            guard let width = parts.first.flatMap({ Int($0) }), let height = parts.last.flatMap({ Int($0) }),
                parts.count <= 2, width > 0, height > 0,
                width <= 16_384, height <= 16_384
            else {
                throw Complaint(
                    .wrongType, "a size is WIDTHxHEIGHT in pixels, such as 512x512, each at most 16384",
                    label: "`\(text)` is none")
            }
            return .value(.list([.number(Double(width)), .number(Double(height))]))
        case .columnOrNumber:
            if let number = Double(text) { return try check(.number(number), slot) }
            return .name(text)
        default: return .name(try checkedName(text, slot))
        }
    }

    /// What names a new column must be a name that expressions can use.
    private static func checkedName(_ text: String, _ slot: SlotDeclaration) throws -> String {
        guard slot.role == .namesResult else { return text }
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        let isName = parts.allSatisfy { part in
            part.first.map { $0.isLetter || $0 == "_" } ?? false
                && part.allSatisfy { $0.isLetter || $0.isNumber || $0 == "_" }
        }
        guard isName else {
            throw Complaint(
                .wrongType, "`\(slot.name)` names a column, and `\(text)` is no name",
                label: "letters, digits and _, a letter first")
        }
        return text
    }

    /// A value for a slot: its kind, range and choices.
    static func check(_ value: Value, _ slot: SlotDeclaration) throws -> SlotValue {
        switch slot.kind {
        case .number(let whole):
            // A measure stands for its value.
            guard let number = value.number else { throw unfit(value, slot) }
            try check(number, whole: whole, slot)
            return .value(.number(number))
        case .columnOrNumber:
            if case .text(let text) = value { return .name(text) }
            guard case .number(let number) = value else { throw unfit(value, slot) }
            try check(number, whole: true, slot)
        case .boolean:
            guard case .boolean = value else { throw unfit(value, slot) }
        case .claim:
            return .value(.boolean(try Arithmetic.truth(value)))
        case .text:
            guard case .text = value else { throw unfit(value, slot) }
        case .name, .path, .column:
            guard case .text(let text) = value else { throw unfit(value, slot) }
            return .name(try checkedName(text, slot))
        case .size:
            switch value {
            case .text(let text): return try raw(text, slot)
            case .number(let side): return try raw(NumberFormat.plain(side), slot)
            default: throw unfit(value, slot)
            }
        case .choice(let choices):
            guard case .text(let text) = value else { throw unfit(value, slot) }
            guard choices.contains(text) else {
                throw Complaint.unknownChoice(text, choices, of: slot)
            }
            return .name(text)
        case .list: return .value(.list(listed(value)))
        case .table:
            if case .list(let values) = value, let table = Table(texts: values) {
                return .value(.table(table))
            }
            guard case .table = value else { throw unfit(value, slot) }
        case .model:
            guard case .model = value else { throw unfit(value, slot) }
        case .value, .expression, .condition, .verdict, .assignments, .lists, .tables, .columns: break
        }
        return .value(value)
    }

    private static func check(_ number: Double, whole: Bool, _ slot: SlotDeclaration) throws {
        guard number.isFinite else {
            throw Complaint(.outOfRange, "`\(slot.name)` must be finite", label: NumberFormat.plain(number))
        }
        if whole, Int(exactly: number) == nil {
            throw Complaint(
                .wrongType, "`\(slot.name)` is \(slot.typePhrase), and this is \(NumberFormat.plain(number))",
                label: "not whole")
        }
        if let range = slot.range, !range.contains(number) {
            throw Complaint(
                .outOfRange,
                "`\(slot.name)` is \(slot.typePhrase), and this is \(NumberFormat.plain(number))",
                label: "out of range")
        }
    }

    static func unfit(_ value: Value, _ slot: SlotDeclaration) -> Complaint { unfit(value.kind, slot) }

    static func unfit(_ kind: ValueKind, _ slot: SlotDeclaration) -> Complaint {
        let help =
            kind == .list
            ? "to try several values, put the pipeline in a sweep: `sweep \(slot.name.prefix(1))=... { ... }`"
            : nil
        return Complaint(
            .wrongType, "`\(slot.name)` is \(slot.typePhrase), and this is \(kind.phrase)",
            label: kind.phrase, help: help)
    }

    /// Whether a value of that kind can suit the slot.
    static func accepts(_ kind: ValueKind, _ slot: SlotDeclaration) -> Bool {
        switch slot.kind {
        case .number: kind == .number || kind == .measure
        case .boolean: kind == .boolean
        case .text, .name, .path, .column, .choice: kind == .text
        case .columnOrNumber, .size: kind == .text || kind == .number
        case .table: kind == .table || kind == .list
        case .model: kind == .model
        case .list, .value, .expression, .condition, .claim, .verdict, .assignments, .lists, .tables,
            .columns:
            true
        }
    }

    /// A slot's default as an argument.
    static func standard(_ text: String, for slot: SlotDeclaration) -> SlotValue? {
        if text == "yes" || text == "no", !slot.isRaw { return .value(.boolean(text == "yes")) }
        if text.hasPrefix("\""), text.hasSuffix("\""), text.count >= 2 {
            return .value(.text(String(text.dropFirst().dropLast())))
        }
        if !slot.isRaw, let number = Double(text) { return .value(.number(number)) }
        return try? raw(text, slot)
    }

    /// The argument as it stands in a recipe.
    static func written(_ slot: SlotDeclaration, _ argument: SlotValue, source: String) -> String {
        let text: String
        switch argument {
        case .value(.number(let number)): text = NumberFormat.plain(number)
        case .value(.text(let value)): text = "\"\(value)\""
        case .value(.boolean(let truth)): text = truth ? "yes" : "no"
        case .name(let name): text = name.contains(where: { $0 == " " || $0 == "\"" }) ? "\"\(name)\"" : name
        case .names(let names): text = names.joined(separator: slot.place == .named ? "," : " ")
        case .perRow(let expression): text = "(\(expression.source))"
        default: return source
        }
        return slot.place == .named ? "\(slot.name)=\(text)" : text
    }
}

extension Table {
    /// A table with the column `text`; nil unless all values are texts.
    package init?(texts values: [Value]) {
        guard values.allSatisfy({ $0.kind == .text }) else { return nil }
        self.init(
            columns: [Column("text", values)],
            recipes: values.map { Recipe(RecipeStep(verb: "\"\($0.summary)\"")) })
    }

    /// A row as a table of one.
    package init(_ record: Record) {
        self.init(
            columns: record.fields.map { Column($0.name, [$0.value]) }, rowCount: 1,
            items: [record.item ?? 0],
            recipes: [record.recipe ?? Recipe(verb: "record")])
    }
}
