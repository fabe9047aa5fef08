import Interpreting
import Results
import SourceText

/// `help`: everything it says comes from the declarations and from the pages of the codes.
enum HelpVerb {
    static let help = VerbDeclaration(
        "help", .looking, "Lists the verbs, or explains one verb or one error code.", input: .none,
        slots: [Slot("word", .name, .positional, "a verb, or a code such as E021")], columns: .other(.view), examples: ["help", "help noise"],
        checks: { use in
            if let word = use.text("word"), !use.definitions.contains(word) { _ = try page(word, use.session) }
        }
    ) { invocation in
        guard let word = invocation.arguments.text("word") else { return .view(overview(invocation.session.verbs)) }
        return .view(.text(try page(word, invocation.session)))
    }

    static func page(_ word: String, _ session: Session) throws -> String {
        if let verb = session.verb(word) { return page(verb) }
        if let code = DiagnosticCode(typed: word) { return code.explanation }
        if let form = LanguageForm.all.first(where: { $0.name == word }) { return form.page }
        if let function = Function(rawValue: word) {
            return "\(function.usage)\n\na function of expressions; all of them: " + Function.allCases.map(\.rawValue).joined(separator: " ")
        }
        throw Complaint(
            .unknownVerb, "there is no verb or code `\(word)`",
            label: ForeignWord.verb(word) ?? Suggestion.question(for: word, in: session.verbs.names + LanguageForm.all.map(\.name)) ?? "not known",
            slot: "word",
            help: "`help` lists the verbs")
    }

    static func overview(_ verbs: VerbRegistry) -> View {
        .stack(
            VerbDeclaration.Family.allCases.compactMap { family in
                let members = verbs.all.filter { $0.family == family }
                guard !members.isEmpty else { return nil }
                return .stack([
                    .text(family.rawValue),
                    .table(
                        TableView(
                            headings: [.init(name: "verb", kind: .text), .init(name: "does", kind: .text)],
                            rows: members.map { [.text($0.name), .text($0.summary)] })),
                ])
            } + [
                .text(
                    "help VERB explains a verb, help E021 an error, " + LanguageForm.all.map { "help \($0.name)" }.joined(separator: ", ")
                        + " the rest; the functions of expressions are "
                        + Function.allCases.map(\.rawValue).joined(separator: " "))
            ])
    }

    static func page(_ verb: VerbDeclaration) -> String {
        var lines = ["usage: " + (verb.input == .none || verb.input == .optional ? "" : "... | ") + verb.usage, "", verb.summary]
        if !verb.slots.isEmpty {
            lines.append("")
            let width = verb.slots.map(\.usage.count).max() ?? 0
            for slot in verb.slots {
                let padding = String(repeating: " ", count: width - slot.usage.count)
                lines.append("  \(slot.usage)\(padding)  \(slot.typePhrase): \(slot.summary)")
            }
        }
        if !verb.adds.isEmpty { lines += ["", "adds the columns " + verb.adds.joined(separator: " ")] }
        for note in verb.notes { lines += ["", note] }
        // A definition has none.
        if !verb.examples.isEmpty { lines += ["", "examples:"] }
        lines += verb.examples.map { "  " + $0.split(separator: ";").map { $0.trimmingSpaces }.joined(separator: "\n  ") }
        return lines.joined(separator: "\n")
    }
}

extension Substring {
    var trimmingSpaces: String {
        var text = self
        while text.first == " " { text.removeFirst() }
        while text.last == " " { text.removeLast() }
        return String(text)
    }
}
