import SourceText

extension Parser {
    /// VERB argument* [block], at the verb. The verb may be unknown; that has been reported.
    mutating func parseCommand(_ verb: Token) -> Command {
        let name = name(verb)
        let isKnown = verbs.contains(name.text)
        let takesBlock = verbs.declaresBlock(name.text)
        read(verb)
        if openDefinitions.contains(name.text) {
            report(
                .recursiveDefinition, "`\(name.text)` is used in its own definition", at: verb.span,
                help: ["`loop`, `each` and `sweep` repeat things"])
        }
        let reports = diagnostics.count
        var arguments: [Argument] = []
        var block: Block?
        while block == nil {
            let start = lexer.skipTrivia(from: position, limit: limit, newlines: !newlinesEnd)
            guard start < limit else { break }
            let byte = scanner.bytes[start]
            if byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "|") || byte == UInt8(ascii: ";") { break }
            position = start
            switch byte {
            case UInt8(ascii: ")"), UInt8(ascii: "]"), UInt8(ascii: "}"): position += 1
            case UInt8(ascii: "{") where takesBlock: block = parseBlock()
            case UInt8(ascii: "{") where !isKnown:
                // It may be a block or a record; the unknown verb is error enough.
                if let close = outline.partner[start], close < limit {
                    position = close + 1
                } else {
                    recover()
                }
            default: arguments.append(parseArgument(takesBlock: takesBlock))
            }
        }
        arguments = joinSpacedArithmetic(arguments)
        // Where an argument is wrong, the block may have been taken for a part of it.
        if takesBlock, block == nil, diagnostics.count == reports {
            report(
                .missingBlock, "`\(name.text)` needs a block", at: verb.span,
                label: "add `{ ... }` at the end of the command")
        }
        return Command(verb: name, arguments: arguments, block: block, span: Span(verb.span.lower, position))
    }

    // MARK: Arguments

    /// [NAME "="] run, at its first byte, which ends no command.
    private mutating func parseArgument(takesBlock: Bool) -> Argument {
        let start = position
        var name: Name?
        var runStart = start
        if let end = scanner.nameEnd(at: start, limit: limit),
            case let equals = lexer.token(from: end, limit: limit, newlines: !newlinesEnd),
            equals.kind == .equals
        {
            name = Name(NameComposition.composed(source.text(of: Span(start, end))), Span(start, end))
            runStart = lexer.skipTrivia(from: equals.span.upper, limit: limit, newlines: !newlinesEnd)
            let run = scanRun(from: runStart, takesBlock: takesBlock)
            if run.end == runStart {
                let text = source.text(of: Span(start, end))
                report(
                    .expectedExpression, "expected a value after `\(text)=`", at: equals.span,
                    label: "nothing follows")
                position = equals.span.upper
                return Argument(
                    name: name, raw: "", rawSpan: equals.span.end, items: [], value: nil, problems: [],
                    span: Span(start, position))
            }
            return argument(name, run, from: runStart, start: start)
        }
        return argument(name, scanRun(from: runStart, takesBlock: takesBlock), from: runStart, start: start)
    }

    private struct Run {
        var end: Int
        var items: [Span]
        /// A bracket in it has no partner.
        var isBroken = false
        /// Where nothing stands before or behind a comma.
        var emptyItem: Span?
    }

    /// The extent of a run: up to white space, `|`, `;`, `{`, `}` outside brackets; a comma glues, with
    /// spaces around it and with a line end behind it.
    private func scanRun(from start: Int, takesBlock: Bool) -> Run {
        let bytes = scanner.bytes
        var run = Run(end: start, items: [])
        var itemStart = start
        var offset = start
        func item() {
            if run.end > itemStart {
                run.items.append(Span(itemStart, run.end))
            } else if run.emptyItem == nil,
                run.end > start || (start < limit && bytes[start] == UInt8(ascii: ","))
            {
                run.emptyItem = Span(run.end, run.end)
            }
        }
        scan: while offset < limit {
            switch bytes[offset] {
            case UInt8(ascii: "\""): offset = min(outline.stringEnd[offset] ?? limit, limit)
            case UInt8(ascii: "("), UInt8(ascii: "["), UInt8(ascii: "{"):
                if bytes[offset] == UInt8(ascii: "{"), takesBlock || offset != itemStart { break scan }
                guard let close = outline.partner[offset], close < limit else {
                    run.isBroken = true
                    offset = scanner.lineEnd(from: offset, limit: limit)
                    run.end = offset
                    break scan
                }
                offset = close + 1
            case UInt8(ascii: ")"), UInt8(ascii: "]"), UInt8(ascii: "}"), UInt8(ascii: "|"),
                UInt8(ascii: ";"):
                break scan
            case UInt8(ascii: ","):
                item()
                offset += 1
                run.end = offset
                offset = lexer.skipTrivia(from: offset, limit: limit, newlines: true)
                itemStart = offset
                continue scan
            default:
                let next = lexer.skipTrivia(from: offset, limit: limit, newlines: !newlinesEnd)
                if next > offset || (next < limit && bytes[next] == UInt8(ascii: "\n")) {
                    guard next < limit, bytes[next] == UInt8(ascii: ",") else { break scan }
                    // White space before a comma belongs to the run, but to none of its items.
                    item()
                    offset = next + 1
                    run.end = offset
                    offset = lexer.skipTrivia(from: offset, limit: limit, newlines: true)
                    itemStart = offset
                    continue scan
                }
                offset += 1
            }
            run.end = offset
        }
        item()
        return run
    }

    private mutating func argument(_ name: Name?, _ run: Run, from runStart: Int, start: Int) -> Argument {
        let rawSpan = Span(runStart, run.end)
        let items = run.items.map { Argument.Item(raw: source.text(of: $0), span: $0) }
        var (value, problems) = parseRun(rawSpan)
        if run.isBroken {
            (value, problems) = (nil, [])
        } else if let place = run.emptyItem {
            report(.expectedExpression, "expected a value beside `,`", at: place, label: "here")
            (value, problems) = (nil, [])
        } else if items.first?.isForced ?? false
            || problems.contains(where: { items.count > 1 && source.text(of: $0.span) == "=" })
        {
            // Nothing but a value can begin with a quote or bracket, so what is wrong is wrong in any slot;
            // and so is `of=70, seed=1`.
            diagnostics += problems
            problems = []
        }
        position = run.end
        return Argument(
            name: name, raw: source.text(of: rawSpan), rawSpan: rawSpan, items: items, value: value,
            problems: problems, span: Span(start, run.end))
    }

    /// Reads a run as a list. Gives no list where there are errors.
    private mutating func parseRun(_ span: Span) -> (ListExpression?, [Diagnostic]) {
        let outer = (
            position: position, limit: limit, newlinesEnd: newlinesEnd, diagnostics: diagnostics,
            isReported: depthIsReported
        )
        position = span.lower
        limit = span.upper
        newlinesEnd = false
        diagnostics = []
        let list = parseList()
        if case let token = peek(), token.kind != .end { reportUnexpected(token) }
        let problems = diagnostics
        (position, limit, newlinesEnd, diagnostics) = (
            outer.position, outer.limit, outer.newlinesEnd, outer.diagnostics
        )
        depthIsReported = outer.isReported
        return (problems.isEmpty && list.items.allSatisfy { !$0.isError } ? list : nil, problems)
    }

    // MARK: Spaced arithmetic

    private static let operators: Set<String> = Set(BinaryOperator.allCases.map(\.rawValue))

    /// `noise k + 5` has three runs; the error says how it was meant, and the tree has it so. Where only one
    /// side is spaced (`k +5`, `out/ x`) it may be raw text, so the error waits for a slot that wants a
    /// value.
    private mutating func joinSpacedArithmetic(_ arguments: [Argument]) -> [Argument] {
        var result: [Argument] = []
        var index = 0
        while index < arguments.count {
            let argument = arguments[index]
            var last = index
            if argument.name == nil, argument.raw == "not", index + 1 < arguments.count,
                arguments[index + 1].name == nil
            {
                last = index + 1
            }
            while last + 2 < arguments.count, arguments[last + 1].name == nil,
                Parser.operators.contains(arguments[last + 1].raw),
                arguments[last + 2].name == nil
            {
                last += 2
            }
            if last > index {
                let span = Span(argument.rawSpan.lower, arguments[last].rawSpan.upper)
                let text = source.text(of: span)
                let value = reread(span)
                diagnostics.append(spacedArithmetic(span, value))
                result.append(
                    Argument(
                        name: argument.name, raw: text, rawSpan: span,
                        items: [Argument.Item(raw: text, span: span)], value: value, problems: [],
                        span: Span(argument.span.lower, span.upper)))
            } else {
                result.append(argument)
            }
            index = last + 1
        }
        for index in result.indices.dropLast() where result[index + 1].name == nil {
            let pair = Span(result[index].rawSpan.lower, result[index + 1].rawSpan.upper)
            guard result[index].value == nil || result[index + 1].value == nil, !result[index].raw.isEmpty,
                let whole = reread(pair)
            else {
                continue
            }
            let problem = spacedArithmetic(pair, whole)
            for side in [index, index + 1] where result[side].value == nil {
                result[side].problems = [problem]
            }
        }
        return result
    }

    private mutating func reread(_ span: Span) -> ListExpression? {
        guard span.length <= rereading else { return nil }
        rereading -= span.length
        return parseRun(span).0
    }

    private func spacedArithmetic(_ span: Span, _ value: ListExpression?) -> Diagnostic {
        let text = value.map { $0.items.map(Printer.text).joined(separator: ", ") } ?? source.text(of: span)
        return Diagnostic(
            .spacedArithmetic, "arithmetic inside a command needs brackets: write `(\(text))`", at: span,
            label: "spaces separate arguments",
            source: source)
    }
}

extension Expression {
    var isError: Bool { if case .error = kind { true } else { false } }
}
