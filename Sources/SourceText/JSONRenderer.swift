// Diagnostics for programs: one JSON object a line, keys always in this order. Lines and columns count from 1
// in the file (not in the cell), columns in Unicode characters; `offset` and `length` are UTF-8 bytes in the
// file.

package struct JSONRenderer: Sendable {
    package init() {}

    package func text(_ diagnostics: [Diagnostic]) -> String {
        diagnostics.map { text($0) }.joined(separator: "\n")
    }

    /// - Parameter variant: the values of params with which it came up, where there are several.
    package func text(_ diagnostic: Diagnostic, variant: String? = nil) -> String {
        var fields = [
            ("kind", string(diagnostic.severity.rawValue)), ("code", string(diagnostic.code.rawValue)),
            ("severity", string(diagnostic.severity.rawValue)),
            ("message", string(diagnostic.title)),
        ]
        if let source = diagnostic.source { fields += place(diagnostic.span, source) }
        fields.append(("label", string(diagnostic.label)))
        fields.append(("help", list(diagnostic.help.map(string))))
        fields.append(("notes", list(diagnostic.notes.map(string))))
        let related = diagnostic.related.map { label in
            object(
                ((label.source ?? diagnostic.source).map { place(label.span, $0) } ?? []) + [
                    ("label", string(label.text))
                ])
        }
        fields.append(("related", list(related)))
        if let variant { fields.append(("variant", string(variant))) }
        return object(fields)
    }

    private func place(_ span: Span, _ source: SourceFile) -> [(String, String)] {
        let start = source.position(of: span.lower)
        let end = source.position(of: span.upper)
        return [("file", string(source.name))] + (source.cell.map { [("cell", string($0))] } ?? []) + [
            ("line", String(start.fileLine)), ("column", String(start.column)),
            ("endLine", String(end.fileLine)),
            ("endColumn", String(end.column)), ("offset", String(source.firstOffset + span.lower)),
            ("length", String(span.length)),
        ]
    }

    private func object(_ fields: [(String, String)]) -> String {
        "{" + fields.map { "\"\($0.0)\":\($0.1)" }.joined(separator: ",") + "}"
    }
    private func list(_ items: [String]) -> String { "[" + items.joined(separator: ",") + "]" }

    private func string(_ text: String) -> String { JSONString.quoted(text) }
}
