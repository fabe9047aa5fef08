import Files
import Results

/// Where a Markdown text's pictures and long tables are kept.
package protocol OutputFolder {
    /// Keeps a file with these bytes and gives its path as a link from the Markdown text. Equal bytes give
    /// the same path.
    func keep(_ bytes: [UInt8], kind: String) throws -> String
}

/// Views as Markdown: tables as tables, text in a fence, a picture alone as an image line. Nothing in it
/// depends on the machine, the time or the terminal. In tables and grids a picture of up to 64 pixels is an
/// `img` element with a width: Markdown's own images have no size, and monsters of 32 x 32 pixels would be
/// specks. The file keeps the pixels as they are: `verify` compares results, not enlargements.
package struct MarkdownRenderer {
    /// Longest table shown whole; a longer one links a CSV with every row.
    package var rowLimit = 60
    private let folder: any OutputFolder

    package init(folder: any OutputFolder) { self.folder = folder }

    /// Blocks of Markdown, LF between lines, no line end behind the last.
    package func render(_ view: View) throws -> String {
        switch view {
        case .text(let text): MarkdownText.fence(text)
        case .table(let table): try render(table)
        case .grid(let grid): try render(grid)
        case .plot(let plot): try render(plot)
        case .stack(let views): try views.map(render).joined(separator: "\n\n")
        }
    }

    private func render(_ table: TableView) throws -> String {
        let excerpt = RowExcerpt(rows: table.rows.count, limit: rowLimit)
        guard !table.headings.isEmpty else { return "*(\(table.rows.count) rows, no columns)*" }
        var lines = [
            row(table.headings.map { MarkdownText.inline($0.name) }),
            row(table.headings.map { $0.isNumeric ? "--:" : "---" }),
        ]
        for index in excerpt.head { lines.append(row(try table.rows[index].map(text))) }
        if excerpt.omitted > 0 {
            lines.append(row(table.headings.map { _ in "…" }))
            for index in excerpt.tail { lines.append(row(try table.rows[index].map(text))) }
            let link = try folder.keep(Array(CSVText.of(table).utf8), kind: "csv")
            lines += ["", "[All \(table.rows.count) rows](\(MarkdownText.destination(link)))"]
        }
        if let note = table.note { lines += ["", MarkdownText.inline(note)] }
        return lines.joined(separator: "\n")
    }

    private func render(_ grid: GridView) throws -> String {
        let pictures = grid.rows.flatMap { $0.compactMap(\.self) }
        var lines: [String] = []
        if pictures.count == 1, grid.rowHeadings.isEmpty, grid.columnHeadings.isEmpty,
            let only = pictures.first
        {
            lines.append(
                try image(
                    only.picture, words: only.label.isEmpty ? only.description : only.label, enlarged: false))
            if !only.label.isEmpty { lines += ["", MarkdownText.inline(only.label)] }
        } else if pictures.isEmpty {
            lines.append("*(no pictures)*")
        } else {
            let columns = grid.rows.map(\.count).max() ?? 0
            let hasRowHeadings = !grid.rowHeadings.isEmpty
            let headings = (0..<columns).map {
                $0 < grid.columnHeadings.count ? MarkdownText.inline(grid.columnHeadings[$0]) : ""
            }
            lines.append(row((hasRowHeadings ? [""] : []) + headings))
            lines.append(row((hasRowHeadings ? ["---"] : []) + Array(repeating: ":-:", count: columns)))
            for (index, cells) in grid.rows.enumerated() {
                var texts =
                    hasRowHeadings
                    ? [index < grid.rowHeadings.count ? MarkdownText.inline(grid.rowHeadings[index]) : ""]
                    : []
                for column in 0..<columns {
                    guard column < cells.count, let cell = cells[column] else {
                        texts.append("")
                        continue
                    }
                    let picture = try image(
                        cell.picture, words: cell.label.isEmpty ? cell.description : cell.label)
                    texts.append(
                        cell.label.isEmpty ? picture : picture + "<br>" + MarkdownText.inline(cell.label))
                }
                lines.append(row(texts))
            }
        }
        if let note = grid.note { lines += ["", MarkdownText.inline(note)] }
        return lines.joined(separator: "\n")
    }

    private func render(_ plot: PlotView) throws -> String {
        let path = MarkdownText.destination(try folder.keep(Array(PlotSVG.text(plot).utf8), kind: "svg"))
        let note = plot.note.map { "\n\n" + MarkdownText.inline($0) } ?? ""
        return "![\(MarkdownText.inline(plot.words))](\(path))" + note
    }

    private func row(_ cells: [String]) -> String {
        "|" + cells.map { $0.isEmpty ? " " : " \($0) " }.joined(separator: "|") + "|"
    }

    private func text(of cell: TableView.Cell) throws -> String {
        switch cell {
        case .text(let text): MarkdownText.inline(text)
        case .missing: ""
        case .picture(let picture): try image(picture, words: "")
        }
    }

    private func image(_ picture: Picture, words: String, enlarged: Bool = true) throws -> String {
        let bitmap = try picture.bitmap()
        let path = MarkdownText.destination(try folder.keep(try PictureFile.bytes(bitmap), kind: "png"))
        let width = PictureFile.shownWidth(bitmap)
        guard enlarged, width != bitmap.width else { return "![\(MarkdownText.inline(words))](\(path))" }
        return "<img src=\"\(path)\" width=\"\(width)\" alt=\"\(MarkdownText.attribute(words))\">"
    }
}

/// Pictures as files of a notebook.
package enum PictureFile {
    /// A PNG file without times or program names: the same pixels give the same bytes.
    package static func bytes(_ bitmap: Bitmap) throws -> [UInt8] { try PNG.encode(bitmap) }

    /// Of the PNG file, in hexadecimal.
    package static func digest(_ bitmap: Bitmap) throws -> String { try Digest.sha256(try bytes(bitmap)) }

    /// Pixels that the picture is wide on a page: small ones three times (33 to 64 pixels: twice) their
    /// width.
    package static func shownWidth(_ bitmap: Bitmap) -> Int {
        switch bitmap.width {
        case ...0: 1
        case ...32: bitmap.width * max(3, 96 / max(bitmap.width, 1))
        case ...64: bitmap.width * 2
        default: bitmap.width
        }
    }
}

/// Tables as comma-separated values (RFC 4180, LF as line end).
package enum CSVText {
    package static func of(_ table: TableView) -> String {
        if let source = table.source { return source.csv() }
        let rows =
            [table.headings.map(\.name)]
            + table.rows.map { row in
                row.map { cell in
                    switch cell {
                    case .text(let text): text
                    case .missing: ""
                    case .picture: "image"
                    }
                }
            }
        return rows.map { $0.map(field).joined(separator: ",") + "\n" }.joined()
    }

    private static func field(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: { $0 == "," || $0 == "\"" || $0 == "\n" || $0 == "\r" })
        else { return text }
        return "\"" + text.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"")
            + "\""
    }
}
