import ArgumentParser
import Files
import Interpreting
import Notebooks
import SourceText
import Tensors

/// `noisebook check`: all errors that can be seen before anything runs.
struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "noisebook check", abstract: "Checks notebooks (.md) and scripts without running them.",
        usage: "noisebook check FILE|FOLDER...",
        discussion:
            """
            Names, verbs, options, types, ranges and columns, all errors of a file at once; of a \
            notebook also how many cells it has, fences that are almost cells, and outputs without one.
            """
    )

    @Argument(help: "Notebooks, scripts, folders of notebooks.")
    var files: [String] = []

    @OptionGroup var options: FileOptions

    func validate() throws {
        if files.isEmpty { throw ValidationError("name what to check: noisebook check FILE.md") }
    }

    func run() throws {
        let status = try NotebookArguments.forEach(files, options.common) { file, session, reporter in
            let (found, cells) = try Self.problems(of: file, session)
            reporter.report(found)
            let errors = found.count { $0.severity == .error }
            let warnings = found.count - errors
            if options.json {
                var object: [String: JSON] = [
                    "kind": "check", "file": .string(file), "errors": .number(Double(errors)),
                    "warnings": .number(Double(warnings)),
                ]
                if let cells { object["cells"] = .number(Double(cells)) }
                reporter.print(json: object)
            } else {
                func count(_ number: Int, _ noun: String) -> String {
                    "\(number == 0 ? "no" : "\(number)") \(noun)\(number == 1 ? "" : "s")"
                }
                let parts =
                    (cells.map { [count($0, "cell")] } ?? []) + [count(errors, "error")]
                    + (warnings == 0 ? [] : [count(warnings, "warning")])
                reporter.print("\(file): \(parts.joined(separator: ", "))\n")
            }
            return errors == 0 ? 0 : ExitStatus.error
        }
        if status != 0 { throw ExitCode(status) }
    }

    /// What the check finds, and how many cells a notebook has.
    static func problems(of file: String, _ session: Session) throws -> (found: [Diagnostic], cells: Int?) {
        guard NotebookPlace.isNotebook(file) else { return (session.check(try script(file)), nil) }
        let notebook = try NotebookFile(file).notebook
        return (notebook.program(session).check(session), notebook.cells.count)
    }

    /// The text of a script. A file that looks like a notebook and is called otherwise would be one long
    /// error.
    static func script(_ file: String) throws -> SourceFile {
        let text =
            try file == "-" ? FileSystem.readStandardInput() : FileSystem.readText(NotebookPlace(file).file)
        let name = file == "-" ? "standard input" : file
        let isNotebook = text.split(whereSeparator: \.isNewline).contains {
            $0.hasPrefix("```noise") || $0.hasPrefix("~~~noise")
        }
        guard !isNotebook, !NotebookPlace.isForeign(file) else {
            throw EngineError(
                .format,
                isNotebook
                    ? "holds cells of a notebook, and is named as a script"
                    : "is named as no script and no notebook", place: name,
                cure: "the names of notebooks end in .md or .markdown")
        }
        return SourceFile(name: name, text: text)
    }
}
