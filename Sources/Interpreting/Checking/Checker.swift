import Results
import SourceText
import Syntax

/// Checks a program without running it: names, verbs, options, the kinds and ranges of what is written out.
/// Finds all errors in one pass. Columns are followed through pipelines as far as they can be known; what
/// could be there at run time is left alone.
struct Checker {
    let session: Session
    var program: ParsedProgram
    var source: SourceFile { program.source }
    var problems: [Diagnostic] = []
    var definitions: [String: Definition]
    var names: Set<String>
    /// Inside a block whose names come from a table of unknown columns, a name can be a column's.
    var mayBeColumn = false
    /// Inside a block that runs per row: that row's columns.
    var blockRow: ColumnGuess?
    /// What is known of the values of variables; nothing of those that are not here.
    var guesses: [String: ValueGuess] = [:]
    /// Inside a block: the notebook's variables, which a definition sees.
    var notebook: (names: Set<String>, guesses: [String: ValueGuess])?
    /// Inside a block whose failures are left out, values that do not fit are no errors.
    var mayFail = false
    /// Inside an expression that is constant as a whole: that is computed once, not its parts.
    var isInsideConstant = false
    /// The parameters of a file; at the prompt a line may take any name anew.
    var declaredParameters: Set<String> = []
    /// Whether a command before writes files.
    var mayWriteBefore = false
    /// How many definitions are being looked into, one inside the other.
    var depth = 0
    /// How often a body may still be looked into again, so that a short program cannot keep the check busy
    /// for long.
    var turns = 2_000
    /// The columns of the table whose rows an expression is evaluated for.
    var row: ColumnGuess?
    /// One for the whole program.
    let budget = CheckBudget()
    let computed: Set<String>

    private init(session: Session, program: ParsedProgram) {
        self.session = session
        self.program = program
        definitions = session.definitions
        names = Set(session.globals.names)
        computed = session.verbs.computedColumns
        if !session.keepsLast { declaredParameters = session.declaredParameters }
        for name in session.globals.ownNames {
            if let value = session.globals[name] { guesses[name] = ValueGuess(value) }
        }
    }

    /// The errors of programs that run one after the other, each with its place; by program.
    /// - Parameter mayWriteBefore: whether what is not part of them and runs before may write files.
    static func check(_ programs: [ParsedProgram], session: Session, mayWriteBefore: Bool = false)
        -> [[Diagnostic]]
    {
        guard let first = programs.first else { return [] }
        var checker = Checker(session: session, program: first)
        checker.mayWriteBefore = mayWriteBefore
        var previous: (statement: Statement, program: ParsedProgram)?
        return programs.map { program in
            checker.program = program
            checker.problems = []
            for statement in program.statements {
                checker.check(statement, inBlock: false)
                if let previous {
                    checker.checkThatItIsMeant(statement, behind: previous.statement, of: previous.program)
                }
                previous = (statement, program)
            }
            return checker.problems.map { $0.located(in: program.source) }
        }
    }

    /// The columns of the program's last value, as far as they are known: for completion.
    static func columns(of program: ParsedProgram, session: Session) -> [String] {
        var checker = Checker(session: session, program: program)
        var value: ValueGuess?
        for statement in program.statements { value = checker.check(statement, inBlock: false) }
        guard let columns = value?.columns, columns != .unknown else { return [] }
        return columns.suggested
    }

    /// Gives what is known of the statement's value.
    @discardableResult mutating func check(_ statement: Statement, inBlock: Bool) -> ValueGuess? {
        switch statement.kind {
        case .assignment(let name, let pipeline):
            let value = check(pipeline, isBlockHead: inBlock)
            if !inBlock, declaredParameters.contains(name.text) {
                problems.append(
                    Diagnostic(
                        .repeatedName, "`\(name.text)` is a parameter, whose value may come from outside",
                        at: name.span,
                        label: "this would win over it", help: ["choose another name"]))
            }
            names.insert(name.text)
            guesses[name.text] = value
            return value
        case .pipeline(let pipeline): return check(pipeline, isBlockHead: inBlock)
        case .param(let name, let values, let allowed):
            if inBlock { declaredInside(name, statement.span) }
            let before = problems.count
            check(values)
            if let allowed { check(allowed) }
            if declaredParameters.contains(name.text) {
                problems.append(
                    Diagnostic(
                        .repeatedName, "`param \(name.text)` stands twice", at: name.span,
                        label: "the second", help: []))
            } else if problems.count == before, (values.items + (allowed?.items ?? [])).allSatisfy(isConstant)
            {
                do { _ = try session.parameter(name, values, allowed, program) } catch {
                    problems.append(Diagnostic(error, at: name.span, of: source))
                }
            }
            if !session.keepsLast { declaredParameters.insert(name.text) }
            names.insert(name.text)
            guesses[name.text] = session.parameters[name.text] == nil ? guess(values) : nil
        case .definition(let name, let parameters, let body):
            if inBlock { declaredInside(name, statement.span) }
            let outside = (names, mayBeColumn, guesses, notebook, blockRow, mayWriteBefore)
            // A file that it reads may be there when it is called.
            mayWriteBefore = true
            // Variables may hold other values when it is called, and something may flow in or not: its calls
            // tell.
            guesses = [:]
            mayBeColumn = false
            blockRow = nil
            notebook = (names, [:])
            names.formUnion(parameters.map(\.text))
            names.insert("it")
            for inner in body.statements { check(inner, inBlock: true) }
            (names, mayBeColumn, guesses, notebook, blockRow, mayWriteBefore) = outside
            do {
                definitions[name.text] = try Definition(
                    name: name.text, parameters: parameters, body: body, program: program, above: definitions)
            } catch {
                problems.append(Diagnostic(error, at: name.span, of: source))
            }
        }
        return nil
    }

