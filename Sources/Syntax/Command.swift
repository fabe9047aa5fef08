import SourceText

/// command := VERB argument* [block]
package struct Command: Sendable {
    package var verb: Name
    package var arguments: [Argument]
    package var block: Block?
    package var span: Span
}

/// argument := [NAME "="] run. What a run means depends on its slot: a name slot reads the raw text, every
/// other slot the value.
package struct Argument: Sendable {
    /// One part of a run between commas.
    package struct Item: Sendable {
        /// The text as written, without white space around it.
        package var raw: String
        package var span: Span
        /// Whether it begins with a quote or bracket, which forces a value where a name slot would read raw
        /// text.
        package var isForced: Bool

        package init(raw: String, span: Span) {
            self.raw = raw
            self.span = span
            isForced = raw.first.map { "\"([{".contains($0) } ?? false
        }

        /// The column that it names where a slot names columns: `.step` is the column `step`, also where
        /// `step` is a verb.
        package var column: String {
            raw.hasPrefix(".") && Double(raw) == nil ? String(raw.dropFirst()) : raw
        }

        /// Whether it has no quotes or brackets at all, so that its spelling may count.
        var isPlain: Bool { !raw.utf8.contains { "\"([{".utf8.contains($0) } }
    }

    package var name: Name?
    /// The run as written.
    package var raw: String
    package var rawSpan: Span
    /// The run's parts between commas, as raw text. One at least; where `value` is there, as many as it has
    /// items.
    package var items: [Item]
    /// The run as a list of expressions, where it is one.
    package var value: ListExpression?
    /// Why it is none: what to report where the slot wants an expression. Empty where `value` is there, and
    /// where the parser has reported the errors already (a run that begins with a quote or bracket can be
    /// nothing but a value).
    package var problems: [Diagnostic]
    /// With the name.
    package var span: Span
}
