import SourceText
import Testing

@Suite("Text for a terminal")
struct TerminalTextTests {
    /// All that steers, by its definition in Unicode's and ECMA-48's words and not by ours.
    private static let steering: [Unicode.Scalar] = {
        let controls = (UInt32(0)...0x9F).compactMap { Unicode.Scalar($0) }.filter {
            $0.properties.generalCategory == .control
        }
        let directions = (UInt32(0)...0x10FFFF).compactMap { Unicode.Scalar($0) }.filter(
            \.properties.isBidiControl)
        return controls + directions + ["\u{2028}", "\u{2029}"]
    }()

    @Test("what is interpolated cannot steer, what the program says itself can")
    func interpolation() {
        #expect(Self.steering.count == 32 + 33 + 12 + 2)
        for scalar in Self.steering {
            let name = "a\(scalar)b"
            let text: TerminalText = "\u{1B}[1m\(name)\u{1B}[0m\n"
            let inner = text.written.dropFirst(4).dropLast(5)
            #expect(!inner.unicodeScalars.contains(where: { Self.steering.contains($0) }), "\(scalar.value)")
            #expect(inner.first == "a" && inner.last == "b" && inner.count > 2, "\(scalar.value)")
            #expect(text.written.hasPrefix("\u{1B}[1m") && text.written.hasSuffix("\u{1B}[0m\n"))
            // Each way in.
            #expect(TerminalText(name).written == inner && ("" + TerminalText(name)).written == inner)
            #expect(
                "\(lines: name)" as TerminalText
                    == (scalar == "\n" || scalar == "\t" ? "\(lines: name)" : TerminalText(name)))
        }
    }

    @Test("signs take the columns of what they stand for, and a text that was shown once stays as it is")
    func signs() {
        // By a name: a literal would be the program's own.
        func shown(_ text: String) -> String { TerminalText(text).written }
        #expect(shown("a\u{1B}]0;t\u{7}b\u{9B}31m\u{202E}c") == "a␛]0;t␇b\u{FFFD}31m\u{FFFD}c")
        #expect(shown("a\r\nb\tc") == "a␍␊b    c")
        #expect(TerminalText(lines: "a\r\nb\tc\rd\r").written == "a\nb\tc␍d␍")
        for text in ["é漢😀 plain", "", "⣿…—\u{200D}"] {
            #expect(TerminalText(text).written == text && TerminalText(lines: text).written == text)
        }
        #expect(shown(shown("\u{1B}\u{9B}\u{202E}\n")) == shown("\u{1B}\u{9B}\u{202E}\n"))
    }

    @Test("a text whose type was lost on the way loses its colours, not its safety")
    func lost() {
        let text: TerminalText = "\u{1B}[1m\("x\u{7}")\u{1B}[0m"
        #expect(("\(text.written)" as TerminalText).written == "␛[1mx␇␛[0m")
        #expect([text, "y"].joined(separator: "\n").lines == [text, "y"])
        #expect(("x  " as TerminalText).trimming(" ") == "x")
    }

    @Test(
        """
        places, titles, labels and help of errors are shown, coloured, told and written as JSON without \
        steering anything
        """)
    func diagnostics() {
        let name = "n\u{1B}]0;t\u{7}\u{9B}\u{202E}\nn.md"
        let source = SourceFile(
            name: name, text: "a\u{1B}[2Jb", cell: "c\u{9B}1m", firstLine: 1, firstOffset: 0)
        let diagnostic = Diagnostic(
            .unknownVerb, "t\u{1B}c", at: Span(0, 1), label: "l\u{7}", help: ["h\u{202E}\nsecond"],
            source: source)
        let plain = LayoutRenderer(usesColour: false).text(diagnostic)
        let coloured = LayoutRenderer(usesColour: true).text(diagnostic).replacing(
            /\u{1B}\[[0-9;]*m/, with: "")
        #expect(
            plain == coloured && plain.contains("--> n␛]0;t␇\u{FFFD}\u{FFFD}␊n.md: cell c\u{FFFD}1m"),
            "\(plain)")
        for text in [
            plain, NarratedRenderer().text(diagnostic),
            JSONRenderer().text(diagnostic, variant: "v\u{9B}\u{200F}"),
        ] {
            #expect(
                !text.unicodeScalars.contains { Self.steering.contains($0) && $0 != "\n" },
                "\(text.debugDescription)")
        }
        #expect(JSONRenderer().text(diagnostic).contains(#"n\u001b]0;t\u0007\u009b\u202e\nn.md"#))
    }
}
