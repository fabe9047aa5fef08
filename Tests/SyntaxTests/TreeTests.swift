import Syntax
import Testing

/// Trees as literal dumps: (node@lower-upper ...), spans in UTF-8 offsets; a run that may be raw text as
/// 'raw':value.
@Suite("Trees")
struct TreeTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var text: String
        var tree: String
        var testDescription: String { text }
        init(_ text: String, _ tree: String) {
            self.text = text
            self.tree = tree
        }
    }

    static let commands = [
        Case(
            "noise k/2 of = 70 y=fid, clip -3 (k + 5)",
            """
            (do@0-40 noise@0-5 'k/2'@6-9:(/@6-9 k@6-7 2@8-9) of@10-12='70'@15-17:70@15-17 \
            y@18-19=(,@20-29 'fid'@20-23:fid@20-23 'clip'@25-29:clip@25-29) '-3'@30-32:(negative@30-32 \
            3@31-32) (group@33-40 (+@34-39 k@34-35 5@38-39)))
            """
        ),
        Case("load models/sd-v1.5", "(do@0-19 load@0-4 'models/sd-v1.5'@5-19)"),
        Case("read ../data/a.csv", "(do@0-18 read@0-4 '../data/a.csv'@5-18)"),
        Case("read /data/a.csv", "(do@0-16 read@0-4 '/data/a.csv'@5-16)"),
        Case("read a#b # c", "(do@0-8 read@0-4 'a#b'@5-8)"),
        Case(
            "save out/x-1.png precision=float16",
            """
            (do@0-34 save@0-4 'out/x-1.png'@5-16:(-@5-16 (/@5-10 out@5-8 x@9-10) (field@11-16 1@11-12 \
            png@13-16)) precision@17-26='float16'@27-34:float16@27-34)
            """
        ),
        Case("why pictures[3]", "(do@0-15 why@0-3 (index@4-15 pictures@4-12 3@13-14))"),
        Case("table runs", "(do@0-10 table@0-5 'runs'@6-10:runs@6-10)"),
        Case("first(3)", "(do@0-8 first@0-5 (group@5-8 3@6-7))"),
        Case(
            "expect (1 < 2) \"why\" # c\nb",
            "(do@0-20 expect@0-6 (group@7-14 (<@8-13 1@8-9 2@12-13)) (text@15-20 \"why\"))\nb@25-26"),
        Case(
            "items k=1,2,\n 3 fid=(1 +\n 2)",
            """
            (do@0-28 items@0-5 k@6-7=(,@8-15 '1'@8-9:1@8-9 '2'@10-11:2@10-11 '3'@14-15:3@14-15) \
            fid@16-19=(group@20-28 (+@21-27 1@21-22 2@26-27)))
            """
        ),
        Case("a | with m={a: 1}", "(|@0-17 a@0-1 (do@4-17 with@4-8 m@9-10=(record@11-17 a@12-13:1@15-16)))"),
        Case("noise k\\\n of=3", "(do@0-14 noise@0-5 'k'@6-7:k@6-7 of@10-12='3'@13-14:3@13-14)"),
        Case(
            "with a=.b c=d.e.f",
            """
            (do@0-17 with@0-4 a@5-6='.b'@7-9:.b@7-9 c@10-11='d.e.f'@12-17:(field@12-17 (field@12-15 \
            d@12-13 e@14-15) f@16-17))
            """),
        Case(
            "items step=1 noise=2",
            "(do@0-20 items@0-5 step@6-10='1'@11-12:1@11-12 noise@13-18='2'@19-20:2@19-20)"),
        Case("help noise", "(do@0-10 help@0-4 'noise'@5-10)"),
    ]

    static let sentences = [
        Case("a\n# c\n\n | denoise\n b", "(|@0-17 a@0-1 (do@10-17 denoise@10-17))\nb@19-20"),
        Case("a\r\n| denoise\r\n", "(|@0-12 a@0-1 (do@5-12 denoise@5-12))"),
        Case("a |\n# c\n denoise", "(|@0-16 a@0-1 (do@9-16 denoise@9-16))"),
        Case("x=3;y=4 ; z", "(=@0-3 x@0-1 3@2-3)\n(=@4-7 y@4-5 4@6-7)\nz@10-11"),
        Case("\u{FEFF}x = 3", "(=@3-8 x@3-4 3@7-8)"),
        Case(
            "param g = 10 in 0..30", "(param@0-21 g@6-7 10@10-12 in (..@16-21 0@16-17 30@19-21))"),
        Case(
            "def f a b { it | denoise guidance=a }\nf 3 4",
            """
            (def@0-37 f@4-5 a@6-7 b@8-9 (block@10-37 (|@12-35 it@12-14 (do@17-35 denoise@17-24 \
            guidance@25-33='a'@34-35:a@34-35))))\n(do@38-43 f@38-39 '3'@40-41:3@40-41 '4'@42-43:4@42-43)
            """
        ),
        Case(
            "bench 5 { a | decode }\n c",
            """
            (do@0-22 bench@0-5 '5'@6-7:5@6-7 (block@8-22 (|@10-20 a@10-11 (do@14-20 \
            decode@14-20))))\nc@24-25
            """),
        Case(
            "sweep s=\"pndm\",\"ddim\" n=1..2{it}",
            """
            (do@0-32 sweep@0-5 s@6-7=(,@8-21 (text@8-14 "pndm") (text@15-21 "ddim")) \
            n@22-23='1..2'@24-28:(..@24-28 1@24-25 2@27-28) (block@28-32 it@29-31))
            """
        ),
        Case(
            "x = ((test | first 3), 4)",
            """
            (=@0-25 x@0-1 (pipeline@4-25 (,@5-24 (pipeline@5-21 (|@6-20 test@6-10 (do@13-20 first@13-18 \
            '3'@19-20:3@19-20))) 4@23-24)))
            """),
        Case(
            "(test\n | noise\n of=3)",
            "(pipeline@0-21 (|@1-20 test@1-5 (do@9-20 noise@9-14 of@16-18='3'@19-20:3@19-20)))"),
        Case("\"é漢\" | decode", "(|@0-16 (text@0-7 \"é漢\") (do@10-16 decode@10-16))"),
    ]

    static let expressions = [
        Case("if(c,a,b)", "(call@0-9 if@0-2 c@3-4 a@5-6 b@7-8)"),
        Case("{a: 1, b: [2,3,]}", "(record@0-17 a@1-2:1@4-5 b@7-8:(list@10-16 2@11-12 3@13-14))"),
        Case("x = 20..60:10, 5", "(=@0-16 x@0-1 (,@4-16 (..@4-13 20@4-6 60@8-10 : 10@11-13) 5@15-16))"),
        Case(
            "x = -2^-3^2*not a",
            """
            (=@0-17 x@0-1 (*@4-17 (negative@4-11 (^@5-11 2@5-6 (negative@7-11 (^@8-11 3@8-9 2@10-11)))) \
            (not@12-17 a@16-17)))
            """),
        Case("x = a\\\n + b", "(=@0-11 x@0-1 (+@4-11 a@4-5 b@10-11))"),
        Case("x = (a # c )\n + b)", "(=@0-18 x@0-1 (group@4-18 (+@5-17 a@5-6 b@16-17)))"),
        Case(
            "\"a \\(k + 1) \\\"b\\\" \\u{41}\\n\"",
            "(text@0-27 \"a \" (+@5-10 k@5-6 1@9-10) \" \\\"b\\\" A\\n\")"),
        Case("\"\\(\"in \\(\"side\")\")\"", "(text@0-19 (text@3-17 \"in \" (text@9-15 \"side\")))"),
        Case(
            "1..2 == 3 or 4 + 5 % 6 and not 7 < 8",
            """
            (or@0-36 (==@0-9 (..@0-4 1@0-1 2@3-4) 3@8-9) (and@13-36 (+@13-22 4@13-14 (%@17-22 5@17-18 \
            6@21-22)) (not@27-36 (<@31-36 7@31-32 8@35-36))))
            """),
        Case("1e-4 0", "E009: unexpected `0`\n0.0001@0-4"),
        Case(".5..1.5", "(..@0-7 0.5@0-2 1.5@4-7)"),
        Case(
            "t.column[2].value", "(field@0-17 (index@0-11 (field@0-8 t@0-1 column@2-8) 2@9-10) value@12-17)"),
        Case("größe_2 + naïve", "(+@0-18 größe_2@0-9 naïve@12-18)"),
        Case("yes, no, none", "(,@0-13 yes@0-3 no@5-7 none@9-13)"),
    ]

    @Test("commands", arguments: commands)
    func command(_ sample: Case) { #expect(Reading.tree(sample.text) == sample.tree) }

    @Test("statements and pipelines", arguments: sentences)
    func sentence(_ sample: Case) { #expect(Reading.tree(sample.text) == sample.tree) }

    @Test("expressions", arguments: expressions)
    func expression(_ sample: Case) { #expect(Reading.tree(sample.text) == sample.tree) }

    @Test("at the prompt a line that begins with a bar continues the last value")
    func prompt() {
        #expect(Reading.tree("| denoise", at: .prompt) == "(|@0-9 _@0-0 (do@2-9 denoise@2-9))")
        #expect(Reading.tree("_1 | denoise", at: .prompt) == "(|@0-12 _1@0-2 (do@5-12 denoise@5-12))")
    }

    @Test("a definition is a verb for the text below, and a cell hands it on")
    func definitions() {
        let above = Reading.parse("def finish g { denoise guidance=g }")
        #expect(above.verbs.isDefined("finish"))
        #expect(Reading.errors("a | finish 3") == ["E020@4-10 unknown verb `finish`"])
        #expect(Reading.errors("def finish g { g }\na | finish 3") == [])
        #expect(Reading.errors("each { def inner { it } }\na | inner") == ["E020@30-35 unknown verb `inner`"])
        #expect(Reading.errors("def f { it }\nf = 3") == ["E012@13-14 `f` is a verb, defined above"])
    }

    @Test("a name has one spelling, however its accents were typed")
    func composedNames() {
        #expect(Array(Reading.shape("cafe\u{301} = 3").utf8) == Array(Reading.shape("caf\u{E9} = 3").utf8))
        #expect(
            Array(Reading.shape("\u{1112}\u{1161}\u{11AB} + 1").utf8)
                == Array(Reading.shape("\u{D55C} + 1").utf8))
    }

    @Test("a value that is no expression waits for a slot that wants one")
    func waiting() {
        #expect(Reading.waiting("load models/sd-v1.5") == ["E009@17-19 unexpected `.5`"])
        #expect(Reading.waiting("plot y=step") == ["E013@7-11 `step` is a verb; the column is `.step`"])
        #expect(
            Reading.waiting("noise k +5 of=70") == [
                "E010@6-10 arithmetic inside a command needs brackets: write `(k + 5)`"
            ])
        #expect(Reading.waiting("save out/ x").map { $0.prefix(4) } == ["E010"])
        #expect(Reading.waiting("noise size=256x256") == ["E004@11-18 `256x256` is not a number"])
        #expect(Reading.errors("save out/ x") == [])
    }
}
