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
