import Files
import Results
import SourceText

/// Views as plain text in aligned columns without rules or colour: what `-e` prints into a pipe, and what a
/// screen reader gets. A picture is named with its size.
package struct TextRenderer: Sendable {
    /// Longest table shown whole; nil shows every row.
    package var rowLimit: Int?
    /// Columns of text that a cell may take; the last of a row is not cut.
    package var cellWidth: Int
    /// Columns of text that prose is broken to; nil leaves its lines as they are.
    package var proseWidth: Int?

    package init(rowLimit: Int? = nil, cellWidth: Int = 60, proseWidth: Int? = nil) {
        self.rowLimit = rowLimit
        self.cellWidth = cellWidth
        self.proseWidth = proseWidth
    }

    package func render(_ view: View) throws -> String {
        switch view {
        case .text(let text):
            proseWidth.map { Prose.wrapped(DisplayText.visibleLines(text), to: $0) }
                ?? DisplayText.visibleLines(text)
        case .table(let table):
            try proseWidth.map { Prose.wrapped(try render(table), to: $0) } ?? render(table)
        case .grid(let grid): try render(grid)
        // Numbers are read more easily than dots.
        case .plot(let plot): try TextWidth.oneLine(plot.words) + "\n" + render(plot.table)
        case .stack(let views): try views.map(render).joined(separator: "\n\n")
        }
    }

    package func render(_ table: TableView) throws -> String {
        let excerpt = RowExcerpt(rows: table.rows.count, limit: rowLimit ?? .max)
        let last = table.headings.count - 1
        let shown = try excerpt.indices.map { row in
            try table.rows[row].enumerated().map {
                TextWidth.fitting(try text(of: $1), width: $0 == last ? .max : cellWidth)
            }
        }
        var lines = TextColumns(
            headings: table.headings.map { TextWidth.oneLine($0.name) },
            right: table.headings.map(\.isNumeric), rows: shown
        ).lines
        if excerpt.omitted > 0 {
            lines.insert("... \(excerpt.omitted) rows more", at: 1 + excerpt.head.count)
        }
        if table.rows.isEmpty { lines.append("(no rows)") }
        if let note = table.note { lines.append(TextWidth.oneLine(note)) }
        return lines.joined(separator: "\n")
    }

    /// A grid is told picture by picture, with the headings that it stands under.
    package func render(_ grid: GridView) throws -> String {
        var rows: [[String]] = []
        for (rowIndex, row) in grid.rows.enumerated() {
            for (columnIndex, cell) in row.enumerated() {
                guard let cell else { continue }
                var parts: [String] = []
                if grid.rowHeadings.indices.contains(rowIndex) { parts.append(grid.rowHeadings[rowIndex]) }
                if grid.columnHeadings.indices.contains(columnIndex) {
                    parts.append(grid.columnHeadings[columnIndex])
                }
                if !cell.label.isEmpty { parts.append(cell.label) }
                if parts.isEmpty { parts.append(cell.description) }
                rows.append(
                    [try text(of: .picture(cell.picture))] + [
                        parts.map { TextWidth.fitting($0, width: cellWidth) }.joined(separator: "; ")
                    ])
            }
        }
        var lines = TextColumns(headings: [], right: [false, false], rows: rows).lines
        if lines.isEmpty { lines.append("(no pictures)") }
        if let note = grid.note { lines.append(TextWidth.oneLine(note)) }
        return lines.joined(separator: "\n")
    }

    private func text(of cell: TableView.Cell) throws -> String {
        switch cell {
        case .text(let text): return text
        case .missing: return "-"
        case .picture(let picture):
            let bitmap = try picture.bitmap()
            return "[image \(bitmap.width) x \(bitmap.height)]"
        }
    }
}

/// Rows of text in columns two spaces apart, numbers to the right.
package struct TextColumns: Sendable {
    package var headings: [String]
    package var right: [Bool]
    package var rows: [[String]]

    package init(headings: [String], right: [Bool], rows: [[String]]) {
        self.headings = headings
        self.right = right
        self.rows = rows
    }

    package var lines: [String] {
        let all = (headings.isEmpty ? [] : [headings]) + rows
        let count = all.map(\.count).max() ?? 0
        let widths = (0..<count).map { column in
            all.map { column < $0.count ? TextWidth.of($0[column]) : 0 }.max() ?? 0
        }
        return all.map { row in
            var line = ""
            for (column, text) in row.enumerated() {
                let toRight = column < right.count && right[column]
                if column > 0 { line += "  " }
                // Nothing is padded behind the last column, so that no line ends in spaces.
                line +=
                    column == row.count - 1 && !toRight
                    ? text : TextWidth.padded(text, to: widths[column], right: toRight)
            }
            while line.hasSuffix(" ") { line.removeLast() }
            return line
        }
    }
}
