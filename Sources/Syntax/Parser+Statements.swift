import SourceText

extension Parser {
    /// Words that can be no variable, verbs apart.
    static let reservedWords: Set<String> = ["yes", "no", "none", "and", "or", "not", "def", "param"]

    mutating func parseStatements() -> [Statement] {
        var statements: [Statement] = []
        while true {
            var token = peekBeyondLines()
            while token.kind == .semicolon || token.kind == .closing {
                read(token)
                token = peekBeyondLines()
            }
            guard token.kind != .end else { break }
            position = token.span.lower
            if nesting == 0 { depthIsReported = false }
            statements.append(parseStatement())
            endStatement()
            // A statement that read nothing would be read for ever.
            if position <= token.span.lower { position = max(token.span.upper, token.span.lower + 1) }
        }
        position = limit
        return statements
    }

    private mutating func parseStatement() -> Statement {
        let first = peek()
        if first.kind == .name {
            let afterName = lexer.token(from: first.span.upper, limit: limit, newlines: false)
            if afterName.kind == .equals { return parseAssignment(first, equals: afterName) }
            switch text(first) {
            case "def": return parseDefinition(first)
            case "param": return parseParam(first)
            default: break
            }
        }
        let pipeline = parsePipeline()
        return Statement(kind: .pipeline(pipeline), span: pipeline.span)
    }

    /// Reports what stands between a complete statement and its end.
    private mutating func endStatement() {
        skipUnmatched()
        let token = peek()
        switch token.kind {
        case .newline, .semicolon, .end: return
        default:
            reportUnexpected(token)
            recover()
            // What follows a `|` is read for its errors.
            _ = parseTail()
            recover()
        }
    }

    // MARK: Assignment, param, def

    private mutating func parseAssignment(_ first: Token, equals: Token) -> Statement {
        let name = name(first)
        checkName(name)
        read(equals)
        let pipeline = parsePipeline(after: "=")
        return Statement(kind: .assignment(name, pipeline), span: Span(name.span.lower, pipeline.span.upper))
    }

    /// Reports a name that cannot be given to anything.
    private mutating func checkName(_ name: Name) {
        if verbs.contains(name.text) {
            report(
                .verbAsName,
                verbs.isDefined(name.text)
                    ? "`\(name.text)` is a verb, defined above" : "`\(name.text)` is a verb", at: name.span,
                label: "choose another name", help: ["verbs are reserved; `my_\(name.text) = ...` works"])
        } else if Parser.reservedWords.contains(name.text) {
            report(
                .verbAsName, "`\(name.text)` is a word of the language", at: name.span,
                label: "choose another name")
        } else if Parser.previousIndex(name.text) != nil {
            report(
                .verbAsName, "`\(name.text)` is the last value at the prompt", at: name.span,
                label: "choose another name")
        }
    }

    /// param NAME = list [in list]
    private mutating func parseParam(_ word: Token) -> Statement {
        read(word)
        let usage = "usage: param NAME = VALUE [in RANGE], such as `param guidance = 7.5 in 0..30`"
        let token = peek()
        guard token.kind == .name else {
            return malformed(word, "`param` needs a name", at: token, help: usage)
        }
        let name = name(token)
        checkName(name)
        read(token)
        let equals = peek()
        guard equals.kind == .equals else {
            return malformed(word, "`param \(name.text)` needs a value", at: equals, help: usage)
        }
        read(equals)
        let values = parseList()
        var allowed: ListExpression?
        if case let word = peek(), isWord(word, "in") {
            read(word)
            allowed = parseList()
        }
        return Statement(
            kind: .param(name, values: values, allowed: allowed), span: Span(word.span.lower, position))
    }

