import ArgumentParser
import Files
import Interpreting
import Notebooks
import Prompt
import Rendering
import SourceText
import Verbs

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// `noisebook`: the prompt at a terminal; `-e CODE` and `-` run one program.
struct PromptCommand: ParsableCommand {
    static let version = "0.1.0"

    static let configuration = CommandConfiguration(
        commandName: "noisebook",
        abstract: "Experiments with latent diffusion models, at a prompt and in notebooks.",
        usage: """
            noisebook                          the prompt
            noisebook FILE.md                  the prompt with a notebook open: :next runs its cells one by one
            noisebook run FILE... [name=value] runs notebooks (.md) and scripts; --write puts outputs into the notebooks
            noisebook check FILE...            finds errors without running anything
            noisebook plan FILE...             what a run would compute, what is cached, and about how long it takes
            noisebook status FILE.md...        which stored outputs still belong to their cells
            noisebook verify FILE.md...        computes notebooks anew and compares with what they show
            noisebook accept FILE.md...        takes the outputs that verify found instead
            noisebook render FILE.md --to html|ipynb|noise
                                               a page, a Jupyter notebook or a script of what a notebook shows
            noisebook -e CODE                  runs one program; `noisebook -` reads it from standard input
            noisebook help [VERB|OPTION|CODE]  the language: its verbs, their options, and errors
            """,
        discussion:
            """
            What was computed for an item is kept in .noisebook, below the notebook's folder, or the \
            working folder for the prompt; deleting it loses time only. -e and - use it where it is and \
            do not make it. Exit status: 0 good, 1 an `expect` failed or `verify` found a difference, 2 \
            an error in the program or output that could not be written, 3 interrupted with what was \
            finished kept, 64 wrong usage, 141 the reader of the output has gone.
            """,
        version: "noisebook \(version)")

    @Option(
        name: .customShort("e"), parsing: .unconditionalSingleValue,
        help: ArgumentHelp("Run this program and leave.", valueName: "code"))
    var code: [String] = []

    @Argument(help: "`-` runs a program from standard input.")
    var input: String?

    @OptionGroup var options: CommonOptions

    func validate() throws {
        guard let input else { return }
        if NotebookPlace.isNotebook(input), FileSystem.isFile(input) {
            if !code.isEmpty { throw ValidationError("-e runs a program, and \(input) opens a prompt") }
            return
        }
        if input != "-" {
            if FileSystem.isFile(input) {
                throw ValidationError("to run a file: noisebook run \(ShellWord.quoted(input))")
            }
            if FileSystem.isFolder(input) {
                throw ValidationError(
                    "\(input) is a folder; `noisebook check \(input)` and others take the notebooks in it")
            }
            throw ValidationError(
                NotebookPlace.isNotebook(input) || input.hasSuffix(".noise") || input.contains("/")
                    ? "there is no file \(input)"
                    : "`\(input)` is neither a command nor a file; `noisebook --help` lists the commands")
        }
        if !code.isEmpty { throw ValidationError("a program comes from -e or from -, not from both") }
    }

    func run() throws {
        let notebook = input.flatMap { $0 == "-" ? nil : $0 }
        let converses = code.isEmpty && input != "-" && (notebook != nil || isatty(STDIN_FILENO) == 1)
        let session = options.session(
            access: notebook.map { options.access(file: $0, asker: .prompt) } ?? FileAccess(base: "."),
            cache: converses ? .make : .ifThere)
        let reporter = Reporter(json: options.json, session: session)
        if !code.isEmpty {
            throw ExitCode(
                ScriptRun(session: session, reporter: reporter).run(code.joined(separator: "\n"), name: "-e"))
        }
        if !converses {
            do {
                let text = try FileSystem.readStandardInput()
                throw ExitCode(
                    ScriptRun(session: session, reporter: reporter).run(text, name: "standard input"))
            } catch let code as ExitCode {
                throw code
            } catch {
                reporter.report(error)
                throw ExitCode(ExitStatus.error)
            }
        }
        do {
            try session.access.gate.during { try converse(session, reporter, notebook) }
        } catch {
            reporter.report(error)
            throw ExitCode(ExitStatus.error)
        }
    }

    private func converse(_ session: Session, _ reporter: Reporter, _ notebook: String?) throws {
        let history = History(path: History.standardPath)
        let opened = try notebook.map { try OpenNotebook($0) }
        let completer = Completer(session: session, labels: { opened?.cellNames ?? [] })
        let editor = ReadlineEditor(history: history) { completer.completions($0, wordStart: $1) }
        reporter.print("noisebook \(Self.version). `help` lists the verbs, Tab completes, Ctrl-D leaves.\n")
        if let notebook {
            reporter.print("\(notebook) is open: :next runs its next cell, :help lists more.\n")
        }
        let prompt = PromptSession(
            session: session, editor: editor, display: reporter.display, history: history, notebook: opened
        ) { text, channel in
            switch channel {
            case .output: reporter.print(text)
            case .error: reporter.tell(text)
            }
        }
        try prompt.showNotebook()
        prompt.run()
        // The shell's own prompt should not stand behind ours.
        reporter.print("\n")
    }
}

/// `noisebook help`: pages of the language.
struct HelpCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "noisebook help",
        abstract: "Lists the verbs, or explains a verb, an option or an error code.")

    @Argument(help: "A verb, an option, or a code such as E021.")
    var word: String?

    @Flag(help: "The whole reference as Markdown: what notebooks/reference.md holds.")
    var markdown = false

    @OptionGroup var options: ReportOptions

    func run() throws {
        let session = try CommonOptions.parse(options.json ? ["--json"] : []).session(
            access: FileAccess(base: "."), cache: .none)
        let reporter = Reporter(json: options.json, session: session)
        if markdown {
            if word != nil || options.json {
                throw ValidationError("--markdown writes the whole reference and stands alone")
            }
            StandardFile.write(document: Reference.markdown(session.verbs))
            return
        }
        if let word, word.contains(where: { !($0.isLetter || $0.isNumber || $0 == "_") }) {
            throw ValidationError("`\(word)` is neither a verb, an option nor a code")
        }
        throw ExitCode(
            ScriptRun(session: session, reporter: reporter).run(
                "help" + (word.map { " " + $0 } ?? ""), name: "help"))
    }
}
