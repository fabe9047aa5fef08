import Results
import SourceText

/// What is said of what flows into a verb and stands in its slots: the check before running and the run say
/// it in the same words.
extension Complaint {
    static func nothingCanFlow(into verb: VerbDeclaration) -> Complaint {
        Complaint(
            .wrongInput, "nothing can flow into `\(verb.name)`", label: "it begins a pipeline",
            help: "usage: " + verb.usage)
    }

    static func missingInput(of verb: VerbDeclaration) -> Complaint {
        Complaint(
            .missingInput, "`\(verb.name)` needs something to work on", label: "nothing flows in here",
            help: verb.takesInputAsArgument
                ? "usage: \(verb.name) X, or X | \(verb.name)" : "usage: X | " + verb.usage)
    }

    static func noTable(_ kind: ValueKind, into verb: VerbDeclaration) -> Complaint {
        Complaint(
            .wrongInput, "`\(verb.name)` works on a table, and this is \(kind.phrase)",
            label: "\(kind.phrase) flows in here")
    }

    /// - Parameter columns: what the table has instead, in words.
    static func missingColumn(
        _ name: String, for verb: VerbDeclaration, label: String, slot: String? = nil, help: String?
    ) -> Complaint {
        Complaint(
            .missingColumn, "`\(verb.name)` needs the column `\(name)`", label: label, slot: slot, help: help)
    }

    /// A column that the verb would add to a table that has it.
    package static func columnExists(_ name: String, of verb: VerbDeclaration, slot: String? = nil)
        -> Complaint
    {
        Complaint(
            .columnExists, "the table has a column `\(name)` already",
            label: "`\(verb.name)` would add it again", slot: slot,
            help: verb.slot(.namesResult).map { "choose another name: \($0.name)=NAME" }
                ?? "remove or rename it first: `select` keeps the columns it names")
    }

    static func unknownChoice(_ word: String, _ choices: [String], of slot: SlotDeclaration) -> Complaint {
        Complaint(
            .unknownChoice, "`\(slot.name)` cannot be `\(word)`",
            label: Suggestion.question(for: word, in: choices) ?? "not known",
            help: "one of " + choices.joined(separator: ", "))
    }

    package static func unsortable(_ kind: ValueKind, slot: String? = nil) -> Complaint {
        Complaint(
            .wrongOperands, "rows are sorted by numbers or texts, not by \(kind.phrase)",
            label: "cannot be ordered", slot: slot)
    }

    /// Columns that rows of two tables must agree in, and by their kinds cannot.
    package static func noAgreement(
        _ name: String, _ here: ValueKind, _ there: ValueKind, slot: String? = nil
    ) -> Complaint {
        Complaint(
            .wrongOperands,
            "`\(name)` is \(here.phrase) here and \(there.phrase) in the other table: no row can agree",
            label: "different kinds", slot: slot)
    }
}
