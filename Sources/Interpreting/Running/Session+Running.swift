import Caching
import Kernels
import Results
import SourceText
import Syntax

/// What one statement showed.
package struct Output: Sendable {
    /// The value of an unassigned pipeline; `.none` where only warnings came.
    package var value: Value
    /// The statement in the source.
    package var span: Span
    /// Warnings that came up while it ran, such as a prompt that is too long.
    package var warnings: [String]
    /// Whether its value is to be read like a page.
    package var isProse: Bool

    package init(value: Value, span: Span, warnings: [String], isProse: Bool = false) {
        self.value = value
        self.span = span
        self.warnings = warnings
        self.isProse = isProse
    }
}

/// How a program went.
package struct ProgramResult: Sendable {
    package enum Ending: Sendable {
        case finished
        /// An error in the program; nothing after it ran.
        case failed
        /// An `expect` was not met; nothing after it ran.
        case unmet
        /// Stopped by the user; what was finished is kept.
        case interrupted
    }

    package var outputs: [Output]
    package var diagnostics: [Diagnostic]
    package var ending: Ending
    /// Where it was interrupted, and what of it was kept.
    package var stopped: String?
    /// Items that came from the cache, and that were computed; empty where there is no cache.
    package var counts = CacheCounts()
    /// What the cache could not keep, and what was damaged in it; the results are not touched by it.
    package var cacheRemarks = CacheRemarks()
}

extension Session {
    /// The reserved words at this point: the verbs, and what `def` has added.
    package var verbSet: VerbSet {
        var set = verbs.words
        // In any order: a set takes them.
        for name in definitions.keys { set.define(name) }
        return set
    }

    /// The verb or definition of that name.
    package func verb(_ name: String) -> VerbDeclaration? { verbs[name] ?? definitions[name]?.declaration }

    /// All verbs and definitions.
    package var verbNames: [String] { verbs.names + definitions.keys.sorted() }

    /// Reads a program as it would stand here.
    package func read(_ source: SourceFile) -> ParsedProgram {
        ParsedProgram(source, verbs: verbSet, place: keepsLast ? .prompt : .file)
    }

    /// The columns of what a pipeline gives, as far as they are known without running it.
    package func columns(of text: String) -> [String] {
        let source = SourceFile(name: "completion", text: text)
        return Checker.columns(of: ParsedProgram(source, verbs: verbSet, place: .prompt), session: self)
    }

    /// All errors of a program that can be seen without running it, in the order of the text.
    package func check(_ source: SourceFile) -> [Diagnostic] { check([read(source)]) }

    /// The same of programs that run one after the other.
    /// - Parameter mayWriteBefore: whether something that runs before them may write files.
    package func check(_ programs: [ParsedProgram], mayWriteBefore: Bool = false) -> [Diagnostic] {
        let checked = Checker.check(programs, session: self, mayWriteBefore: mayWriteBefore)
        let found = zip(programs, checked).flatMap { program, problems in
            (program.diagnostics
                + problems.filter { !Session.follows($0, from: program.diagnostics, in: program.program) })
                .sortedByPlace()
        }
        return Session.first(found)
    }

    /// More errors than anybody reads, and than can be shown in no time: each shows its line.
    private static let mostDiagnostics = 1_000

    private static func first(_ found: [Diagnostic]) -> [Diagnostic] {
        guard found.count > mostDiagnostics else { return found }
        var first = Array(found.prefix(mostDiagnostics))
        first[mostDiagnostics - 1].notes.append(
            "\(found.count - mostDiagnostics) more behind it are not shown")
        return first
    }

    /// Whether an error only comes of one that the parser found in the same statement: what could not be read
    /// seems to be missing.
    private static func follows(_ diagnostic: Diagnostic, from read: [Diagnostic], in program: Program)
        -> Bool
    {
        guard [.missingInput, .missingArgument, .unknownVerb, .missingBlock].contains(diagnostic.code) else {
            return false
        }
        let place = diagnostic.span.lower
        let statement =
            program.statements.first { $0.span.lower <= place && place <= $0.span.upper }?.span
            ?? diagnostic.span
        // A statement ends before what could not be read, so the rest of its line counts too.
        let end = max(statement.upper, program.source.lineSpan(program.source.lineIndex(of: place)).upper)
        return read.contains {
            $0.severity == .error && $0.span.lower >= statement.lower && $0.span.lower <= end
        }
    }

