import SourceText

extension Parser {
    /// A string with its escapes and `\(expr)` parts. The outline knows where it ends, and reports one
    /// without an end.
    mutating func parseString(_ token: Token) -> Expression {
        let bytes = scanner.bytes
        let isTerminated = !outline.unterminated.contains { $0.lower == token.span.lower }
        let end = isTerminated ? token.span.upper - 1 : token.span.upper
        var parts: [Expression.TextPart] = []
        var literal: [UInt8] = []
        var depth = 0
        func flush() {
            if !literal.isEmpty { parts.append(.literal(String(decoding: literal, as: UTF8.self))) }
            literal = []
        }
        var offset = token.span.lower + 1
        while offset < end {
            guard bytes[offset] == UInt8(ascii: "\\"), offset + 1 < end else {
                literal.append(bytes[offset])
                offset += 1
                continue
            }
            switch bytes[offset + 1] {
            case UInt8(ascii: "n"): literal.append(UInt8(ascii: "\n"))
            case UInt8(ascii: "t"): literal.append(UInt8(ascii: "\t"))
            case UInt8(ascii: "r"): literal.append(UInt8(ascii: "\r"))
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): literal.append(bytes[offset + 1])
            case UInt8(ascii: "u"):
                let (scalar, next) = readScalar(at: offset, end: end)
                literal += Array(String(scalar).utf8)
                offset = next
                continue
            case UInt8(ascii: "("):
                guard outline.partner[offset + 1].map({ $0 < end }) ?? false else {
                    offset = end
                    continue
                }
                flush()
                position = offset + 1
                let value = inBrackets { parser -> Expression in
                    let value = parser.parseExpression(after: "\\(")
                    parser.expectEnd()
                    return value
                }
                if let value {
                    parts.append(.value(value))
                    depth = max(depth, value.depth)
                }
                offset = position
                continue
            default:
                let length = scanner.scalar(at: offset + 1)?.length ?? 1
                let escape = Span(offset, min(offset + 1 + length, end))
                report(
                    .unknownEscape, "unknown escape `\(source.text(of: escape))` in a string", at: escape,
                    label: "for a backslash itself write two")
                offset = escape.upper
                continue
            }
            offset += 2
        }
        flush()
        position = token.span.upper
        return node(.text(parts), token.span, over: depth)
    }

    /// `\u{1F41E}`, at its backslash: the scalar and the offset behind it.
    private mutating func readScalar(at offset: Int, end: Int) -> (Unicode.Scalar, Int) {
        let bytes = scanner.bytes
        var close = offset + 2
        while close < end, bytes[close] != UInt8(ascii: "}"), close - offset < 12 { close += 1 }
        if offset + 3 < close, close < end, bytes[offset + 2] == UInt8(ascii: "{"),
            bytes[close] == UInt8(ascii: "}"),
            let value = UInt32(source.text(of: Span(offset + 3, close)), radix: 16),
            let scalar = Unicode.Scalar(value)
        {
            return (scalar, close + 1)
        }
        let escape = Span(offset, min(offset + 2, end))
        report(
            .unknownEscape, "`\\u` needs the number of a Unicode character", at: escape,
            label: "such as \\u{1F41E}")
        return ("\u{FFFD}", escape.upper)
    }

    // MARK: Characters

    /// Reports a character that means nothing, with what was probably meant, and reads it.
    mutating func reportCharacter(_ token: Token) {
        read(token)
        let text = text(token)
        var label = ""
        switch text {
        case "'", "\u{2018}", "\u{2019}", "\u{201C}", "\u{201D}", "\u{201E}", "`", "\u{AB}", "\u{BB}":
            label = "text stands in double quotes: \"...\""
            skipForeignQuote(text)
        case "&&", "&": label = "write `and`"
        case "||": label = "write `or`"
        case "!": label = "write `not`"
        case "**": label = "write `^` for a power"
        case "\u{D7}": label = "write `*`"
        case "\u{2212}", "\u{2013}", "\u{2014}": label = "write `-`"
        case "\u{2264}": label = "write `<=`"
        case "\u{2265}": label = "write `>=`"
        case "\u{2260}": label = "write `!=`"
        case "...", "\u{2026}": label = "write `..` for a range"
        case "\\": label = "a backslash joins two lines only at the end of a line"
        case "#": label = "a comment begins after white space"
        case "~": label = "there is no such operator"
        default:
            if let scalar = text.unicodeScalars.first,
                scalar.value < 32 || scalar.value == 127 || !scalar.properties.isGraphemeBase
            {
                label = "U+" + String(scalar.value, radix: 16, uppercase: true)
            }
        }
        let shown = label.hasPrefix("U+") ? "unexpected character" : "unexpected `\(text)`"
        report(.unexpectedCharacter, shown, at: token.span, label: label)
    }

    /// Jumps behind a text in foreign quotes on one line, so that its words give no further errors.
    private mutating func skipForeignQuote(_ open: String) {
        let closers: [String: [String]] = [
            "\u{201C}": ["\u{201D}", "\u{201C}"], "\u{201E}": ["\u{201C}", "\u{201D}"],
            "\u{2018}": ["\u{2019}"], "\u{AB}": ["\u{BB}"],
        ]
        let end = scanner.lineEnd(from: position, limit: limit)
        var offset = position
        while offset < end, let (scalar, length) = scanner.scalar(at: offset) {
            offset += length
            if (closers[open] ?? [open]).contains(String(scalar)) {
                position = offset
                return
            }
        }
    }
}
