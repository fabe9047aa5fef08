import Results
import SourceText
import Syntax
import Tensors

/// Runs pipelines and blocks: binds each command, resolves its arguments, calls its verb and passes the value
/// on.
struct PipelineRunner {
    let session: Session
    let program: ParsedProgram
    private var source: SourceFile { program.source }

    func value(of pipeline: Pipeline, in scope: Scope, isBlockHead: Bool) throws -> Value {
        try session.watchingReads {
            var value: Value
            switch pipeline.head {
            case .values(let list):
                value = try evaluator(scope).value(of: list)
            case .command(let command):
                value = derived(
                    try run(command, input: nil, supply: isBlockHead ? .blockHead : .head, in: scope))
            }
            for command in pipeline.commands {
                value = derived(try run(command, input: value, supply: .pipe, in: scope))
            }
            return value
        }.0
    }

    /// A table that something unfinished went into says so.
    private func derived(_ value: Value) -> Value {
        guard case .table(var table) = value else { return value }
        session.noteReading(table.partial)
        table.partial = table.partial ?? session.unfinished
        return .table(table)
    }

    /// The value of a block's last statement that has one.
    func value(of block: Block, in scope: Scope) throws -> Value {
        var last = Value.none
        for statement in block.statements {
            switch statement.kind {
            case .pipeline(let pipeline): last = try value(of: pipeline, in: scope, isBlockHead: true)
            case .assignment(let name, let pipeline):
                let (made, unfinished) = try session.watchingReads {
                    try value(of: pipeline, in: scope, isBlockHead: true)
                }
                try nested(made, statement.span)
                last = made
                scope.set(name.text, made, from: unfinished)
            case .param(let name, _, _), .definition(let name, _, _):
                throw Diagnostic(.declaredInBlock(name.text), at: statement.span, source: source)
            }
        }
        return last
    }

    /// Says where a value comes to be that goes too deep to be kept.
    func nested(_ value: Value, _ span: Span) throws {
        do {
            try Nesting.check(value)
        } catch {
            throw Diagnostic(error, at: span, of: source)
        }
    }

    private func evaluator(_ scope: Scope) -> Evaluator {
        Evaluator(session: session, program: program, scope: scope)
    }

    // MARK: Commands

    private func run(_ command: Command, input: Value?, supply: Binder.Supply, in scope: Scope) throws
        -> Value
    {
        let definition = session.definitions[command.verb.text]
        guard let declaration = session.verbs[command.verb.text] ?? definition?.declaration else {
            throw Diagnostic(
                .unknownVerb(command.verb.text, among: session.verbs.names), at: command.verb.span,
                source: source)
        }
        let (bound, problems) = program.bind(
            command, declaration, supply: supply, owners: session.verbs.owners
        ) { scope[$0] != nil }
        if let problem = problems.first { throw problem.located(in: source) }

        let evaluator = evaluator(scope)
        var flowing = input
        if let argument = bound.inputArgument { flowing = try evaluator.value(of: argument) }
        if flowing == nil, supply == .blockHead, declaration.input != .none {
            flowing = scope["it"]
            session.noteReading(scope.unfinished("it"))
        }
        return try located(command, bound) {
            let fitted = try PipelineRunner.fit(flowing, to: declaration)
            let (arguments, unfinished) = try session.watchingReads {
                try Resolver(evaluator: evaluator, bound: bound).arguments()
            }
            if session.verbs[command.verb.text] == nil, let definition {
                return try call(definition, arguments, unfinished, input: fitted)
            }
            let invocation = Invocation(
                verb: declaration, input: fitted, arguments: arguments,
                block: command.block.map { bind($0, of: declaration, in: scope) }, session: session,
                source: source.text(of: command.span)
            ) { name in
                session.noteReading(scope.unfinished(name))
                return scope[name]
            }
            for title in declaration.openings(arguments) { session.readings.noteOpening(title) }
            return try declaration.run(invocation)
        }
    }

    private func bind(_ block: Block, of declaration: VerbDeclaration, in scope: Scope) -> BoundBlock {
        BoundBlock(block) { it, bindings in
            let inner = Scope(parent: scope)
            if declaration.blockNames.areColumns {
                inner.bind(row: bindings)
            } else {
                for (name, value) in bindings { inner.set(name, value) }
            }
            if let it { inner.set("it", it) }
            return try value(of: block, in: inner)
        }
    }

    /// A definition sees its arguments, `it` and the notebook's variables, not those of the caller's blocks.
    private func call(
        _ definition: Definition, _ arguments: Arguments, _ unfinished: Table.Partial?, input: Value?
    ) throws -> Value {
        let inner = Scope(parent: session.globals)
        for parameter in definition.parameters {
            if let value = arguments.value(parameter.text) {
                inner.set(parameter.text, value, from: unfinished)
            }
        }
        if let input { inner.set("it", input) }
        guard session.depth < Definition.maximalDepth else {
            throw Complaint(
                .nestingTooDeep, "more than \(Definition.maximalDepth) definitions call each other",
                label: "one too many")
        }
        session.depth += 1
        defer { session.depth -= 1 }
        let outside = session.definitions
        session.definitions = definition.above
        defer { session.definitions = outside }
        return try PipelineRunner(session: session, program: definition.program).value(
            of: definition.body, in: inner)
    }

    /// What flows in, as the verb wants it.
    static func fit(_ value: Value?, to declaration: VerbDeclaration) throws -> Value? {
        switch declaration.input {
        case .none:
            if value != nil { throw Complaint.nothingCanFlow(into: declaration) }
            return nil
        case .value:
            guard let value else { throw Complaint.missingInput(of: declaration) }
            return value
        case .optional:
            guard let value else { return nil }
            return (try? table(from: value)).map { .table($0) } ?? value
        case .table:
            guard let value else { throw Complaint.missingInput(of: declaration) }
            guard let table = try table(from: value) else {
                throw Complaint.noTable(value.kind, into: declaration)
            }
            return .table(table)
        }
    }

    private static func table(from value: Value) throws -> Table? {
        switch value {
        case .table(let table): table
        case .text: Table(texts: [value])
        case .list(let values) where !values.isEmpty: Table(texts: values) ?? Table(records: values)
        case .record(let record): Table(record)
        default: nil
        }
    }

    // MARK: Errors with places

    private func located(_ command: Command, _ bound: BoundCommand, _ body: () throws -> Value) throws
        -> Value
    {
        do {
            return try body()
        } catch {
            throw diagnostic(for: error, command, bound)
        }
    }

    private func diagnostic(for error: any Error, _ command: Command, _ bound: BoundCommand) -> Diagnostic {
        switch error {
        case let diagnostic as Diagnostic: return diagnostic.located(in: source)
        case let noted as NotedError:
            var inner = diagnostic(for: noted.underlying, command, bound)
            inner.notes.append(noted.note)
            return inner
        case let complaint as Complaint:
            let span = complaint.slot.flatMap { slot in
                bound.span(of: slot)
                    ?? bound.open.first { $0.name.text == slot }.map {
                        $0.name.span.joined(with: $0.list.span)
                    }
            }
            return Diagnostic(complaint, at: span ?? command.verb.span, source: source)
        default: return Diagnostic(error, at: command.verb.span, of: source)
        }
    }
}

extension Table {
    /// Rows picked one by one, as a table again; nil unless all values are records.
    package init?(records values: [Value]) {
        let tables = values.compactMap { value -> Table? in
            if case .record(let record) = value { Table(record) } else { nil }
        }
        guard tables.count == values.count, !tables.isEmpty else { return nil }
        self = .stacked(tables)
    }
}
