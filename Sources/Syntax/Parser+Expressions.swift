import SourceText

extension BinaryOperator {
    /// How tightly it binds; a range stands between comparison and `+`, `not` below comparison, a sign above
    /// `*`.
    var strength: Int {
        switch self {
        case .or: 1
        case .and: 2
        case .equal, .notEqual, .less, .greater, .lessOrEqual, .greaterOrEqual: 4
        case .plus, .minus: 6
        case .times, .divided, .remainder: 7
        case .power: 9
        }
    }
}

extension Parser {
    static let notStrength = 3
    static let rangeStrength = 5
    static let signStrength = 8

    /// list := expr { "," expr }. A line end may follow a comma.
    mutating func parseList(after sign: String? = nil, mayEndWithComma: Bool = false) -> ListExpression {
        let start = peek().span.lower
        var items = [parseExpression(after: sign)]
        while case let comma = peek(), comma.kind == .comma {
            read(comma)
            let next = peekBeyondLines()
            if mayEndWithComma, next.kind == .end { break }
            if next.kind != .end { position = next.span.lower }
            items.append(parseExpression(after: ","))
        }
        return ListExpression(items: items, span: Span(min(start, position), position))
    }

    /// Precedence climbing: reads operators that bind at least as tightly as `minimum`.
    mutating func parseExpression(_ minimum: Int = 0, after sign: String? = nil) -> Expression {
        var left = parsePrefix(after: sign)
        while true {
            let token = peek()
            switch token.kind {
            case .operation(let operation):
                guard operation.strength >= minimum else { return left }
                read(token)
                left = parseRight(left, operation, token)
            case .range:
                guard Parser.rangeStrength >= minimum else { return left }
                read(token)
                left = parseRange(left)
            default: return left
            }
        }
    }

    private mutating func parseRight(_ left: Expression, _ operation: BinaryOperator, _ token: Token)
        -> Expression
    {
        let right: Expression
        if operation == .power {
            // Right associative, so each one nests.
            right = nested(at: token) { $0.parseExpression(operation.strength, after: "^") }
        } else {
            right = parseExpression(operation.strength + 1, after: operation.rawValue)
        }
        if operation.isComparison, case let next = peek(), case .operation(let second) = next.kind,
            second.isComparison
        {
            let between = source.text(of: right.span)
            report(
                .comparisonChain, "comparisons do not chain", at: next.span, label: "a second comparison",
                help: [
                    """
                    write `\(source.text(of: left.span)) \(operation.rawValue) \(between) and \(between) \
                    \(second.rawValue) ...`
                    """
                ])
        }
        return node(
            .binary(operation, left, right), left.span.joined(with: right.span),
            over: max(left.depth, right.depth))
    }

    /// expr ".." expr [":" expr], behind the points. The operands bind more tightly than a range.
    private mutating func parseRange(_ lower: Expression) -> Expression {
        let upper = parseExpression(Parser.rangeStrength + 1, after: "..")
        var step: Expression?
        if case let colon = peek(), colon.kind == .colon {
            read(colon)
            step = parseExpression(Parser.rangeStrength + 1, after: ":")
        }
        let end = step ?? upper
        if case let next = peek(), next.kind == .range {
            report(
                .unexpectedToken, "a range has two ends", at: next.span,
                help: ["a step follows a colon: `20..60:10`"])
        }
        return node(
            .range(lower, upper, step: step), lower.span.joined(with: end.span),
            over: max(lower.depth, max(upper.depth, step?.depth ?? 0)))
    }

    private mutating func parsePrefix(after sign: String?) -> Expression {
        let token = peek()
        switch token.kind {
        case .operation(.minus):
            read(token)
            let operand = nested(at: token) { $0.parseExpression(Parser.signStrength, after: "-") }
            return node(.negative(operand), token.span.joined(with: operand.span), over: operand.depth)
        case .name where text(token) == "not":
            read(token)
            let operand = nested(at: token) { $0.parseExpression(Parser.notStrength, after: "not") }
            return node(.not(operand), token.span.joined(with: operand.span), over: operand.depth)
        default:
            return parsePostfix(parsePrimary(token, after: sign))
        }
    }

    /// Reads one level deeper, or reports that it is too deep and leaves the line.
    mutating func nested(at token: Token, _ body: (inout Parser) -> Expression) -> Expression {
        nesting += 1
        defer { nesting -= 1 }
        guard nesting <= Parser.deepestNesting else {
            reportDepth(at: token.span)
            recover()
            return Expression(kind: .error, span: token.span, depth: 1)
        }
        return body(&self)
    }

    // MARK: Postfix

