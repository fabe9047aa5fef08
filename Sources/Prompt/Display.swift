import Files
import Interpreting
import Rendering
import Results
import SourceText

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// How results and errors reach whoever reads them: drawn at a terminal, as plain text in a pipe, as JSON for
/// a program.
package struct Display: Sendable {
    package enum Form: Sendable { case terminal, text, json }

    package var form: Form
    /// Whether errors are told in sentences, for screen readers: at a dumb terminal.
    package var isNarrated: Bool
    /// Whether standard error takes colour.
    package var errorColour: Bool

    package init(form: Form, isNarrated: Bool = false, errorColour: Bool = false) {
        self.form = form
        self.isNarrated = isNarrated
        self.errorColour = errorColour
    }

    /// For this process's standard output and standard error.
    package static func standard(json: Bool) -> Display {
        let output = Terminal.current(STDOUT_FILENO)
        let error = Terminal.current(STDERR_FILENO)
        return Display(
            form: json ? .json : (output.isTerminal && !output.isDumb ? .terminal : .text),
            isNarrated: error.isTerminal && error.isDumb,
            errorColour: error.hasColour)
    }

    /// A value without a line end behind it; nil where there is nothing to show. JSON is on one line.
    package func text(_ value: Value, isProse: Bool = false) throws -> TerminalText? {
        guard !value.isNone else { return nil }
        switch form {
        case .json: return try TerminalText(ValueJSON.json(value).text)
        case .text:
            return try TerminalText(
                lines: TextRenderer(proseWidth: isProse ? Self.proseWidth : nil).render(value.view))
        // The window may have another size than before.
        case .terminal:
            let terminal = Terminal.current()
            guard isProse else { return try TerminalRenderer(terminal).render(value.view) }
            return try TerminalText(lines: TextRenderer(proseWidth: terminal.columns).render(value.view))
        }
    }

    /// Where nobody says how wide the paper is.
    private static let proseWidth = 80

    package func text(_ diagnostics: [Diagnostic]) -> TerminalText {
        isNarrated
            ? TerminalText(lines: NarratedRenderer().text(diagnostics))
            : LayoutRenderer(usesColour: errorColour).shown(diagnostics)
    }

    package func warning(_ message: String) -> TerminalText { "warning: \(message)" }
}
