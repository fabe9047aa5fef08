import ArgumentParser
import Files
import Interpreting
import Notebooks
import Prompt
import Rendering
import SourceText

/// `noisebook verify`: recomputes without the cache and compares with what the notebooks show.
struct VerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "noisebook verify", abstract: "Recomputes notebooks without the cache and compares with their stored outputs.",
        usage: "noisebook verify FILE.md|FOLDER...",
        discussion: """
            Text must be equal (a stored line `...` stands for any lines), whole numbers too; other numbers within 1e-3 of their size, or
            within the cell's `tol(COLUMN=0.5)`; pictures byte by byte, else by 40 dB. Differences are printed, and FILE.md.corrected is
            written for `noisebook accept`. Exit status 1 where anything differs.
            """)

    @Argument(help: "Notebooks, or folders of notebooks.")
    var files: [String]

    @OptionGroup var options: CommonOptions

    func validate() throws {
        if let other = files.first(where: { !$0.hasSuffix(".md") && !FileSystem.isFolder($0) }) { throw ValidationError("\(other) is no notebook (.md)") }
    }

    func run() throws {
        let status = NotebookArguments.forEach(files, options, verify)
        if status != 0 { throw ExitCode(status) }
    }

    private func verify(_ path: String, _ session: Session, _ reporter: Reporter) throws -> Int32 {
        let file = try NotebookFile(path)
        let verification = Interrupts.whileRunning { Verification(file, session: session) { LayoutRenderer(usesColour: false).text($0) } }
        reporter.report(verification.run.diagnostics)
        for result in verification.cells { show(result, path, reporter) }
        guard verification.run.ending == .finished else {
            let count = file.notebook.cells.count
            if !options.json { reporter.tell("\(path): ended after \(verification.run.finished) of \(count) cells; no correction is written\n") }
            return ExitStatus.of(verification.run.ending)
        }
        try verification.writeCorrection()
        func count(_ state: Verification.State) -> Int { verification.cells.filter { $0.state == state }.count }
        if options.json {
            var object: [String: JSON] = [
                "kind": "verify", "file": .string(path), "same": .number(Double(count(.same))), "differ": .number(Double(count(.differs))),
            ]
            if verification.differs { object["corrected"] = .string(Verification.correctionPath(path)) }
            reporter.print(JSON.object(object).text + "\n")
        } else {
            let others = [(count(.volatile), "volatile"), (count(.skipped), "skipped")].filter { $0.0 > 0 }.map { ", \($0.0) \($0.1)" }.joined()
            reporter.print("\(path): \(count(.same)) of \(verification.cells.count) cells verified, \(count(.differs)) differ\(others)\n")
            if verification.differs { reporter.print("\(Verification.correctionPath(path)) written; `noisebook accept \(path)` takes it\n") }
        }
        return verification.differs ? ExitStatus.differs : 0
    }

    private func show(_ result: Verification.CellResult, _ path: String, _ reporter: Reporter) {
        if options.json {
            let differences = result.differences.map { difference -> JSON in
                var object: [String: JSON] = ["reason": .string(difference.reason)]
                if let line = difference.stored { object["stored"] = .string(line) }
                if let line = difference.computed { object["computed"] = .string(line) }
                return .object(object)
            }
            let object: [String: JSON] = [
                "kind": "cell", "file": .string(path), "cell": .string(result.cell.name), "state": .string(result.state.rawValue),
                "differences": .array(differences),
            ]
            reporter.print(JSON.object(object).text + "\n")
        } else if result.state == .differs {
            reporter.print("\(path): cell \(result.cell.name), line \(result.cell.fenceLines.lowerBound)\n")
            for difference in result.differences {
                if let line = difference.stored { reporter.print("- \(line)\n") }
                if let line = difference.computed { reporter.print("+ \(line)\n") }
                reporter.print("  \(difference.reason)\n")
            }
        }
    }
}
