/// What a statement mentions: the names that it may read and the commands that it runs, those of blocks,
/// brackets and text included.
package struct Mentions: Sendable {
    package private(set) var names: Set<String> = []
    package private(set) var commands: [Command] = []

    package init(_ statement: Statement) { add(statement) }
    package init(_ block: Block) { add(block) }

    private mutating func add(_ statement: Statement) {
        switch statement.kind {
        case .assignment(_, let pipeline), .pipeline(let pipeline): add(pipeline)
        case .param(_, let values, let allowed):
            add(values)
            allowed.map { add($0) }
        case .definition(_, _, let body): add(body)
        }
    }

    private mutating func add(_ block: Block) { for statement in block.statements { add(statement) } }
    private mutating func add(_ list: ListExpression) { for item in list.items { add(item) } }

    private mutating func add(_ pipeline: Pipeline) {
        if case .values(let list) = pipeline.head { add(list) }
        for command in pipeline.allCommands {
            commands.append(command)
            names.insert(command.verb.text)
            for argument in command.arguments {
                if let value = argument.value { add(value) }
                // Raw text names variables too, before a point or a bracket.
                for item in argument.items where !item.isForced {
                    names.insert(String(item.raw.prefix { $0.isLetter || $0.isNumber || $0 == "_" }))
                }
            }
            if let block = command.block { add(block) }
        }
    }

    private mutating func add(_ expression: Expression) {
        switch expression.kind {
        case .name(let name): names.insert(name)
        case .text(let parts): for part in parts { if case .value(let value) = part { add(value) } }
        case .group(let inner), .negative(let inner), .not(let inner), .field(let inner, _): add(inner)
        case .pipeline(let pipeline): add(pipeline)
        case .list(let items): for item in items { add(item) }
        case .record(let entries): for entry in entries { add(entry.value) }
        case .index(let base, let index):
            add(base)
            add(index)
        case .call(_, let arguments): for argument in arguments { add(argument) }
        case .binary(_, let a, let b):
            add(a)
            add(b)
        case .range(let a, let b, let step):
            add(a)
            add(b)
            step.map { add($0) }
        case .number, .boolean, .none, .column, .previous, .error: break
        }
    }
}
