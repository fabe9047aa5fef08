import Results
import SourceText
import Syntax

/// The params of programs that run one after the other in a session, with the values that their text gives
/// them, told without running anything.
package struct Params {
    package struct Param {
        package let name: Name
        /// How its value is written, in `source`.
        package let values: ListExpression
        package let source: SourceFile
        /// The value that the text gives it; nil where that depends on what only a run makes.
        package let standard: Value?

        /// Whether its default is a list, as far as the text shows.
        package var isList: Bool {
            if let standard { return standard.kind == .list }
            if values.items.count > 1 { return true }
            switch values.items.first?.ungrouped.kind {
            case .list, .range: return true
            default: return false
            }
        }

        /// What it is set to from outside reads as no value like its default.
        package func problem(_ text: String) -> Diagnostic? {
            guard let standard, ParamText.value(text, like: standard) == nil else { return nil }
            return Params.problem(name, text, like: standard, source)
        }

        /// Whether text from outside gives it the value that it has anyway.
        package func isStandard(_ text: String) -> Bool {
            guard let standard, let value = ParamText.value(text, like: standard) else { return false }
            return (try? value.identity()) == (try? standard.identity())
        }
    }

    package private(set) var all: [Param] = []

    /// - Parameter session: with the values that are set from outside; defaults may depend on them.
    package init(_ programs: [ParsedProgram], session: Session) {
        let scratch = Session(verbs: session.verbs, access: session.access)
        for program in programs {
            let evaluator = Evaluator(session: scratch, program: program, scope: scratch.globals)
            for statement in program.statements {
                // Only what is worked out at once: commands open models and files.
                let isPlain = Mentions(statement).commands.isEmpty && !program.diagnostics.hasErrors
                var made: (name: String, value: Value?)?
                switch statement.kind {
                case .assignment(let name, let pipeline):
                    made = (name.text, nil)
                    if isPlain, case .values(let list) = pipeline.head {
                        made?.value = try? evaluator.value(of: list)
                    }
                case .param(let name, let values, _):
                    let standard = isPlain ? try? evaluator.value(of: values) : nil
                    all.append(Param(name: name, values: values, source: program.source, standard: standard))
                    let set = session.parameters[name.text].flatMap { text in
                        standard.flatMap { ParamText.value(text, like: $0) }
                    }
                    made = (name.text, set ?? standard)
                case .pipeline, .definition: break
                }
                guard let made else { continue }
                if let value = made.value {
                    scratch.globals.set(made.name, value)
                } else {
                    scratch.globals.remove(made.name)
                }
            }
        }
    }

    package var names: [String] { all.map(\.name.text) }

    package func named(_ name: String) -> [Param] { all.filter { $0.name.text == name } }

    static func problem(_ name: Name, _ text: String, like standard: Value, _ source: SourceFile)
        -> Diagnostic
    {
        Diagnostic(
            .paramOutside, "`\(name.text)` was set to `\(text)`, which does not read as \(phrase(standard))",
            at: name.span,
            label: "the default is \(standard.summary)",
            help: [ParamText.cure(name.text, text, like: standard)], source: source)
    }

    private static func phrase(_ standard: Value) -> String {
        guard case .list(let values) = standard, let first = values.first,
            values.allSatisfy({ $0.kind == first.kind })
        else { return standard.kind.phrase }
        return first.kind == .number
            ? "a list of numbers" : first.kind == .text ? "a list of texts" : "a list"
    }
}
