import Files
import Interpreting
import Rendering
import Syntax
import Tensors

/// A notebook in other forms, made of what it shows: nothing runs.
package struct NotebookExport {
    package enum Form: String, CaseIterable, Sendable { case html, ipynb, noise }

    private let file: NotebookFile
    private let verbs: VerbSet
    private let version: String
    /// What is to be said of the outputs of some cells, by their index.
    private let doubts: [Int: String]
    private let frontMatter: FrontMatter?

    /// - Parameters:
    ///   - version: of the program, for the provenance.
    ///   - status: where it is known; outputs that do not belong to their cells are marked.
    package init(_ file: NotebookFile, verbs: VerbSet, version: String, status: NotebookStatus? = nil) {
        (self.file, self.verbs, self.version) = (file, verbs, version)
        let shown = file.notebook.cells.filter { !(file.notebook.storedOutput(of: $0) ?? "").isEmpty }.map(
            \.index)
        let cells = (status?.cells ?? []).filter { shown.contains($0.cell.index) }
        doubts = Dictionary(cells.compactMap { status in status.doubt.map { (status.cell.index, $0) } }) {
            first, _ in first
        }
        frontMatter = FrontMatter((1..<file.notebook.lines.count + 1).map { Self.line($0, file.notebook) })
    }

    /// A notebook in another form, and what did not come into it as its author meant, a line each.
    package struct Made {
        package let text: String
        package let leftOut: [String]
    }

    package func text(_ form: Form) throws -> String { try make(form).text }

    package func make(_ form: Form) throws -> Made {
        var markup = MarkdownHTML(PageFiles(folder: file.folder))
        let text =
            switch form {
            case .html:
                try HTMLPage(
                    title: title, mark: RenderMark.open, body: body(&markup), provenance: provenance()
                ).text()
            case .ipynb: jupyter(&markup).prettyText
            case .noise: script()
            }
        return Made(text: try RenderMark.sealed(text, form), leftOut: told(markup.leftOut))
    }

    private func told(_ leftOut: MarkdownHTML.LeftOut) -> [String] {
        func count(_ number: Int, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }
        var lines: [String] = []
        if leftOut.pieces > 0 {
            lines.append(
                """
                \(count(leftOut.pieces, "piece")) of raw HTML shown as text: no HTML of a notebook is part of \
                its page
                """)
        }
        if leftOut.links > 0 {
            lines.append(
                """
                \(count(leftOut.links, "link")) shown as text: links lead to the web, to mail and to files \
                beside the page
                """)
        }
        let command = "noisebook run \(ShellWord.quoted(file.path)) --write"
        for name in leftOut.missing.sorted() {
            lines.append("\(file.folder.name)/\(name) is missing; `\(command)` makes it")
        }
        for name in leftOut.others.sorted() {
            lines.append(
                """
                \(file.folder.name)/\(name) is left out: it is not what its name says, or holds more than \
                noisebook writes
                """)
        }
        return lines.map { "\(file.path): \($0)" }
    }

    /// What a reader should be warned of, a line each: cells whose outputs are marked, and outputs without a
    /// cell.
    package var warnings: [String] {
        let cells = notebook.cells.compactMap { cell in
            doubts[cell.index].map {
                (cell.fenceLines.lowerBound, "cell \(cell.name), line \(cell.fenceLines.lowerBound): \($0)")
            }
        }
        let orphans = notebook.orphans.map { ($0.lowerBound, "line \($0.lowerBound): \(Self.orphanDoubt)") }
        return (cells + orphans).sorted { $0.0 < $1.0 }.map { "\(file.path): \($0.1)" }
    }

    private static let orphanDoubt = "an output without a cell; nothing says what it was made from"

    private var notebook: Notebook { file.notebook }

    private func line(_ number: Int) -> String { Self.line(number, notebook) }

    private static func line(_ number: Int, _ notebook: Notebook) -> String {
        String(decoding: notebook.bytes[notebook.lines.content(of: number)], as: UTF8.self)
    }

    /// Lines of a range, from the file's start without its byte order mark.
    private func lines(_ range: Range<Int>) -> String {
        let text = range.map(line).joined(separator: "\n")
        return text.unicodeScalars.first == "\u{FEFF}" ? String(text.unicodeScalars.dropFirst()) : text
    }

    private var lineCount: Int { notebook.lines.count }

    private enum Piece {
        case prose(String)
        case cell(Cell)
        /// The Markdown of an output without a cell.
        case orphan(String)
    }

    /// Prose, cells and outputs without one, in order.
    private var pieces: [Piece] {
        let cells = notebook.cells.map {
            ($0.fenceLines.lowerBound...($0.outputLines ?? $0.fenceLines).upperBound, Piece.cell($0))
        }
        let orphans = notebook.orphans.map {
            ($0, Piece.orphan(lines($0.lowerBound + 1..<max($0.upperBound, $0.lowerBound + 1))))
        }
        var result: [Piece] = []
        var next = (frontMatter?.lines.upperBound ?? 0) + 1
        func addProse(upTo end: Int) {
            guard end > next else { return }
            let text = lines(next..<end)
            if text.contains(where: { !$0.isWhitespace }) { result.append(.prose(text)) }
        }
        for (range, piece) in (cells + orphans).sorted(by: { $0.0.lowerBound < $1.0.lowerBound }) {
            addProse(upTo: range.lowerBound)
            result.append(piece)
            next = max(next, range.upperBound + 1)
        }
        addProse(upTo: lineCount + 1)
        return result
    }

    private var title: String {
        if let title = frontMatter?.title { return title }
        // In prose: a comment of a cell begins with `#` too.
        for case .prose(let prose) in pieces {
            for line in prose.split(separator: "\n") where line.hasPrefix("# ") {
                return String(line.dropFirst(2))
            }
        }
        return FileSystem.name(of: file.path)
    }

    // MARK: HTML

    private func body(_ markup: inout MarkdownHTML) -> String {
        var parts: [MarkdownHTML.Piece] = []
        for piece in pieces {
            switch piece {
            case .prose(let text): parts.append(.prose(text))
            case .cell(let cell): parts.append(.block(section(cell, &markup)))
            case .orphan(let output):
                let output = "<div class=\"output stale\">\n\(markup.output(output))</div>\n"
                parts.append(
                    .block("<section class=\"cell\">\n\(Self.note(Self.orphanDoubt))\(output)</section>\n"))
            }
        }
        return markup.prose(parts)
    }

    private func section(_ cell: Cell, _ markup: inout MarkdownHTML) -> String {
        let label = cell.header.label.map { "<span class=\"label\">\(MarkupText.escaped($0))</span>" } ?? ""
        let anchor = MarkupText.escaped("cell-\(cell.name)")
        let code =
            "<pre><code>\(CodeMarkup(verbs: verbs).html(cell.code.hasSuffix("\n") ? String(cell.code.dropLast()) : cell.code))</code></pre>"
        let doubt = doubts[cell.index]
        var output = ""
        if let stored = notebook.storedOutput(of: cell), !stored.isEmpty {
            output = "<div class=\"output\(doubt == nil ? "" : " stale")\">\n\(markup.output(stored))</div>\n"
        }
        return """
            <section class="cell" id="\(anchor)">\n<div \
            class="code">\(label)\(code)</div>\n\(doubt.map(Self.note) ?? "")\(output)</section>\n
            """
    }

    private static func note(_ doubt: String) -> String {
        "<p class=\"doubt\" role=\"note\">\(MarkupText.escaped(doubt))</p>\n"
    }

    private func provenance() throws -> [(name: String, value: String)] {
        let shown = notebook.cells.count { notebook.storedOutput(of: $0) != nil }
        return [
            ("Notebook", FileSystem.name(of: file.path)), ("SHA-256", try Digest.sha256(notebook.bytes)),
            (
                "Cells",
                "\(notebook.cells.count), \(shown) with outputs"
                    + (doubts.isEmpty
                        ? ""
                        : """
                        , \(doubts.count) of which \(doubts.count == 1 ? "is" : "are") not of the cell as it \
                        stands
                        """)
            ),
            ("Written by", "noisebook \(version)"),
        ]
    }

    // MARK: Jupyter

    /// nbformat 4.5. Outputs as HTML with their pictures, and as the Markdown text that the notebook holds.
    /// Nothing in it is active: who trusts a notebook lets its outputs run, and some programs render raw HTML
    /// of Markdown whoever wrote it.
    private func jupyter(_ markup: inout MarkdownHTML) -> JSON {
        var cells: [JSON] = []
        for piece in pieces {
            let id = JSON.string("cell-\(cells.count)")
            let cell: Cell
            switch piece {
            case .cell(let found): cell = found
            case .prose(let text), .orphan(let text):
                var text = markup.inert(text.trimmingBlankLines)
                if case .orphan = piece { text = "> **\(Self.orphanDoubt)**\n\n\(text)" }
                cells.append([
                    "cell_type": "markdown", "id": id, "metadata": .object([:]), "source": source(text),
                ])
                continue
            }
            var outputs: [JSON] = []
            // What Jupyter shows of a warning, in its colour.
            if let doubt = doubts[cell.index] {
                outputs.append(["output_type": "stream", "name": "stderr", "text": source(doubt + "\n")])
            }
            if let output = notebook.storedOutput(of: cell), !output.isEmpty {
                outputs.append([
                    "output_type": "display_data", "metadata": .object([:]),
                    "data": ["text/html": source(markup.output(output)), "text/plain": source(output)],
                ])
            }
            var flags = CellHeader.Flag.allCases.filter(cell.header.flags.contains).map {
                JSON.string($0.rawValue)
            }
            if doubts[cell.index] != nil { flags.append("stale") }
            var metadata: [String: JSON] = [:]
            if let label = cell.header.label { metadata["name"] = .string(label) }
            if !flags.isEmpty { metadata["tags"] = .array(flags) }
            cells.append([
                "cell_type": "code", "id": id, "execution_count": .null, "metadata": .object(metadata),
                "outputs": .array(outputs),
                "source": source(cell.code.hasSuffix("\n") ? String(cell.code.dropLast()) : cell.code),
            ])
        }
        var metadata: [String: JSON] = [
            "kernelspec": ["display_name": "Noisebook", "language": "noise", "name": "noisebook"],
            "language_info": ["name": "noise", "file_extension": ".noise", "mimetype": "text/x-noise"],
            "noisebook": ["generator": .string(RenderMark.open)],
        ]
        if let title = frontMatter?.title { metadata["title"] = .string(title) }
        return ["cells": .array(cells), "nbformat": 4, "nbformat_minor": 5, "metadata": .object(metadata)]
    }

    /// A list of lines, each but the last with its end, as Jupyter writes them.
    private func source(_ text: String) -> JSON {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        return .array(
            lines.enumerated().map { .string($0.element + ($0.offset < lines.count - 1 ? "\n" : "")) }.filter
            { $0 != .string("") })
    }

    // MARK: Script

    /// The cells that run, one after the other. One that must fail would end the script: it stands there as a
    /// comment.
    private func script() -> String {
        let parts = notebook.cells.filter { !$0.header.flags.contains(.skip) }.map { cell in
            var code = cell.code.hasSuffix("\n") ? cell.code : cell.code + "\n"
            if cell.header.flags.contains(.raises) {
                code =
                    "# this cell shows an error:\n"
                    + code.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map {
                        "# \($0)\n"
                    }.joined()
            }
            return (cell.header.label.map { "# \($0)\n" } ?? "") + code
        }
        return "# \(RenderMark.open)\n\n" + parts.joined(separator: "\n")
    }
}

extension String {
    fileprivate var trimmingBlankLines: String {
        let lines = split(separator: "\n", omittingEmptySubsequences: false)
        guard let first = lines.firstIndex(where: { $0.contains { !$0.isWhitespace } }),
            let last = lines.lastIndex(where: { $0.contains { !$0.isWhitespace } })
        else { return "" }
        return lines[first...last].joined(separator: "\n")
    }
}
