import Syntax
import Testing

@Suite("The printer")
struct PrinterTests {
    static let texts: [(String, String)] = [
        ("x=3 # comment", "x = 3"),
        ("a\n\n# c\n | noise   (k+5)  of = 70", "a | noise (k + 5) of=70"),
        ("score fid , clip  by=k", "score fid,clip by=k"),
        (
            "sweep k=20..60:10{\n  test | noise k of=70\n\n  it\n}",
            "sweep k=20..60:10 { test | noise k of=70; it }"
        ),
        ("def f a b{it|decode}", "def f a b { it | decode }"),
        ("each { }", "each { }"),
        ("param g=10.50 in 0..30", "param g = 10.5 in 0..30"),
        ("load sd-1.50", "load sd-1.50"),
        ("noise 1e-4 \"a\\u{41}\"", "noise 1e-4 \"aA\""),
        ("with x=f( a,  b )*(c  +d)", "with x=f(a, b)*(c + d)"),
        ("where not(a)", "where not(a)"),
        ("x = -a^-b .. 3:1 == [1,2,] and not {a:1}.a", "x = -a ^ -b..3:1 == [1, 2] and not {a: 1}.a"),
        ("\"tab\\t \\\"q\\\" \\\\ \\(a+1) \\u{7}\"", "\"tab\\t \\\"q\\\" \\\\ \\(a + 1) \\u{7}\""),
        ("((a)) , (b,c) | decode", "((a)), (b, c) | decode"),
        ("1e300; 0.1; 123456789; 1e16; .5", "1e+300\n0.1\n123456789\n1e+16\n0.5"),
    ]

    @Test("gives one spelling, which reads as the same tree", arguments: texts.indices)
    func canonical(_ index: Int) {
        let (text, expected) = PrinterTests.texts[index]
        let parse = Reading.parse(text)
        #expect(parse.diagnostics.map(\.title) == [])
        let printed = Printer.text(parse.program)
        #expect(printed == expected)
        #expect(Reading.shape(printed) == Dump.text(parse.program, spans: false))
    }

    @Test("raw names with different spellings stay different")
    func raw() {
        #expect(Reading.shape("load sd-1.50") != Reading.shape("load sd-1.5"))
        #expect(Reading.shape("noise (1.50)") == Reading.shape("noise  (1.5)"))
        #expect(Reading.shape("noise scheduler=(s)") != Reading.shape("noise scheduler=s"))
    }
}
