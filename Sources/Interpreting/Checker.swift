import Results
import SourceText
import Syntax

/// Checks a program without running it: names, verbs, options, the kinds and ranges of what is written out. Finds all errors in one
/// pass. Columns are followed through pipelines as far as they can be known; what could be there at run time is left alone.
struct Checker {
    let session: Session
    let source: SourceFile
    private var problems: [Diagnostic] = []
    private var definitions: [String: Definition]
    private var names: Set<String>
    /// Inside a block whose names come from a table, a name can be a column's.
    private var mayBeColumn = false
    /// What is known of the tables that variables hold; nothing of those that are not here.
    private var tables: [String: ColumnGuess] = [:]
    /// The columns of the table whose rows an expression is evaluated for.
    private var row: ColumnGuess?
    private let computed: Set<String>

    init(session: Session, source: SourceFile) {
        self.session = session
        self.source = source
        definitions = session.definitions
        names = Set(session.globals.names)
        computed = session.verbs.computedColumns
        for name in session.globals.ownNames {
            if case .table(let table) = session.globals[name] { tables[name] = ColumnGuess(only: table.columns.map(\.name)) }
        }
    }

    static func check(_ program: Program, session: Session) -> [Diagnostic] {
        var checker = Checker(session: session, source: program.source)
        for statement in program.statements { checker.check(statement, inBlock: false) }
        return checker.problems.map { $0.located(in: program.source) }
    }

    /// Gives what is known of the statement's value.
    @discardableResult private mutating func check(_ statement: Statement, inBlock: Bool) -> ColumnGuess? {
        switch statement.kind {
        case .assignment(let name, let pipeline):
            let columns = check(pipeline, isBlockHead: inBlock)
            names.insert(name.text)
            tables[name.text] = columns
            return columns
        case .pipeline(let pipeline): return check(pipeline, isBlockHead: inBlock)
        case .param(let name, let values, let allowed):
            if inBlock { declaredInside(name, statement.span) }
            check(values)
            if let allowed { check(allowed) }
            names.insert(name.text)
            tables[name.text] = nil
        case .definition(let name, let parameters, let body):
            if inBlock { declaredInside(name, statement.span) }
            let outside = (names, mayBeColumn, tables)
            // Variables may hold other tables when it is called.
            tables = [:]
            names.formUnion(parameters.map(\.text))
            names.insert("it")
            for inner in body.statements { check(inner, inBlock: true) }
            (names, mayBeColumn, tables) = outside
            definitions[name.text] = Definition(name: name.text, parameters: parameters, body: body, source: source)
        }
        return nil
    }

    private mutating func declaredInside(_ name: Name, _ span: Span) {
        problems.append(Diagnostic(.malformedStatement, "`\(name.text)` cannot be declared inside a block", at: span, label: "move it above"))
    }

    @discardableResult private mutating func check(_ pipeline: Pipeline, isBlockHead: Bool) -> ColumnGuess {
        let outside = row
        row = nil
        defer { row = outside }
        var columns: ColumnGuess
        switch pipeline.head {
        case .values(let list):
            check(list)
            columns = self.columns(of: list)
        case .command(let command):
            columns = check(command, supply: isBlockHead ? .blockHead : .head, input: isBlockHead ? tables["it"] ?? .unknown : .unknown)
        }
        for command in pipeline.commands { columns = check(command, supply: .pipe, input: columns) }
        return columns
    }

    /// What is known of a value that is written out or held by a variable.
    private func columns(of list: ListExpression) -> ColumnGuess {
        if list.items.count == 1, case .name(let name) = list.items[0].ungrouped.kind { return tables[name] ?? .unknown }
        let texts = list.items.flatMap { item -> [Expression] in if case .list(let inner) = item.kind { inner } else { [item] } }
        let isText = !texts.isEmpty && texts.allSatisfy { if case .text = $0.kind { true } else { false } }
        return isText ? ColumnGuess(only: ["text"]) : .unknown
    }