    /// def NAME NAME* block
    private mutating func parseDefinition(_ word: Token) -> Statement {
        read(word)
        let usage =
            "usage: def NAME [ARGUMENT ...] { ... }, such as `def finish g { denoise guidance=g | decode }`"
        let token = peek()
        guard token.kind == .name else {
            return malformed(word, "`def` needs a name", at: token, help: usage)
        }
        let name = name(token)
        if verbs.contains(name.text), !verbs.isDefined(name.text) {
            report(
                .definitionShadowsVerb, "`\(name.text)` is a verb already", at: name.span,
                label: "choose another name")
        } else if !verbs.contains(name.text) {
            checkName(name)
        }
        read(token)
        var parameters: [Name] = []
        while case let token = peek(), token.kind == .name {
            let parameter = self.name(token)
            checkName(parameter)
            if let first = parameters.first(where: { $0.text == parameter.text }) {
                report(
                    .repeatedName, "the argument `\(parameter.text)` is given twice", at: parameter.span,
                    label: "again here",
                    related: [Diagnostic.Label(first.span, "first here")])
            }
            parameters.append(parameter)
            read(token)
        }
        let brace = peek()
        guard brace.kind == .openBrace else {
            return malformed(word, "`def \(name.text)` needs a block", at: brace, help: usage)
        }
        verbs.define(name.text)
        openDefinitions.append(name.text)
        position = brace.span.lower
        let body = parseBlock()
        openDefinitions.removeLast()
        return Statement(
            kind: .definition(name, parameters: parameters, body: body), span: Span(word.span.lower, position)
        )
    }

    /// Reports a statement of a fixed form that lacks a part, and leaves its line.
    private mutating func malformed(_ word: Token, _ title: String, at token: Token, help: String)
        -> Statement
    {
        let span = token.kind == .end || token.kind == .newline ? Span(position, position) : token.span
        report(.malformedStatement, title, at: span, label: "here", help: [help])
        recover()
        let error = Expression(kind: .error, span: Span(word.span.lower, position), depth: 1)
        let list = ListExpression(items: [error], span: error.span)
        return Statement(
            kind: .pipeline(Pipeline(head: .values(list), commands: [], span: error.span)), span: error.span)
    }

    // MARK: Blocks

    /// A block at the position. What it defines is known in it only.
    mutating func parseBlock() -> Block {
        let start = position
        let outerVerbs = verbs
        let statements = inBrackets(newlinesEnd: true) { $0.parseStatements() } ?? []
        verbs = outerVerbs
        return Block(statements: statements, span: Span(start, position))
    }

    // MARK: Pipelines

    /// A pipeline at the position; `sign` is what stands before it, for the message where there is none.
    mutating func parsePipeline(after sign: String? = nil) -> Pipeline {
        let first = peek()
        let start = first.span.lower
        let head = parseHead(first, after: sign)
        let commands = parseTail()
        return Pipeline(head: head, commands: commands, span: Span(min(start, position), position))
    }

    private mutating func parseHead(_ first: Token, after sign: String?) -> Pipeline.Head {
        let here = Span(first.span.lower, first.span.lower)
        switch first.kind {
        case .bar where sign == nil && nesting == 0 && place == .prompt:
            return .values(ListExpression(items: [node(.previous(0), here)], span: here))
        case .bar:
            report(
                .expectedCommand,
                sign.map { "nothing stands between `\($0)` and `|`" }
                    ?? "nothing stands above this `|` to continue",
                at: first.span, label: "put a value or a command before it")
            return .values(
                ListExpression(items: [Expression(kind: .error, span: here, depth: 1)], span: here))
        case .name where verbs.contains(text(first)):
            if !standsAsValue(first) { return .command(parseCommand(first)) }
        case .name where standsAsCommand(first):
            reportUnknownVerb(first)
            return .command(parseCommand(first))
        default: break
        }
        return .values(parseList(after: sign))
    }

