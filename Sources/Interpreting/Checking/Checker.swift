import Results
import SourceText
import Syntax

/// Checks a program without running it: names, verbs, options, the kinds and ranges of what is written out. Finds all errors in one
/// pass. Columns are followed through pipelines as far as they can be known; what could be there at run time is left alone.
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
    /// How often a body may still be looked into again, so that a short program cannot keep the check busy for long.
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
    static func check(_ programs: [ParsedProgram], session: Session, mayWriteBefore: Bool = false) -> [[Diagnostic]] {
        guard let first = programs.first else { return [] }
        var checker = Checker(session: session, program: first)
        checker.mayWriteBefore = mayWriteBefore
        var previous: (statement: Statement, program: ParsedProgram)?
        return programs.map { program in
            checker.program = program
            checker.problems = []
            for statement in program.statements {
                checker.check(statement, inBlock: false)
                if let previous { checker.checkThatItIsMeant(statement, behind: previous.statement, of: previous.program) }
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
                        .repeatedName, "`\(name.text)` is a parameter, whose value may come from outside", at: name.span,
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
                problems.append(Diagnostic(.repeatedName, "`param \(name.text)` stands twice", at: name.span, label: "the second", help: []))
            } else if problems.count == before, (values.items + (allowed?.items ?? [])).allSatisfy(isConstant) {
                do { _ = try session.parameter(name, values, allowed, program) } catch { problems.append(Diagnostic(error, at: name.span, of: source)) }
            }
            if !session.keepsLast { declaredParameters.insert(name.text) }
            names.insert(name.text)
            guesses[name.text] = session.parameters[name.text] == nil ? guess(values) : nil
        case .definition(let name, let parameters, let body):
            if inBlock { declaredInside(name, statement.span) }
            let outside = (names, mayBeColumn, guesses, notebook, blockRow, mayWriteBefore)
            // A file that it reads may be there when it is called.
            mayWriteBefore = true
            // Variables may hold other values when it is called, and something may flow in or not: its calls tell.
            guesses = [:]
            mayBeColumn = false
            blockRow = nil
            notebook = (names, [:])
            names.formUnion(parameters.map(\.text))
            names.insert("it")
            for inner in body.statements { check(inner, inBlock: true) }
            (names, mayBeColumn, guesses, notebook, blockRow, mayWriteBefore) = outside
            do {
                definitions[name.text] = try Definition(name: name.text, parameters: parameters, body: body, program: program, above: definitions)
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
            value = check(command, supply: isBlockHead ? .blockHead : .head, input: isBlockHead ? guesses["it"] ?? .unknown : .unknown)
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
        let (bound, unbound) = program.bind(command, declaration, supply: supply, owners: session.verbs.owners) {
            known.contains($0) || anything
        }
        problems += unbound
        checkSupply(bound, supply)
        var input = input
        if let argument = bound.inputArgument { input = check(argument) }
        let hasInput = supply == .pipe || bound.inputArgument != nil || (supply == .blockHead && names.contains("it"))
        if hasInput { checkKind(of: input, into: declaration, at: command.verb.span) }
        let columns = input.columns
        checkColumns(bound, columns)
        var slots: [String: ValueGuess] = [:]
        for filled in bound.filled { slots[filled.slot.name] = check(filled, columns) }
        // Where rows are folded, a column is the list of a group's values.
        let keys: [String]? = if case .listed(let slots) = declaration.columns { slots.flatMap(bound.raws) } else { nil }
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
        if let definition { return check(definition, slots, input: hasInput ? input : nil, at: command.verb.span) }
        // Where a needed input is missing, that has been said.
        let canDoWithout = if case .optional = declaration.input { true } else { false }
        let turn = Turn(bound: bound, input: input, hasInput: hasInput || !canDoWithout, slots: slots, lists: lists)
        let block = command.block.map { check($0, turn) } ?? .unknown
        if unbound.isEmpty { checkCollisions(bound, input: columns, slots, block: block.columns) }
        return sure.map { ValueGuess($0) } ?? declaration.value(of: bound, input: input, slots: slots, open: open, block: block, computed: computed)
    }

    /// The body of a definition at a call: with the values that flow in and that its arguments have there. What is wrong only there is said
    /// in the body.
    mutating func check(_ definition: Definition, _ arguments: [String: ValueGuess], input: ValueGuess?, at span: Span) -> ValueGuess {
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
        for statement in definition.body.statements { if let last = inner.check(statement, inBlock: true) { value = last } }
        turns = inner.turns
        mayWriteBefore = mayWriteBefore || inner.mayWriteBefore
        let isHere = definition.program === program
        for var problem in inner.problems {
            let place = problem.source ?? definition.program.source
            let isKnown = problems.contains { $0.code == problem.code && $0.span == problem.span && ($0.source ?? source) === place }
            guard !isKnown else { continue }
            if !isHere, problem.source == nil { problem.source = place }
            problem.related.append(Diagnostic.Label(span, "called here", source: isHere ? nil : source))
            problems.append(problem)
        }
        return value
    }

    func expression(_ filled: BoundCommand.Filled) -> Expression? {
        guard filled.parts.count == 1, case .expression(let list) = filled.parts[0], list.items.count == 1 else { return nil }
        return list.items[0]
    }

    /// What a block is run with.
    struct Turn {
        var bound: BoundCommand
        var input: ValueGuess
        /// Whether something flows into the verb. A verb that can do without, as `sweep` can, gives its block no `it` then beyond that of a
        /// block around it.
        var hasInput: Bool
        var slots: [String: ValueGuess]
        /// Each list of the open slot.
        var lists: [String: ValueGuess]
    }

    mutating func check(_ block: Block, _ turn: Turn) -> ValueGuess {
        guard case .looped = turn.bound.declaration.columns else { return check(block, turn, it: turn.input) }
        // A turn's `it` is what flows in or what the turn before gave: ask until nothing is added.
        var it = turn.input
        for _ in 0..<3 where turns > 0 {
            turns -= 1
            let before = problems
            let next = it.merged(with: check(block, turn, it: it))
            problems = before
            if next.isSame(as: it) { return check(block, turn, it: it) }
            it = next
        }
        return check(block, turn, it: .unknown)
    }

    mutating func check(_ block: Block, _ turn: Turn, it: ValueGuess) -> ValueGuess {
        let outside = (names, mayBeColumn, guesses, notebook, blockRow, mayFail)
        defer { (names, mayBeColumn, guesses, notebook, blockRow, mayFail) = outside }
        let bound = turn.bound
        if notebook == nil { notebook = (names, guesses) }
        if bound.skipsErrors { mayFail = true }
        if turn.hasInput {
            names.insert("it")
            guesses["it"] = bound.declaration.columns.isStable ? it : nil
        }
        switch bound.declaration.blockNames {
        case .none: break
        case .fixed(let fixed):
            names.formUnion(fixed)
            for name in fixed { guesses[name] = nil }
        case .open:
            for (name, _) in bound.open {
                names.insert(name.text)
                guesses[name.text] = turn.lists[name.text]?.element
            }
            for column in bound.addedByOptions { guesses[column] = nil }
        case .columns: bindColumns(turn.input.columns)
        case .columnsOf(let slot): bindColumns(turn.slots[slot]?.columns ?? .unknown)
        }
        var last = ValueGuess.unknown
        for statement in block.statements { if let value = check(statement, inBlock: true) { last = value } }
        return last
    }

    /// In a block that runs per row, the row's columns are variables and hide those of their names.
    mutating func bindColumns(_ columns: ColumnGuess) {
        blockRow = columns
        let it = guesses["it"]
        if let variables = columns.variables {
            names.formUnion(variables)
            for name in variables { guesses[name] = columns.kind(of: name).flatMap { if case .one(let kind) = $0 { .kind(kind) } else { nil } } }
        } else {
            mayBeColumn = true
            guesses = [:]
        }
        guesses["it"] = it
    }

    /// Gives what is known of the slot's value.
    @discardableResult mutating func check(_ filled: BoundCommand.Filled, _ input: ColumnGuess) -> ValueGuess {
        var values: [ValueGuess] = []
        for part in filled.parts {
            switch part {
            case .raw(let items):
                if case .tables = filled.slot.kind {
                    for item in items where !isKnown(item.raw) { unknown(Name(item.raw, item.span)) }
                    values += items.map { guesses[$0.raw] ?? .unknown }
                } else if case .size = filled.slot.kind, let item = items.first {
                    checkSlot(item.span) { _ = try Resolver.raw(item.raw, filled.slot) }
                } else if filled.slot.role == .namesResult, let item = items.first {
                    checkSlot(item.span) { _ = try Resolver.raw(item.raw, filled.slot) }
                } else if case .columnOrNumber = filled.slot.kind, let item = items.first {
                    checkSlot(item.span) { _ = try Resolver.raw(item.raw, filled.slot) }
                }
            case .expression(let list):
                if filled.slot.isPerRow {
                    checkPerRow(list, input, filled.slot)
                } else {
                    let before = problems.count
                    if case .tables = filled.slot.kind {
                        values += list.items.map { check($0, perRow: false, bareIn: true) }
                    } else {
                        values.append(check(list, isList: isList(filled.slot)))
                    }
                    checkValue(list, values.last ?? .unknown, filled)
                    if problems.count == before, filled.slot.isAsked, let only = list.items.first, list.items.count == 1 {
                        checkCondition(only, perRow: false)
                    }
                }
            }
        }
        guard let first = values.first else { return .unknown }
        if values.count == 1 { return first }
        return values.dropFirst().reduce(first) { $0.merged(with: $1) }
    }

    func isList(_ slot: SlotDeclaration) -> Bool {
        if case .list = slot.kind { true } else { false }
    }

    mutating func checkSlot(_ span: Span, _ body: () throws -> Void) {
        do {
            try body()
        } catch let complaint as Complaint {
            problems.append(Diagnostic(complaint, at: span))
        } catch {}
    }

    /// What is known can be checked now.
    mutating func checkValue(_ list: ListExpression, _ guess: ValueGuess, _ filled: BoundCommand.Filled) {
        guard filled.parts.count == 1, !mayFail else { return }
        switch guess {
        case .among(let values):
            let slot = filled.slot
            let before = problems.count
            for value in values where problems.count == before {
                // A slot that repeats takes a list as several values.
                for one in slot.repeats ? Resolver.listed(value) : [value] { checkSlot(list.span) { _ = try Resolver.check(one, slot) } }
            }
        case .table, .kind:
            if let kind = guess.kind, !Resolver.accepts(kind, filled.slot) {
                checkSlot(list.span) { throw Resolver.unfit(kind, filled.slot) }
            }
        case .unknown: break
        }
    }

    /// All values that a list can have, where its names are known.
    func guess(_ list: ListExpression) -> ValueGuess {
        if list.items.count == 1 {
            if case .name(let name) = list.items[0].ungrouped.kind { return guesses[name] ?? .unknown }
            return possible(list.items).map { .among($0) } ?? .unknown
        }
        return possible(list.items).map { .among($0) } ?? .unknown
    }

    /// The values of some expressions for all values of the names in them; nil where they are not known, too many or in error.
    func possible(_ items: [Expression]) -> [Value]? {
        var free: Set<String> = []
        guard items.allSatisfy({ $0.collectNames(into: &free) }) else { return nil }
        var points: [[(String, Value)]] = [[]]
        for name in free.sorted() {
            guard case .among(let values)? = guesses[name], points.count * values.count <= 200 else { return nil }
            points = points.flatMap { point in values.map { point + [(name, $0)] } }
        }
        var result: [Value] = []
        for point in points {
            let scope = Scope()
            for (name, value) in point { scope.set(name, value) }
            let evaluator = Evaluator(session: session, program: program, scope: scope, budget: budget)
            guard let value = try? items.count == 1 ? evaluator.evaluate(items[0]) : .list(evaluator.elements(of: items)), ValueGuess.isSmall(value) else {
                return nil
            }
            result.append(value)
        }
        return result
    }

    func isConstant(_ expression: Expression) -> Bool {
        var free: Set<String> = []
        return expression.collectNames(into: &free) && free.isEmpty
    }
}
