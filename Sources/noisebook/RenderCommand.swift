import ArgumentParser
import Caching
import Files
import Interpreting
import Notebooks
import Rendering
import Tensors
import Verbs

/// `noisebook render`: a notebook as a page, as a Jupyter notebook, as a script.
struct RenderCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "noisebook render",
        abstract: "Writes a notebook with its stored outputs in another form; nothing runs.",
        usage: "noisebook render FILE.md --to html|ipynb|noise [-o OUT]",
        discussion: """
            html is one file that needs no other; ipynb opens in Jupyter; noise is the cells as a script. Without -o it lies beside the notebook.
            Outputs that are not of their cells as they stand are marked, and told on standard error. A mark in the file tells what `render` wrote:
            anything else is written over with --force alone.
            """)

    @Argument(help: "A notebook.")
    var files: [String] = []

    private var file: String { files.first ?? "" }

    @Option(help: ArgumentHelp("The form.", valueName: "html|ipynb|noise"))
    var to: String?

    @Option(
        name: .customShort("o"),
        help: ArgumentHelp("Where to write, `-` for standard output.", valueName: "out"))
    var output: String?

    @Flag(help: "Write over a file that `render` did not write, or that was changed since.")
    var force = false

    @OptionGroup var options: FileOptions

    func validate() throws {
        guard files.count == 1 else {
            throw ValidationError(
                files.isEmpty
                    ? "name a notebook: noisebook render FILE.md --to html"
                    : "one notebook at a time, and \(files.count) are named")
        }
        let forms = NotebookExport.Form.allCases.map(\.rawValue).joined(separator: ", ")
        guard let to else { throw ValidationError("--to names the form: \(forms)") }
        if !NotebookPlace.isNotebook(file) {
            throw ValidationError("\(file) is no notebook: their names end in .md or .markdown")
        }
        if NotebookExport.Form(rawValue: to) == nil {
            throw ValidationError("--to takes \(forms), and this is `\(to)`")
        }
    }

    func run() throws {
        let options = try options.common
        let session = options.session(access: options.access(file: file), cache: .none)
        let reporter = Reporter(json: options.json, session: session)
        do {
            try session.access.gate.during { try write(options, session, reporter) }
        } catch {
            reporter.report(error)
            throw ExitCode(ExitStatus.error)
        }
    }

    private func write(_ options: CommonOptions, _ session: Session, _ reporter: Reporter) throws {
        guard let form = to.flatMap({ NotebookExport.Form(rawValue: $0) }) else { return }
        let notebook = try NotebookFile(file)
        // What the user named may be a link of theirs; the usual name never is one.
        let target =
            output.map { $0 == "-" ? $0 : FileSystem.followingLinks($0) } ?? NotebookPlace.stem(file) + "."
            + form.rawValue
        if target != "-" { session.access.gate.permitOwn([target]) }
        if target != "-" { try checkTarget(target, form) }
        // A script shows no outputs.
        let status = form == .noise ? nil : status(notebook, session, reporter)
        let export = NotebookExport(
            notebook, verbs: session.verbSet, version: PromptCommand.version, status: status)
        let made = try export.make(form)
        if form != .noise {
            for warning in export.warnings { reporter.warn(warning, code: "stale", file: file) }
        }
        for line in made.leftOut { reporter.warn(line, code: "left-out", file: file) }
        if target == "-" { return StandardFile.write(document: made.text) }
        try AtomicFile.write(made.text, to: target)
        if options.json {
            reporter.print(json: [
                "kind": "render", "file": .string(file), "form": .string(form.rawValue),
                "written": .string(target),
            ])
        } else {
            reporter.print("\(target) written\n")
        }
    }

    /// nil where it cannot be told, which is a warning: the notebook can be shown all the same.
    private func status(_ file: NotebookFile, _ session: Session, _ reporter: Reporter) -> NotebookStatus? {
        do {
            let digests = FileDigests(
                path: FileSystem.join(FileSystem.join(session.access.base, ".noisebook"), "digests"))
            return try NotebookStatus(file, session: session, files: digests, lock: Lock(notebook: file.path))
        } catch {
            reporter.warn(
                "\(file.path): which outputs still belong to their cells cannot be told: \(error)",
                code: "stale", file: file.path)
            return nil
        }
    }

    private func checkTarget(_ target: String, _ form: NotebookExport.Form) throws {
        if Project.resolved(target) == Project.resolved(file) {
            throw EngineError(
                .file, "is the notebook itself", place: target, cure: "name another file behind -o")
        }
        guard !force, FileSystem.isFile(target) else { return }
        let found = try FileSystem.readBytes(target)
        guard found.isEmpty || RenderMark.isSealed(found, form) else {
            throw EngineError(
                .file, "is there already, and `render` did not write it, or it was changed since",
                place: target,
                cure: "name another file behind -o; --force overwrites this one")
        }
    }
}
