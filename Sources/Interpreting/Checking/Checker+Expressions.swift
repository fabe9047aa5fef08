import Results
import SourceText
import Syntax
import Tensors

extension Expression {
    /// Whether evaluating it does more than give what is written.
    fileprivate var isComputed: Bool {
        switch kind {
        case .negative, .not, .call, .binary, .range: true
        default: false
        }
    }
}

/// Expressions in the check before running: names, columns, functions and fields.
extension Checker {
    @discardableResult mutating func check(_ list: ListExpression, isList: Bool = false) -> ValueGuess {
        var values: [ValueGuess] = []
        for item in list.items {
            values.append(check(item, perRow: false, bareIn: isList || list.items.count > 1))
        }
        if values.count == 1, case .table = values[0] { return values[0] }
        if values.count == 1, case .kind = values[0] { return values[0] }
        return guess(list)
    }

    /// Gives what is known of the kind that the rows get.
    @discardableResult mutating func checkPerRow(
        _ list: ListExpression, _ columns: ColumnGuess, _ slot: SlotDeclaration? = nil
    ) -> KindGuess? {
        let outside = row
        row = columns
        defer { row = outside }
        let before = problems.count
        for item in list.items { check(item, perRow: true, bareIn: false) }
        guard list.items.count == 1, let only = list.items.first, problems.count == before else { return nil }
        switch slot?.kind {
        case .condition: checkCondition(only, perRow: true)
        case .expression: checkOrdering(only)
        default: break
        }
        return kind(of: only, perRow: true)
    }

    /// Gives what is known of the value, where that is not of numbers or texts.
    @discardableResult mutating func check(_ expression: Expression, perRow: Bool, bareIn list: Bool)
        -> ValueGuess
    {
        // What depends on nothing can be computed now, as a whole: a part of it need not be reached.
        guard !isInsideConstant, !mayFail, expression.isComputed, isConstant(expression) else {
            return checkParts(expression, perRow: perRow, bareIn: list)
        }
        let before = problems.count
        isInsideConstant = true
        let value = checkParts(expression, perRow: perRow, bareIn: list)
        isInsideConstant = false
        guard problems.count == before else { return value }
        let evaluator = Evaluator(session: session, program: program, scope: Scope(), budget: budget)
        do { _ = try evaluator.evaluate(expression) } catch is CheckBudget.Spent {} catch let error
            as EngineError where error.kind == .memory
        {} catch {
            problems.append(Diagnostic(error, at: expression.span, of: source))
        }
        return value
    }

    private mutating func checkParts(_ expression: Expression, perRow: Bool, bareIn list: Bool) -> ValueGuess
    {
        let before = problems.count
        // A part that is wrong itself says enough.
        defer { if problems.count == before { checkOperands(expression, perRow: perRow) } }
        switch expression.kind {
        case .number, .boolean, .none, .error: break
        case .text(let parts):
            for case .value(let inner) in parts { check(inner, perRow: perRow, bareIn: false) }
        case .name(let name):
            if !perRow, !isKnown(name) { unknown(Name(name, expression.span), bareIn: list) }
            if perRow, let row, !isKnown(name), row.lacksAll(under: name), session.verbs[name] == nil {
                let complaint = Complaint.unknownInRow(
                    name, among: row.listed + names.sorted(), columns: row.listed)
                problems.append(Diagnostic(complaint, at: expression.span))
            }
            if let row, perRow, !row.lacksAll(under: name) { return .unknown }
            return guesses[name] ?? .unknown
        case .column(let name):
            guard let columns = perRow ? row ?? .unknown : blockRow else {
                problems.append(Diagnostic(.noRow(name.text), at: expression.span))
                break
            }
            if columns.lacksAll(under: name.text) {
                problems.append(
                    Diagnostic(.noColumn(name.text, name.text, among: columns.listed), at: expression.span))
            }
        case .previous:
            // In a file the parser has said so.
            break
        case .group(let inner): return check(inner, perRow: perRow, bareIn: false)
        case .negative(let inner), .not(let inner): check(inner, perRow: perRow, bareIn: false)
        case .pipeline(let pipeline): return check(pipeline, isBlockHead: false)
        case .list(let items): for item in items { check(item, perRow: perRow, bareIn: true) }
        case .record(let entries): for entry in entries { check(entry.value, perRow: perRow, bareIn: false) }
        case .field: checkFields(expression, perRow: perRow)
        case .index(let base, let index):
            check(base, perRow: perRow, bareIn: false)
            check(index, perRow: perRow, bareIn: false)
        case .call(let name, let arguments):
            check(name, arguments)
            guard name.text == Function.if.rawValue, arguments.count == 3 else {
                for argument in arguments { check(argument, perRow: perRow, bareIn: false) }
                break
            }
            check(arguments[0], perRow: perRow, bareIn: false)
            for (index, branch) in arguments.dropFirst().enumerated() {
                check(branch, isTaken: decided(arguments[0], perRow).map { $0 == (index == 0) }, perRow)
            }
        case .binary(_, let a, let b):
            check(a, perRow: perRow, bareIn: false)
            check(b, perRow: perRow, bareIn: false)
        case .range(let a, let b, let step):
            check(a, perRow: perRow, bareIn: false)
            check(b, perRow: perRow, bareIn: false)
            if let step { check(step, perRow: perRow, bareIn: false) }
        }
        return .unknown
    }

