import Tensors

/// A notebook: a Markdown file whose top-level `noise` fences are cells. Fences inside lists and quotes are examples of prose and
/// do not run, so that a cell's lines are always whole lines of the file. Everything but the output regions is kept to the byte.
package struct Notebook: Sendable {
    package var name: String
    package let bytes: [UInt8]
    package let lines: LineTable
    package let cells: [Cell]

    /// Reads `bytes`; a file with no cells is a valid, empty notebook. `name` is how messages call the file.
    /// Throws for merge conflicts, malformed cell headers, labels given twice and output regions that do not end.
    package init(name: String, bytes: [UInt8]) throws {
        self.name = name
        self.bytes = bytes
        lines = LineTable(bytes)
        let table = lines
        let text = (0..<table.count).map { String(decoding: bytes[table.content(of: $0 + 1)], as: UTF8.self) }
        let conflicts = MergeConflict.find(in: text)
        guard conflicts.isEmpty else {
            throw EngineError(
                .format, conflicts.map(\.report).joined(separator: "\n"), place: name, cure: "keep one side and remove the marker lines")
        }
        cells = try MarkdownBlocks(bytes).cells(text: text, name: name)
        var seen: [String: Int] = [:]
        for cell in cells {
            guard let label = cell.header.label else { continue }
            if label.allSatisfy(\.isNumber) {
                throw EngineError(
                    .format, "the cell in line \(cell.fenceLines.lowerBound) is labelled `\(label)`, and cells without a label go by their number", place: name,
                    cure: "give it a name")
            }
            if let first = seen.updateValue(cell.fenceLines.lowerBound, forKey: label) {
                throw EngineError(
                    .format, "two cells are labelled `\(label)`, in lines \(first) and \(cell.fenceLines.lowerBound)", place: name, cure: "rename one")
            }
        }
    }

    /// The file with the output regions of some cells replaced. `outputs` maps a cell's index to its Markdown, lines ended by LF;
    /// an empty text removes the region. Cells without an entry keep their region. A region takes the line end of its fence.
    package func rewriting(_ outputs: [Int: String]) throws -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var copied = 0
        for cell in cells {
            guard let output = outputs[cell.index] else { continue }
            if output.isEmpty {
                guard let region = cell.outputLines else { continue }
                var range = lines.bytes(of: region)
                // A region at the end of a file without a last line end took the line end before it along when it was written.
                if lines.lineEnd(of: region.upperBound).isEmpty { range = lines.lineEnd(of: region.lowerBound - 1).lowerBound..<range.upperBound }
                result += bytes[copied..<range.lowerBound]
                copied = range.upperBound
                continue
            }
            let lineEnds = [cell.fenceLines.upperBound, cell.fenceLines.lowerBound].map { Array(bytes[lines.lineEnd(of: $0)]) }
            let newline = lineEnds.first { !$0.isEmpty } ?? [0x0A]
            var region: [UInt8] = []
            for line in [Self.regionStart, ""] + output.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) + ["", Self.regionEnd] {
                if !region.isEmpty { region += newline }
                region += Array(line.utf8)
            }
            if let old = cell.outputLines {
                let range = lines.start(of: old.lowerBound)..<lines.content(of: old.upperBound).upperBound
                result += bytes[copied..<range.lowerBound]
                result += region
                copied = range.upperBound
            } else {
                guard cell.isClosed else {
                    throw EngineError(
                        .format, "the fence of cell \(cell.name) in line \(cell.fenceLines.lowerBound) is not closed", place: name,
                        cure: "close it, so that its output has a place")
                }
                let end = lines.lineEnd(of: cell.fenceLines.upperBound)
                result += bytes[copied..<end.lowerBound]
                result += newline + region
                copied = end.lowerBound
            }
        }
        return result + bytes[copied...]
    }

    package static let regionStart = "<!-- out -->"
    package static let regionEnd = "<!-- /out -->"
}
