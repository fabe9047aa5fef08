import Interpreting
import SourceText

/// The reference of the language as Markdown, made from the declarations: `noisebook help --markdown`, kept
/// in notebooks/reference.md.
package enum Reference {
    package static func markdown(_ verbs: VerbRegistry) -> String {
        var blocks = [
            "# Reference of the language",
            """
            Made by `noisebook help --markdown` from what the program itself checks by; a test keeps \
            this file current.\u{20}
            """
                + """
                In a usage line capitals stand for what you write, square brackets for what can be left \
                out, and `...` for what can be repeated.
                """,
            "## Verbs",
        ]
        for family in VerbDeclaration.Family.allCases {
            let members = verbs.all.filter { $0.family == family }
            guard !members.isEmpty else { continue }
            blocks.append("### \(family.rawValue)")
            blocks += members.flatMap(section)
        }
        blocks.append("## Functions")
        blocks.append(
            """
            They stand in expressions. Arithmetic, `sqrt`, `exp`, `log`, `abs` and `round` work element \
            by element on numbers, lists, columns, tensors and latents.
            """
        )
        blocks.append(Function.allCases.map { "- `\($0.usage)`: \($0.summary)" }.joined(separator: "\n"))
        for (name, title) in [("notebook", "Notebooks"), ("param", "Params"), ("json", "JSON")] {
            guard let form = LanguageForm.all.first(where: { $0.name == name }) else { continue }
            blocks += ["## \(title)", code([form.page])]
        }
        blocks.append("## Errors and warnings")
        blocks.append("`help E021` explains a code, with an example and the cure.")
        blocks.append(DiagnosticCode.allCases.map { "- \($0.rawValue): \($0.title)" }.joined(separator: "\n"))
        return blocks.joined(separator: "\n\n") + "\n"
    }

    private static func section(_ verb: VerbDeclaration) -> [String] {
        var blocks = ["#### \(verb.name)", verb.summary, code([input(verb) + verb.usage])]
        if !verb.slots.isEmpty { blocks.append(verb.slots.map(line).joined(separator: "\n")) }
        if !verb.adds.isEmpty {
            blocks.append("Columns: " + verb.adds.map { "`\($0)`" }.joined(separator: " "))
        }
        blocks += verb.notes
        blocks.append(
            code(
                verb.examples.map { example in
                    example.split(separator: ";").map { $0.trimmingSpaces }.joined(separator: "\n")
                }, between: "\n\n"))
        return blocks
    }

    private static func line(_ slot: SlotDeclaration) -> String {
        "- `\(slot.usage)`: \(slot.typePhrase); \(slot.summary)"
    }

    /// What the verb works on, as it stands before it.
    private static func input(_ verb: VerbDeclaration) -> String {
        switch verb.input {
        case .none: ""
        case .table: "TABLE | "
        case .value: "VALUE | "
        case .optional: "[TABLE |] "
        }
    }

    /// Not marked as `noise`: the file is read, and not run as a notebook.
    private static func code(_ lines: [String], between separator: String = "\n") -> String {
        let text = lines.joined(separator: separator)
        let fence = text.contains("```") ? "````" : "```"
        return "\(fence)text\n" + text + "\n\(fence)"
    }
}
