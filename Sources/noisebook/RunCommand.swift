import ArgumentParser
import Caching
import Files
import Interpreting
import Notebooks
import Prompt
import Rendering
import SourceText
import Tensors

/// `noisebook run`: replays notebooks and scripts, one after the other; the first that fails ends it.
struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "noisebook run", abstract: "Runs notebooks (.md) and scripts (.noise).",
        usage: "noisebook run FILE... [name=value ...] [--only CELL | --from CELL] [--write [-o OTHER.md]]",
        discussion: """
            name=value sets a `param` of the files, read by the kind of its default. name=2,5,10 runs a notebook once for each value, over one cache, and shows
            the last tables of all in one; a text with a comma stands in quotes: 'name="a cat, sitting"', and a list without brackets: ks=3,4. A value that
            fails is named and the others run. --only and --from name a cell by its label or by its number from 1; cells before it run as far as it needs them.

            --write puts outputs into the notebook, renews FILE.lock and removes outputs that stand behind no cell. With -o OTHER.md they go into a copy, in
            which `param name = value` says the values that were given, so that `noisebook verify OTHER.md` holds. A file at OTHER.md that a run with -o did
            not write, or that was changed since, is written over with --force alone.
            """)

    @Argument(help: "Files, `-` for standard input, and values of params.")
    var words: [String] = []

    @Flag(help: "Write outputs and pictures into the notebooks.")
    var write = false

    @Option(
        name: .customShort("o"),
        help: ArgumentHelp("With --write: the notebook to write instead.", valueName: "other.md"))
    var output: String?

    @Flag(help: "With -o: write over a file that a run with -o did not write.")
    var force = false

    @Option(help: ArgumentHelp("The output of this cell alone.", valueName: "cell"))
    var only: String?

    @Option(help: ArgumentHelp("The outputs of this cell and those behind it.", valueName: "cell"))
    var from: String?

    @OptionGroup var options: CommonOptions

    func validate() throws {
        let files = try ParamWords(words).others
        if files.isEmpty { throw ValidationError("name a notebook or a script: noisebook run FILE.md") }
        func isNotebook(_ file: String) -> Bool { NotebookPlace.isNotebook(file) }
        if write, let script = files.first(where: { !isNotebook($0) }) {
            throw ValidationError("--write is for notebooks (.md), and \(script) is none")
        }
        if output != nil, !write || files.count != 1 {
            throw ValidationError("-o goes with --write and one notebook")
        }
        if force, output == nil { throw ValidationError("--force goes with -o") }
        if only != nil, from != nil {
            throw ValidationError("--only and --from both choose cells: one of them is enough")
        }
        if only ?? from != nil, let script = files.first(where: { !isNotebook($0) }) {
            throw ValidationError("--only and --from are for notebooks (.md), and \(script) is none")
        }
        if let output, FileSystem.isFolder(output) || !isNotebook(output) {
            throw ValidationError("-o names the notebook to write: OTHER.md")
        }
    }

    /// Whether -o names another file than the notebook.
    private func isCopied(_ path: String) -> Bool {
        output.map { Project.resolved($0) != Project.resolved(path) } ?? false
    }

    func run() throws {
        let words = try ParamWords(words)
        let files = words.others
        // What can be known of the last file should be known before hours of the first.
        if files.count > 1 {
            let status = NotebookArguments.forEach(files.filter { $0 != "-" }, options) {
                file, session, reporter in
                session.parameters = Dictionary(session.resolvingPaths(words.settings, isElsewhere: false)) {
                    $1
                }
                // A file that is missing now may be written by the first.
                let found = try CheckCommand.problems(of: file, session).found.filter {
                    $0.severity == .error && (file == files.first || !$0.code.isMissingFile)
                }
                reporter.report(found)
                return found.isEmpty ? 0 : ExitStatus.error
            }
            if status != 0 { throw ExitCode(status) }
        }
        for file in files {
            let session = options.session(
                access: file == "-" ? FileAccess(base: ".") : options.access(file: file),
                cache: file == "-" ? .ifThere : .make)
            let reporter = Reporter(json: options.json, session: session)
            let status: Int32
            do {
                status = try session.access.gate.during {
                    try NotebookPlace.isNotebook(file)
                        ? runNotebook(file, words, session, reporter)
                        : runScript(file, words, session, reporter)
                }
            } catch let error as ValidationError {
                throw error
            } catch {
                reporter.report(error)
                status = ExitStatus.error
            }
            if status != 0 { throw ExitCode(status) }
        }
    }

    private func runScript(_ file: String, _ words: ParamWords, _ session: Session, _ reporter: Reporter)
        throws -> Int32
    {
        let source = try CheckCommand.script(file)
        try words.check(among: Params([session.read(source)], session: session), file)
        session.parameters = Dictionary(session.resolvingPaths(words.settings, isElsewhere: false)) { $1 }
        return ScriptRun(session: session, reporter: reporter).run(source.text, name: source.name)
    }

    private func runNotebook(_ path: String, _ words: ParamWords, _ session: Session, _ reporter: Reporter)
        throws -> Int32
    {
        if let output {
            // Named by the user, wherever it lies.
            let place = NotebookPlace(output)
            session.access.gate.permitOwn([place.file] + place.own)
        }
        var file = try NotebookFile(path, output: output)
        try words.check(among: Params(file.notebook.program(session).programs, session: session), path)
        let part = try part(of: file.notebook)
        if let variants = words.variants(file.notebook, session) {
            if write {
                throw ValidationError("several values of a param make several results: --write takes one")
            }
            return try VariantsRun(options: options, file: file, part: part, reporter: reporter).run(variants)
        }
        let isElsewhere =
            Project.resolved(FileSystem.folder(of: file.target))
            != Project.resolved(FileSystem.folder(of: NotebookPlace(path).file))
        let changes = try words.set(session, file.notebook, path, isElsewhere: isElsewhere)
        let isOther = !changes.isEmpty || session.settings.seed != 0
        if write {
            if isOther, !isCopied(path) {
                throw ValidationError(
                    """
                    with \(changes.isEmpty ? "another seed" : "a changed param") the results are not the \
                    notebook's own: --write needs -o OTHER.md
                    """)
            }
            // A copy says the values itself: all that follows is as if it were run, in the folder of its
            // original.
            file = try file.setting(changes, session: session)
            session.parameters = [:]
            try checkWritable(file, path)
        }
        let runner = NotebookRunner(file.notebook, session: session, folder: write ? file.folder : nil) {
            LayoutRenderer(usesColour: false).text($0)
        }
        var last: Int?
        let run = Interrupts.whileRunning {
            runner.run(
                part,
                shown: { cell, output in
                    // What is written into the file is read there.
                    guard !write || options.json else { return }
                    if !options.json, last != cell.index {
                        reporter.print((last == nil ? "" : "\n") + "[\(cell.name)]\n")
                    }
                    last = cell.index
                    try reporter.show(output, file: path, cell: cell.name)
                })
        }
        // Told first: a disk without room for the outputs must not hide how the run went.
        reporter.tellStopped(run.ending, run.stopped)
        // What a written notebook no longer has needs no warning.
        let willRemove = write && (!run.outputs.isEmpty || run.ending == .finished)
        reporter.report(run.diagnostics.filter { $0.code != .orphanOutput || !willRemove })
        reporter.tell(run.counts, run.cacheRemarks)
        guard write else { return ExitStatus.of(run.ending) }
        let orphans = willRemove ? file.notebook.orphans : []
        if !run.outputs.isEmpty || !orphans.isEmpty || willRemove && isCopied(path) {
            var outputs = run.outputs
            // In a copy with other values what did not run would show the original's.
            if isOther {
                for cell in file.notebook.cells
                where outputs[cell.index] == nil && !cell.header.flags.contains(.skip) {
                    outputs[cell.index] = ""
                }
            }
            try makingRoom(for: file, outputs, session, reporter) {
                try file.write(outputs)
                try file.writeLock(session, written: run.outputs.keys, made: run.made)
            }
        }
        for lines in orphans {
            let text = "line \(lines.lowerBound): an output without a cell removed"
            if options.json {
                reporter.print(json: [
                    "kind": "removed", "file": .string(file.target),
                    "line": .number(Double(lines.lowerBound)), "message": .string(text),
                ])
            } else {
                reporter.print("\(file.target): \(text)\n")
            }
        }
        if !options.json {
            let count = file.notebook.cells.count
            let place: TerminalText = """
                \(file.target): outputs of \(run.outputs.count) of \(count) \(count == 1 ? "cell" : "cells") \
                written
                """
            reporter.print(
                place + (run.ending == .interrupted ? "; interrupted, the others are as they were" : "")
                    + "\n")
        }
        return ExitStatus.of(run.ending)
    }

    /// What would keep the outputs from being written should be known before hours of work.
    private func checkWritable(_ file: NotebookFile, _ path: String) throws {
        if let open = file.notebook.cells.last, !open.isClosed {
            throw EngineError(
                .format,
                """
                the fence of cell \(open.name) in line \(open.fenceLines.lowerBound) is not closed, so \
                nothing can stand behind it
                """, place: path,
                cure: "end the cell with a line of three backticks")
        }
        if !force { try file.checkTarget() }
        _ = try Lock(notebook: file.target, isRenewed: true)
        let folder = FileSystem.folder(of: file.target)
        for place in [folder.isEmpty ? "." : folder] + (FileSystem.exists(file.target) ? [file.target] : [])
        where !FileSystem.isWritable(place) {
            throw EngineError(
                .file, "cannot be written, so the outputs would be lost", place: place,
                cure: "`-o OTHER.md` writes elsewhere")
        }
    }

    /// Outputs matter more than what could be computed again: where the disk has no room for them, the cache
    /// gives some back.
    private func makingRoom(
        for file: NotebookFile, _ outputs: [Int: String], _ session: Session, _ reporter: Reporter,
        _ write: () throws -> Void
    ) throws {
        do {
            try write()
        } catch let error as EngineError where error.lacksRoom {
            let needed = try file.byteCount(of: outputs)
            guard let cache = session.cache, cache.giveBack(needed) else { throw error }
            reporter.warn(
                "the disk is full: \(cache.folder) gave \(ByteSize(needed)) back, so that the outputs have room",
                code: "cache", file: file.target)
            try write()
        }
    }

    private func part(of notebook: Notebook) throws -> NotebookRunner.Part {
        guard let name = only ?? from else { return .all }
        guard let cell = notebook.cell(name) else {
            throw ValidationError(
                """
                \(notebook.name) has no cell `\(name)`; its cells are \
                \(notebook.cells.map(\.name).joined(separator: ", "))
                """)
        }
        return only != nil ? .only(cell.index) : .from(cell.index)
    }
}