    /// Runs a program: nothing if it has errors that can be seen before; else statement by statement, until
    /// one fails. Values assigned before a failure stay. `shown` is called with each output as it comes. Who
    /// drives the session resets its cancellation: a press between two cells of a notebook counts too.
    package func run(_ source: SourceFile, shown: (Output) -> Void = { _ in }) -> ProgramResult {
        run(read(source), shown: shown)
    }

    package func run(_ program: ParsedProgram, shown: (Output) -> Void = { _ in }) -> ProgramResult {
        let program = suiting(program), source = program.source
        cache?.beginRun()
        var result = readings.watching { perform(program, shown) }
        do {
            try readings.confirm()
        } catch {
            // Whatever else went wrong came of it.
            result.diagnostics =
                result.diagnostics.filter { $0.severity != .error } + [
                    Diagnostic(error, at: Span(0, 0), of: source)
                ]
            result.ending = .failed
        }
        if let cache {
            result.counts = cache.counts
            cache.endRun(source.cell.map { "\(source.name): \($0)" } ?? source.name)
            result.cacheRemarks = cache.remarks
        }
        UnusedPages.giveBack()
        return result
    }

    /// What a program would compute, and its variables as far as they are known without that. Where it ends
    /// in an error, the rest cannot be told.
    package func plan(_ source: SourceFile) -> (plan: WorkPlan, result: ProgramResult) { plan(read(source)) }

    package func plan(_ program: ParsedProgram) -> (plan: WorkPlan, result: ProgramResult) {
        let standIns = StandIns(.plan)
        self.standIns = standIns
        defer { self.standIns = nil }
        return (standIns.plan, perform(suiting(program)) { _ in })
    }

    /// A program as it reads here: the definitions above it can be others than those by which it was read,
    /// where not all of them ran.
    private func suiting(_ program: ParsedProgram) -> ParsedProgram {
        program.verbsAbove == verbSet ? program : read(program.source)
    }

    private func perform(_ program: ParsedProgram, _ shown: (Output) -> Void) -> ProgramResult {
        let source = program.source, found = check([program])
        var result = ProgramResult(outputs: [], diagnostics: found, ending: .finished)
        if found.hasErrors {
            result.ending = .failed
            return result
        }
        for statement in program.statements {
            do {
                let (value, isShown) = try execute(statement, of: program)
                let output = Output(
                    value: isShown ? value : .none, span: statement.span, warnings: takeWarnings(),
                    isProse: givesProse(statement))
                if !output.value.isNone || !output.warnings.isEmpty {
                    result.outputs.append(output)
                    shown(output)
                }
                if cancellation.isRequested {
                    result.ending = .interrupted
                    result.stopped = value.partial.map { $0.message + goingOn }
                    return result
                }
            } catch {
                var diagnostic =
                    (error as? Diagnostic)?.located(in: source)
                    ?? Diagnostic(.engineUnsupported, "\(error)", at: statement.span, source: source)
                // What a stop left of a table can be too little for what comes after; that is no error of the
                // program.
                if cancellation.isRequested, [.emptyTable, .partialValue].contains(diagnostic.code) {
                    diagnostic = Diagnostic(
                        .interrupted, "stopped before this could be finished", at: diagnostic.span,
                        source: diagnostic.source)
                }
                result.diagnostics.append(diagnostic)
                result.ending =
                    diagnostic.code == .interrupted
                    ? .interrupted
                    : [.expectationFailed, .partialValue].contains(diagnostic.code) ? .unmet : .failed
                if result.ending == .interrupted { result.stopped = diagnostic.title + goingOn }
                _ = takeWarnings()
                return result
            }
        }
        return result
    }

    /// What becomes of a stopped line that is run again.
    private var goingOn: String {
        cache == nil ? "; nothing is cached here, so the line begins anew" : "; run the same line to continue"
    }

    private func givesProse(_ statement: Statement) -> Bool {
        guard case .pipeline(let pipeline) = statement.kind else { return false }
        return pipeline.allCommands.last.flatMap { verb($0.verb.text) }?.givesProse ?? false
    }