    private mutating func check(_ command: Command, supply: Binder.Supply, input: ColumnGuess) -> ColumnGuess {
        guard let declaration = session.verbs[command.verb.text] ?? definitions[command.verb.text]?.declaration else {
            problems.append(
                Diagnostic(
                    .unknownVerb, "there is no verb `\(command.verb.text)`", at: command.verb.span,
                    label: Suggestion.question(for: command.verb.text, in: session.verbs.names + Array(definitions.keys)) ?? "not known"))
            return .unknown
        }
        let known = names
        let anything = mayBeColumn
        var binder = Binder { known.contains($0) || anything }
        let bound = binder.bind(command, declaration, supply: supply)
        problems += binder.problems
        checkSupply(bound, supply)
        var input = input
        if let argument = bound.inputArgument {
            check(argument)
            input = columns(of: argument)
        }
        checkColumns(bound, input)
        for filled in bound.filled { check(filled, input) }
        var row = input
        for (name, list) in bound.open {
            if declaration.open?.isPerRow == true {
                checkPerRow(list, row)
                row.add(name.text)
            } else {
                check(list, isList: true)
            }
        }
        checkOrder(bound)
        // Where a needed input is missing, that has been said.
        let canDoWithout = if case .optional = declaration.input { true } else { false }
        let hasInput = supply == .pipe || bound.inputArgument != nil || !canDoWithout
        let block = command.block.map { check($0, of: bound, input, hasInput: hasInput) } ?? .unknown
        return declaration.columns(of: bound, input: input, block: block, computed: computed)
    }

    /// Columns that the command reads and that cannot be there.
    private mutating func checkColumns(_ bound: BoundCommand, _ input: ColumnGuess) {
        let declaration = bound.declaration
        func missing(_ name: String, at span: Span, _ help: String?) -> Diagnostic {
            Diagnostic(
                .missingColumn, "`\(declaration.name)` needs the column `\(name)`", at: span, label: input.summary, help: help.map { [$0] } ?? [])
        }
        for read in declaration.reads where input.lacksComputed(read.column) {
            if let slot = read.slot, bound.filled(slot) == nil { continue }
            problems.append(missing(read.column, at: bound.command.verb.span, read.cure))
        }
        for filled in bound.filled where filled.slot.namesColumns {
            for case .raw(let items) in filled.parts {
                for item in items where input.lacks(item.column) && Double(item.raw) == nil {
                    problems.append(missing(item.column, at: item.span, Suggestion.question(for: item.column, in: input.listed)))
                }
            }
        }
    }

    /// Numbers written out that may not exceed another slot's.
    private mutating func checkOrder(_ bound: BoundCommand) {
        for filled in bound.filled {
            guard let other = filled.slot.atMost, let limit = bound.filled(other).flatMap(number), let value = number(filled), value > limit else { continue }
            problems.append(
                Diagnostic(
                    .outOfRange, "\(NumberFormat.plain(value)) is more than `\(other)=\(NumberFormat.plain(limit))`", at: filled.span,
                    label: "at most \(NumberFormat.plain(limit))", help: ["usage: " + bound.declaration.usage]))
        }
    }

    private func number(_ filled: BoundCommand.Filled) -> Double? {
        guard filled.parts.count == 1, case .expression(let list) = filled.parts[0], list.items.allSatisfy(isConstant) else { return nil }
        let evaluator = Evaluator(session: session, source: source, scope: Scope())
        guard case .number(let number)? = try? evaluator.value(of: list) else { return nil }
        return number
    }

    private mutating func checkSupply(_ bound: BoundCommand, _ supply: Binder.Supply) {
        let declaration = bound.declaration
        switch (declaration.input, supply) {
        case (.none, .pipe):
            problems.append(
                Diagnostic(
                    .wrongInput, "nothing can flow into `\(declaration.name)`", at: bound.command.verb.span, label: "it begins a pipeline",
                    help: ["usage: " + declaration.usage]))
        case (.table, .head) where !bound.hasInputArgument, (.value, .head) where !bound.hasInputArgument:
            problems.append(
                Diagnostic(
                    .missingInput, "`\(declaration.name)` needs something to work on", at: bound.command.verb.span, label: "nothing flows in here",
                    help: [declaration.takesInputAsArgument ? "usage: \(declaration.name) X, or X | \(declaration.name)" : "usage: X | " + declaration.usage]))
        default: break
        }
    }

