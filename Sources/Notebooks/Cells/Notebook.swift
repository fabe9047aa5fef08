import Files
import SourceText
import Tensors

/// A notebook: a Markdown file whose top-level `noise` fences are cells. Fences inside lists and quotes are
/// examples of prose and do not run, so that a cell's lines are always whole lines of the file. Everything
/// but the output regions is kept to the byte.
package struct Notebook: Sendable {
    package var name: String { didSet { memo = ProgramMemo() } }
    /// How outputs call the file, which must not depend on how it was reached.
    package var fileName: String { didSet { memo = ProgramMemo() } }
    /// Shared by copies, whose cells are the same.
    private(set) var memo = ProgramMemo()
    package let bytes: [UInt8]
    package let lines: LineTable
    package let cells: [Cell]
    /// Output regions that stand behind no cell, whole ones only.
    package let orphans: [ClosedRange<Int>]
    /// What is no error and yet hardly meant: fences that are almost cells, outputs without one.
    package private(set) var warnings: [Diagnostic] = []

    /// Reads `bytes`; a file with no cells is a valid, empty notebook. `name` is how messages call the file.
    /// Throws for merge conflicts, cells that are no text in UTF-8, malformed cell headers, labels given
    /// twice and output regions that do not end.
    package init(name: String, bytes: [UInt8]) throws {
        self.name = name
        fileName = FileSystem.name(of: name)
        self.bytes = bytes
        lines = LineTable(bytes)
        let table = lines
        let text = (0..<table.count).map { String(decoding: bytes[table.content(of: $0 + 1)], as: UTF8.self) }
        let blocks = MarkdownBlocks(bytes)
        let conflicts = MergeConflict.find(in: text, quoted: blocks.quotations(text: text))
        guard conflicts.isEmpty else {
            throw EngineError(
                .format, conflicts.map(\.report).joined(separator: "\n"), place: name,
                cure: "keep one side and remove the marker lines")
        }
        cells = try blocks.cells(text: text, name: name)
        for cell in cells {
            // Prose is kept to the byte; a cell with a character put in place of what could not be read would
            // run as something else.
            try UTF8Text.check(lines.bytes(of: cell.fenceLines), of: bytes, in: name)
        }
        let orphans = blocks.orphans(cells)
        self.orphans = orphans.filter(\.isWhole).map(\.lines)
        let command = "noisebook run \(ShellWord.quoted(name)) --write"
        for (line, header) in blocks.nearMisses {
            warnings.append(
                warning(
                    .almostCell, "a fence that is almost a cell, and does not run", line: line, text,
                    help: "write ```\(header) at the beginning of the line"))
        }
        for (lines, isWhole) in orphans {
            let title =
                isWhole
                ? "an output without a cell, in lines \(lines.lowerBound) to \(lines.upperBound)"
                : "an output that belongs to no cell and has no end"
            let cure =
                isWhole
                ? "`\(command)` removes it"
                : "remove the line, or put `\(Self.regionEnd)` where the output ends"
            warnings.append(warning(.orphanOutput, title, line: lines.lowerBound, text, help: cure))
        }
        warnings.sort { ($0.source?.firstOffset ?? 0) < ($1.source?.firstOffset ?? 0) }
        var seen: [String: Int] = [:]
        for cell in cells {
            guard let label = cell.header.label else { continue }
            if label.allSatisfy(\.isNumber) {
                throw EngineError(
                    .format,
                    """
                    the cell in line \(cell.fenceLines.lowerBound) is labelled `\(label)`, and cells \
                    without a label go by their number
                    """, place: name,
                    cure: "give it a name")
            }
            if let first = seen.updateValue(cell.fenceLines.lowerBound, forKey: label) {
                throw EngineError(
                    .format,
                    "two cells are labelled `\(label)`, in lines \(first) and \(cell.fenceLines.lowerBound)",
                    place: name, cure: "rename one")
            }
        }
    }

    /// The cell of that label, or of that number from 1; no label is a number.
    package func cell(_ name: String) -> Cell? {
        if let cell = cells.first(where: { $0.header.label == name }) { return cell }
        guard let number = Int(name), cells.indices.contains(number - 1) else { return nil }
        return cells[number - 1]
    }

    private func warning(_ code: DiagnosticCode, _ title: String, line: Int, _ text: [String], help: String)
        -> Diagnostic
    {
        let source = SourceFile(
            name: name, text: line <= text.count ? text[line - 1] : "", firstLine: line,
            firstOffset: lines.start(of: line))
        return Diagnostic(code, title, at: source.span, help: [help], source: source)
    }

    /// The file with the output regions of some cells replaced. `outputs` maps a cell's index to its
    /// Markdown, lines ended by LF; an empty text removes the region. Cells without an entry keep their
    /// region. A region takes the line end of its fence.
    /// - Parameter keepsOrphans: whether regions that stand behind no cell stay; nothing but their own lines
    ///   goes.
    package func rewriting(_ outputs: [Int: String], keepsOrphans: Bool = true) throws -> [UInt8] {
        var edits: [(range: Range<Int>, text: [UInt8])] =
            keepsOrphans ? [] : orphans.map { (removal(of: $0), []) }
        for cell in cells {
            if let output = outputs[cell.index], let edit = try edit(cell, output) { edits.append(edit) }
        }
        return replacing(edits)
    }

    /// The file with some places replaced.
    func replacing(_ edits: [(range: Range<Int>, text: [UInt8])]) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var copied = 0
        for edit in edits.sorted(by: { $0.range.lowerBound < $1.range.lowerBound }) {
            result += bytes[copied..<max(copied, edit.range.lowerBound)]
            result += edit.text
            copied = max(copied, edit.range.upperBound)
        }
        return result + bytes[copied...]
    }

    /// The bytes of a region that goes.
    private func removal(of region: ClosedRange<Int>) -> Range<Int> {
        let range = lines.bytes(of: region)
        // A region at the end of a file without a last line end took the line end before it along when it was
        // written.
        guard region.lowerBound > 1 else { return range }
        return lines.lineEnd(of: region.upperBound).isEmpty
            ? lines.lineEnd(of: region.lowerBound - 1).lowerBound..<range.upperBound : range
    }

    private func edit(_ cell: Cell, _ output: String) throws -> (range: Range<Int>, text: [UInt8])? {
        if output.isEmpty { return cell.outputLines.map { (removal(of: $0), []) } }
        let lineEnds = [cell.fenceLines.upperBound, cell.fenceLines.lowerBound].map {
            Array(bytes[lines.lineEnd(of: $0)])
        }
        let newline = lineEnds.first { !$0.isEmpty } ?? [0x0A]
        var region: [UInt8] = []
        for line in [Self.regionStart, ""]
            + output.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) + [
                "", Self.regionEnd,
            ]
        {
            if !region.isEmpty { region += newline }
            region += Array(line.utf8)
        }
        if let old = cell.outputLines {
            return (lines.start(of: old.lowerBound)..<lines.content(of: old.upperBound).upperBound, region)
        }
        guard cell.isClosed else {
            throw EngineError(
                .format, "the fence of cell \(cell.name) in line \(cell.fenceLines.lowerBound) is not closed",
                place: name,
                cure: "close it, so that its output has a place")
        }
        let end = lines.lineEnd(of: cell.fenceLines.upperBound)
        return (end.lowerBound..<end.lowerBound, newline + region)
    }

    package static let regionStart = "<!-- out -->"
    package static let regionEnd = "<!-- /out -->"
}
