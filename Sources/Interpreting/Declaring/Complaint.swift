import SourceText

/// What a verb or an operation throws when it cannot do what was asked. The evaluator turns it into a
/// diagnostic with the place in the program: the slot's argument if one is named, else the whole command or
/// expression.
package struct Complaint: Error, Sendable {
    package var code: DiagnosticCode
    package var title: String
    package var label: String
    package var slot: String?
    package var help: [String]
    package var notes: [String]

    package init(
        _ code: DiagnosticCode, _ title: String, label: String = "", slot: String? = nil, help: String? = nil,
        notes: [String] = []
    ) {
        self.code = code
        self.title = title
        self.label = label
        self.slot = slot
        self.help = help.map { [$0] } ?? []
        self.notes = notes
    }
}

/// An error with where in the work it happened: "item 17 \"a small golem ...\"", "k=40".
package struct NotedError: Error {
    package var underlying: any Error
    package var note: String

    package init(_ underlying: any Error, note: String) {
        self.underlying = underlying
        self.note = note
    }
}

extension Diagnostic {
    /// A complaint about a place.
    package init(_ complaint: Complaint, at span: Span, source: SourceFile? = nil) {
        self.init(
            complaint.code, complaint.title, at: span, label: complaint.label, help: complaint.help,
            notes: complaint.notes, source: source)
    }
}
