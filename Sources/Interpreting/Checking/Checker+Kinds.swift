import Results
import SourceText
import Syntax

/// Kinds of expressions in the check before running: a text compared with a number behind a sweep of hours is
/// found before it begins. Only kinds that are sure count, and only errors that every row with a value would
/// give.
extension Checker {
    /// What is known of the expression's kind.
    func kind(of expression: Expression, perRow: Bool) -> KindGuess? {
        switch expression.kind {
        case .number: return .one(.number)
        case .text: return .one(.text)
        case .boolean, .not: return .one(.boolean)
        case .name(let name):
            if perRow, let row, !row.lacksAll(under: name) { return row.kind(of: name) }
            return guesses[name]?.kindGuess
        case .column(let name): return (perRow ? row : blockRow)?.kind(of: name.text)
        case .field: return kind(ofField: expression, perRow: perRow)
        case .group(let inner): return kind(of: inner, perRow: perRow)
        case .negative(let inner): return kind(of: inner, perRow: perRow).flatMap { $0.isNumeric ? $0 : nil }
        case .list(let items):
            let kinds = items.map { item -> ValueKind? in
                if case .range = item.kind { return .number }
                guard case .one(let kind)? = kind(of: item, perRow: perRow) else { return nil }
                return kind
            }
            guard let first = kinds.first, let kind = first, kinds.allSatisfy({ $0 == kind }) else {
                return nil
            }
            return .list(kind)
        case .range: return .list(.number)
        case .index(let base, _):
            guard case .list(let kind)? = kind(of: base, perRow: perRow) else { return nil }
            return .one(kind)
        case .call(let name, let arguments):
            guard let function = Function(rawValue: name.text) else { return nil }
            return kind(of: function, arguments.map { kind(of: $0, perRow: perRow) })
        case .binary(let op, let a, let b):
            if op.isLogic { return .one(.boolean) }
            guard let left = kind(of: a, perRow: perRow), let right = kind(of: b, perRow: perRow) else {
                return nil
            }
            if op.isComparison { return .combined(left, right, .boolean) }
            return left.isNumeric && right.isNumeric ? .combined(left, right, .number) : nil
        case .none, .error, .previous, .pipeline, .record: return nil
        }
    }

    private func kind(of function: Function, _ arguments: [KindGuess?]) -> KindGuess? {
        switch function {
        case .length: return .one(.number)
        case .falling, .rising: return .one(.boolean)
        case .sqrt, .exp, .log, .abs, .round:
            return arguments.first.flatMap { $0 }.flatMap { $0.isNumeric ? $0 : nil }
        case .if:
            return arguments.count == 3 && arguments[0]?.isList == false && arguments[1] == arguments[2]
                ? arguments[1] : nil
        case .min, .max, .mean, .sum, .difference:
            guard arguments.allSatisfy({ $0?.isNumeric == true }) else { return nil }
            if arguments.count == 1 { return .one(.number) }
            return arguments.contains { $0?.isList == true } ? .list(.number) : .one(.number)
        }
    }

    /// `t.k` is a column, and so a list; per row `near.k` may be one of the row.
    private func kind(ofField expression: Expression, perRow: Bool) -> KindGuess? {
        var fields: [String] = []
        var base = expression
        while case .field(let inner, let field) = base.kind {
            fields.insert(field.text, at: 0)
            base = inner
        }
        guard case .name(let name) = base.kind else { return nil }
        if perRow, let row, !row.lacksLongest([name] + fields) {
            return row.kind(of: ([name] + fields).joined(separator: "."))
        }
        guard case .table(let columns)? = guesses[name] else { return nil }
        return columns.kind(of: fields.joined(separator: "."))?.listed
    }

    // MARK: What cannot work

