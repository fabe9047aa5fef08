/// A text with a name: a file, a cell of a notebook, or a line typed at the prompt. Immutable; compared by
/// identity of content. A cell is a source of its own that knows where in its notebook it stands.
package final class SourceFile: Sendable {
    /// What a person calls the text: `ablation.md`, `prompt`, `-e`.
    package let name: String
    package let text: String
    package let bytes: [UInt8]
    /// The label of the cell, where the text is a labelled cell of a notebook. Lines then count from the top
    /// of the cell.
    package let cell: String?
    /// The line of the file on which `text` begins, from 1.
    package let firstLine: Int
    /// The UTF-8 offset in the file at which `text` begins.
    package let firstOffset: Int
    private let lineStarts: [Int]

    package init(name: String, text: String, cell: String? = nil, firstLine: Int = 1, firstOffset: Int = 0) {
        self.name = name
        self.text = text
        self.cell = cell
        self.firstLine = firstLine
        self.firstOffset = firstOffset
        bytes = Array(text.utf8)
        var starts = [0]
        for (offset, byte) in bytes.enumerated() where byte == UInt8(ascii: "\n") {
            starts.append(offset + 1)
        }
        lineStarts = starts
    }

    /// The whole text.
    package var span: Span { Span(0, bytes.count) }

    /// The text of a span; what reaches beyond the end is left out.
    package func text(of span: Span) -> String {
        let lower = min(max(span.lower, 0), bytes.count)
        let upper = min(max(span.upper, lower), bytes.count)
        return String(decoding: bytes[lower..<upper], as: UTF8.self)
    }

    // MARK: Lines

    package var lineCount: Int { lineStarts.count }

    /// The index, from 0, of the line that holds an offset.
    package func lineIndex(of offset: Int) -> Int {
        var low = 0
        var high = lineStarts.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if lineStarts[middle] <= offset { low = middle } else { high = middle }
        }
        return low
    }

    /// The span of a line (index from 0) without its line ending.
    package func lineSpan(_ index: Int) -> Span {
        precondition(index >= 0 && index < lineStarts.count, "line \(index) of \(lineStarts.count)")
        let lower = lineStarts[index]
        var upper = index + 1 < lineStarts.count ? lineStarts[index + 1] - 1 : bytes.count
        if upper > lower, bytes[upper - 1] == UInt8(ascii: "\r") { upper -= 1 }
        return Span(lower, upper)
    }

    /// The place of an offset: lines and columns count from 1, columns in Unicode characters.
    package func position(of offset: Int) -> Position {
        let offset = min(max(offset, 0), bytes.count)
        let index = lineIndex(of: offset)
        let line = lineSpan(index)
        let column = text(of: Span(line.lower, min(offset, line.upper))).count + 1
        return Position(line: index + 1, fileLine: index + firstLine, column: column)
    }

    /// A line as a person counts it: from the top of a labelled cell, else from the top of the file.
    package func shownLine(_ position: Position) -> Int { cell == nil ? position.fileLine : position.line }

    /// A place in words: `ablation.md: cell sweep, line 2, column 37`.
    package func place(of offset: Int) -> String {
        let position = position(of: offset)
        let lineAndColumn = "line \(shownLine(position)), column \(position.column)"
        return cell.map { "\(name): cell \($0), \(lineAndColumn)" } ?? "\(name): \(lineAndColumn)"
    }
}

/// A place in a source. Lines and columns count from 1.
package struct Position: Hashable, Sendable {
    /// The line in the source's own text.
    package var line: Int
    /// The line in the file of which the source is a part.
    package var fileLine: Int
    /// In Unicode characters.
    package var column: Int
}
