// The parser. Total: any text gives a tree and errors with spans. It recovers at `|`, at line ends and at
// `}`, so that one pass reports all errors. Recursive descent for statements and commands, precedence
// climbing for expressions.
//
// How a pipeline that begins with a list is told from a command: by its first word alone. A verb (of the
// language, or a `def` above) begins a command; anything else begins a list. A word that is no verb but
// stands like one, with a space and a value behind it (`nois 20`), can be no list and is reported as an
// unknown verb.
//
// Bracket pairs come from the `Outline`; `limit` is where the innermost open bracket closes, so nothing reads
// beyond it.

import SourceText

package struct Parse: Sendable {
    package var program: Program
    /// In the order of the text.
    package var diagnostics: [Diagnostic]
    /// The verbs for the text below: those given and what `def` added.
    package var verbs: VerbSet
    /// Whether the text would go on in a further line.
    package var isIncomplete: Bool
}

package struct Parser {
    /// Where the text stands: `_` is a value at the prompt only.
    package enum Place: Sendable { case file, prompt }

    /// The most brackets, blocks, signs and powers around anything.
    package static let deepestNesting = 64
    /// The greatest height of an expression.
    package static let deepestTree = 200

    let source: SourceFile
    let place: Place
    let hint: @Sendable (String) -> String?
    let scanner: Scanner
    let outline: Outline
    let lexer: Lexer

    /// Behind the last token that was read.
    var position = 0
    /// Where reading ends: the text's end, or the closing bracket of the innermost open one.
    var limit: Int
    /// Whether a line end ends a statement: not within ( and [.
    var newlinesEnd = true
    var nesting = 0
    /// The offset of the innermost open bracket.
    var innermost: Int?
    /// The height of the highest expression since it was last set to 0.
    var deepest = 0
    var verbs: VerbSet
    /// The definitions whose blocks are being read.
    var openDefinitions: [String] = []
    var diagnostics: [Diagnostic] = []
    var depthIsReported = false
    /// How many bytes may be read a second time to say how something was meant. Without it, nested mistakes
    /// would be read twice at each level, which doubles the work with each.
    var rereading: Int

    /// - Parameter hint: what to say of a word that is no verb and that people know from elsewhere.
    package static func parse(
        _ source: SourceFile, verbs: VerbSet, place: Place = .file,
        hint: @escaping @Sendable (String) -> String? = { _ in nil }
    ) -> Parse {
        var parser = Parser(source, verbs: verbs, place: place, hint: hint)
        let statements = parser.parseStatements()
        parser.reportOutline()
        return Parse(
            program: Program(source: source, statements: statements),
            diagnostics: parser.diagnostics.sortedByPlace(), verbs: parser.verbs,
            isIncomplete: parser.outline.isIncomplete)
    }

    init(_ source: SourceFile, verbs: VerbSet, place: Place, hint: @escaping @Sendable (String) -> String?) {
        self.source = source
        self.verbs = verbs
        self.place = place
        self.hint = hint
        scanner = Scanner(bytes: source.bytes)
        outline = Outline(scanner)
        lexer = Lexer(scanner: scanner, outline: outline)
        limit = source.bytes.count
        rereading = 1000 + 2 * source.bytes.count
    }

    // MARK: Tokens

    /// The next token, which stays unread.
    func peek() -> Token { lexer.token(from: position, limit: limit, newlines: !newlinesEnd) }

    /// The next token beyond line ends.
    func peekBeyondLines() -> Token { lexer.token(from: position, limit: limit, newlines: true) }

    mutating func read(_ token: Token) { position = token.span.upper }

    func text(_ token: Token) -> String { source.text(of: token.span) }
    func name(_ token: Token) -> Name { Name(NameComposition.composed(text(token)), token.span) }

    func isWord(_ token: Token, _ word: String) -> Bool { token.kind == .name && text(token) == word }

    /// Skips closing brackets that nothing opens; the outline reports them.
    mutating func skipUnmatched() {
        while case let token = peek(), token.kind == .closing { read(token) }
    }

    /// Moves to the next `|`, `;` or line end outside brackets, or to the limit.
    mutating func recover() {
        while true {
            let token = peek()
            switch token.kind {
            case .bar, .semicolon, .newline, .end: return
            case .openRound, .openSquare, .openBrace:
                if let close = outline.partner[token.span.lower], close < limit {
                    position = close + 1
                } else {
                    read(token)
                }
            default: read(token)
            }
        }
    }

    // MARK: Reports

    mutating func report(
        _ code: DiagnosticCode, _ title: String? = nil, at span: Span, label: String = "",
        help: [String] = [], related: [Diagnostic.Label] = []
    ) {
        diagnostics.append(
            Diagnostic(code, title, at: span, label: label, help: help, related: related, source: source))
    }

    mutating func reportDepth(at span: Span) {
        guard !depthIsReported else { return }
        depthIsReported = true
        report(
            .nestingTooDeep, at: span, label: "here", help: ["give parts of it names in lines of their own"])
    }

    private mutating func reportOutline() {
        for string in outline.unterminated {
            report(.unterminatedString, at: string, label: "add a closing \"")
        }
        // The first say it; a text of nothing but brackets would have thousands.
        for offset in outline.unclosed.prefix(20) {
            // A bracket whose partner was swallowed by a string without an end needs no report of its own.
            let line = source.lineSpan(source.lineIndex(of: offset))
            if outline.unterminated.contains(where: { $0.lower > offset && $0.lower <= line.upper }) {
                continue
            }
            let bracket = source.text(of: Span(offset, offset + 1))
            report(
                .unclosedBracket, "`\(bracket)` is not closed", at: Span(offset, offset + 1),
                label: "opened here")
        }
        for offset in outline.unmatched.prefix(20) {
            let bracket = source.text(of: Span(offset, offset + 1))
            report(
                .unmatchedBracket, "nothing opens this `\(bracket)`", at: Span(offset, offset + 1),
                label: "remove it")
        }
    }

    // MARK: Nesting

    /// Reads between brackets: `body` sees nothing beyond the closing one, and line ends matter only in
    /// braces of a block. The position must be at the opening bracket; afterwards it is behind the closing
    /// one. An unclosed bracket reaches to the end of its line, and what is found wrong in it is left to the
    /// report about the bracket.
    mutating func inBrackets<Result>(newlinesEnd inner: Bool = false, _ body: (inout Parser) -> Result)
        -> Result?
    {
        let open = position
        let close = outline.partner[open].flatMap { $0 < limit ? $0 : nil }
        let outer = (limit: limit, newlinesEnd: newlinesEnd, count: diagnostics.count, innermost: innermost)
        let end = close ?? (inner ? limit : scanner.lineEnd(from: open, limit: limit))
        defer {
            limit = outer.limit
            newlinesEnd = outer.newlinesEnd
            innermost = outer.innermost
            position = close.map { $0 + 1 } ?? end
            nesting -= 1
        }
        nesting += 1
        guard nesting <= Parser.deepestNesting else {
            reportDepth(at: Span(open, open + 1))
            return nil
        }
        limit = end
        newlinesEnd = inner
        innermost = open
        position = open + 1
        let result = body(&self)
        if close == nil, !inner { diagnostics.removeSubrange(outer.count...) }
        return result
    }

    /// An expression over parts, or an error where it grows too high.
    mutating func node(_ kind: Expression.Kind, _ span: Span, over parts: Int = 0) -> Expression {
        guard parts < Parser.deepestTree else {
            reportDepth(at: Span(span.lower, span.lower))
            return Expression(kind: .error, span: span, depth: 1)
        }
        deepest = max(deepest, parts + 1)
        return Expression(kind: kind, span: span, depth: parts + 1)
    }
}
