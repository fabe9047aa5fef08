// The canonical text of a tree: one spelling for what differs only in spaces, comments, line breaks and
// number formats. Reading it again gives the same tree, spans apart. Brackets stay where they were written,
// since in a name slot they force a value; raw text stays as it is, since it may name a file.

import SourceText

package struct Printer {
    package static func text(_ program: Program) -> String {
        program.statements.map { Printer().statement($0) }.joined(separator: "\n")
    }

    package static func text(_ statement: Statement) -> String { Printer().statement(statement) }
    package static func text(_ pipeline: Pipeline) -> String { Printer().pipeline(pipeline) }
    package static func text(_ command: Command) -> String { Printer().command(command) }
    package static func text(_ expression: Expression) -> String { Printer().expression(expression) }

    // MARK: Sentences

    private func statement(_ statement: Statement) -> String {
        switch statement.kind {
        case .assignment(let name, let value): "\(name.text) = \(pipeline(value))"
        case .pipeline(let value): pipeline(value)
        case .param(let name, let values, let allowed):
            "param \(name.text) = \(list(values))" + (allowed.map { " in \(list($0))" } ?? "")
        case .definition(let name, let parameters, let body):
            (["def", name.text] + parameters.map(\.text) + [block(body)]).joined(separator: " ")
        }
    }

    private func block(_ block: Block) -> String {
        block.statements.isEmpty
            ? "{ }" : "{ " + block.statements.map(statement).joined(separator: "; ") + " }"
    }

    private func list(_ list: ListExpression) -> String {
        list.items.map { expression($0) }.joined(separator: ", ")
    }

    private func pipeline(_ pipeline: Pipeline) -> String {
        let head =
            switch pipeline.head {
            case .values(let values): list(values)
            case .command(let value): command(value)
            }
        return ([head] + pipeline.commands.map(command)).joined(separator: " | ")
    }

    private func command(_ command: Command) -> String {
        ([command.verb.text] + command.arguments.map(argument) + (command.block.map { [block($0)] } ?? []))
            .joined(separator: " ")
    }

    private func argument(_ argument: Argument) -> String {
        let items = argument.items.enumerated().map { index, item in
            // Brackets and strings inside have spaces and spellings of their own; anything else may be meant
            // raw.
            if !item.isPlain, let value = argument.value, index < value.items.count {
                return tight(value.items[index])
            }
            return item.raw
        }
        return (argument.name.map { $0.text + "=" } ?? "") + items.joined(separator: ",")
    }

    // MARK: Expressions

    /// Without spaces outside brackets, as an argument of a command needs it.
    private func tight(_ value: Expression) -> String { expression(value, space: "") }

    private func expression(_ value: Expression, space: String = " ") -> String {
        func inner(_ part: Expression) -> String { expression(part, space: space) }
        switch value.kind {
        case .number(let number): return Printer.number(number)
        case .text(let parts):
            let body = parts.map { part in
                switch part {
                case .literal(let text): Printer.escaped(text)
                case .value(let value): "\\(\(expression(value)))"
                }
            }
            return "\"" + body.joined() + "\""
        case .boolean(let flag): return flag ? "yes" : "no"
        case .none: return "none"
        case .name(let name): return name
        case .column(let name): return "." + name.text
        case .previous(let index): return index == 0 ? "_" : "_\(index)"
        case .group(let part): return "(\(expression(part)))"
        case .pipeline(let part): return "(\(pipeline(part)))"
        case .list(let items): return "[" + items.map { expression($0) }.joined(separator: ", ") + "]"
        case .record(let entries):
            return "{" + entries.map { "\($0.key.text): \(expression($0.value))" }.joined(separator: ", ")
                + "}"
        case .field(let base, let field): return inner(base) + "." + field.text
        case .index(let base, let index): return inner(base) + "[\(expression(index))]"
        case .call(let function, let arguments):
            return function.text + "(" + arguments.map { expression($0) }.joined(separator: ", ") + ")"
        case .negative(let operand): return "-" + inner(operand)
        case .not(let operand): return joined(["not", inner(operand)], space)
        case .binary(let operation, let left, let right):
            return joined([inner(left), operation.rawValue, inner(right)], space)
        case .range(let lower, let upper, let step):
            return inner(lower) + ".." + inner(upper) + (step.map { ":" + inner($0) } ?? "")
        case .error: return ""
        }
    }

    /// Words need a space between them; the rest takes the space that is wanted.
    private func joined(_ parts: [String], _ space: String) -> String {
        func isWord(_ character: Character?) -> Bool {
            character.map { $0.isLetter || $0.isNumber || $0 == "_" } ?? false
        }
        return parts.dropFirst().reduce(parts[0]) { text, part in
            text + (isWord(text.last) && isWord(part.first) ? " " : space) + part
        }
    }

    // MARK: Literals

    /// The shortest text that reads as the number; whole numbers without a point.
    package static func number(_ value: Double) -> String {
        if value == value.rounded(), abs(value) < 1e16 { return String(Int64(value)) }
        return "\(value)"
    }

    package static func quoted(_ text: String) -> String { "\"" + escaped(text) + "\"" }

    private static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\t": result += "\\t"
            case "\r": result += "\\r"
            default:
                if scalar.value < 32 || scalar.value == 127 {
                    result += "\\u{" + String(scalar.value, radix: 16) + "}"
                } else {
                    result.unicodeScalars.append(scalar)
                }
            }
        }
        return result
    }
}
