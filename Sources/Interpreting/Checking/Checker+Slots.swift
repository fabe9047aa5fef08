import Results
import SourceText
import Syntax

/// What stands in slots, in the check before running, as far as it is known.
extension Checker {
    /// Gives what is known of the slot's value.
    @discardableResult mutating func check(_ filled: BoundCommand.Filled, _ input: ColumnGuess) -> ValueGuess
    {
        var values: [ValueGuess] = []
        for part in filled.parts {
            switch part {
            case .raw(let items):
                if case .tables = filled.slot.kind {
                    for item in items where !isKnown(item.raw) { unknown(Name(item.raw, item.span)) }
                    values += items.map { guesses[$0.raw] ?? .unknown }
                } else if case .size = filled.slot.kind, let item = items.first {
                    checkSlot(item.span) { _ = try Resolver.raw(item.raw, filled.slot) }
                } else if filled.slot.role == .namesResult, let item = items.first {
                    checkSlot(item.span) { _ = try Resolver.raw(item.raw, filled.slot) }
                } else if case .columnOrNumber = filled.slot.kind, let item = items.first {
                    checkSlot(item.span) { _ = try Resolver.raw(item.raw, filled.slot) }
                }
            case .expression(let list):
                if filled.slot.isPerRow {
                    checkPerRow(list, input, filled.slot)
                } else {
                    let before = problems.count
                    if case .tables = filled.slot.kind {
                        values += list.items.map { check($0, perRow: false, bareIn: true) }
                    } else {
                        values.append(check(list, isList: isList(filled.slot)))
                    }
                    checkValue(list, values.last ?? .unknown, filled)
                    if problems.count == before, filled.slot.isAsked, let only = list.items.first,
                        list.items.count == 1
                    {
                        checkCondition(only, perRow: false)
                    }
                }
            }
        }
        guard let first = values.first else { return .unknown }
        if values.count == 1 { return first }
        return values.dropFirst().reduce(first) { $0.merged(with: $1) }
    }

    func isList(_ slot: SlotDeclaration) -> Bool {
        if case .list = slot.kind { true } else { false }
    }

    mutating func checkSlot(_ span: Span, _ body: () throws -> Void) {
        do {
            try body()
        } catch let complaint as Complaint {
            problems.append(Diagnostic(complaint, at: span))
        } catch {}
    }

    /// What is known can be checked now.
    mutating func checkValue(_ list: ListExpression, _ guess: ValueGuess, _ filled: BoundCommand.Filled) {
        guard filled.parts.count == 1, !mayFail else { return }
        switch guess {
        case .among(let values):
            let slot = filled.slot
            let before = problems.count
            for value in values where problems.count == before {
                // A slot that repeats takes a list as several values.
                for one in slot.repeats ? Resolver.listed(value) : [value] {
                    checkSlot(list.span) { _ = try Resolver.check(one, slot) }
                }
            }
        case .table, .kind:
            if let kind = guess.kind, !Resolver.accepts(kind, filled.slot) {
                checkSlot(list.span) { throw Resolver.unfit(kind, filled.slot) }
            }
        case .unknown: break
        }
    }

    /// All values that a list can have, where its names are known.
    func guess(_ list: ListExpression) -> ValueGuess {
        if list.items.count == 1 {
            if case .name(let name) = list.items[0].ungrouped.kind { return guesses[name] ?? .unknown }
            return possible(list.items).map { .among($0) } ?? .unknown
        }
        return possible(list.items).map { .among($0) } ?? .unknown
    }

    /// The values of some expressions for all values of the names in them; nil where they are not known, too
    /// many or in error.
    func possible(_ items: [Expression]) -> [Value]? {
        var free: Set<String> = []
        guard items.allSatisfy({ $0.collectNames(into: &free) }) else { return nil }
        var points: [[(String, Value)]] = [[]]
        for name in free.sorted() {
            guard case .among(let values)? = guesses[name], points.count * values.count <= 200 else {
                return nil
            }
            points = points.flatMap { point in values.map { point + [(name, $0)] } }
        }
        var result: [Value] = []
        for point in points {
            let scope = Scope()
            for (name, value) in point { scope.set(name, value) }
            let evaluator = Evaluator(session: session, program: program, scope: scope, budget: budget)
            guard
                let value = try? items.count == 1
                    ? evaluator.evaluate(items[0]) : .list(evaluator.elements(of: items)),
                ValueGuess.isSmall(value)
            else {
                return nil
            }
            result.append(value)
        }
        return result
    }

    func isConstant(_ expression: Expression) -> Bool {
        var free: Set<String> = []
        return expression.collectNames(into: &free) && free.isEmpty
    }

    func expression(_ filled: BoundCommand.Filled) -> Expression? {
        guard filled.parts.count == 1, case .expression(let list) = filled.parts[0], list.items.count == 1
        else { return nil }
        return list.items[0]
    }
}
