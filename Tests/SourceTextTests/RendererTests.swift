import SourceText
import Testing

@Suite("Diagnostics as text")
struct RendererTests {
    private let source = SourceFile(
        name: "ablation.md",
        text:
            "pictures = sweep k=20..60:10 {\n  test | retrieve train | encode near.image | noise k off=70\n}",
        cell: "sweep",
        firstLine: 30, firstOffset: 1000)

    private var diagnostic: Diagnostic {
        Diagnostic(
            .unknownOption, "`noise` has no option `off`", at: Span(85, 88), label: "did you mean `of`?",
            help: ["usage: noise [K] of=N [left=K] [seed=0] ..."], source: source)
    }

    @Test("the layout of the design")
    func layout() {
        #expect(
            LayoutRenderer(usesColour: false).text(diagnostic) == """
                error[E021]: `noise` has no option `off`
                  --> ablation.md: cell sweep, line 2, column 55
                  |
                2 |   test | retrieve train | encode near.image | noise k off=70
                  |                                                       ^^^ did you mean `of`?
                  = help: usage: noise [K] of=N [left=K] [seed=0] ...
                """)
    }

    @Test("colour changes nothing but colour")
    func colour() {
        let coloured = LayoutRenderer(usesColour: true).text(diagnostic)
        #expect(coloured.hasPrefix("\u{1B}[1;31merror[E021]\u{1B}[0m\u{1B}[1m: `noise` has"))
        var plain = ""
        var isEscape = false
        for scalar in coloured.unicodeScalars {
            if scalar == "\u{1B}" { isEscape = true }
            if !isEscape { plain.unicodeScalars.append(scalar) }
            if isEscape, scalar == "m" { isEscape = false }
        }
        #expect(plain == LayoutRenderer(usesColour: false).text(diagnostic))
    }

    @Test("further places and notes follow")
    func related() {
        var diagnostic = diagnostic
        diagnostic.related = [Diagnostic.Label(Span(0, 8), "the sweep begins here")]
        diagnostic.notes = ["k=40, item 17"]
        let text = LayoutRenderer(usesColour: false).text(diagnostic)
        #expect(
            text.hasSuffix(
                """
                did you mean `of`?
                  ::: ablation.md: cell sweep, line 1, column 1
                  |
                1 | pictures = sweep k=20..60:10 {
                  | -------- the sweep begins here
                  = help: usage: noise [K] of=N [left=K] [seed=0] ...
                  = note: k=40, item 17
                """))
    }

    @Test("sentences for a screen reader")
    func narrated() {
        #expect(
            NarratedRenderer().text(diagnostic) == """
                Error E021: `noise` has no option `off`.
                In ablation.md, cell sweep, line 2, column 55, at `off`.
                Did you mean `of`?
                The line reads: test | retrieve train | encode near.image | noise k off=70
                Help: usage: noise [K] of=N [left=K] [seed=0] ...
                """)
    }

    @Test("JSON counts lines and offsets in the file")
    func json() {
        #expect(
            JSONRenderer().text(diagnostic)
                == #"{"kind":"error","code":"E021","severity":"error","message":"`noise` has no option `off`","file":"ablation.md","cell":"sweep","line":31,"column":55,"endLine":31,"endColumn":58,"offset":1085,"length":3,"label":"did you mean `of`?","help":["usage: noise [K] of=N [left=K] [seed=0] ..."],"notes":[],"related":[]}"#
        )
        let odd = Diagnostic(.unexpectedCharacter, "a \"quote\",\n a \\ and \u{1B}", at: Span(0, 0))
        #expect(JSONRenderer().text(odd).contains(#""message":"a \"quote\",\n a \\ and \u001b""#))
    }
}