    private func execute(_ statement: Statement, of program: ParsedProgram) throws -> (Value, isShown: Bool) {
        let runner = PipelineRunner(session: self, program: program)
        switch statement.kind {
        case .pipeline(let pipeline):
            let (value, unfinished) = try watchingReads {
                try runner.value(of: pipeline, in: globals, isBlockHead: false)
            }
            remember(value, unfinished)
            // An expression always says what it is; a verb that gives nothing says nothing.
            if value.isNone, case .values = pipeline.head, pipeline.commands.isEmpty {
                return (
                    .view(
                        .text(
                            "none"
                                + (unfinished.map { " (it is made from what is not finished: \($0.message))" }
                                    ?? ""))), true
                )
            }
            return (value, true)
        case .assignment(let name, let pipeline):
            let (value, unfinished) = try watchingReads {
                try runner.value(of: pipeline, in: globals, isBlockHead: false)
            }
            try runner.nested(value, statement.span)
            globals.set(name.text, value, from: unfinished)
            note(name.text, statement, program.source)
            remember(value, unfinished)
            return (value, false)
        case .param(let name, let values, let allowed):
            globals.set(name.text, try parameter(name, values, allowed, program))
            declaredParameters.insert(name.text)
            note(name.text, statement, program.source)
            return (.none, false)
        case .definition(let name, let parameters, let body):
            definitions[name.text] = try Definition(
                name: name.text, parameters: parameters, body: body, program: program, above: definitions)
            return (.none, false)
        }
    }

    /// How a variable came to be: its statement, and behind it those of what it read, as they were then.
    private func note(_ name: String, _ statement: Statement, _ source: SourceFile) {
        var lines = [source.text(of: statement.span)]
        for read in Mentions(statement).names.sorted() {
            for line in origins[read] ?? [] where !lines.contains(line) { lines.append(line) }
        }
        origins[name] = Array(lines.prefix(40))
    }

    private func remember(_ value: Value, _ unfinished: Table.Partial?) {
        guard keepsLast, !value.isNone else { return }
        last = Array(([value] + last).prefix(3))
        lastOrigins = Array(([unfinished] + lastOrigins).prefix(3))
    }

    /// The value of a `param`: its default, or what was set from outside, read by the kind of the default.
    func parameter(
        _ name: Name, _ values: ListExpression, _ allowed: ListExpression?, _ program: ParsedProgram
    ) throws -> Value {
        let source = program.source
        let evaluator = Evaluator(session: self, program: program, scope: globals)
        let standard = try evaluator.value(of: values)
        var value = standard
        if let text = parameters[name.text] {
            guard let set = ParamText.value(text, like: standard) else {
                throw Params.problem(name, text, like: standard, source)
            }
            value = set
        }
        if let allowed {
            let isInside: Bool
            if allowed.items.count == 1, case .range(let low, let high, nil) = allowed.items[0].kind,
                case .number(let low) = try evaluator.evaluate(low),
                case .number(let high) = try evaluator.evaluate(high)
            {
                isInside = Resolver.listed(value).allSatisfy {
                    if case .number(let number) = $0 { number >= low && number <= high } else { false }
                }
            } else {
                let choices = try evaluator.elements(of: allowed.items)
                let plain = Set(try choices.filter(\.isPlain).map { try $0.identity() })
                isInside = try Resolver.listed(value).allSatisfy { element in
                    if element.isPlain { return plain.contains(try element.identity()) }
                    return try choices.contains { choice in
                        guard choice.kind == element.kind else { return false }
                        return try Arithmetic.truth(try Arithmetic.compare(.equal, choice, element))
                    }
                }
            }
            if !isInside {
                throw Diagnostic(
                    .paramOutside, "`\(name.text)` cannot be \(value.summary)", at: allowed.span,
                    label: "only these are allowed", source: source)
            }
        }
        return value
    }
}

extension Value {
    /// Numbers, texts and truths, which are equal where their identities are.
    fileprivate var isPlain: Bool {
        switch self {
        case .number(let number): !number.isNaN
        case .text, .boolean: true
        default: false
        }
    }
}
