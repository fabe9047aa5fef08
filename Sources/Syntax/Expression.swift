import SourceText

package struct Expression: Sendable {
    package indirect enum Kind: Sendable {
        case number(Double)
        /// A string: literal parts and `\(...)` parts in turn. The empty string has no parts.
        case text([TextPart])
        case boolean(Bool)
        case none
        /// A column, where the slot is evaluated per row and the table has it; else a variable.
        case name(String)
        /// `.NAME`, always a column.
        case column(Name)
        /// `_` (0), `_1`, `_2`: earlier values at the prompt.
        case previous(Int)
        /// "(" expr ")"; kept, because brackets force a value in a name slot.
        case group(Expression)
        /// "(" pipeline ")", also for a list of several items.
        case pipeline(Pipeline)
        case list([Expression])
        case record([Entry])
        case field(Expression, Name)
        case index(Expression, Expression)
        case call(Name, [Expression])
        case negative(Expression)
        case not(Expression)
        case binary(BinaryOperator, Expression, Expression)
        /// Both ends included; a list where it stands in a list.
        case range(Expression, Expression, step: Expression?)
        /// What could not be read; a diagnostic has been reported.
        case error
    }

    package enum TextPart: Sendable {
        case literal(String)
        case value(Expression)
    }

    package struct Entry: Sendable {
        package var key: Name
        package var value: Expression
    }

    package var kind: Kind
    package var span: Span
    /// The height of the tree, which the parser keeps below `Parser.deepestTree`, so that walking a tree
    /// cannot exhaust the stack.
    package var depth: Int

    /// The expression without brackets around it.
    package var ungrouped: Expression {
        var expression = self
        while case .group(let inner) = expression.kind { expression = inner }
        return expression
    }

    /// The names of `a.b.c`, where the expression is a name with fields and nothing else.
    package var dottedName: [Name]? {
        var fields: [Name] = []
        var expression = self
        while case .field(let base, let field) = expression.kind {
            fields.append(field)
            expression = base
        }
        guard case .name(let first) = expression.kind else { return nil }
        return [Name(first, expression.span)] + fields.reversed()
    }
}

package enum BinaryOperator: String, Sendable, CaseIterable {
    case or, and
    case equal = "==", notEqual = "!=", less = "<", greater = ">", lessOrEqual = "<=", greaterOrEqual = ">="
    case plus = "+", minus = "-", times = "*", divided = "/", remainder = "%", power = "^"

    package var isComparison: Bool {
        switch self {
        case .equal, .notEqual, .less, .greater, .lessOrEqual, .greaterOrEqual: true
        default: false
        }
    }

    package var isLogic: Bool { self == .or || self == .and }
}
