import SourceText

/// What stands between signs of its own: groups and records.
extension Parser {
    /// "(" pipeline ")"
    mutating func parseGroup(_ token: Token) -> Expression {
        position = token.span.lower
        let outerDeepest = deepest
        deepest = 0
        let pipeline = inBrackets { parser -> Pipeline in
            let pipeline = parser.parsePipeline(after: "(")
            parser.expectEnd()
            return pipeline
        }
        let depth = deepest
        deepest = max(outerDeepest, depth)
        let span = Span(token.span.lower, position)
        guard let pipeline else { return error(span) }
        if let inner = pipeline.singleExpression {
            return node(.group(inner), span, over: inner.depth)
        }
        return node(.pipeline(pipeline), span, over: depth)
    }

    /// "{" [NAME ":" expr {"," NAME ":" expr}] "}"
    mutating func parseRecord(_ token: Token) -> Expression {
        position = token.span.lower
        let entries = inBrackets { parser -> [Expression.Entry] in
            var entries: [Expression.Entry] = []
            while case let key = parser.peek(), key.kind != .end {
                let colon = parser.lexer.token(from: key.span.upper, limit: parser.limit, newlines: true)
                guard key.kind == .name, colon.kind == .colon else {
                    parser.report(
                        .expectedExpression, "expected `NAME: value` in a record", at: key.span,
                        label: "here",
                        help: [
                            """
                            a record is `{name: value, other: value}`; a block follows only a verb that \
                            takes one
                            """
                        ])
                    break
                }
                let name = parser.name(key)
                if let first = entries.first(where: { $0.key.text == name.text }) {
                    parser.report(
                        .repeatedName, "the field `\(name.text)` is given twice", at: name.span,
                        label: "again here",
                        related: [Diagnostic.Label(first.key.span, "first here")])
                }
                parser.read(colon)
                entries.append(Expression.Entry(key: name, value: parser.parseExpression(after: ":")))
                let comma = parser.peek()
                guard comma.kind == .comma else {
                    parser.expectEnd()
                    break
                }
                parser.read(comma)
            }
            return entries
        }
        let span = Span(token.span.lower, position)
        guard let entries else { return error(span) }
        return node(.record(entries), span, over: entries.map(\.value.depth).max() ?? 0)
    }
}
