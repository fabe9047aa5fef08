import ArgumentParser
import Files
import Interpreting
import Notebooks
import Tensors
import Verbs

/// `noisebook render`: a notebook as a page, as a Jupyter notebook, as a script.
struct RenderCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "noisebook render", abstract: "Writes a notebook with its stored outputs in another form; nothing runs.",
        usage: "noisebook render FILE.md --to html|ipynb|noise [-o OUT]",
        discussion: "html is one file that needs no other; ipynb opens in Jupyter; noise is the cells as a script. Without -o it lies beside the notebook.")

    @Argument(help: "A notebook.")
    var file: String

    @Option(help: ArgumentHelp("The form.", valueName: "html|ipynb|noise"))
    var to: String

    @Option(name: .customShort("o"), help: ArgumentHelp("Where to write, `-` for standard output.", valueName: "out"))
    var output: String?

    @OptionGroup var options: ReportOptions

    func validate() throws {
        if !file.hasSuffix(".md") { throw ValidationError("\(file) is no notebook (.md)") }
        if NotebookExport.Form(rawValue: to) == nil {
            throw ValidationError("--to takes \(NotebookExport.Form.allCases.map(\.rawValue).joined(separator: ", ")), and this is `\(to)`")
        }
    }

    func run() throws {
        let session = Session(verbs: Verbs.registry, access: FileAccess(base: "."))
        let reporter = Reporter(json: options.json, session: session)
        do {
            guard let form = NotebookExport.Form(rawValue: to) else { return }
            let text = try NotebookExport(NotebookFile(file), verbs: session.verbSet, version: PromptCommand.version).text(form)
            let target = output ?? String(file.dropLast(3)) + "." + form.rawValue
            if target != "-", Project.resolved(target) == Project.resolved(file) {
                throw EngineError(.file, "is the notebook itself", place: target, cure: "name another file behind -o")
            }
            if target == "-" { return reporter.print(text) }
            try AtomicFile.write(text, to: target)
            reporter.print(
                options.json
                    ? JSON.object(["kind": "render", "file": .string(file), "form": .string(form.rawValue), "written": .string(target)]).text + "\n"
                    : "\(target) written\n")
        } catch {
            reporter.report(error)
            throw ExitCode(ExitStatus.error)
        }
    }
}