    /// { "." NAME | "[" expr "]" | "(" [list] ")" }, with no space before each.
    private mutating func parsePostfix(_ base: Expression) -> Expression {
        var base = base
        while case let token = peek(), !token.hasSpaceBefore {
            switch token.kind {
            case .dot:
                guard let field = readFieldName(token) else { return base }
                base = node(.field(base, field), base.span.joined(with: field.span), over: base.depth)
            case .openSquare:
                position = token.span.lower
                let index = inBrackets { parser -> Expression in
                    let index = parser.parseExpression(after: "[")
                    parser.expectEnd()
                    return index
                }
                let span = Span(base.span.lower, position)
                guard let index else { return Expression(kind: .error, span: span, depth: 1) }
                base = node(.index(base, index), span, over: max(base.depth, index.depth))
            case .openRound:
                position = token.span.lower
                let arguments = inBrackets { $0.parseItems() }
                let span = Span(base.span.lower, position)
                guard case .name(let name) = base.kind, let arguments else {
                    if arguments != nil, !base.isError {
                        report(
                            .unexpectedToken, "only functions can be called", at: token.span,
                            help: ["`help` lists the functions"])
                    }
                    base = Expression(kind: .error, span: span, depth: 1)
                    continue
                }
                base = node(
                    .call(Name(name, base.span), arguments), span, over: arguments.map(\.depth).max() ?? 0)
            default: return base
            }
        }
        return base
    }

    /// The name behind a point, or a report.
    mutating func readFieldName(_ dot: Token) -> Name? {
        read(dot)
        let token = peek()
        guard token.kind == .name, !token.hasSpaceBefore else {
            report(
                .expectedExpression, "expected a name after the point", at: dot.span,
                label: "a column or field follows without a space")
            return nil
        }
        read(token)
        return name(token)
    }

    /// [list [","]] up to the closing bracket.
    mutating func parseItems() -> [Expression] {
        guard peek().kind != .end else { return [] }
        let list = parseList(mayEndWithComma: true)
        expectEnd()
        return list.items
    }

    /// Reports what stands between a complete expression and the closing bracket.
    mutating func expectEnd() {
        skipUnmatched()
        guard case let token = peek(), token.kind != .end else { return }
        let count = diagnostics.count
        reportUnexpected(token)
        // A bracket that was forgotten lines above swallows what follows, so the report leads back to it.
        guard let open = innermost, source.lineIndex(of: open) < source.lineIndex(of: token.span.lower),
            diagnostics.count > count
        else { return }
        diagnostics[count].related.append(Diagnostic.Label(Span(open, open + 1), "inside this bracket"))
    }

    // MARK: Primary

    private mutating func parsePrimary(_ token: Token, after sign: String?) -> Expression {
        switch token.kind {
        case .number(let value):
            read(token)
            return node(.number(value), token.span)
        case .badNumber:
            read(token)
            report(
                .invalidNumber, "`\(text(token))` is not a number", at: token.span,
                label: numberHint(text(token)))
            return error(token.span)
        case .string: return parseString(token)
        case .name: return parseName(token)
        case .dot:
            guard let column = readFieldName(token) else { return error(token.span) }
            return node(.column(column), token.span.joined(with: column.span))
        case .openRound: return parseGroup(token)
        case .openSquare:
            position = token.span.lower
            let items = inBrackets { $0.parseItems() }
            let span = Span(token.span.lower, position)
            guard let items else { return error(span) }
            return node(.list(items), span, over: items.map(\.depth).max() ?? 0)
        case .openBrace: return parseRecord(token)
        case .unexpected:
            reportCharacter(token)
            return error(Span(token.span.lower, position))
        default:
            let place = token.kind == .end || token.kind == .newline ? Span(position, position) : token.span
            report(
                .expectedExpression, sign.map { "expected a value after `\($0)`" } ?? "expected a value",
                at: place, label: "here")
            return error(Span(place.lower, place.lower))
        }
    }

    func error(_ span: Span) -> Expression { Expression(kind: .error, span: span, depth: 1) }

    private func numberHint(_ text: String) -> String {
        if text.contains("_"), text.allSatisfy({ $0.isNumber || $0 == "_" }) { return "write it without `_`" }
        if let last = text.last, "eE+-".contains(last),
            text.dropLast().allSatisfy({ $0.isNumber || ".eE+-".contains($0) })
        {
            return "the exponent has no digits"
        }
        if text.allSatisfy({ $0.isNumber || ".eE+-".contains($0) }) { return "it is too large" }
        return "put text in double quotes, and a space or `*` between a number and a name"
    }

    /// 0 for `_`, n for `_n`.
    static func previousIndex(_ name: String) -> Int? {
        guard name.utf8.first == UInt8(ascii: "_"), name.utf8.count <= 4 else { return nil }
        let digits = name.dropFirst()
        return digits.isEmpty ? 0 : digits.utf8.allSatisfy(\.isDigit) ? Int(digits) : nil
    }

    private mutating func parseName(_ token: Token) -> Expression {
        read(token)
        let word = text(token)
        switch word {
        case "yes": return node(.boolean(true), token.span)
        case "no": return node(.boolean(false), token.span)
        case "none": return node(.none, token.span)
        case "def", "param":
            report(.unexpectedToken, "`\(word)` begins a statement; it is no value", at: token.span)
            return error(token.span)
        default: break
        }
        if verbs.contains(word) {
            report(
                .verbAsValue, "`\(word)` is a verb; the column is `.\(word)`", at: token.span,
                label: "a value is expected here")
            return error(token.span)
        }
        if let index = Parser.previousIndex(word) {
            if place == .file {
                report(
                    .previousInFile, "`\(word)` means something only at the prompt", at: token.span,
                    label: "give the value a name")
            }
            return node(.previous(index), token.span)
        }
        return node(.name(NameComposition.composed(word)), token.span)
    }
}
