import SourceText

/// A token of an expression. White space and comments are no tokens; a token remembers whether any stood
/// before it.
struct Token {
    enum Kind: Equatable {
        case number(Double)
        case badNumber
        /// Its parts are read by the parser, because they may hold expressions.
        case string
        case name
        case operation(BinaryOperator)
        case range
        case dot, comma, colon, equals
        case openRound, openSquare, openBrace
        case closing
        case bar, semicolon, newline
        case unexpected
        case end
    }

    var kind: Kind
    var span: Span
    var hasSpaceBefore: Bool
}
