import Files
import Results
import SourceText

/// Views in a terminal: tables in aligned columns that fit its width, pictures drawn, a grid as rows of
/// pictures with their labels. Pictures inside tables are thumbnails of coloured characters, which stand
/// beside text in every terminal.
package struct TerminalRenderer: Sendable {
    package let terminal: Terminal
    private let pictures: TerminalPictures
    private let characters: TerminalPictures

    /// `method` nil finds out what the terminal can do.
    package init(_ terminal: Terminal, method: TerminalPictures.Method? = nil) {
        self.terminal = terminal
        pictures = method.map { TerminalPictures(terminal, method: $0) } ?? TerminalPictures(terminal)
        characters = TerminalPictures(terminal, method: .symbols)
    }

    private static let thumbnailColumns = 16

    package func render(_ view: View) throws -> TerminalText {
        switch view {
        case .text(let text): TerminalText(lines: text)
        case .table(let table): try render(table)
        case .grid(let grid): try render(grid)
        case .plot(let plot):
            !terminal.isDumb
                ? PlotTerminal(terminal: terminal).render(plot)
                : try TerminalText(lines: TextRenderer(cellWidth: 40).render(.plot(plot)))
        case .stack(let views): try views.map(render).joined(separator: "\n\n")
        }
    }

    // MARK: Tables

    private func render(_ table: TableView) throws -> TerminalText {
        let hasPictures = table.rows.contains {
            $0.contains { if case .picture = $0 { true } else { false } }
        }
        let excerpt = RowExcerpt(rows: table.rows.count, limit: hasPictures ? 12 : max(20, 2 * terminal.rows))
        let widths = try columnWidths(table, rows: excerpt.indices)
        let right = table.headings.map(\.isNumeric)
        var lines = [
            bold(
                line(
                    table.headings.enumerated().map { TextWidth.fitting($1.name, width: widths[$0]) }, widths,
                    right))
        ]
        for index in excerpt.head { lines += try block(table.rows[index], widths, right) }
        if excerpt.omitted > 0 {
            lines.append("... \(excerpt.omitted) rows more")
            for index in excerpt.tail { lines += try block(table.rows[index], widths, right) }
        }
        if table.rows.isEmpty { lines.append("(no rows)") }
        if let note = table.note { lines.append(TerminalText(TextWidth.oneLine(note))) }
        return lines.joined(separator: "\n")
    }

    /// Widths that the contents ask for; where they do not fit, the widest text columns give way.
    private func columnWidths(_ table: TableView, rows: [Int]) throws -> [Int] {
        var widths = table.headings.map { TextWidth.of(TextWidth.oneLine($0.name)) }
        var shrinkable = table.headings.map { _ in true }
        for row in rows {
            for (column, cell) in table.rows[row].enumerated() where column < widths.count {
                switch cell {
                case .text(let text):
                    widths[column] = max(widths[column], TextWidth.of(TextWidth.oneLine(text)))
                case .missing: widths[column] = max(widths[column], 1)
                case .picture:
                    widths[column] = max(widths[column], Self.thumbnailColumns)
                    shrinkable[column] = false
                }
            }
        }
        for column in widths.indices where table.headings[column].isNumeric { shrinkable[column] = false }
        var excess = widths.reduce(0, +) + 2 * max(0, widths.count - 1) - terminal.columns
        while excess > 0,
            let widest = widths.indices.filter({ shrinkable[$0] && widths[$0] > 8 }).max(by: {
                widths[$0] < widths[$1]
            })
        {
            widths[widest] -= 1
            excess -= 1
        }
        return widths
    }

    private func line(_ texts: [String], _ widths: [Int], _ right: [Bool]) -> TerminalText {
        texts.enumerated().map { TerminalText(TextWidth.padded($1, to: widths[$0], right: right[$0])) }
            .joined(separator: "  ").trimming(" ")
    }

    /// One row of a table: one line, or as many as its pictures and its longest texts take.
    private func block(_ row: [TableView.Cell], _ widths: [Int], _ right: [Bool]) throws -> [TerminalText] {
        let lineLimit = row.contains { if case .picture = $0 { true } else { false } } ? 6 : 3
        let cells: [[TerminalText]] = try row.enumerated().map { column, cell in
            switch cell {
            case .missing:
                return [TerminalText(TextWidth.padded("-", to: widths[column], right: right[column]))]
            case .text(let text):
                let lines = TextWidth.wrapped(
                    text, width: widths[column], lines: right[column] ? 1 : lineLimit)
                return (lines.isEmpty ? [""] : lines).map {
                    TerminalText(TextWidth.padded($0, to: widths[column], right: right[column]))
                }
            case .picture(let picture):
                let bitmap = try picture.bitmap()
                guard terminal.hasColour else {
                    return [
                        TerminalText(
                            TextWidth.padded("\(bitmap.width) x \(bitmap.height)", to: widths[column]))
                    ]
                }
                let size = Self.thumbnailColumns
                let drawn = characters.strip(
                    [bitmap], columns: size, lines: characters.lines(columns: size, bitmap: bitmap))
                let space = String(repeating: " ", count: widths[column] - size)
                return drawn.lines.filter { !$0.isEmpty }.map { "\($0)\u{1B}[0m\(space)" }
            }
        }
        let height = cells.map(\.count).max() ?? 1
        return (0..<height).map { line in
            cells.enumerated().map { column, lines in
                line < lines.count ? lines[line] : TerminalText(String(repeating: " ", count: widths[column]))
            }.joined(separator: "  ").trimming(" ")
        }
    }

    // MARK: Grids

    private func render(_ grid: GridView) throws -> TerminalText {
        guard terminal.hasColour || pictures.method != .symbols else {
            return try TerminalText(lines: TextRenderer(cellWidth: 40).render(grid))
        }
        let perRow = grid.rows.map(\.count).max() ?? 0
        guard perRow > 0, let first = grid.rows.lazy.flatMap({ $0 }).lazy.compactMap(\.self).first else {
            return TerminalText(TextWidth.oneLine(grid.note ?? "(no pictures)"))
        }
        let gap = 2
        let preferred = pictures.preferredColumns(width: try first.picture.bitmap().width)
        let available = (terminal.columns + gap) / perRow - gap
        let columns = min(max(available, min(12, terminal.columns)), min(preferred, terminal.columns))
        let perStrip = max(1, (terminal.columns + gap) / (columns + gap))
        var text: TerminalText = ""
        for (index, row) in grid.rows.enumerated() {
            if grid.rowHeadings.indices.contains(index) {
                text +=
                    bold(TerminalText(TextWidth.fitting(grid.rowHeadings[index], width: terminal.columns)))
                    + "\n"
            }
            for start in stride(from: 0, to: row.count, by: perStrip) {
                let cells = Array(row[start..<min(start + perStrip, row.count)])
                let bitmaps = try cells.map { try $0?.picture.bitmap() }
                let lines =
                    bitmaps.compactMap { $0.map { pictures.lines(columns: columns, bitmap: $0) } }.max() ?? 1
                let headings = (start..<(start + cells.count)).map {
                    $0 < grid.columnHeadings.count ? grid.columnHeadings[$0] : ""
                }
                text += texts(headings.map { [$0] }, columns: columns, gap: gap)
                text += pictures.strip(bitmaps, columns: columns, lines: lines, gap: gap)
                text += texts(
                    cells.map { TextWidth.wrapped($0?.label ?? "", width: columns, lines: 3) },
                    columns: columns, gap: gap)
            }
        }
        if let note = grid.note { text += "\(TextWidth.oneLine(note))\n" }
        return text.trimming("\n")
    }

    private func bold(_ text: TerminalText) -> TerminalText {
        terminal.hasColour ? "\u{1B}[1m\(text)\u{1B}[0m" : text
    }

    /// Short texts above or below a strip of pictures, each within its picture's columns; nothing at all
    /// where all are empty.
    private func texts(_ texts: [[String]], columns: Int, gap: Int) -> TerminalText {
        let height = texts.map { $0.filter { !$0.isEmpty }.count }.max() ?? 0
        return (0..<height).map { line in
            let line = texts.map {
                TextWidth.padded(
                    TextWidth.fitting(line < $0.count ? $0[line] : "", width: columns), to: columns)
            }
            return TerminalText(line.joined(separator: String(repeating: " ", count: gap))).trimming(" ")
                + "\n"
        }.joined()
    }
}
