/// One error or warning with its place, what to say about it, and the cure. Parser, binder, evaluator and
/// engine all report this.
package struct Diagnostic: Error, Sendable {
    package enum Severity: String, Sendable {
        case error
        case warning
    }

    /// A place with a few words on it.
    package struct Label: Sendable {
        package var span: Span
        package var text: String
        /// The text the span belongs to, where it is not the diagnostic's own.
        package var source: SourceFile?

        package init(_ span: Span, _ text: String = "", source: SourceFile? = nil) {
            self.span = span
            self.text = text
            self.source = source
        }
    }

    package var code: DiagnosticCode
    package var severity: Severity
    /// One sentence without a full stop; names of the language stand in back quotes.
    package var title: String
    package var primary: Label
    /// Other places that explain this one, such as the first of two definitions.
    package var related: [Label]
    /// What to do; each line is ready to paste or to follow.
    package var help: [String]
    /// What else is known: the item and step at which the error happened, what was kept.
    package var notes: [String]
    package var source: SourceFile?

    package init(
        _ code: DiagnosticCode, _ title: String? = nil, at span: Span, label: String = "",
        help: [String] = [], notes: [String] = [],
        related: [Label] = [], source: SourceFile? = nil, severity: Severity? = nil
    ) {
        self.code = code
        self.severity = severity ?? code.severity
        self.title = title ?? code.title
        primary = Label(span, label)
        self.related = related
        self.help = help
        self.notes = notes
        self.source = source
    }

    package var span: Span { primary.span }
    package var label: String { primary.text }

    /// The same diagnostic with a source where it has none.
    package func located(in source: SourceFile) -> Diagnostic {
        var copy = self
        if copy.source == nil { copy.source = source }
        return copy
    }
}

extension [Diagnostic] {
    package var hasErrors: Bool { contains { $0.severity == .error } }

    /// In the order of the text; at one place in the order found.
    package func sortedByPlace() -> [Diagnostic] {
        enumerated().sorted { ($0.element.span.lower, $0.offset) < ($1.element.span.lower, $1.offset) }.map(
            \.element)
    }
}
