import Caching
import Files
import Interpreting
import Kernels
import Notebooks
import Rendering
import Results
import SourceText
import Tensors

/// The conversation at the prompt: lines become programs, results and errors are shown, and nothing short of
/// leaving ends it. It needs no terminal: the editor gives lines and `write` takes what is shown.
package final class PromptSession {
    package enum Channel: Sendable { case output, error }

    let session: Session
    private let editor: any LineEditor
    let display: Display
    let write: (TerminalText, Channel) -> Void
    private let history: History?
    /// Entries so far, which number the sources.
    private var count = 0
    let notebook: OpenNotebook?
    /// Entries that ran to their end.
    private(set) var finished: [String] = []
    /// What the last of them showed, unless it is in the notebook already. Of the others nothing is held: a
    /// session may last for days.
    var keepable: [Output]?
    private var showsTime = false
    /// The entry that was read last.
    private var read: ParsedProgram?

    /// - Parameter notebook: the one that `:next` goes through.
    package init(
        session: Session, editor: any LineEditor, display: Display, history: History? = nil,
        notebook: OpenNotebook? = nil,
        write: @escaping (TerminalText, Channel) -> Void
    ) {
        self.notebook = notebook
        self.session = session
        self.editor = editor
        self.display = display
        self.history = history
        self.write = write
        session.keepsLast = true
    }

    /// Reads and runs until input ends or `:quit`.
    package func run() {
        while true {
            switch readEntry() {
            case .interrupted: continue
            case .end: return
            case .line(let entry):
                guard perform(entry) else { return }
            }
        }
    }

    /// One entry: a line, and those that it asks for by an open bracket or by ending in `|`, `,` or `\`. An
    /// empty line ends it as it is.
    private func readEntry() -> LineInput {
        var entry = ""
        while true {
            let input = editor.readLine(prompt: entry.isEmpty ? Transcript.prompt : Transcript.continuation)
            guard case .line(let line) = input else {
                // The end of input in the middle of an entry takes the entry back, as Ctrl-C does; at the
                // prompt it leaves.
                if input == .end, !entry.isEmpty {
                    write("\n", .output)
                    return .interrupted
                }
                return input
            }
            let isFirst = entry.isEmpty
            entry += (isFirst ? "" : "\n") + Transcript.input(in: line)
            let isBlank = !line.contains { !$0.isWhitespace }
            let isMeta = entry.hasPrefix(":")
            if !isMeta { read = session.read(SourceFile(name: "prompt", text: entry)) }
            if (isBlank && !isFirst) || isMeta || read?.isIncomplete != true {
                editor.remember(entry)
                return .line(entry)
            }
        }
    }

    /// Runs one entry; false where it asks to leave.
    package func perform(_ entry: String) -> Bool {
        let text = entry.trimmed
        guard !text.isEmpty else { return true }
        if text.hasPrefix(":") { return perform(meta: text) }
        // Those who come from Python or a shell leave so.
        if ["exit", "quit", "exit()", "quit()"].contains(text), session.globals[String(text.prefix(4))] == nil
        {
            return false
        }
        if let word = HelpQuestion.word(in: text) {
            run(
                session.verb(word) == nil && session.globals[word] != nil
                    ? "describe \(word)" : "help \(HelpQuestion.verb(asking: word, in: text, session))")
            return true
        }
        if let answer = ForeignWord.prompt(text) {
            write("\(lines: answer)\n", .error)
            return true
        }
        run(entry)
        return true
    }

    private func run(_ text: String) {
        count += 1
        let known = read.flatMap { $0.source.text == text ? $0 : nil }
        read = nil
        let (ending, outputs) = run(known ?? session.read(SourceFile(name: "prompt", text: text)))
        guard ending == .finished else { return }
        finished.append(text)
        keepable = outputs
    }

    func run(_ program: ParsedProgram) -> (ending: ProgramResult.Ending, outputs: [Output]) {
        var failure: Diagnostic?
        let begun = ContinuousClock.now
        session.cancellation.reset()
        session.cache?.forgetUses()
        let result = Interrupts.whileRunning {
            session.run(program) { output in
                do {
                    try show(output)
                } catch {
                    failure = Diagnostic(error, at: output.span, of: program.source)
                }
            }
        }
        if result.ending == .interrupted { tellInterrupted(result) }
        let diagnostics = result.diagnostics.filter { $0.code != .interrupted } + (failure.map { [$0] } ?? [])
        if !diagnostics.isEmpty { write(display.text(diagnostics) + "\n", .error) }
        if result.counts.hasCached { write("\(result.counts)\n", .error) }
        for line in result.cacheRemarks.lines { write(display.warning(line) + "\n", .error) }
        if showsTime {
            write(
                "\(NumberFormat.fixed(decimals: 2)((ContinuousClock.now - begun) / .seconds(1))) s\n", .error)
        }
        return (failure == nil ? result.ending : .failed, result.outputs)
    }

    private func show(_ output: Output) throws {
        for warning in output.warnings { write(display.warning(warning) + "\n", .error) }
        if let text = try display.text(output.value, isProse: output.isProse) {
            Pager(display).show(text + "\n", isProse: output.isProse) { write($0, .output) }
        }
    }

    /// A value that was shown says itself that it is partial; one that went into a variable does not.
    private func tellInterrupted(_ result: ProgramResult) {
        if let output = result.outputs.last, output.value.partial != nil { return }
        write("\(result.stopped ?? "stopped")\n", .error)
    }

    // MARK: Commands of the prompt

    private func perform(meta text: String) -> Bool {
        let words = text.dropFirst().split(separator: " ", maxSplits: 1).map(String.init)
        let argument = words.count > 1 ? words[1].trimmed : ""
        do {
            switch try MetaCommand.named(words.first ?? "") {
            case .quit: return false
            case .help: argument.isEmpty ? write(overview, .output) : run("help \(argument)")
            case .next: try steps(argument)
            case .to: try steps(to: argument)
            case .show: try showCell(argument)
            case .keep: try keep(argument)
            case .edit: try edit()
            case .status: try showStatus()
            case .plan: argument.isEmpty ? try showPlan() : plan(SourceFile(name: "prompt", text: argument))
            case .time where !argument.isEmpty:
                let before = showsTime
                showsTime = true
                defer { showsTime = before }
                run(argument)
            case .time:
                showsTime.toggle()
                write(showsTime ? "each line's time is shown\n" : "times are not shown\n", .output)
            case .cache: try showCache()
            case .save: try save(argument)
            case .allow: allow(argument)
            case .vars: showVariables()
            case .why:
                argument.isEmpty
                    ? write("`:why` needs a value: :why pictures[0]\n", .error) : run("why \(argument)")
            case .history: showHistory(argument)
            case .set: set(argument)
            case .reset: session.reset()
            }
        } catch {
            write(TerminalText(error) + "\n", .error)
        }
        return true
    }

    private func plan(_ source: SourceFile) {
        let (plan, result) = session.copy().plan(source)
        if result.ending == .finished { return write("\(plan.text(session.cache?.log))\n", .output) }
        write(display.text(result.diagnostics) + "\n", .error)
    }

    private func showCache() throws {
        guard let cache = session.cache else {
            return write("nothing is kept: there is no cache here\n", .output)
        }
        let size = NumberFormat.fixed(decimals: 1)(Double(try cache.byteCount()) / 1e6)
        write(
            """
            \(size) MB of at most \(ByteSize(cache.limit)) in \(cache.folder); deleting it loses time, never \
            results\n
            """, .output)
    }

    private func save(_ path: String) throws {
        guard NotebookPlace.isNotebook(path) else {
            return write("`:save` takes the name of a notebook: :save session.md\n", .error)
        }
        let full = try session.access.writing(path)
        guard !FileSystem.exists(full) else { return write("there is a file \(path) already\n", .error) }
        guard !finished.isEmpty else { return write("nothing has run yet that could be saved\n", .error) }
        let cells = finished.map { "```noise\n\($0.trimmed)\n```\n" }
        try AtomicFile.write(cells.joined(separator: "\n"), to: full)
        write(
            """
            \(path): \(cells.count) \(cells.count == 1 ? "cell" : "cells"); `noisebook run \
            \(ShellWord.quoted(path)) --write` adds their outputs\n
            """, .output)
    }

    /// Widens what programs may reach: an open notebook's, since the prompt without one has the user's
    /// rights.
    private func allow(_ folder: String) {
        guard notebook != nil else {
            return write("the prompt without a notebook may read and write what you may\n", .error)
        }
        guard !folder.isEmpty else { return write("`:allow` takes a folder: :allow ~/pictures\n", .error) }
        let path = session.access.spelled(folder)
        guard FileGate.user.during({ FileSystem.isFolder(path) }) else {
            return write("there is no folder \(folder)\n", .error)
        }
        session.access.gate.permit(path, isWritable: true)
        write("this notebook may read and write below \(path) until you leave\n", .output)
    }

    private var overview: TerminalText {
        let width = MetaCommand.allCases.map(\.rawValue.count).max() ?? 0
        let commands = MetaCommand.allCases.map {
            "  :" + TextWidth.padded($0.rawValue, to: width + 2) + $0.summary
        }
        return """
            `help` lists the verbs; `help noise` or `noise?` explains one; Tab completes verbs, options, columns and variables.
            Ctrl-C clears the line; while something runs, it stops it and keeps what is finished. Ctrl-D leaves.
            A line that begins with | goes on from the last value, which is `_`.

            \(lines: commands.joined(separator: "\n"))

            """
    }

    private func showVariables() {
        let names = session.globals.ownNames
        guard !names.isEmpty else {
            write("no variables yet\n", .output)
            return
        }
        let rows = names.map { name in
            [name, session.globals[name]?.summary ?? ""].map { TextWidth.fitting($0, width: 90) }
        }
        write(Self.columns(rows), .output)
    }

    private func showHistory(_ word: String) {
        let entries = (history?.entries ?? []).filter { word.isEmpty || $0.contains(word) }.suffix(50)
        write(entries.map { "\(lines: $0)\n" }.joined(), .output)
    }

    private func set(_ argument: String) {
        let words = argument.split { $0 == " " || $0 == "=" }.map(String.init)
        let names = ["threads", "batch", "seed"]
        if words.isEmpty {
            let batch = session.settings.batch.map(String.init) ?? "as suits the network"
            write(
                "threads \(ThreadPool.shared.threadCount)\nbatch \(batch)\nseed \(session.settings.seed)\n",
                .output)
            return
        }
        guard words.count == 2, names.contains(words[0]), let value = Int(words[1]),
            value >= (words[0] == "seed" ? 0 : 1), value <= 1 << 31
        else {
            write("`:set` takes threads, batch or seed and a whole number: :set threads 2\n", .error)
            return
        }
        switch words[0] {
        case "threads":
            session.settings.threads = value
            ThreadPool.shared.threadCount = value
        case "batch": session.settings.batch = value
        default: session.settings.seed = value
        }
    }
}
