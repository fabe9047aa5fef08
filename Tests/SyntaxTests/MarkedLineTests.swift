import SourceText
import Testing

@Suite("Errors of the parser as they are shown")
struct MarkedLineTests {
    private func shown(_ text: String) -> [String] {
        Reading.parse(text).diagnostics.map { LayoutRenderer(usesColour: false).text($0) }
    }

    @Test("wide characters, tabs and control characters keep the mark in its place")
    func wide() {
        #expect(
            shown("x = \"漢字\u{1B}[31m\"\t3") == [
                """
                error[E009]: unexpected `3`
                  --> test: line 1, column 15
                  |
                1 | x = "漢字␛[31m"    3
                  |                    ^
                  = help: join values with commas; begin a new line or write `;` for a new statement, `|` for the next command
                """
            ])
    }

    @Test("a long line is cut around the mark")
    func long() {
        let text = shown(
            "x = \"" + String(repeating: "ab ", count: 3000) + "\" 3 " + String(repeating: "ab ", count: 3000)
        )
        #expect(text.count == 1)
        let lines = text[0].split(separator: "\n")
        #expect(lines.allSatisfy { $0.count < 180 })
        #expect(lines[3].hasPrefix("1 | …") && lines[3].hasSuffix("…"))
        #expect(lines[3].dropFirst(lines[4].count - 1).first == "3")
    }

    @Test("an empty text and a span at its end have a mark too")
    func atEnd() {
        #expect(
            shown("x =") == [
                """
                error[E007]: expected a value after `=`
                  --> test: line 1, column 4
                  |
                1 | x =
                  |    ^ here
                """
            ])
    }

    @Test("a place counts characters, and lines from the cell or the file")
    func places() {
        let text = "a\r\n\u{1F469}\u{200D}\u{1F52C}é漢 b\n"
        let loose = SourceFile(name: "n.md", text: text, firstLine: 10)
        let offset = text.utf8.count - 2
        #expect(loose.place(of: offset) == "n.md: line 11, column 5")
        #expect(
            SourceFile(name: "n.md", text: text, cell: "c", firstLine: 10).place(of: offset)
                == "n.md: cell c, line 2, column 5")
        #expect(loose.place(of: 99) == "n.md: line 12, column 1")
        #expect(SourceFile(name: "e", text: "").place(of: 0) == "e: line 1, column 1")
        #expect(loose.text(of: loose.lineSpan(0)) == "a")
    }
}
