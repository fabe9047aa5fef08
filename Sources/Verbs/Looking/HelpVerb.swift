import Interpreting
import Results
import SourceText

/// `help`: everything it says comes from the declarations and from the pages of the codes.
enum HelpVerb {
    private static let word = Slot("word", .name, .positional, "a verb, an option, or a code such as E021")
        .suggesting { session in
            session.verbNames + DiagnosticCode.allCases.map(\.rawValue) + LanguageForm.all.map(\.name)
                + Function.allCases.map(\.rawValue)
                + session.verbs.all.flatMap { $0.named.map(\.name) }
        }

    static let help = VerbDeclaration(
        "help", .looking, "Lists the verbs, or explains a verb, an option of verbs or an error code.",
        input: .none,
        slots: [word], columns: .other(.view), examples: ["help", "help noise"],
        givesProse: true,
        checks: { use in
            if let word = use[word], !use.definitions.contains(word) { _ = try page(word, use.session) }
        }
    ) { invocation in
        guard let word = invocation[word] else { return .view(overview(invocation.session.verbs)) }
        return .view(.text(try page(word, invocation.session)))
    }

    static func page(_ word: String, _ session: Session) throws -> String {
        if let verb = session.verb(word) { return page(verb) }
        if let code = DiagnosticCode(typed: word) { return code.explanation }
        if let form = LanguageForm.all.first(where: { $0.name == word }) { return form.page }
        if let function = Function(rawValue: word) {
            return "\(function.usage)\n\na function of expressions; all of them: "
                + Function.allCases.map(\.rawValue).joined(separator: " ")
        }
        if let page = optionPage(word, session) { return page }
        if let meant = ForeignWord.optionName(word), let page = optionPage(meant, session) {
            return "`\(word)` is called `\(meant)` here.\n\n" + page
        }
        let known =
            session.verbs.names + LanguageForm.all.map(\.name)
            + session.verbs.all.flatMap { $0.slots.map(\.name) }
        throw Complaint(
            .unknownVerb, "there is no verb, option or code `\(word)`",
            label: ForeignWord.verb(word) ?? Suggestion.question(for: word, in: known) ?? "not known",
            slot: "word",
            help: "`help` lists the verbs")
    }

    /// The verbs that have an option, or a value in that place, and what it is there; nil where none has.
    private static func optionPage(_ word: String, _ session: Session) -> String? {
        let uses = session.verbs.all.flatMap { verb in
            verb.slots.filter { $0.place != .open && $0.name == word.lowercased() }.map {
                (verb: verb.name, slot: $0)
            }
        }
        guard !uses.isEmpty else { return nil }
        let width = width(uses.map { $0.verb.count + $0.slot.usage.count + 1 })
        let lines = uses.map { verb, slot in
            let usage = "\(verb) \(slot.usage)"
            return """
                  \(usage)\(String(repeating: " ", count: max(0, width - usage.count)))  \(slot.typePhrase): \
                \(slot.summary)
                """
        }
        let verbs = Set(uses.map(\.verb))
        return
            (["`\(word.lowercased())` in \(verbs.count == 1 ? "a verb" : "\(verbs.count) verbs"):", ""]
            + lines + ["", "help VERB explains the verb."])
            .joined(separator: "\n")
    }

    /// Of a column of usages: as wide as all but those that list many choices.
    private static func width(_ usages: [Int]) -> Int { usages.filter { $0 <= 24 }.max() ?? 0 }

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
                    """
                    help VERB explains a verb, help OPTION says which verbs have it, help E021 explains \
                    an error,\u{20}
                    """
                        + LanguageForm.all.map { "help \($0.name)" }.joined(separator: ", ")
                        + " the rest; the functions of expressions are "
                        + Function.allCases.map(\.rawValue).joined(separator: " "))
            ])
    }

    static func page(_ verb: VerbDeclaration) -> String {
        var lines = [
            "usage: " + (verb.input == .none || verb.input == .optional ? "" : "... | ") + verb.usage, "",
            verb.summary,
        ]
        if !verb.slots.isEmpty {
            lines.append("")
            let width = width(verb.slots.map(\.usage.count))
            for slot in verb.slots {
                let padding = String(repeating: " ", count: max(0, width - slot.usage.count))
                lines.append("  \(slot.usage)\(padding)  \(slot.typePhrase): \(slot.summary)")
            }
        }
        if !verb.adds.isEmpty { lines += ["", "adds the columns " + verb.adds.joined(separator: " ")] }
        for note in verb.notes { lines += ["", note] }
        // A definition has none.
        if !verb.examples.isEmpty { lines += ["", "examples:"] }
        lines += verb.examples.map {
            "  " + $0.split(separator: ";").map { $0.trimmingSpaces }.joined(separator: "\n  ")
        }
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
