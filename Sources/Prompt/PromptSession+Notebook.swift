import Caching
import Files
import Interpreting
import Notebooks
import Rendering
import Results
import SourceText
import Tensors

/// The notebook that the prompt stands in: its cells are run, shown, kept and planned.
extension PromptSession {
    func opened() throws -> OpenNotebook {
        guard let notebook else {
            throw EngineError(.text, "no notebook is open", cure: "`noisebook FILE.md` opens one")
        }
        return notebook
    }

    func steps(_ argument: String) throws {
        guard let count = argument.isEmpty ? 1 : Int(argument), count > 0 else {
            return write("`:next` takes the number of cells to run: :next 3\n", .error)
        }
        let notebook = try opened()
        try notebook.reload()
        for _ in 0..<count { guard step(notebook) else { return } }
    }

    func steps(to label: String) throws {
        let notebook = try opened()
        try notebook.reload()
        let last = try notebook.cell(label)
        guard last.index >= notebook.next else {
            return write(
                """
                cell \(last.name) has run; `:reset` and `noisebook \(ShellWord.quoted(notebook.path))` begin \
                anew\n
                """, .error)
        }
        while notebook.next <= last.index { guard step(notebook) else { return } }
    }

    /// Shows the prose before the next cell and its code, and runs it; false where there is none or it did
    /// not run to its end.
    func step(_ notebook: OpenNotebook) -> Bool {
        guard let (prose, cell, source) = notebook.step() else {
            let ending = notebook.ending
            write((ending.isEmpty ? "" : "\(lines: ending)\n\n") + "the notebook is at its end\n", .output)
            return false
        }
        if !prose.isEmpty { write("\n\(lines: prose)\n\n", .output) }
        write(
            "[\(cell.name)]\n"
                + source.text.split(separator: "\n").map { "\(Transcript.prompt)\($0)\n" }.joined(), .output)
        let (ending, _) = run(session.read(source))
        return ending == .finished || cell.header.flags.contains(.raises)
    }

    func showCell(_ label: String) throws {
        let notebook = try opened()
        try notebook.reload()
        let cell = try notebook.cell(label)
        write(
            "[\(cell.name)]\n" + cell.code.split(separator: "\n").map { "\(lines: $0)\n" }.joined(), .output)
        let stored = notebook.notebook.storedOutput(of: cell) ?? "no output is stored"
        write("\n\(lines: stored)\n", .output)
    }

    func keep(_ label: String) throws {
        let notebook = try opened()
        guard let outputs = keepable, let text = finished.last else {
            return write("nothing has run \(finished.isEmpty ? "yet" : "since") that could be kept\n", .error)
        }
        guard !label.contains(where: \.isWhitespace) else {
            return write("a label is one word: :keep first-try\n", .error)
        }
        try notebook.append(text, label: label.isEmpty ? nil : label) { folder in
            try outputs.flatMap { try NotebookRunner.markdown($0, folder) }.joined(separator: "\n\n")
        }
        keepable = nil
        write("kept in \(notebook.path)\n", .output)
    }

    func edit() throws {
        let notebook = try opened()
        try TextEditor.open(notebook.path)
        try notebook.reload()
    }

    /// What a notebook shows when it is opened: each cell's state and the beginning of its stored output.
    /// Nothing runs.
    package func showNotebook() throws {
        guard let notebook, !notebook.notebook.cells.isEmpty else { return }
        // Begun cells are looked for on demand: the prompt should be there at once.
        for status in try status(of: notebook, looksForBegun: false).cells {
            write(
                "\n[\(status.cell.name)] \(status.state.rawValue)\(status.reason.map { ": " + $0 } ?? "")\n",
                .output)
            let lines = (notebook.notebook.storedOutput(of: status.cell) ?? "").split(
                separator: "\n", omittingEmptySubsequences: false)
            write(
                lines.prefix(Self.shownLines).map { "\(TextWidth.fitting($0, width: 100))\n" }.joined(),
                .output)
            if lines.count > Self.shownLines {
                write("... \(lines.count - Self.shownLines) more lines; :show \(status.cell.name)\n", .output)
            }
        }
        write("\n", .output)
    }

    /// Lines of each stored output that are shown when a notebook is opened.
    private static let shownLines = 8

    func showStatus() throws {
        let notebook = try opened()
        try notebook.reload()
        let rows = try status(of: notebook).cells.map { cell in
            [
                cell.cell.index == notebook.next ? ">" : "", cell.cell.name, cell.state.rawValue,
                cell.reason ?? "",
            ].map { TextWidth.fitting($0, width: 70) }
        }
        write(rows.isEmpty ? "no cells\n" : Self.columns(rows), .output)
    }

    static func columns(_ rows: [[String]]) -> TerminalText {
        TextColumns(headings: [], right: [], rows: rows).lines.map { "\($0)\n" }.joined()
    }

    func status(of notebook: OpenNotebook, looksForBegun: Bool = true) throws -> NotebookStatus {
        let other = session.copy()
        other.reset()
        if !looksForBegun { other.cache = nil }
        return try NotebookStatus(
            notebook.file, session: other, files: session.cache?.files ?? FileDigests(path: ""),
            lock: Lock(notebook: notebook.path))
    }

    /// Of all cells: those that have run find what they need in the cache.
    func showPlan() throws {
        let notebook = try opened()
        try notebook.reload()
        let other = session.copy()
        other.reset()
        let plan = NotebookPlan(notebook.notebook, session: other)
        if !plan.diagnostics.isEmpty { write(display.text(plan.diagnostics) + "\n", .error) }
        guard !plan.diagnostics.hasErrors else { return }
        let cells = plan.cells.map { cell in
            [
                cell.cell.index == notebook.next ? ">" : "", cell.cell.name,
                cell.gap.map { "cannot be told before it runs: \($0)" } ?? cell.plan.text(session.cache?.log),
            ]
        }
        let rows = (cells + [["", "in all", plan.total.text(session.cache?.log)]]).map {
            $0.map { TextWidth.fitting($0, width: 90) }
        }
        write(Self.columns(rows), .output)
    }
}