    /// - Parameter hasInput: whether something flows into the verb. A verb that can do without, as `sweep` can, gives its block no `it` then
    ///   beyond that of a block around it.
    private mutating func check(_ block: Block, of bound: BoundCommand, _ input: ColumnGuess, hasInput: Bool) -> ColumnGuess {
        let outside = (names, mayBeColumn, tables)
        defer { (names, mayBeColumn, tables) = outside }
        tables["it"] = bound.declaration.columns.isStable ? input : nil
        if hasInput { names.insert("it") }
        switch bound.declaration.blockNames {
        case .none: break
        case .fixed(let fixed):
            names.formUnion(fixed)
            for name in fixed { tables[name] = nil }
        case .open:
            for (name, _) in bound.open {
                names.insert(name.text)
                tables[name.text] = nil
            }
            if bound.filled("repeat") != nil { tables["repeat"] = nil }
        case .columns:
            mayBeColumn = true
            // A column hides the variable of its name.
            tables = tables.filter { $0.key == "it" }
        }
        var last = ColumnGuess.unknown
        for statement in block.statements { if let columns = check(statement, inBlock: true) { last = columns } }
        return last
    }

    private mutating func check(_ filled: BoundCommand.Filled, _ input: ColumnGuess) {
        for part in filled.parts {
            switch part {
            case .raw(let items):
                if case .tables = filled.slot.kind {
                    for item in items where !isKnown(item.raw) { unknown(Name(item.raw, item.span)) }
                } else if case .size = filled.slot.kind, let item = items.first {
                    checkSlot(item.span) { _ = try Resolver.raw(item.raw, filled.slot) }
                } else if case .columnOrNumber = filled.slot.kind, let item = items.first {
                    checkSlot(item.span) { _ = try Resolver.raw(item.raw, filled.slot) }
                }
            case .expression(let list):
                if filled.slot.isPerRow {
                    checkPerRow(list, input)
                } else {
                    check(list, isList: isList(filled.slot))
                    checkConstant(list, filled)
                }
            }
        }
    }

    private func isList(_ slot: Slot) -> Bool {
        if case .list = slot.kind { true } else { false }
    }

    private mutating func checkSlot(_ span: Span, _ body: () throws -> Void) {
        do {
            try body()
        } catch let complaint as Complaint {
            problems.append(Diagnostic(complaint.code, complaint.title, at: span, label: complaint.label, help: complaint.help, notes: complaint.notes))
        } catch {}
    }

    /// What is written out can be checked now.
    private mutating func checkConstant(_ list: ListExpression, _ filled: BoundCommand.Filled) {
        guard list.items.allSatisfy(isConstant), filled.parts.count == 1 else { return }
        let evaluator = Evaluator(session: session, source: source, scope: Scope())
        guard let value = try? evaluator.value(of: list) else { return }
        checkSlot(list.span) { _ = try Resolver.check(value, filled.slot) }
    }

    private func isConstant(_ expression: Expression) -> Bool {
        switch expression.kind {
        case .number, .boolean, .none: true
        case .text(let parts): parts.allSatisfy { if case .literal = $0 { true } else { false } }
        case .group(let inner), .negative(let inner), .not(let inner): isConstant(inner)
        case .list(let items): items.allSatisfy(isConstant)
        case .binary(_, let a, let b): isConstant(a) && isConstant(b)
        case .range(let a, let b, let step): isConstant(a) && isConstant(b) && (step.map(isConstant) ?? true)
        default: false
        }
    }

    // MARK: Expressions

    private mutating func check(_ list: ListExpression, isList: Bool = false) {
        for item in list.items { check(item, perRow: false, bareIn: isList || list.items.count > 1) }
    }

    private mutating func checkPerRow(_ list: ListExpression, _ columns: ColumnGuess) {
        let outside = row
        row = columns
        defer { row = outside }
        for item in list.items { check(item, perRow: true, bareIn: false) }
    }

