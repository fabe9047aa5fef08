// Diagnostics as people know them from compilers: title, place, the line with a mark, then what helps. With or without colour.

package struct LayoutRenderer: Sendable {
    package var usesColour: Bool

    package init(usesColour: Bool) { self.usesColour = usesColour }

    package func text(_ diagnostics: [Diagnostic]) -> String { diagnostics.map(text).joined(separator: "\n\n") }

    /// Several lines without a line end behind the last.
    package func text(_ diagnostic: Diagnostic) -> String {
        let tone: Colour = diagnostic.severity == .error ? .red : .yellow
        var lines = [
            paint("\(diagnostic.severity.rawValue)[\(diagnostic.code.rawValue)]", tone) + paint(": " + DisplayText.visible(diagnostic.title), .bold)
        ]
        let labels = [diagnostic.primary] + diagnostic.related
        let gutter =
            labels.compactMap { label in
                (label.source ?? diagnostic.source).map { String($0.shownLine($0.position(of: label.span.lower))).count }
            }.max() ?? 0
        let margin = String(repeating: " ", count: gutter + 1)
        for (index, label) in labels.enumerated() {
            guard let source = label.source ?? diagnostic.source else { continue }
            let excerpt = Excerpt(label.span, in: source)
            let isPrimary = index == 0
            let mark = String(repeating: isPrimary ? "^" : "-", count: excerpt.width)
            let number = String(excerpt.lineNumber)
            lines.append(margin + paint(isPrimary ? "--> " : "::: ", .blue) + source.place(of: label.span.lower))
            lines.append(margin + paint("|", .blue))
            lines.append(
                paint(String(repeating: " ", count: max(gutter - number.count, 0)) + number + " |", .blue) + (excerpt.line.isEmpty ? "" : " " + excerpt.line))
            lines.append(
                margin + paint("|", .blue) + " " + String(repeating: " ", count: excerpt.indent)
                    + paint(mark + (label.text.isEmpty ? "" : " " + DisplayText.visible(label.text)), isPrimary ? tone : .blue))
        }
        if diagnostic.source == nil, !diagnostic.label.isEmpty { lines.append(detail(margin, "help", diagnostic.label)) }
        lines += diagnostic.help.map { detail(margin, "help", $0) }
        lines += diagnostic.notes.map { detail(margin, "note", $0) }
        return lines.joined(separator: "\n")
    }

    /// `  = help: ...`, with further lines below the first.
    private func detail(_ margin: String, _ word: String, _ text: String) -> String {
        let indent = margin + String(repeating: " ", count: word.count + 4)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { DisplayText.visible(String($0)) }
        return margin + paint("= ", .blue) + paint(word, .bold) + ": " + lines.joined(separator: "\n" + indent)
    }

    private enum Colour: String {
        case red = "1;31"
        case yellow = "1;33"
        case blue = "1;34"
        case bold = "1"
    }

    private func paint(_ text: String, _ colour: Colour) -> String {
        usesColour ? "\u{1B}[\(colour.rawValue)m\(text)\u{1B}[0m" : text
    }
}
