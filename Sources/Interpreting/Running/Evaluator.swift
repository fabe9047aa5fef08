import Results
import SourceText
import Syntax
import Tensors

/// Walks expressions. Names are columns of the row, where there is one, then variables.
struct Evaluator {
    let session: Session
    let program: ParsedProgram
    let scope: Scope
    var row: (table: Table, index: Int)?
    /// Set while a claim's condition is asked.
    var turns: ClaimTurns?
    /// Set in the check before running: how much may be computed there.
    var budget: CheckBudget?

    var source: SourceFile { program.source }

    func with(row table: Table, _ index: Int) -> Evaluator {
        var copy = self
        copy.row = (table, index)
        return copy
    }

    /// A list as a value: one item that is no range stands for itself.
    func value(of list: ListExpression) throws -> Value {
        if list.items.count == 1, let only = list.items.first { return try evaluate(only) }
        return .list(try elements(of: list.items))
    }

    /// The values of items, ranges spliced.
    func elements(of items: [Expression]) throws -> [Value] {
        var elements: [Value] = []
        for item in items {
            let value = try evaluate(item)
            if case .range = item.kind, case .list(let values) = value {
                try MemoryBudget.check(
                    (elements.count + values.count) * MemoryBudget.bytesPerValue,
                    for: "a list of \(elements.count + values.count) values")
                elements += values
            } else {
                elements.append(value)
            }
        }
        try budget?.charge(elements.count)
        return elements
    }

    func evaluate(_ expression: Expression) throws -> Value {
        do {
            return try evaluateUnlocated(expression)
        } catch let complaint as Complaint {
            throw diagnostic(complaint, at: expression.span)
        }
    }

    /// A text that doubles with each turn of a loop ends here.
    static let longestText = 1 << 26

    func text(_ parts: [Expression.TextPart]) throws -> String {
        var texts: [String] = []
        var bytes = 0
        for part in parts {
            let text =
                switch part {
                case .literal(let text): text
                case .value(let inner): try evaluate(inner).summary
                }
            bytes += text.utf8.count
            try budget?.charge(text: bytes)
            guard bytes <= Evaluator.longestText else {
                throw Complaint(
                    .engineMemory, "a text of more than \(Evaluator.longestText) bytes",
                    label: "it would be \(bytes) bytes or more")
            }
            texts.append(text)
        }
        return texts.joined()
    }

    private func evaluateUnlocated(_ expression: Expression) throws -> Value {
        try budget?.charge(1)
        switch expression.kind {
        case .number(let number): return .number(number)
        case .text(let parts): return .text(try text(parts))
        case .boolean(let truth): return .boolean(truth)
        case .none: return .none
        case .name, .column, .field: return try chain(expression)
        case .previous(let index):
            guard session.last.indices.contains(index) else {
                throw Complaint(
                    .unknownName, "there is no value \(index == 0 ? "yet" : "that far back")",
                    label: "nothing to go on from")
            }
            session.noteReading(session.last[index].partial ?? session.lastOrigins[index])
            return session.last[index]
        case .group(let inner): return try evaluate(inner)
        case .pipeline(let pipeline):
            if let known = turns?.pipelines[expression.span.lower] { return known }
            var inner = self
            inner.row = nil
            let value = try PipelineRunner(session: session, program: program).value(
                of: pipeline, in: inner.scope, isBlockHead: false)
            turns?.pipelines[expression.span.lower] = value
            return value
        case .list(let items): return .list(try elements(of: items))
        case .record(let entries):
            var record = Record()
            for entry in entries { record.set(entry.key.text, try evaluate(entry.value)) }
            return .record(record)
        case .index(let base, let index):
            return try element(of: try evaluate(base), at: try evaluate(index), span: index.span)
        case .call(let name, let arguments): return try call(name, arguments)
        case .negative(let inner):
            let value = try operand(inner)
            try reckon([value])
            return try Arithmetic.negate(value)
        case .not(let inner):
            let value = try evaluate(inner)
            return value.isNone ? .none : .boolean(!(try Arithmetic.truth(value)))
        case .binary(let op, let a, let b): return try binary(op, a, b)
        case .range(let first, let last, let step):
            let values = try Arithmetic.range(
                from: try number(first), to: try number(last), by: try step.map { try number($0) })
            try budget?.charge(values.count)
            return .list(values)
        case .error:
            throw Complaint(.expectedExpression, "this could not be read", label: "not an expression")
        }
    }

    func number(_ expression: Expression) throws -> Double {
        let value = try evaluate(expression)
        guard let number = value.number else {
            throw diagnostic(
                Complaint(
                    .wrongType, "a range needs numbers, and this is \(value.kind.phrase)",
                    label: value.kind.phrase), at: expression.span)
        }
        return number
    }