    private mutating func check(_ expression: Expression, perRow: Bool, bareIn list: Bool) {
        switch expression.kind {
        case .number, .boolean, .none, .error: break
        case .text(let parts):
            for case .value(let inner) in parts { check(inner, perRow: perRow, bareIn: false) }
        case .name(let name):
            if !perRow, !isKnown(name) { unknown(Name(name, expression.span), bareIn: list) }
            if perRow, let row, !isKnown(name), row.lacksAll(under: name), session.verbs[name] == nil {
                problems.append(
                    Diagnostic(
                        .unknownName, "there is no column or variable `\(name)`", at: expression.span,
                        label: Suggestion.question(for: name, in: row.listed + names) ?? "not known here",
                        help: ["columns: " + row.listed.joined(separator: " ")]))
            }
        case .column(let name):
            if !perRow, !mayBeColumn {
                problems.append(
                    Diagnostic(
                        .missingColumn, "`.\(name.text)` is a column, and there is no row here", at: expression.span, label: "no table to read it from",
                        help: ["name the table: `t.\(name.text)`"]))
            }
        case .previous:
            if !session.keepsLast {
                problems.append(Diagnostic(.previousInFile, at: expression.span, label: "only the prompt has earlier values"))
            }
        case .group(let inner), .negative(let inner), .not(let inner): check(inner, perRow: perRow, bareIn: false)
        case .pipeline(let pipeline): check(pipeline, isBlockHead: false)
        case .list(let items): for item in items { check(item, perRow: perRow, bareIn: true) }
        case .record(let entries): for entry in entries { check(entry.value, perRow: perRow, bareIn: false) }
        case .field(let base, _): check(base, perRow: perRow, bareIn: false)
        case .index(let base, let index):
            check(base, perRow: perRow, bareIn: false)
            check(index, perRow: perRow, bareIn: false)
        case .call(let name, let arguments):
            check(name, arguments)
            for argument in arguments { check(argument, perRow: perRow, bareIn: false) }
        case .binary(_, let a, let b):
            check(a, perRow: perRow, bareIn: false)
            check(b, perRow: perRow, bareIn: false)
        case .range(let a, let b, let step):
            check(a, perRow: perRow, bareIn: false)
            check(b, perRow: perRow, bareIn: false)
            if let step { check(step, perRow: perRow, bareIn: false) }
            if isConstant(expression) {
                let evaluator = Evaluator(session: session, source: source, scope: Scope())
                do { _ = try evaluator.evaluate(expression) } catch { (error as? Diagnostic).map { problems.append($0) } }
            }
        }
    }

    private mutating func check(_ name: Name, _ arguments: [Expression]) {
        guard let function = Function(rawValue: name.text) else {
            problems.append(
                Diagnostic(
                    .unknownFunction, "there is no function `\(name.text)`", at: name.span,
                    label: Suggestion.question(for: name.text, in: Function.allCases.map(\.rawValue)) ?? "not known",
                    help: ["functions: " + Function.allCases.map(\.rawValue).joined(separator: " ")]))
            return
        }
        // A range is spliced, so how many arguments it makes is known only at run time.
        let isSpliced = arguments.contains { if case .range = $0.kind { true } else { false } }
        if !isSpliced, !function.arity.contains(arguments.count) {
            problems.append(
                Diagnostic(
                    .wrongOperands, "`\(name.text)` takes \(function.arityPhrase), \(arguments.count) given", at: name.span, label: "usage: \(function.usage)"))
        }
    }

    private func isKnown(_ name: String) -> Bool { mayBeColumn || names.contains(name) }

    private mutating func unknown(_ name: Name, bareIn list: Bool = false) {
        if session.verbs[name.text] != nil {
            problems.append(Diagnostic(.verbAsValue, "`\(name.text)` is a verb", at: name.span, label: "the column is `.\(name.text)`"))
        } else if let meant = Suggestion.question(for: name.text, in: names) {
            problems.append(Diagnostic(.unknownName, "there is no variable `\(name.text)`", at: name.span, label: meant))
        } else if list {
            problems.append(
                Diagnostic(
                    .unquotedName, "there is no variable `\(name.text)`", at: name.span, label: "a text stands in quotes",
                    help: ["write \"\(name.text)\""]))
        } else {
            problems.append(Diagnostic(.unknownName, "there is no variable `\(name.text)`", at: name.span, label: "not known here"))
        }
    }
}