    mutating func declaredInside(_ name: Name, _ span: Span) {
        problems.append(Diagnostic(.declaredInBlock(name.text), at: span))
    }

    @discardableResult mutating func check(_ pipeline: Pipeline, isBlockHead: Bool) -> ValueGuess {
        let outside = row
        row = nil
        defer { row = outside }
        var value: ValueGuess
        switch pipeline.head {
        case .values(let list):
            value = check(list)
        case .command(let command):
            value = check(
                command, supply: isBlockHead ? .blockHead : .head,
                input: isBlockHead ? guesses["it"] ?? .unknown : .unknown)
        }
        for command in pipeline.commands { value = check(command, supply: .pipe, input: value) }
        return value
    }

    mutating func check(_ command: Command, supply: Binder.Supply, input: ValueGuess) -> ValueGuess {
        let definition = session.verbs[command.verb.text] == nil ? definitions[command.verb.text] : nil
        guard let declaration = session.verbs[command.verb.text] ?? definition?.declaration else {
            let known = session.verbs.names + definitions.keys.sorted()
            problems.append(Diagnostic(.unknownVerb(command.verb.text, among: known), at: command.verb.span))
            return .unknown
        }
        let known = names
        let anything = mayBeColumn
        let (bound, unbound) = program.bind(
            command, declaration, supply: supply, owners: session.verbs.owners
        ) {
            known.contains($0) || anything
        }
        problems += unbound
        checkSupply(bound, supply)
        var input = input
        if let argument = bound.inputArgument { input = check(argument) }
        let hasInput =
            supply == .pipe || bound.inputArgument != nil || (supply == .blockHead && names.contains("it"))
        if hasInput { checkKind(of: input, into: declaration, at: command.verb.span) }
        let columns = input.columns
        checkColumns(bound, columns)
        var slots: [String: ValueGuess] = [:]
        for filled in bound.filled { slots[filled.slot.name] = check(filled, columns) }
        // Where rows are folded, a column is the list of a group's values.
        let keys: [String]? =
            if case .listed(let slots) = declaration.columns { slots.flatMap(bound.raws) } else { nil }
        var row = keys.map(columns.folded) ?? columns
        var lists: [String: ValueGuess] = [:]
        var open: [String: KindGuess] = [:]
        for (name, list) in bound.open {
            if declaration.open?.isPerRow == true {
                open[name.text] = checkPerRow(list, row)
                if keys == nil { row.add(name.text, kind: open[name.text]) }
            } else {
                lists[name.text] = check(list, isList: true)
                open[name.text] = lists[name.text]?.element.kindGuess
            }
        }
        checkAgreement(bound, columns, slots)
        checkOrder(bound)
        let sure = checkUse(bound, input: input, slots, lists)
        if let definition {
            return check(definition, slots, input: hasInput ? input : nil, at: command.verb.span)
        }
        // Where a needed input is missing, that has been said.
        let canDoWithout = if case .optional = declaration.input { true } else { false }
        let turn = Turn(
            bound: bound, input: input, hasInput: hasInput || !canDoWithout, slots: slots, lists: lists)
        let block = command.block.map { check($0, turn) } ?? .unknown
        if unbound.isEmpty { checkCollisions(bound, input: columns, slots, block: block.columns) }
        return sure.map { ValueGuess($0) }
            ?? declaration.value(
                of: bound, input: input, slots: slots, open: open, block: block, computed: computed)
    }

    /// The body of a definition at a call: with the values that flow in and that its arguments have there.
    /// What is wrong only there is said in the body.
    mutating func check(
        _ definition: Definition, _ arguments: [String: ValueGuess], input: ValueGuess?, at span: Span
    ) -> ValueGuess {
        guard turns > 0, depth < Definition.maximalDepth else { return .unknown }
        turns -= 1
        var inner = self
        inner.problems = []
        inner.depth += 1
        inner.definitions = definition.above
        inner.program = definition.program
        if let notebook { (inner.names, inner.guesses) = notebook }
        inner.notebook = (inner.names, inner.guesses)
        inner.mayBeColumn = false
        inner.blockRow = nil
        inner.row = nil
        for parameter in definition.parameters {
            inner.names.insert(parameter.text)
            inner.guesses[parameter.text] = arguments[parameter.text]
        }
        inner.names.remove("it")
        inner.guesses["it"] = nil
        if let input {
            inner.names.insert("it")
            inner.guesses["it"] = input
        }
        var value = ValueGuess.unknown
        for statement in definition.body.statements {
            if let last = inner.check(statement, inBlock: true) { value = last }
        }
        turns = inner.turns
        mayWriteBefore = mayWriteBefore || inner.mayWriteBefore
        let isHere = definition.program === program
        for var problem in inner.problems {
            let place = problem.source ?? definition.program.source
            let isKnown = problems.contains {
                $0.code == problem.code && $0.span == problem.span && ($0.source ?? source) === place
            }
            guard !isKnown else { continue }
            if !isHere, problem.source == nil { problem.source = place }
            problem.related.append(Diagnostic.Label(span, "called here", source: isHere ? nil : source))
            problems.append(problem)
        }
        return value
    }
}
