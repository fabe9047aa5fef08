import SourceText
import Syntax
import TestSupport
import Testing

@Suite("The tokens of any text") struct CodeTokenTests {
    private let verbs = VerbSet(plain: ["noise", "table", "show"], withBlock: ["sweep"])

    /// Each token as its kind's first letters and its text.
    private func tokens(_ text: String) -> [String] {
        let source = SourceFile(name: "t", text: text)
        return CodeToken.all(in: source, verbs: verbs).map {
            "\("\($0.kind)".prefix(3)):\(source.text(of: $0.span))"
        }
    }

    @Test("words, options, numbers and comments are what they are by themselves") func kinds() {
        #expect(
            tokens("a | noise k of=70 # why") == [
                "nam:a", "sig:|", "ver:noise", "nam:k", "opt:of", "sig:=", "num:70", "com:# why",
            ])
        #expect(
            tokens("param x = 1.5e-3 in 1..9:2") == [
                "key:param", "nam:x", "sig:=", "num:1.5e-3", "key:in", "num:1", "sig:..", "num:9", "sig::",
                "num:2",
            ])
        #expect(
            tokens("r.noise == noise and not x") == [
                "nam:r", "sig:.", "nam:noise", "sig:==", "ver:noise", "key:and", "key:not", "nam:x",
            ])
        #expect(
            tokens("a#b 70steps k=1") == [
                "nam:a", "sig:#", "nam:b", "sig:70steps", "opt:k", "sig:=", "num:1",
            ])
        #expect(
            tokens("sweep k=1 { \\\n show }\r\n") == [
                "ver:sweep", "opt:k", "sig:=", "num:1", "sig:{", "ver:show", "sig:}",
            ])
    }

    @Test("expressions in a string are code, and strings in them strings") func strings() {
        #expect(tokens("\"a | \\\" b\" x") == ["tex:\"a | \\\" b\"", "nam:x"])
        #expect(tokens("\"a \\(\"b | c\") d\"") == ["tex:\"a \\(", "tex:\"b | c\"", "tex:) d\""])
        #expect(
            tokens("\"\\(noise k=1)\\(x)\" | table") == [
                "tex:\"\\(", "ver:noise", "opt:k", "sig:=", "num:1", "tex:)\\(", "nam:x", "tex:)\"", "sig:|",
                "ver:table",
            ])
        // Without an end a string takes the rest of its line.
        #expect(tokens("\"a \\(b c\nd") == ["tex:\"a \\(b c", "nam:d"])
    }

    @Test("any text is its tokens and white space between them") func whole() throws {
        var generator = SmallGenerator(seed: 7)
        let pieces = [
            "\"", "\\(", ")", "a", "noise", " ", "\n", "#", "1", ".", "..", "=", "{", "}", "\\", "|", "é",
            "🐞", "\r\n", "(", "\u{FEFF}", "\u{0}", ",",
        ]
        for _ in 0..<3000 {
            let text = (0..<generator.next(below: 40)).map { _ in pieces[generator.next(below: pieces.count)]
            }.joined()
            let source = SourceFile(name: "t", text: text)
            var end = 0
            for token in CodeToken.all(in: source, verbs: verbs) {
                try #require(
                    token.span.lower >= end && token.span.upper > token.span.lower, "\(text.debugDescription)"
                )
                try #require(
                    isBlank(source.text(of: Span(end, token.span.lower))), "\(text.debugDescription)")
                end = token.span.upper
            }
            try #require(
                end <= source.bytes.count && isBlank(source.text(of: Span(end, source.bytes.count))),
                "\(text.debugDescription)")
        }
        // Deeper than any stack of calls.
        let deep = String(repeating: "\"\\(", count: 100_000) + "x" + String(repeating: ")\"", count: 100_000)
        #expect(CodeToken.all(in: SourceFile(name: "t", text: deep), verbs: verbs).count == 200_001)
    }

    /// White space, and backslashes that join lines.
    private func isBlank(_ text: String) -> Bool {
        text.unicodeScalars.allSatisfy { $0.properties.isWhitespace || $0 == "\\" || $0 == "\u{FEFF}" }
    }
}
