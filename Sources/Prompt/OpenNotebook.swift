import Files
import Notebooks
import Rendering
import SourceText
import Tensors

/// The notebook that the prompt stands in: which cell is next, and what comes in front of it.
package final class OpenNotebook {
    let path: String
    private(set) var file: NotebookFile
    /// Index of the next cell.
    private(set) var next = 0

    package init(_ path: String) throws {
        self.path = path
        file = try NotebookFile(path)
    }

    var notebook: Notebook { file.notebook }

    /// Reads the file again where somebody changed it; the place is kept by the number of cells before it.
    func reload() throws {
        let fresh = try NotebookFile(path)
        guard fresh.notebook.bytes != file.notebook.bytes else { return }
        file = fresh
        next = min(next, fresh.notebook.cells.count)
    }

    /// The next cell with its code as a source, and the prose before it; nil at the end. Cells that do not
    /// run are passed by.
    func step() -> (prose: String, cell: Cell, source: SourceFile)? {
        let parts = notebook.sources
        guard let part = parts.first(where: { $0.cell.index >= next }) else { return nil }
        defer { next = part.cell.index + 1 }
        return (prose(before: part.cell), part.cell, part.source)
    }

    package var cellNames: [String] { notebook.cells.map(\.name) }

    /// The cell that `label` names, or its number from 1.
    func cell(_ label: String) throws -> Cell {
        if let cell = notebook.cell(label) { return cell }
        throw EngineError(
            .text,
            "there is no cell `\(label)`; cells are \(notebook.cells.map(\.name).joined(separator: " "))",
            place: path)
    }

    /// Lines between the cell before and this one, without blank lines at the ends.
    private func prose(before cell: Cell) -> String {
        let above = cell.index > 0 ? notebook.cells[cell.index - 1] : nil
        let first = above.map { ($0.outputLines ?? $0.fenceLines).upperBound + 1 } ?? 1
        return text(of: first..<cell.fenceLines.lowerBound)
    }

    /// The prose behind the last cell.
    var ending: String {
        let last = notebook.cells.last.map { ($0.outputLines ?? $0.fenceLines).upperBound } ?? 0
        return text(of: last + 1..<max(last + 1, notebook.lines.count + 1))
    }

    private func text(of range: Range<Int>) -> String {
        let lines = range.map {
            String(decoding: notebook.bytes[notebook.lines.content(of: $0)], as: UTF8.self)
        }
        guard let first = lines.firstIndex(where: { !$0.isEmpty }),
            let last = lines.lastIndex(where: { !$0.isEmpty })
        else { return "" }
        // A byte order mark is no prose.
        return lines[first...last].map { $0.hasPrefix("\u{FEFF}") ? String($0.dropFirst()) : $0 }.joined(
            separator: "\n")
    }

    /// Appends a cell with its output, and stands behind it if it stood at the end.
    func append(_ code: String, label: String?, output: (any OutputFolder) throws -> String) throws {
        try reload()
        if let label, notebook.cells.contains(where: { $0.header.label == label }) {
            throw EngineError(
                .text, "there is a cell `\(label)` already", place: path, cure: "choose another label")
        }
        if let label, (try? CellHeader(info: "noise " + label))?.label != label {
            throw EngineError(
                .text, "`\(label)` cannot be a label", place: path,
                cure: "choose a word that is no flag and no number")
        }
        let stoodAtEnd = next >= notebook.cells.count
        let folder = PictureFolder(notebook: path)
        let shown = try output(folder)
        let fence = code.contains("```") ? "````" : "```"
        var added = "\(fence)noise\(label.map { " " + $0 } ?? "")\n\(code.trimmed)\n\(fence)\n"
        if !shown.isEmpty { added += "\(Notebook.regionStart)\n\n\(shown)\n\n\(Notebook.regionEnd)\n" }
        if !notebook.bytes.isEmpty {
            added = (notebook.bytes.last == 0x0A || notebook.bytes.last == 0x0D ? "\n" : "\n\n") + added
        }
        // What is there stays to the byte; what is added has the line ends of the file.
        let endsLinesTwice =
            notebook.lines.count > 0 && Array(notebook.bytes[notebook.lines.lineEnd(of: 1)]) == [0x0D, 0x0A]
        let bytes =
            notebook.bytes + Array((endsLinesTwice ? added.replacing("\n", with: "\r\n") : added).utf8)
        // Whatever was typed, the file must stay a notebook.
        _ = try Notebook(name: path, bytes: bytes)
        try folder.write()
        try AtomicFile.write(bytes, to: file.target)
        try reload()
        if stoodAtEnd { next = notebook.cells.count }
    }
}
