// Diagnostics in plain sentences, in the order in which one would say them: for screen readers, dumb
// terminals and logs. No drawing, no alignment, no colour; places are quoted, not pointed at.

package struct NarratedRenderer: Sendable {
    package init() {}

    package func text(_ diagnostics: [Diagnostic]) -> String {
        let blocks = diagnostics.map(text)
        guard diagnostics.count > 1 else { return blocks.joined() }
        return "\(diagnostics.count) messages.\n\n" + blocks.joined(separator: "\n\n")
    }

    package func text(_ diagnostic: Diagnostic) -> String {
        let severity = diagnostic.severity == .error ? "Error" : "Warning"
        var lines = ["\(severity) \(diagnostic.code.rawValue): \(sentence(diagnostic.title))"]
        if let source = diagnostic.source {
            lines.append("In \(place(diagnostic.primary.span, source)).")
            if !diagnostic.label.isEmpty { lines.append(sentence(diagnostic.label, isCapital: true)) }
            let excerpt = Excerpt(diagnostic.span, in: source)
            let line = trimmed(excerpt.line)
            if !line.isEmpty { lines.append("The line reads: \(line)") }
        } else if !diagnostic.label.isEmpty {
            lines.append(sentence(diagnostic.label, isCapital: true))
        }
        for label in diagnostic.related {
            guard let source = label.source ?? diagnostic.source else { continue }
            lines.append(
                "See also \(place(label.span, source))"
                    + (label.text.isEmpty ? "." : ": \(sentence(label.text))"))
        }
        lines += diagnostic.help.map { "Help: \(sentence($0))" }
        lines += diagnostic.notes.map { "Note: \(sentence($0))" }
        return lines.joined(separator: "\n")
    }

    private func place(_ span: Span, _ source: SourceFile) -> String {
        let position = source.position(of: span.lower)
        let text = DisplayText.visible(
            source.text(of: Span(span.lower, min(span.upper, source.lineSpan(position.line - 1).upper))))
        let cell = source.cell.map { ", cell \(DisplayText.visible($0))" } ?? ""
        let quoted = text.isEmpty ? "" : text.count > 60 ? ", at `\(text.prefix(60))...`" : ", at `\(text)`"
        return """
            \(DisplayText.visible(source.name))\(cell), line \(source.shownLine(position)), column \
            \(position.column)\(quoted)
            """
    }

    private func sentence(_ text: String, isCapital: Bool = false) -> String {
        let text = DisplayText.visible(text.split(separator: "\n").joined(separator: "; "))
        guard let first = text.first, let last = text.last else { return "" }
        let whole = isCapital ? first.uppercased() + text.dropFirst() : text
        return ".?!".contains(last) ? whole : whole + "."
    }

    private func trimmed(_ text: String) -> String {
        let start = text.drop { $0 == " " }
        return String(start.reversed().drop { $0 == " " }.reversed())
    }
}