    /// A branch of an `if`. The condition may be what makes its kinds and columns fit, so these count only
    /// where it is known to be taken.
    private mutating func check(_ branch: Expression, isTaken: Bool?, _ perRow: Bool) {
        let before = problems.count, outside = mayFail
        mayFail = mayFail || isTaken != true
        check(branch, perRow: perRow, bareIn: false)
        mayFail = outside
        guard isTaken != true else { return }
        let guarded: [DiagnosticCode] = [.unknownField, .missingColumn, .wrongInput, .wrongType]
        problems = Array(problems[..<before]) + problems[before...].filter { !guarded.contains($0.code) }
    }

    /// What a condition is for all values that its names can have; nil where that is not known or not one
    /// answer.
    private func decided(_ condition: Expression, _ perRow: Bool) -> Bool? {
        guard !perRow, let values = possible([condition]) else { return nil }
        // One answer has no order.
        let answers = Set(values.map { if case .boolean(let truth) = $0 { truth } else { nil as Bool? } })
        return answers.count == 1 ? answers.first ?? nil : nil
    }

    /// `t.near.image`: of the tables whose columns are known, the column must be there.
    mutating func checkFields(_ expression: Expression, perRow: Bool) {
        var fields: [Name] = []
        var base = expression
        while case .field(let inner, let field) = base.kind {
            fields.insert(field, at: 0)
            base = inner
        }
        let count = problems.count
        var value = check(base, perRow: perRow, bareIn: false)
        guard problems.count == count else { return }
        // What is no column is a variable.
        if perRow, let row, case .name(let name) = base.kind, row.lacksLongest([name] + fields.map(\.text)) {
            value = guesses[name] ?? .unknown
        }
        if case .table(let columns) = value {
            if columns.lacksLongest(fields.map(\.text)) {
                let wanted = fields.map(\.text).joined(separator: ".")
                problems.append(
                    Diagnostic(.unknownField(wanted, of: .table, among: columns.listed), at: fields[0].span))
            }
        } else if perRow, let row, case .name(let name) = base.kind, !isKnown(name),
            row.lacksLongest([name] + fields.map(\.text))
        {
            let wanted = ([name] + fields.map(\.text)).joined(separator: ".")
            problems.append(
                Diagnostic(
                    .unknownName, "there is no column `\(wanted)`", at: base.span,
                    label: Suggestion.question(for: wanted, in: row.listed) ?? "not known here",
                    help: ["columns: " + row.listed.joined(separator: " ")]))
        }
    }

    mutating func check(_ name: Name, _ arguments: [Expression]) {
        guard let function = Function(rawValue: name.text) else {
            problems.append(Diagnostic(.unknownFunction(name.text), at: name.span))
            return
        }
        // A range is spliced, so how many arguments it makes is known only at run time.
        let isSpliced = arguments.contains { if case .range = $0.kind { true } else { false } }
        if !isSpliced, !function.arity.contains(arguments.count) {
            problems.append(Diagnostic(.wrongArity(function, arguments.count), at: name.span))
        }
    }

    func isKnown(_ name: String) -> Bool { mayBeColumn || names.contains(name) }

    mutating func unknown(_ name: Name, bareIn list: Bool = false) {
        if name.text == "it" {
            problems.append(
                Diagnostic(
                    .missingInput, "`it` is what flows in, and nothing does", at: name.span,
                    label: "nothing flows in here"))
        } else if session.verbs[name.text] != nil {
            problems.append(Diagnostic(.verbAsValue(name.text), at: name.span))
        } else if let meant = Suggestion.question(for: name.text, in: names) {
            problems.append(Diagnostic(.unknownVariable(name.text, label: meant), at: name.span))
        } else if list {
            problems.append(
                Diagnostic(
                    .unquotedName, "there is no variable `\(name.text)`", at: name.span,
                    label: "a text stands in quotes",
                    help: ["write \"\(name.text)\""]))
        } else {
            let label =
                name.text == Table.itemName
                ? "it differs from row to row, and one value for all is needed here" : nil
            problems.append(Diagnostic(.unknownVariable(name.text, label: label), at: name.span))
        }
    }
}