    private func binary(_ op: BinaryOperator, _ a: Expression, _ b: Expression) throws -> Value {
        if op.isLogic {
            let left = try evaluate(a)
            // A claim about what is missing is undecided.
            if turns != nil, left.isNone { return .none }
            let truth = try located(a.span) { try Arithmetic.truth(left) }
            if op == .and ? !truth : truth { return .boolean(truth) }
            let right = try evaluate(b)
            if turns != nil, right.isNone { return .none }
            return .boolean(try located(b.span) { try Arithmetic.truth(right) })
        }
        let left = try operand(a)
        let right = try operand(b)
        try reckon([left, right])
        switch op {
        case .equal: return try Arithmetic.compare(.equal, left, right)
        case .notEqual: return try Arithmetic.compare(.unequal, left, right)
        case .less: return try Arithmetic.compare(.less, left, right)
        case .greater: return try Arithmetic.compare(.greater, left, right)
        case .lessOrEqual: return try Arithmetic.compare(.atMost, left, right)
        case .greaterOrEqual: return try Arithmetic.compare(.atLeast, left, right)
        case .plus: return try Arithmetic.combine(.add, left, right)
        case .minus: return try Arithmetic.combine(.subtract, left, right)
        case .times: return try Arithmetic.combine(.multiply, left, right)
        case .divided: return try Arithmetic.combine(.divide, left, right)
        case .remainder: return try Arithmetic.combine(.remainder, left, right)
        case .power: return try Arithmetic.combine(.power, left, right)
        case .or, .and: preconditionFailure("logic is handled above")
        }
    }

    func call(_ name: Name, _ arguments: [Expression]) throws -> Value {
        guard let function = Function(rawValue: name.text) else {
            throw diagnostic(.unknownFunction(name.text), at: name.span)
        }
        // Only the branch that is chosen is computed.
        if function == .if, arguments.count == 3 {
            let condition = try evaluate(arguments[0])
            if case .list(let truths) = condition { return try choose(truths, arguments) }
            return try located(arguments[0].span) { try Arithmetic.truth(condition) }
                ? try evaluate(arguments[1]) : try evaluate(arguments[2])
        }
        let (values, unfinished) = try session.watchingReads { try elements(of: arguments) }
        // Of something unfinished a number over all is missing, never that of a part.
        if unfinished != nil, function.folds(values.count) { return .none }
        try reckon(values)
        return try function(turns.map { values.map($0.drawn) } ?? values)
    }

    /// What is computed element by element makes as many elements as there are.
    private func reckon(_ values: [Value]) throws {
        var count = 0, bytes = 0
        for value in values {
            switch value {
            case .list: count += Nesting.count(value, upTo: Nesting.mostElements)
            case .tensor(let tensor): bytes = max(bytes, 4 * tensor.count)
            case .latent(let latent): bytes = max(bytes, 4 * latent.tensor.count)
            default: break
            }
        }
        try budget?.charge(count + bytes / 64)
        try MemoryBudget.check(
            count * MemoryBudget.bytesPerValue + bytes,
            for: bytes > 0 ? "the result's numbers" : "a list of \(count) values")
    }

    /// `if` over a list or column of conditions: element by element, and then both branches are computed.
    private func choose(_ truths: [Value], _ arguments: [Expression]) throws -> Value {
        let branches = try arguments.dropFirst().map { try evaluate($0) }
        return .list(
            try truths.enumerated().map { index, truth in
                let branch = branches[try located(arguments[0].span) { try Arithmetic.truth(truth) } ? 0 : 1]
                guard case .list(let values) = branch else { return branch }
                guard values.count == truths.count else {
                    throw Complaint(
                        .differentLengths,
                        "lists of \(truths.count) and \(values.count) values do not pair up",
                        label: "lengths differ")
                }
                return values[index]
            })
    }

    /// What an operator works on: in a claim, the number that this turn puts in a measure's place.
    func operand(_ expression: Expression) throws -> Value {
        let value = try evaluate(expression)
        return turns?.drawn(value) ?? value
    }

    // MARK: Errors

    func unknownName(_ name: String, at span: Span) -> Diagnostic {
        if session.verbs[name] != nil { return diagnostic(.verbAsValue(name), at: span) }
        let under = row?.table.columnNames.filter { $0.hasPrefix(name + ".") } ?? []
        if !under.isEmpty {
            return diagnostic(
                Complaint(
                    .unknownName, "`\(name)` is not a column itself",
                    label: "there are " + under.joined(separator: ", ")), at: span)
        }
        let columns = row?.table.columnNames
        let known = (columns ?? []) + scope.names
        if let columns { return diagnostic(.unknownInRow(name, among: known, columns: columns), at: span) }
        return diagnostic(.unknownVariable(name, label: Suggestion.question(for: name, in: known)), at: span)
    }

    func located<T>(_ span: Span, _ body: () throws -> T) throws -> T {
        do {
            return try body()
        } catch let complaint as Complaint {
            throw diagnostic(complaint, at: span)
        }
    }

    func diagnostic(_ complaint: Complaint, at span: Span) -> Diagnostic {
        Diagnostic(complaint, at: span, source: source)
    }
}
