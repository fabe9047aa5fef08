import Files
import Rendering
import Results
import SourceText
import TestSupport
import Testing

@Suite("Views as text, Markdown and terminal output")
struct RenderingTests {
    private let picture = Picture(Bitmap(width: 32, height: 32, red: 200, green: 30, blue: 60))
    private let wide = Picture(Bitmap(width: 256, height: 128, red: 0, green: 0, blue: 0))

    private var table: TableView {
        Table(columns: [
            Column("text", texts: ["a | b", "two\nlines", "猫"]),
            Column("near.similarity", numbers: [0.5, 12.25, 3]),
            Column("note", [.none, .boolean(true), .text("x_y")]),
        ]).view
    }

    private func markdown(_ view: View) throws -> String {
        try MarkdownRenderer(folder: ForgetfulFolder()).render(view)
    }

    @Test("plain text: columns are aligned, numbers to the right, missing values a dash")
    func plainText() throws {
        #expect(
            try TextRenderer().render(.table(table)) == """
                text       near.similarity  note
                a | b                 0.50  -
                two lines            12.25  yes
                猫                    3.00  x_y
                """)
    }

    @Test("Markdown: a table with its cells escaped")
    func markdownTable() throws {
        #expect(
            try markdown(.table(table)) == """
                | text | near.similarity | note |
                | --- | --: | --- |
                | a \\| b | 0.50 | |
                | two lines | 12.25 | yes |
                | 猫 | 3.00 | x_y |
                """)
    }

    @Test("Markdown: a picture alone is an image line; small ones in tables are enlarged by an element")
    func markdownPictures() throws {
        let one = GridView(rows: [[.init(picture: picture, description: "a [red] square")]])
        let bytes = try PictureFile.bytes(try picture.bitmap()).count
        #expect(try markdown(.grid(one)) == "![a \\[red\\] square](test.out/\(bytes).png)")
        let grid = GridView(
            columnHeadings: ["k=20", "k=40"], rowHeadings: ["a \"golem\""],
            rows: [
                [
                    .init(picture: picture, label: "x|y", description: ""),
                    .init(picture: wide, description: "wide"),
                ]
            ])
        let wideBytes = try PictureFile.bytes(try wide.bitmap()).count
        #expect(
            try markdown(.grid(grid)) == """
                | | k=20 | k=40 |
                | --- | :-: | :-: |
                | a "golem" | <img src="test.out/\(bytes).png" width="96" alt="x&#124;y"><br>x\\|y | ![wide](test.out/\(wideBytes).png) |
                """)
    }

    @Test("Markdown: a long table shows its ends and links all rows")
    func longTable() throws {
        let lines = try markdown(
            .table(Table(columns: [Column("n", numbers: (0..<100).map(Double.init))]).view)
        ).split(separator: "\n").map(String.init)
        #expect(lines.prefix(3) == ["| n |", "| --: |", "| 0 |"])
        #expect(lines.contains("| … |"))
        #expect(lines.count == 2 + 60 + 1 + 1)
        #expect(lines.last?.hasPrefix("[All 100 rows](test.out/") == true)
    }

    @Test("CSV quotes what must be quoted")
    func csv() {
        let view = Table(columns: [Column("a", texts: ["x,y", "say \"hi\"", "plain"])]).view
        #expect(CSVText.of(view) == "a\n\"x,y\"\n\"say \"\"hi\"\"\"\nplain\n")
    }

    @Test("numbers of a column are formatted alike")
    func numbers() throws {
        let view = Table(columns: [Column("v", numbers: [0.25, 100, 3.5])]).view
        #expect(try TextRenderer().render(.table(view)) == "     v\n  0.25\n100.00\n  3.50")
    }

    @Test("without a terminal a picture is its size")
    func pictureAsText() throws {
        let grid = GridView(rows: [
            [.init(picture: picture, label: "red"), nil, .init(picture: wide, description: "wide")]
        ])
        #expect(try TextRenderer().render(.grid(grid)) == "[image 32 x 32]    red\n[image 256 x 128]  wide")
    }

    @Test("in a terminal a small picture's pixels are half blocks in its colours", arguments: [40, 80, 200])
    func symbols(columns: Int) throws {
        let terminal = Terminal(isTerminal: true, columns: columns, hasColour: true)
        let grid = GridView(
            columnHeadings: ["k=20", "k=40", "k=60"],
            rows: [[.init(picture: picture, label: "a"), .init(picture: picture, label: "b"), nil]])
        let text = try TerminalRenderer(terminal, method: .symbols).render(.grid(grid)).written
        #expect(text.contains("k=20"))
        for line in text.split(separator: "\n") { #expect(TextWidth.of(withoutSequences(line)) <= columns) }
    }

    @Test(
        "every picture protocol gives output that ends at the start of a line",
        arguments: TerminalPictures.Method.allCases)
    func methods(method: TerminalPictures.Method) throws {
        let pictures = TerminalPictures(
            Terminal(isTerminal: true, columns: 80, hasColour: true), method: method)
        let strip = pictures.strip([try picture.bitmap(), nil, try wide.bitmap()], columns: 20, lines: 10)
            .written
        switch method {
        case .kitty: #expect(strip.hasPrefix("\u{1B}_G"))
        case .iterm: #expect(strip.contains("\u{1B}]1337;File="))
        case .sixel: #expect(strip.contains("\u{1B}P"))
        case .symbols: #expect(strip.split(separator: "\n").count == 10)
        }
        if method != .sixel { #expect(strip.hasSuffix("\n")) }
    }

    @Test("a table wider than the terminal is fitted to it")
    func narrow() throws {
        let long = String(repeating: "a long caption ", count: 20)
        let view = Table(columns: [Column("text", texts: [long, "short"]), Column("n", numbers: [1, 2])]).view
        let text = try TerminalRenderer(Terminal(isTerminal: true, columns: 50), method: .symbols).render(
            .table(view)
        ).written
        for line in text.split(separator: "\n") { #expect(TextWidth.of(line) <= 50) }
        #expect(text.contains("…"))
    }

    @Test("text cannot steer the terminal")
    func controlSequences() throws {
        let view = Table(columns: [Column("text", texts: ["\u{1B}[2Jx"])]).view
        #expect(!(try TextRenderer().render(.table(view)).contains("\u{1B}")))
        #expect(!(try TextRenderer().render(.text("a\u{1B}]0;t\u{7}b")).contains("\u{1B}")))
        // In a terminal signs stand for what they replace, and columns stay columns.
        let terminal = Terminal(isTerminal: true, columns: 60, hasColour: true)
        let wide = Table(columns: [
            Column("\u{1B}[1m", texts: ["\u{9B}1m\u{202E}", "abcd"]), Column("n\u{7}", numbers: [1, 2]),
        ]).view
        let grid = GridView(
            columnHeadings: ["h\u{9B}"], rowHeadings: ["r\u{1B}"],
            rows: [[.init(picture: picture, label: "\u{1B}]0;t\u{7}")]], note: "n\u{202E}")
        let views: [View] = [
            .table(wide), .grid(grid), .text("\u{1B}c"),
            .plot(PlotView.sample(.lines, name: "s\u{1B}]0;\u{7}")),
            .plot(PlotView.sample(.bars, name: "s\u{9B}")),
        ]
        for view in views {
            let text = withoutSequences(try TerminalRenderer(terminal, method: .symbols).render(view).written)
            #expect(
                !text.unicodeScalars.contains { $0.isSteering && $0 != "\n" } && text.contains(/[␛\u{FFFD}]/),
                "\(text.debugDescription)")
        }
        let lines = withoutSequences(
            try TerminalRenderer(terminal, method: .symbols).render(.table(wide)).written
        ).split(separator: "\n")
        #expect(lines == ["␛[1m  n␇", "\u{FFFD}1m\u{FFFD}   1", "abcd   2"])
    }

    @Test("values as JSON: numbers unrounded, what JSON lacks as text")
    func json() throws {
        let table = Table(columns: [
            Column("v", numbers: [0.1, .infinity]), Column("t", texts: ["\"", "b"]),
        ])
        #expect(
            try ValueJSON.json(.table(table)).text
                == #"{"columns":[{"kind":"number","name":"v"},{"kind":"text","name":"t"}],"kind":"table","rows":[[0.1,"\""],["inf","b"]]}"#
        )
        #expect(try ValueJSON.json(.picture(picture))["width"] == 32)
    }

    private func withoutSequences(_ line: some StringProtocol) -> String {
        var result = ""
        var isInside = false
        for character in line {
            if character == "\u{1B}" {
                isInside = true
            } else if isInside {
                isInside = !character.isLetter
            } else {
                result.append(character)
            }
        }
        return result
    }
}
