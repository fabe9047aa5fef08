import SourceText

/// A piece of a program for those who show it, complete it or look something up in it: what it is by itself,
/// without asking whether it makes sense there. Any text has tokens, also one that is being typed.
package struct CodeToken: Sendable, Equatable {
    package enum Kind: Sendable {
        case comment
        /// A part of a string: its quotes, what stands there to the letter, and the marks around an
        /// expression in it.
        case text
        case number
        /// A word of the language that is no verb.
        case keyword
        /// The name in front of an `=`.
        case option
        case verb
        case name
        /// Anything else: signs, brackets, numbers that are none.
        case sign
    }

    package let kind: Kind
    package let span: Span
    /// Whether it belongs to a string that its line does not end.
    package let isOpen: Bool

    private init(kind: Kind, span: Span, isOpen: Bool = false) {
        self.kind = kind
        self.span = span
        self.isOpen = isOpen
    }

    /// Whether it is a run of letters and digits.
    package var isWord: Bool {
        switch kind {
        case .number, .keyword, .option, .verb, .name: true
        case .comment, .text, .sign: false
        }
    }

    private static let keywords: Set<String> = ["param", "def", "in", "and", "or", "not"]

    /// In the order of the text; between two is white space alone. Expressions in a string are tokens as
    /// others.
    package static func all(in source: SourceFile, verbs: VerbSet) -> [CodeToken] {
        let scanner = Scanner(bytes: source.bytes)
        let outline = Outline(scanner), lexer = Lexer(scanner: scanner, outline: outline)
        let bytes = scanner.bytes
        /// What is being read, the innermost last: a stack and no recursion, as strings can lie in strings
        /// without end.
        enum Frame { case code(limit: Int), string(end: Int) }
        var frames = [Frame.code(limit: bytes.count)]
        let openEnds = Set(outline.unterminated.map(\.upper))
        var tokens: [CodeToken] = []
        var position = 0
        while let frame = frames.last {
            switch frame {
            case .string(let end):
                let start = position
                var next = position
                // The first quote is none that ends.
                if next < end, bytes[next] == UInt8(ascii: "\"") { next += 1 }
                var inner: Int?
                while next < end, inner == nil {
                    guard bytes[next] == UInt8(ascii: "\\"), next + 1 < end else {
                        next += 1
                        continue
                    }
                    if bytes[next + 1] == UInt8(ascii: "("), let close = outline.partner[next + 1],
                        close < end
                    {
                        inner = close
                    }
                    next += 2
                }
                if next > start {
                    tokens.append(
                        CodeToken(
                            kind: .text, span: Span(start, next),
                            isOpen: inner == nil && openEnds.contains(next)))
                }
                position = next
                if let inner { frames.append(.code(limit: inner)) } else { frames.removeLast() }
            case .code(let limit):
                while position < limit, !scanner.beginsComment(at: position),
                    let length = blank(scanner, position)
                { position += length }
                guard position < limit else {
                    frames.removeLast()
                    continue
                }
                if scanner.beginsComment(at: position) {
                    let end = scanner.lineEnd(from: position, limit: limit)
                    tokens.append(CodeToken(kind: .comment, span: Span(position, end)))
                    position = end
                    continue
                }
                let token = lexer.token(from: position, limit: limit, newlines: false)
                guard token.kind != .string else {
                    frames.append(.string(end: token.span.upper))
                    continue
                }
                let isField =
                    tokens.last.map { source.text(of: $0.span) == "." && $0.span.upper == token.span.lower }
                    ?? false
                tokens.append(
                    CodeToken(kind: kind(of: token, source, limit, verbs, isField: isField), span: token.span)
                )
                position = max(token.span.upper, position + 1)
            }
        }
        return tokens
    }

    /// The length of what is no token at an offset: white space, a line's end, a joint of two lines.
    private static func blank(_ scanner: Scanner, _ offset: Int) -> Int? {
        if scanner.bytes[offset] == UInt8(ascii: "\n") { return 1 }
        let length = scanner.space(at: offset)
        if length > 0 { return length }
        let joint = scanner.joint(at: offset)
        return joint > 0 ? joint : nil
    }

    private static func kind(
        of token: Token, _ source: SourceFile, _ limit: Int, _ verbs: VerbSet, isField: Bool
    ) -> Kind {
        switch token.kind {
        case .number: return .number
        case .operation(.and), .operation(.or): return .keyword
        case .name:
            let word = source.text(of: token.span), behind = token.span.upper, bytes = source.bytes
            if keywords.contains(word) { return .keyword }
            let isOption =
                behind < limit && bytes[behind] == UInt8(ascii: "=")
                && !(behind + 1 < limit && bytes[behind + 1] == UInt8(ascii: "="))
            return isOption ? .option : !isField && verbs.contains(word) ? .verb : .name
        default: return .sign
        }
    }
}
