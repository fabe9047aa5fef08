import Results

/// What an argument has become once it was evaluated: what the slot's kind makes of it, checked against the
/// declaration.
package enum SlotValue {
    case value(Value)
    case name(String)
    case names([String])
    case perRow(RowExpression)
    case assignments([(name: String, expression: RowExpression)])
    case lists([(name: String, values: [Value])])
    case tables([(name: String, table: Table)])
    case verdict(Verdict)
}