    /// An operator or function whose operands are of kinds that it does not take.
    mutating func checkOperands(_ expression: Expression, perRow: Bool) {
        guard !isInsideConstant, !mayFail else { return }
        func kind(_ operand: Expression) -> KindGuess? { self.kind(of: operand, perRow: perRow) }
        func isUnfit(_ kind: KindGuess?) -> Bool { kind?.element == .text || kind?.element == .boolean }
        func unfit(_ operand: Expression, for name: String) {
            guard let found = kind(operand), isUnfit(found) else { return }
            checkSlot(operand.span) { throw Arithmetic.unsuitable(found.element, for: name) }
        }
        switch expression.kind {
        case .negative(let inner): unfit(inner, for: "`-`")
        case .not(let inner): checkCondition(inner, perRow: perRow)
        case .binary(let op, let a, let b):
            if op.isLogic {
                for operand in [a, b] { checkCondition(operand, perRow: perRow) }
            } else if op.isComparison {
                guard let left = kind(a), let right = kind(b) else { break }
                checkComparison(op, left, right, at: expression.span)
            } else if isUnfit(kind(a)) {
                unfit(a, for: "`\(op.rawValue)`")
            } else {
                unfit(b, for: "`\(op.rawValue)`")
            }
        case .call(let name, let arguments):
            guard let function = Function(rawValue: name.text), function.arity.contains(arguments.count)
            else { break }
            let called = "`\(name.text)`"
            switch function {
            case .sqrt, .exp, .log, .abs, .round, .difference:
                for argument in arguments { unfit(argument, for: called) }
            case .min, .max, .mean, .sum:
                // Of one list they count yes as 1.
                for argument in arguments where arguments.count > 1 || kind(argument)?.element == .text {
                    unfit(argument, for: called)
                }
            case .falling, .rising:
                guard let found = kind(arguments[0]), !found.isList || isUnfit(found) else { break }
                checkSlot(arguments[0].span) { throw Arithmetic.unsuitable(found.element, for: called) }
            case .length:
                guard let found = kind(arguments[0]),
                    [.one(.number), .one(.boolean), .one(.measure)].contains(found)
                else { break }
                checkSlot(arguments[0].span) { throw Arithmetic.unsuitable(found.element, for: called) }
            case .if:
                if kind(arguments[0])?.isList == false { checkCondition(arguments[0], perRow: perRow) }
            }
        default: break
        }
    }

    private mutating func checkComparison(
        _ op: BinaryOperator, _ left: KindGuess, _ right: KindGuess, at span: Span
    ) {
        let judged: Set<ValueKind> = [.number, .measure, .text, .boolean]
        guard judged.contains(left.element), judged.contains(right.element) else { return }
        if left.isNumeric && right.isNumeric || left.element == .text && right.element == .text { return }
        if left.element == right.element {
            guard op != .equal, op != .notEqual else { return }
            checkSlot(span) {
                throw Complaint(
                    .wrongOperands, "yes and no have no order", label: "cannot compare with `\(op.rawValue)`")
            }
        } else {
            checkSlot(span) { throw Arithmetic.incomparable(op.rawValue, left.element, right.element) }
        }
    }

    /// Where yes or no is needed.
    mutating func checkCondition(_ expression: Expression, perRow: Bool) {
        guard !isInsideConstant, !mayFail, let found = kind(of: expression, perRow: perRow),
            found != .one(.boolean)
        else { return }
        guard [.number, .measure, .text, .boolean].contains(found.element) else { return }
        checkSlot(expression.span) { throw Arithmetic.noCondition(found.isList ? .list : found.element) }
    }

    /// What rows are put in order by.
    mutating func checkOrdering(_ expression: Expression) {
        guard !mayFail, let found = kind(of: expression, perRow: true), found.isList else { return }
        checkSlot(expression.span) { throw Complaint.unsortable(.list) }
    }

    /// Columns that rows of two tables must agree in, and by their kinds cannot.
    mutating func checkAgreement(_ bound: BoundCommand, _ ours: ColumnGuess, _ slots: [String: ValueGuess]) {
        guard !mayFail, let other = bound.filled(.otherTable), let theirs = slots[other.slot.name]?.columns,
            let filled = bound.filled(.sharedColumns)
        else { return }
        for name in bound.raws(.sharedColumns) {
            guard let here = ours.kind(of: name), let there = theirs.kind(of: name), here != there else {
                continue
            }
            let kinds = [here, there].map { $0.isList ? ValueKind.list : $0.element }
            guard kinds[0].phrase != kinds[1].phrase else { continue }
            checkSlot(filled.span) { throw Complaint.noAgreement(name, kinds[0], kinds[1]) }
        }
    }
}