    /// Whether a verb at the head is used as a value: `step < 6`, `step.x`, `step, 3`.
    private func standsAsValue(_ verb: Token) -> Bool {
        let next = lexer.token(from: verb.span.upper, limit: limit, newlines: !newlinesEnd)
        let isSpacedBehind =
            next.span.upper >= limit || scanner.space(at: next.span.upper) > 0
            || scanner.bytes[next.span.upper] == UInt8(ascii: "\n")
        switch next.kind {
        case .operation(let operation):
            return !next.hasSpaceBefore || operation.isComparison
                || (isSpacedBehind && next.span.upper < limit)
        case .dot, .range, .comma: return !next.hasSpaceBefore
        case .equals: return true
        default: return false
        }
    }

    /// Whether a word that is no verb stands like one: a value follows after a space.
    private func standsAsCommand(_ word: Token) -> Bool {
        let text = text(word)
        guard !Parser.reservedWords.contains(text), Parser.previousIndex(text) == nil else { return false }
        let next = lexer.token(from: word.span.upper, limit: limit, newlines: !newlinesEnd)
        guard next.hasSpaceBefore else { return false }
        switch next.kind {
        case .name, .number, .badNumber, .string, .openRound, .openBrace, .dot: return true
        default: return false
        }
    }

    /// { [NEWLINE] "|" command }
    mutating func parseTail() -> [Command] {
        var commands: [Command] = []
        while true {
            skipUnmatched()
            let bar = peekBeyondLines()
            // A line that begins with `|` continues the one above, across comments and blank lines.
            guard bar.kind == .bar else { return commands }
            read(bar)
            let token = peekBeyondLines()
            guard token.kind == .name, !Parser.reservedWords.contains(text(token)) else {
                let isMissing = token.kind == .end || token.kind == .bar || token.kind == .closing
                report(
                    .expectedCommand, "expected a verb after `|`", at: isMissing ? bar.span : token.span,
                    label: isMissing ? "nothing follows" : "this is no verb")
                if !isMissing { position = token.span.lower }
                recover()
                continue
            }
            position = token.span.lower
            if !verbs.contains(text(token)) { reportUnknownVerb(token) }
            commands.append(parseCommand(token))
        }
    }

    private mutating func reportUnknownVerb(_ word: Token) {
        let name = text(word)
        var help: [String] = []
        let next = lexer.token(from: word.span.upper, limit: limit, newlines: false)
        if next.kind == .openRound {
            help.append("a function's bracket follows without a space: `\(name)(...)`")
        }
        let foreign = hint(name)
        let question = foreign == nil ? Suggestion.question(for: name, in: verbs.names) : nil
        if let foreign {
            help.append(foreign)
        } else if question == nil {
            help.append("`help` lists the verbs")
        }
        report(.unknownVerb, "unknown verb `\(name)`", at: word.span, label: question ?? "", help: help)
    }

    /// Reports a token that cannot stand behind what is complete.
    mutating func reportUnexpected(_ token: Token) {
        let text = text(token)
        switch token.kind {
        case .unexpected: reportCharacter(token)
        case .badNumber: report(.invalidNumber, "`\(text)` is not a number", at: token.span)
        case .closing, .end: break
        case .newline:
            report(
                .unexpectedToken, "unexpected end of the line", at: Span(token.span.lower, token.span.lower))
        case .equals:
            report(
                .unexpectedToken, "unexpected `=`", at: token.span,
                help: [
                    """
                    a name stands before `=`; comparison is `==`; options of a command are separated by \
                    spaces, without commas
                    """
                ])
        case .openSquare:
            report(
                .unexpectedToken, "unexpected `[`", at: token.span,
                help: ["an index follows without a space: `pictures[3]`"])
        case .colon:
            report(
                .unexpectedToken, "unexpected `:`", at: token.span,
                help: ["a step follows a range: `20..60:10`"])
        default:
            report(
                .unexpectedToken, "unexpected `\(text)`", at: token.span,
                help: [
                    """
                    join values with commas; begin a new line or write `;` for a new statement, `|` for the \
                    next command
                    """
                ])
        }
    }
}
