// A tree as text, one form for tests and for comparing trees: with spans it says where everything stands;
// without them two texts with the same meaning (spaces, comments and line breaks apart) give the same dump.

import SourceText

package struct Dump {
    private let showsSpans: Bool

    package static func text(_ program: Program, spans: Bool) -> String {
        let dump = Dump(showsSpans: spans)
        return program.statements.map { dump.statement($0) }.joined(separator: "\n")
    }

    private func at(_ span: Span) -> String { showsSpans ? "@\(span.lower)-\(span.upper)" : "" }

    private func node(_ name: String, _ span: Span, _ parts: [String]) -> String {
        "(" + ([name + at(span)] + parts).joined(separator: " ") + ")"
    }

    private func name(_ name: Name) -> String { name.text + at(name.span) }

    private func statement(_ statement: Statement) -> String {
        switch statement.kind {
        case .assignment(let target, let value): node("=", statement.span, [name(target), pipeline(value)])
        case .pipeline(let value): pipeline(value)
        case .param(let target, let values, let allowed):
            node(
                "param", statement.span,
                [name(target), list(values)] + (allowed.map { ["in", list($0)] } ?? []))
        case .definition(let target, let parameters, let body):
            node("def", statement.span, [name(target)] + parameters.map(name) + [block(body)])
        }
    }

    private func block(_ block: Block) -> String {
        node("block", block.span, block.statements.map(statement))
    }

    private func list(_ list: ListExpression) -> String {
        list.items.count == 1 ? expression(list.items[0]) : node(",", list.span, list.items.map(expression))
    }

    private func pipeline(_ pipeline: Pipeline) -> String {
        let head =
            switch pipeline.head {
            case .values(let values): list(values)
            case .command(let value): command(value)
            }
        return pipeline.commands.isEmpty
            ? head : node("|", pipeline.span, [head] + pipeline.commands.map(command))
    }

    private func command(_ command: Command) -> String {
        node(
            "do", command.span,
            [name(command.verb)] + command.arguments.map(argument) + (command.block.map { [block($0)] } ?? [])
        )
    }

    /// A run that may be read raw shows as such, because then spelling counts: `1.50` is another file than
    /// `1.5`.
    private func argument(_ argument: Argument) -> String {
        let items = argument.items.enumerated().map { index, item in
            if !item.isPlain, let value = argument.value, index < value.items.count {
                return expression(value.items[index])
            }
            let raw = "'\(item.raw)'" + at(item.span)
            guard showsSpans, let value = argument.value, index < value.items.count else { return raw }
            return raw + ":" + expression(value.items[index])
        }
        let run = items.count == 1 ? items[0] : node(",", argument.rawSpan, items)
        return argument.name.map { name($0) + "=" + run } ?? run
    }

    private func expression(_ expression: Expression) -> String {
        let span = expression.span
        switch expression.kind {
        case .number(let value): return Printer.number(value) + at(span)
        case .text(let parts):
            return node(
                "text", span,
                parts.map {
                    switch $0 {
                    case .literal(let text): Printer.quoted(text)
                    case .value(let value): self.expression(value)
                    }
                })
        case .boolean(let value): return (value ? "yes" : "no") + at(span)
        case .none: return "none" + at(span)
        case .name(let name): return name + at(span)
        case .column(let name): return "." + name.text + at(span)
        case .previous(let index): return (index == 0 ? "_" : "_\(index)") + at(span)
        case .group(let inner): return node("group", span, [self.expression(inner)])
        case .pipeline(let inner): return node("pipeline", span, [pipeline(inner)])
        case .list(let items): return node("list", span, items.map(self.expression))
        case .record(let entries):
            return node("record", span, entries.map { name($0.key) + ":" + self.expression($0.value) })
        case .field(let base, let field): return node("field", span, [self.expression(base), name(field)])
        case .index(let base, let index):
            return node("index", span, [self.expression(base), self.expression(index)])
        case .call(let function, let arguments):
            return node("call", span, [name(function)] + arguments.map(self.expression))
        case .negative(let operand): return node("negative", span, [self.expression(operand)])
        case .not(let operand): return node("not", span, [self.expression(operand)])
        case .binary(let operation, let left, let right):
            return node(operation.rawValue, span, [self.expression(left), self.expression(right)])
        case .range(let lower, let upper, let step):
            return node(
                "..", span,
                [self.expression(lower), self.expression(upper)]
                    + (step.map { [":", self.expression($0)] } ?? []))
        case .error: return "error" + at(span)
        }
    }
}
