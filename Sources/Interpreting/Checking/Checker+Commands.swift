import Results
import SourceText
import Syntax

/// One command in the check before running: what flows in, the columns it reads, numbers that depend on each
/// other, and what only its verb can tell.
extension Checker {
    mutating func checkSupply(_ bound: BoundCommand, _ supply: Binder.Supply) {
        let declaration = bound.declaration
        switch (declaration.input, supply) {
        case (.none, .pipe):
            problems.append(Diagnostic(.nothingCanFlow(into: declaration), at: bound.command.verb.span))
        case (.table, .head) where !bound.hasInputArgument, (.value, .head) where !bound.hasInputArgument,
            (.table, .blockHead) where !bound.hasInputArgument && !isKnown("it"),
            (.value, .blockHead) where !bound.hasInputArgument && !isKnown("it"):
            problems.append(Diagnostic(.missingInput(of: declaration), at: bound.command.verb.span))
        default: break
        }
    }

    /// What flows in, where its kind is known and the verb cannot use it.
    mutating func checkKind(of input: ValueGuess, into declaration: VerbDeclaration, at span: Span) {
        guard case .table = declaration.input, let kind = input.kind,
            ![.table, .text, .list, .record].contains(kind)
        else { return }
        problems.append(Diagnostic(.noTable(kind, into: declaration), at: span))
    }

    /// Columns that the command reads and that cannot be there.
    mutating func checkColumns(_ bound: BoundCommand, _ input: ColumnGuess) {
        let declaration = bound.declaration
        func missing(_ name: String, at span: Span, _ help: String?) -> Diagnostic {
            Diagnostic(.missingColumn(name, for: declaration, label: input.summary, help: help), at: span)
        }
        for read in declaration.reads where input.lacksComputed(read.column) {
            if let slot = read.slot, bound.filled(slot) == nil { continue }
            problems.append(missing(read.column, at: bound.command.verb.span, read.cure))
        }
        for filled in bound.filled where filled.slot.namesColumns {
            for case .raw(let items) in filled.parts {
                for item in items where input.lacks(item.column) && Double(item.raw) == nil {
                    problems.append(
                        missing(
                            item.column, at: item.span,
                            Suggestion.question(for: item.column, in: input.listed)))
                }
            }
        }
    }

    /// A column that the command would add to a table that has it.
    mutating func checkCollisions(
        _ bound: BoundCommand, input: ColumnGuess, _ slots: [String: ValueGuess], block: ColumnGuess
    ) {
        let declaration = bound.declaration
        guard !declaration.replaces, !mayFail else { return }
        let kept: ColumnGuess
        switch declaration.columns {
        case .kept: kept = input
        case .block: kept = block
        default: return
        }
        let added = declaration.newColumns(of: bound, slots: slots, computed: computed)
        // A join's `on` stands once.
        let shared = bound.raws(.sharedColumns)
        guard let name = added.certain.first(where: { kept.surelyHas($0) && !shared.contains($0) }) else {
            return
        }
        let span =
            bound.open.first { $0.name.text == name }?.name.span ?? bound.filled(.namesResult)?.span
            ?? bound.filled(.otherTable)?.span
            ?? bound.command.verb.span
        problems.append(Diagnostic(.columnExists(name, of: declaration), at: span))
    }

    /// Known numbers that may not exceed another slot's.
    mutating func checkOrder(_ bound: BoundCommand) {
        guard !mayFail else { return }
        for filled in bound.filled {
            guard let other = filled.slot.atMost, let value = expression(filled),
                let limit = bound.filled(other).flatMap(expression)
            else { continue }
            for case .list(let pair) in possible([value, limit]) ?? [] {
                guard case .number(let value) = pair[0], case .number(let limit) = pair[1], value > limit
                else { continue }
                problems.append(
                    Diagnostic(
                        .outOfRange,
                        "\(NumberFormat.plain(value)) is more than `\(other)=\(NumberFormat.plain(limit))`",
                        at: filled.span,
                        label: "at most \(NumberFormat.plain(limit))",
                        help: ["usage: " + bound.declaration.usage]))
                break
            }
        }
    }

    /// What the verb itself finds wrong; gives the value that it surely has, where the verb can tell.
    mutating func checkUse(
        _ bound: BoundCommand, input: ValueGuess, _ slots: [String: ValueGuess], _ lists: [String: ValueGuess]
    ) -> Value? {
        let declaration = bound.declaration
        defer { if declaration.writesFiles { mayWriteBefore = true } }
        guard let checks = declaration.checks, !mayFail else { return nil }
        func sure(_ guess: ValueGuess) -> [Value]? {
            guard case .among(let values) = guess, values.count == 1 else { return nil }
            return Resolver.listed(values[0])
        }
        var values: [String: [Value]] = [:]
        for filled in bound.filled {
            var words: [Value]? = []
            for part in filled.parts {
                if case .raw(let items) = part { words? += items.map { .text($0.raw) } } else { words = nil }
            }
            values[filled.slot.name] = words ?? slots[filled.slot.name].flatMap(sure)
        }
        let open = bound.open.map { name, _ in (name: name.text, values: lists[name.text].flatMap(sure)) }
        let use = VerbUse(
            session: session, input: input.kind, values: values, filled: Set(bound.filled.map(\.slot.name)),
            open: open.allSatisfy { $0.values != nil } ? open.map { ($0.name, $0.values ?? []) } : nil,
            openNames: open.map(\.name),
            model: guesses["model"].flatMap(sure)?.first, definitions: Set(definitions.keys),
            mayWriteBefore: mayWriteBefore)
        do {
            try checks(use)
            return declaration.known?(use)
        } catch let complaint as Complaint {
            let slot = complaint.slot ?? ""
            let span =
                bound.span(of: slot) ?? bound.open.first { $0.name.text == slot }?.name.span
                ?? bound.command.verb.span
            checkSlot(span) { throw complaint }
        } catch {
            problems.append(Diagnostic(error, at: bound.command.verb.span, of: source))
        }
        return nil
    }

    /// Whether an indented assignment could be an option of the command above, whose line it does not
    /// continue.
    mutating func checkThatItIsMeant(
        _ statement: Statement, behind previous: Statement, of other: ParsedProgram
    ) {
        guard case .assignment(let name, _) = statement.kind else { return }
        let above: Pipeline
        switch previous.kind {
        case .assignment(_, let pipeline), .pipeline(let pipeline): above = pipeline
        default: return
        }
        let here = source.position(of: statement.span.lower),
            there = other.source.position(of: previous.span.lower)
        guard here.line > there.line || other !== program, here.column > there.column,
            let command = above.allCommands.last,
            let verb = session.verbs[command.verb.text],
            verb.open != nil || verb.slot(name.text) != nil
        else { return }
        problems.append(
            Diagnostic(
                .separateStatement, "`\(name.text)=` on a line of its own makes a variable", at: name.span,
                label: "`\(verb.name)` above has an option of that name",
                help: ["to go on with the command, end the line above with `\\`"]))
    }
}
