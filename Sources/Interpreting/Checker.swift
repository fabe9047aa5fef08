import Results
import SourceText
import Syntax

/// Checks a program without running it: names, verbs, options, the kinds and ranges of what is written out. Finds all errors in one
/// pass. Columns are only known at run time, so names that are read per row are left alone.
struct Checker {
    let session: Session
    let source: SourceFile
    private var problems: [Diagnostic] = []
    private var definitions: [String: Definition]
    private var names: Set<String>
    /// Inside a block whose names come from a table, a name can be a column's.
    private var mayBeColumn = false

    init(session: Session, source: SourceFile) {
        self.session = session
        self.source = source
        definitions = session.definitions
        names = Set(session.globals.names)
    }

    static func check(_ program: Program, session: Session) -> [Diagnostic] {
        var checker = Checker(session: session, source: program.source)
        for statement in program.statements { checker.check(statement, inBlock: false) }
        return checker.problems.map { $0.located(in: program.source) }
    }

    private mutating func check(_ statement: Statement, inBlock: Bool) {
        switch statement.kind {
        case .assignment(let name, let pipeline):
            check(pipeline, isBlockHead: inBlock)
            names.insert(name.text)
        case .pipeline(let pipeline): check(pipeline, isBlockHead: inBlock)
        case .param(let name, let values, let allowed):
            if inBlock { declaredInside(name, statement.span) }
            check(values)
            if let allowed { check(allowed) }
            names.insert(name.text)
        case .definition(let name, let parameters, let body):
            if inBlock { declaredInside(name, statement.span) }
            let outside = (names, mayBeColumn)
            names.formUnion(parameters.map(\.text))
            names.insert("it")
            for inner in body.statements { check(inner, inBlock: true) }
            (names, mayBeColumn) = outside
            definitions[name.text] = Definition(name: name.text, parameters: parameters, body: body, source: source)
        }
    }

    private mutating func declaredInside(_ name: Name, _ span: Span) {
        problems.append(Diagnostic(.malformedStatement, "`\(name.text)` cannot be declared inside a block", at: span, label: "move it above"))
    }

    private mutating func check(_ pipeline: Pipeline, isBlockHead: Bool) {
        switch pipeline.head {
        case .values(let list): check(list)
        case .command(let command): check(command, supply: isBlockHead ? .blockHead : .head)
        }
        for command in pipeline.commands { check(command, supply: .pipe) }
    }

    private mutating func check(_ command: Command, supply: Binder.Supply) {
        guard let declaration = session.verbs[command.verb.text] ?? definitions[command.verb.text]?.declaration else {
            problems.append(
                Diagnostic(.unknownVerb, "there is no verb `\(command.verb.text)`", at: command.verb.span,
                    label: Suggestion.question(for: command.verb.text, in: session.verbs.names + Array(definitions.keys)) ?? "not known"))
            return
        }
        let known = names
        let anything = mayBeColumn
        var binder = Binder { known.contains($0) || anything }
        let bound = binder.bind(command, declaration, supply: supply)
        problems += binder.problems
        checkSupply(bound, supply)
        if let input = bound.inputArgument { check(input) }
        for filled in bound.filled { check(filled) }
        for (_, list) in bound.open {
            if declaration.open?.isPerRow == true { checkPerRow(list) } else { check(list, isList: true) }
        }
        if let block = command.block { check(block, of: bound) }
    }

    private mutating func checkSupply(_ bound: BoundCommand, _ supply: Binder.Supply) {
        let declaration = bound.declaration
        switch (declaration.input, supply) {
        case (.none, .pipe):
            problems.append(
                Diagnostic(.wrongInput, "nothing can flow into `\(declaration.name)`", at: bound.command.verb.span, label: "it begins a pipeline",
                    help: ["usage: " + declaration.usage]))
        case (.table, .head) where !bound.hasInputArgument, (.value, .head) where !bound.hasInputArgument:
            problems.append(
                Diagnostic(.missingInput, "`\(declaration.name)` needs something to work on", at: bound.command.verb.span, label: "nothing flows in here",
                    help: [declaration.takesInputAsArgument ? "usage: \(declaration.name) X, or X | \(declaration.name)" : "usage: X | " + declaration.usage]))
        default: break
        }
    }

    private mutating func check(_ block: Block, of bound: BoundCommand) {
        let outside = (names, mayBeColumn)
        names.insert("it")
        switch bound.declaration.blockNames {
        case .none: break
        case .fixed(let fixed): names.formUnion(fixed)
        case .open: names.formUnion(bound.open.map(\.name.text))
        case .columns: mayBeColumn = true
        }
        for statement in block.statements { check(statement, inBlock: true) }
        (names, mayBeColumn) = outside
    }

    private mutating func check(_ filled: BoundCommand.Filled) {
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
                    checkPerRow(list)
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

    private mutating func checkPerRow(_ list: ListExpression) {
        for item in list.items { check(item, perRow: true, bareIn: false) }
    }

    private mutating func check(_ expression: Expression, perRow: Bool, bareIn list: Bool) {
        switch expression.kind {
        case .number, .boolean, .none, .error: break
        case .text(let parts):
            for case .value(let inner) in parts { check(inner, perRow: perRow, bareIn: false) }
        case .name(let name):
            if !perRow, !isKnown(name) { unknown(Name(name, expression.span), bareIn: list) }
        case .column(let name):
            if !perRow, !mayBeColumn {
                problems.append(
                    Diagnostic(.missingColumn, "`.\(name.text)` is a column, and there is no row here", at: expression.span, label: "no table to read it from",
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
                Diagnostic(.unknownFunction, "there is no function `\(name.text)`", at: name.span,
                    label: Suggestion.question(for: name.text, in: Function.allCases.map(\.rawValue)) ?? "not known",
                    help: ["functions: " + Function.allCases.map(\.rawValue).joined(separator: " ")]))
            return
        }
        // A range is spliced, so how many arguments it makes is known only at run time.
        let isSpliced = arguments.contains { if case .range = $0.kind { true } else { false } }
        if !isSpliced, !function.arity.contains(arguments.count) {
            problems.append(
                Diagnostic(.wrongOperands, "`\(name.text)` takes \(function.arityPhrase), \(arguments.count) given", at: name.span, label: "usage: \(function.usage)"))
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
                Diagnostic(.unquotedName, "there is no variable `\(name.text)`", at: name.span, label: "a text stands in quotes",
                    help: ["write \"\(name.text)\""]))
        } else {
            problems.append(Diagnostic(.unknownName, "there is no variable `\(name.text)`", at: name.span, label: "not known here"))
        }
    }
}
