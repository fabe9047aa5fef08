import Caching
import Files
import Interpreting
import Prompt
import Rendering
import SourceText

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// What the commands print: results on standard output, errors on standard error; with `--json` everything on
/// standard output, an object a line.
struct Reporter {
    let display: Display
    private let session: Session

    init(json: Bool, session: Session) {
        display = .standard(json: json)
        self.session = session
    }

    private var isJSON: Bool { display.form == .json }

    func print(_ text: TerminalText) { StandardFile.write(text, to: STDOUT_FILENO) }

    func print(json object: [String: JSON]) { print("\(JSON.object(object).text)\n") }

    func tell(_ text: TerminalText) {
        (session.progress as? ProgressBar)?.clear()
        StandardFile.write(text, to: STDERR_FILENO)
    }

    /// One output of a program; `cell` is the name of its cell, where it has one.
    func show(_ output: Output, file: String, cell: String? = nil) throws {
        (session.progress as? ProgressBar)?.clear()
        if isJSON {
            var object: [String: JSON] = [
                "kind": "result", "file": .string(file), "value": try ValueJSON.json(output.value),
            ]
            if let cell { object["cell"] = .string(cell) }
            if !output.warnings.isEmpty { object["warnings"] = .array(output.warnings.map { .string($0) }) }
            print(json: object)
            return
        }
        for warning in output.warnings { tell(display.warning(warning) + "\n") }
        if let text = try display.text(output.value, isProse: output.isProse) {
            Pager(display).show(text + "\n", isProse: output.isProse) { print($0) }
        }
    }

    /// What the cache did for a run: silent unless items came from it, it could not keep some or was damaged.
    func tell(_ counts: CacheCounts, _ remarks: CacheRemarks) {
        if counts.hasCached, !isJSON { tell("\(counts)\n") }
        for line in remarks.lines { warn(line, code: "cache") }
    }

    /// Where the user stopped a run, and what is kept.
    func tellStopped(_ ending: ProgramResult.Ending, _ message: String?) {
        guard ending == .interrupted else { return }
        let message = message ?? "stopped"
        if isJSON {
            print(json: ["kind": "stopped", "message": .string(message)])
        } else {
            tell("\(message)\n")
        }
    }

    /// - Parameter variant: the values of params with which it came up, where there are several.
    func report(_ diagnostics: [Diagnostic], variant: String? = nil) {
        guard !diagnostics.isEmpty else { return }
        if isJSON {
            for diagnostic in diagnostics { print("\(JSONRenderer().text(diagnostic, variant: variant))\n") }
        } else {
            tell((variant.map { "\($0):\n" } ?? "") + display.text(diagnostics) + "\n")
        }
    }

    /// An error that is not about a place in a program, unless it is.
    func report(_ error: any Error) {
        if let diagnostic = error as? Diagnostic { return report([diagnostic]) }
        if isJSON {
            print(json: ErrorObject(error).json)
        } else {
            tell("error: \(TerminalText(error))\n")
        }
    }

    /// Something about a file that is no error.
    func warn(_ message: String, code: String, file: String? = nil) {
        if isJSON {
            print(json: ErrorObject(severity: "warning", code: code, message: message, file: file).json)
        } else {
            tell(display.warning(message) + "\n")
        }
    }
}
