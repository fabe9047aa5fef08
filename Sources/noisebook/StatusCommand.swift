import ArgumentParser
import Caching
import Files
import Interpreting
import Notebooks
import Results
import SourceText

/// `noisebook status`: which outputs still belong to their cells.
struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "noisebook status",
        abstract: "Lists cells whose stored outputs are fresh, stale, older or begun; nothing runs.",
        usage: "noisebook status FILE.md|FOLDER... [name=value ...]",
        discussion: """
            A cell is stale when its text, a param, a value that it reads, a verb's version, or the content of a model, data set or file that it opens is not
            what its output was made from; FILE.lock, which `run --write` and `accept` write, holds that. Comments and spaces do not count.
            It is older where only the engine has changed, by rounding: `noisebook verify` tells whether the output still holds.
            """)

    @Argument(help: "Notebooks, folders of notebooks, and values of params.")
    var words: [String] = []

    @OptionGroup var options: FileOptions

    func validate() throws {
        if try ParamWords(words).others.isEmpty {
            throw ValidationError("name a notebook: noisebook status FILE.md")
        }
    }

    func run() throws {
        let options = try options.common
        let words = try ParamWords(words)
        let status = NotebookArguments.forEach(words.others, options) { path, session, reporter in
            let file = try NotebookFile(path)
            try words.set(session, file.notebook, path)
            session.cache = options.itemCache(session.access.base, .ifThere)
            let digests = FileDigests(
                path: FileSystem.join(FileSystem.join(session.access.base, ".noisebook"), "digests"))
            let status = try NotebookStatus(
                file, session: session, files: digests, lock: Lock(notebook: path))
            show(status, file.notebook.warnings.filter { $0.code == .orphanOutput }, path, reporter)
            return status.cells.contains { $0.state == .error } ? ExitStatus.error : 0
        }
        if status != 0 { throw ExitCode(status) }
    }

    private func show(_ status: NotebookStatus, _ orphans: [Diagnostic], _ path: String, _ reporter: Reporter)
    {
        for cell in status.cells {
            if options.json {
                var object: [String: JSON] = [
                    "kind": "status", "file": .string(path), "cell": .string(cell.cell.name),
                    "line": .number(Double(cell.cell.fenceLines.lowerBound)),
                    "state": .string(cell.state.rawValue),
                ]
                if let reason = cell.reason { object["reason"] = .string(reason) }
                reporter.print(json: object)
            } else if cell.state != .fresh {
                reporter.print(
                    """
                    \(path): cell \(cell.cell.name), line \(cell.cell.fenceLines.lowerBound): \
                    \(cell.state.rawValue)\(cell.reason.map { ", " + $0 } ?? "")\n
                    """)
            }
        }
        for orphan in orphans {
            let line = orphan.source?.firstLine ?? 1
            if options.json {
                reporter.print(json: [
                    "kind": "status", "file": .string(path), "line": .number(Double(line)), "state": "orphan",
                    "reason": .string(orphan.title),
                ])
            } else {
                reporter.print(
                    "\(path): line \(line): \(orphan.title); \(orphan.help.joined(separator: "; "))\n")
            }
        }
        guard !options.json else { return }
        let counts =
            NotebookStatus.State.allCases.compactMap { state -> String? in
                let count = status.cells.count { $0.state == state }
                return count > 0 ? "\(count) \(state.rawValue)" : nil
            }
            + (orphans.isEmpty
                ? [] : ["\(orphans.count) \(orphans.count == 1 ? "output" : "outputs") without a cell"])
        reporter.print("\(path): \(counts.isEmpty ? "no cells" : counts.joined(separator: ", "))\n")
    }
}
