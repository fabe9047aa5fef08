import ArgumentParser
import Files
import Interpreting
import Notebooks
import Prompt
import Rendering
import SourceText

/// `noisebook run`: replays notebooks and scripts, one after the other; the first that fails ends it.
struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "noisebook run", abstract: "Runs notebooks (.md) and scripts (.noise).",
        usage: "noisebook run FILE... [name=value ...] [--write [-o OTHER.md]]",
        discussion: "name=value sets a `param` of the files, read by the kind of its default.")

    @Argument(help: "Files, `-` for standard input, and values of params.")
    var words: [String]

    @Flag(help: "Write outputs and pictures into the notebooks.")
    var write = false

    @Option(name: .customShort("o"), help: ArgumentHelp("With --write: the notebook to write instead.", valueName: "other.md"))
    var output: String?

    @OptionGroup var options: CommonOptions

    private var files: [String] { words.filter { Self.parameter($0) == nil } }
    private var parameters: [(name: String, value: String)] { words.compactMap(Self.parameter) }

    /// `guidance=5`, unless a file has that very name.
    static func parameter(_ word: String) -> (name: String, value: String)? {
        guard let sign = word.firstIndex(of: "="), !FileSystem.exists(word) else { return nil }
        let name = word[..<sign]
        guard let first = name.first, first.isLetter || first == "_", name.allSatisfy({ $0.isLetter || $0.isNumber || $0 == "_" }) else { return nil }
        return (String(name), String(word[word.index(after: sign)...]))
    }

    func validate() throws {
        if files.isEmpty { throw ValidationError("no file is named") }
        if write, let script = files.first(where: { !$0.hasSuffix(".md") }) { throw ValidationError("--write is for notebooks (.md), and \(script) is none") }
        if output != nil, !write || files.count != 1 { throw ValidationError("-o goes with --write and one notebook") }
        if write, !parameters.isEmpty, output == nil {
            throw ValidationError("with a changed param the results are not the notebook's own: --write needs -o OTHER.md")
        }
    }

    func run() throws {
        for file in files {
            let session = options.session(access: file == "-" ? FileAccess(base: ".") : options.access(file: file), cache: file == "-" ? .ifThere : .make)
            let reporter = Reporter(json: options.json, session: session)
            for (name, value) in parameters { session.parameters[name] = value }
            let status: Int32
            do {
                status = file.hasSuffix(".md") ? try runNotebook(file, session, reporter) : try runScript(file, session, reporter)
            } catch let error as ValidationError {
                throw error
            } catch {
                reporter.report(error)
                status = ExitStatus.error
            }
            if status != 0 { throw ExitCode(status) }
        }
    }

    private func runScript(_ file: String, _ session: Session, _ reporter: Reporter) throws -> Int32 {
        let text = try FileSystem.readText(file == "-" ? "/dev/stdin" : file)
        return ProgramRun(session: session, reporter: reporter).run(text, name: file == "-" ? "standard input" : file)
    }

    private func runNotebook(_ path: String, _ session: Session, _ reporter: Reporter) throws -> Int32 {
        let file = try NotebookFile(path, output: output)
        let known = NotebookProgram(file.notebook).parameters(session)
        if let unknown = parameters.first(where: { !known.contains($0.name) }) {
            throw ValidationError("\(path) has no param `\(unknown.name)`" + (known.isEmpty ? "" : "; its params are \(known.joined(separator: ", "))"))
        }
        let runner = NotebookRunner(file.notebook, session: session, folder: write ? file.folder : nil) { LayoutRenderer(usesColour: false).text($0) }
        var last: Int?
        let run = Interrupts.whileRunning {
            runner.run(shown: { cell, output in
                // What is written into the file is read there.
                guard !write || options.json else { return }
                if !options.json, last != cell.index { reporter.print((last == nil ? "" : "\n") + "[\(cell.name)]\n") }
                last = cell.index
                try reporter.show(output, file: path, cell: cell.name)
            })
        }
        if write, !run.outputs.isEmpty {
            try file.write(run.outputs)
            try file.writeLock(session, written: run.outputs.keys)
        }
        reporter.tellStopped(run.ending, run.stopped)
        reporter.report(run.diagnostics)
        reporter.tell(run.counts, failure: run.cacheFailure)
        if write, !options.json {
            let count = file.notebook.cells.count
            let place = "\(file.target): outputs of \(run.outputs.count) of \(count) \(count == 1 ? "cell" : "cells") written"
            reporter.print(place + (run.ending == .interrupted ? "; interrupted, the others are as they were" : "") + "\n")
        }
        return ExitStatus.of(run.ending)
    }
}
