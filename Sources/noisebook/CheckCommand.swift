import ArgumentParser
import Files
import Interpreting
import Notebooks
import SourceText

/// `noisebook check`: all errors that can be seen before anything runs.
struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "noisebook check", abstract: "Checks notebooks (.md) and scripts without running them.",
        usage: "noisebook check FILE|FOLDER...", discussion: "Names, verbs, options, types, ranges and columns, all errors of a file at once.")

    @Argument(help: "Notebooks, scripts, folders of notebooks.")
    var files: [String]

    @OptionGroup var options: ReportOptions

    func run() throws {
        let status = NotebookArguments.forEach(files, try options.common) { file, session, reporter in
            let found = try Self.problems(of: file, session)
            reporter.report(found)
            let errors = found.filter { $0.severity == .error }.count
            if options.json {
                reporter.print(JSON.object(["kind": "check", "file": .string(file), "errors": .number(Double(errors))]).text + "\n")
            } else {
                reporter.print("\(file): " + (errors == 0 ? "no errors" : "\(errors) \(errors == 1 ? "error" : "errors")") + "\n")
            }
            return errors == 0 ? 0 : ExitStatus.error
        }
        if status != 0 { throw ExitCode(status) }
    }

    static func problems(of file: String, _ session: Session) throws -> [Diagnostic] {
        file.hasSuffix(".md")
            ? NotebookProgram(try NotebookFile(file).notebook).check(session) : session.check(SourceFile(name: file, text: try FileSystem.readText(file)))
    }
}
