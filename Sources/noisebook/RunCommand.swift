import ArgumentParser
import Files
import Interpreting
import Notebooks
import Prompt
import Rendering
import Results
import SourceText
import Tensors

/// `noisebook run`: replays notebooks and scripts, one after the other; the first that fails ends it.
struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "noisebook run", abstract: "Runs notebooks (.md) and scripts (.noise).",
        usage: "noisebook run FILE... [name=value ...] [--only CELL | --from CELL] [--write [-o OTHER.md]]",
        discussion: """
            name=value sets a `param` of the files, read by the kind of its default. name=2,5,10 runs a notebook once for each value, over one cache, and shows
            the last tables of all in one; a text with a comma stands in quotes: 'name="a cat, sitting"'. --only and --from name a cell by its label or its number; cells before it run as far as it needs them.
            """)

    @Argument(help: "Files, `-` for standard input, and values of params.")
    var words: [String]

    @Flag(help: "Write outputs and pictures into the notebooks.")
    var write = false

    @Option(name: .customShort("o"), help: ArgumentHelp("With --write: the notebook to write instead.", valueName: "other.md"))
    var output: String?

    @Option(help: ArgumentHelp("The output of this cell alone.", valueName: "cell"))
    var only: String?

    @Option(help: ArgumentHelp("The outputs of this cell and those behind it.", valueName: "cell"))
    var from: String?

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
        if only != nil, from != nil { throw ValidationError("--only and --from both choose cells: one of them is enough") }
        if only ?? from != nil, let script = files.first(where: { !$0.hasSuffix(".md") }) {
            throw ValidationError("--only and --from are for notebooks (.md), and \(script) is none")
        }
        let isOther = output.map { other in files.first.map { Project.resolved($0) != Project.resolved(other) } ?? true } ?? false
        if write, !parameters.isEmpty || options.seed ?? 0 != 0, !isOther {
            throw ValidationError(
                "with \(parameters.isEmpty ? "another seed" : "a changed param") the results are not the notebook's own: --write needs -o OTHER.md")
        }
        if let output, FileSystem.isFolder(output) || !output.hasSuffix(".md") { throw ValidationError("-o names the notebook to write: OTHER.md") }
    }

    func run() throws {
        // What can be known of the last file should be known before hours of the first.
        if files.count > 1 {
            let parameters = parameters
            let status = NotebookArguments.forEach(files.filter { $0 != "-" }, options) { file, session, reporter in
                session.set(parameters)
                // A file that is missing now may be written by the first.
                let found = try CheckCommand.problems(of: file, session).filter { $0.severity == .error && (file == files.first || !$0.code.isMissingFile) }
                reporter.report(found)
                return found.isEmpty ? 0 : ExitStatus.error
            }
            if status != 0 { throw ExitCode(status) }
        }
        for file in files {
            let session = options.session(access: file == "-" ? FileAccess(base: ".") : options.access(file: file), cache: file == "-" ? .ifThere : .make)
            let reporter = Reporter(json: options.json, session: session)
            session.set(parameters)
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
        try Self.check(parameters, among: session.parameters(of: SourceFile(name: file, text: text)), file)
        return ProgramRun(session: session, reporter: reporter).run(text, name: file == "-" ? "standard input" : file)
    }

    private func runNotebook(_ path: String, _ session: Session, _ reporter: Reporter) throws -> Int32 {
        let file = try NotebookFile(path, output: output)
        try Self.check(parameters, of: file.notebook, path, session)
        // A lock that cannot be read should be known before hours of work.
        if write {
            if let open = file.notebook.cells.last, !open.isClosed {
                throw EngineError(
                    .format, "the fence of cell \(open.name) in line \(open.fenceLines.lowerBound) is not closed, so nothing can stand behind it", place: path,
                    cure: "end the cell with a line of three backticks")
            }
            _ = try Lock(notebook: file.target)
            let folder = FileSystem.folder(of: file.target)
            for place in [folder.isEmpty ? "." : folder] + (FileSystem.exists(file.target) ? [file.target] : []) where !FileSystem.isWritable(place) {
                throw EngineError(.file, "cannot be written, so the outputs would be lost", place: place, cure: "`-o OTHER.md` writes elsewhere")
            }
        }
        let part = try part(of: file.notebook)
        if let variants = Self.variants(parameters, file.notebook, session) {
            if write { throw ValidationError("several values of a param make several results: --write takes one") }
            return try run(variants, of: file, path, part, reporter)
        }
        let runner = NotebookRunner(file.notebook, session: session, folder: write ? file.folder : nil) { LayoutRenderer(usesColour: false).text($0) }
        var last: Int?
        let run = Interrupts.whileRunning {
            runner.run(
                part,
                shown: { cell, output in
                    // What is written into the file is read there.
                    guard !write || options.json else { return }
                    if !options.json, last != cell.index { reporter.print((last == nil ? "" : "\n") + "[\(cell.name)]\n") }
                    last = cell.index
                    try reporter.show(output, file: path, cell: cell.name)
                })
        }
        // Told first: a disk without room for the outputs must not hide how the run went.
        reporter.tellStopped(run.ending, run.stopped)
        reporter.report(run.diagnostics)
        reporter.tell(run.counts, run.cacheRemarks)
        if write, !run.outputs.isEmpty {
            try file.write(run.outputs)
            try file.writeLock(session, written: run.outputs.keys, made: run.made)
        }
        if write, !options.json {
            let count = file.notebook.cells.count
            let place = "\(file.target): outputs of \(run.outputs.count) of \(count) \(count == 1 ? "cell" : "cells") written"
            reporter.print(place + (run.ending == .interrupted ? "; interrupted, the others are as they were" : "") + "\n")
        }
        return ExitStatus.of(run.ending)
    }

    static func check(_ parameters: [(name: String, value: String)], of notebook: Notebook, _ path: String, _ session: Session) throws {
        try check(parameters, among: NotebookProgram(notebook).parameters(session), path)
    }

    private static func check(_ parameters: [(name: String, value: String)], among known: [String], _ path: String) throws {
        if let unknown = parameters.first(where: { !known.contains($0.name) }) {
            throw ValidationError("\(path) has no param `\(unknown.name)`" + (known.isEmpty ? "" : "; its params are \(known.joined(separator: ", "))"))
        }
    }

    private func part(of notebook: Notebook) throws -> NotebookRunner.Part {
        guard let name = only ?? from else { return .all }
        guard let cell = notebook.cells.first(where: { $0.name == name }) else {
            throw ValidationError("\(notebook.name) has no cell `\(name)`; its cells are \(notebook.cells.map(\.name).joined(separator: ", "))")
        }
        return only != nil ? .only(cell.index) : .from(cell.index)
    }

    // MARK: Variants

    /// All combinations of the values where a param that is no list was given several; nil where each was given one.
    static func variants(_ parameters: [(name: String, value: String)], _ notebook: Notebook, _ session: Session) -> [[(name: String, value: String)]]? {
        let lists = NotebookProgram(notebook).listParameters(session)
        let choices = parameters.map { name, value in
            (name: name, values: lists.contains(name) ? [value] : split(value))
        }
        guard choices.contains(where: { $0.values.count > 1 }) else { return nil }
        return choices.reduce([[]]) { made, choice in made.flatMap { before in choice.values.map { before + [(choice.name, $0)] } } }
    }

    /// At commas outside quotes: `"a cat, sitting",dog` are two.
    static func split(_ text: String) -> [String] {
        var parts = [""]
        var isQuoted = false
        for character in text {
            if character == "\"" { isQuoted.toggle() }
            if character == ",", !isQuoted { parts.append("") } else { parts[parts.count - 1].append(character) }
        }
        return parts
    }

    /// Runs the notebook once for each variant, and shows the last tables of all as one, the params in front.
    private func run(_ variants: [[(name: String, value: String)]], of file: NotebookFile, _ path: String, _ part: NotebookRunner.Part, _ reporter: Reporter)
        throws -> Int32
    {
        var tables: [(variant: [(name: String, value: String)], table: TableView)] = []
        for variant in variants {
            let session = options.session(access: options.access(file: path), cache: .make)
            session.set(variant)
            var last: TableView?
            let run = Interrupts.whileRunning {
                NotebookRunner(file.notebook, session: session) { LayoutRenderer(usesColour: false).text($0) }.run(
                    part,
                    shown: { _, output in
                        if case .table(let table) = output.value.view { last = table }
                    })
            }
            reporter.tellStopped(run.ending, run.stopped)
            reporter.report(run.diagnostics)
            reporter.tell(run.counts, run.cacheRemarks)
            guard run.ending == .finished else { return ExitStatus.of(run.ending) }
            guard let last else { throw ValidationError("\(path) shows no table, so there is nothing to put side by side") }
            tables.append((variant, last))
        }
        var headings = (variants.first ?? []).map { choice -> TableView.Heading in
            let isNumeric = variants.allSatisfy { variant in variant.contains { $0.name == choice.name && Double($0.value) != nil } }
            return TableView.Heading(name: choice.name, kind: isNumeric ? .number : .text)
        }
        let own = headings.count
        for (_, table) in tables {
            for heading in table.headings where !headings[own...].contains(where: { $0.name == heading.name }) { headings.append(heading) }
        }
        var rows: [[TableView.Cell]] = []
        for (variant, table) in tables {
            let places = headings[own...].map { heading in table.headings.firstIndex { $0.name == heading.name } }
            for row in table.rows { rows.append(variant.map { .text($0.value) } + places.map { place in place.map { row[$0] } ?? .missing }) }
        }
        try reporter.show(Output(value: .view(.table(TableView(headings: headings, rows: rows))), span: Span(0, 0), warnings: []), file: path)
        return 0
    }
}
