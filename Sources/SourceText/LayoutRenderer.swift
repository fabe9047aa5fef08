// Diagnostics as people know them from compilers: title, place, the line with a mark, then what helps. With
// or without colour.

package struct LayoutRenderer: Sendable {
    package var usesColour: Bool

    package init(usesColour: Bool) { self.usesColour = usesColour }

    /// As it would be written: for what is no terminal.
    package func text(_ diagnostic: Diagnostic) -> String { shown(diagnostic).written }

    package func shown(_ diagnostics: [Diagnostic]) -> TerminalText {
        diagnostics.map(shown).joined(separator: "\n\n")
    }

    /// Several lines without a line end behind the last.
    package func shown(_ diagnostic: Diagnostic) -> TerminalText {
        let tone: Colour = diagnostic.severity == .error ? .red : .yellow
        var lines = [
            paint("\(diagnostic.severity.rawValue)[\(diagnostic.code.rawValue)]", tone)
                + paint(": \(diagnostic.title)", .bold)
        ]
        let labels = [diagnostic.primary] + diagnostic.related
        let gutter =
            labels.compactMap { label in
                (label.source ?? diagnostic.source).map {
                    String($0.shownLine($0.position(of: label.span.lower))).count
                }
            }.max() ?? 0
        let margin = TerminalText(String(repeating: " ", count: gutter + 1))
        for (index, label) in labels.enumerated() {
            guard let source = label.source ?? diagnostic.source else { continue }
            let excerpt = Excerpt(label.span, in: source)
            let isPrimary = index == 0
            let mark = String(repeating: isPrimary ? "^" : "-", count: excerpt.width)
            let number = String(excerpt.lineNumber)
            lines.append(
                margin + paint(isPrimary ? "--> " : "::: ", .blue)
                    + TerminalText(source.place(of: label.span.lower)))
            lines.append(margin + paint("|", .blue))
            let space = String(repeating: " ", count: max(gutter - number.count, 0))
            lines.append(
                paint("\(space)\(number) |", .blue) + (excerpt.line.isEmpty ? "" : " \(excerpt.line)"))
            let words: TerminalText = label.text.isEmpty ? "" : " \(label.text)"
            let indent = String(repeating: " ", count: excerpt.indent)
            lines.append(
                "\(margin)\(paint("|", .blue)) \(indent)\(paint("\(mark)\(words)", isPrimary ? tone : .blue))"
            )
        }
        if diagnostic.source == nil, !diagnostic.label.isEmpty {
            lines.append(detail(margin, "help", diagnostic.label))
        }
        lines += diagnostic.help.map { detail(margin, "help", $0) }
        lines += diagnostic.notes.map { detail(margin, "note", $0) }
        return lines.joined(separator: "\n")
    }

    /// `  = help: ...`, with further lines below the first.
    private func detail(_ margin: TerminalText, _ word: String, _ text: String) -> TerminalText {
        let indent = String(repeating: " ", count: word.count + 4)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { TerminalText($0) }
        return """
            \(margin)\(paint("= ", .blue))\(paint("\(word)", .bold)): \
            \(lines.joined(separator: "\n\(margin)\(indent)"))
            """
    }

    private enum Colour: String {
        case red = "1;31"
        case yellow = "1;33"
        case blue = "1;34"
        case bold = "1"
    }

    private func paint(_ text: TerminalText, _ colour: Colour) -> TerminalText {
        usesColour ? "\u{1B}[\(colour.rawValue)m\(text)\u{1B}[0m" : text
    }
}
