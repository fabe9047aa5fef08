import SourceText
import Syntax
import Testing

/// Every error of the parser with its place, and that one error does not hide the next.
@Suite("Errors of the parser")
struct ErrorTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var text: String
        var errors: [String]
        var testDescription: String { text }
        init(_ text: String, _ errors: String...) {
            self.text = text
            self.errors = errors
        }
    }

    static let cases = [
        Case("x = 3 $", "E001@6-7 unexpected `$`"),
        Case("x = a && b", "E001@6-8 unexpected `&&`"),
        Case("x = a || b", "E001@6-8 unexpected `||`"),
        Case("x = 'a b'", "E001@4-5 unexpected `'`"),
        Case(
            "x = \u{201C}hello there\u{201D} y", "E001@4-7 unexpected `\u{201C}`", "E009@22-23 unexpected `y`"
        ),
        Case("x = \u{7}", "E001@4-5 unexpected character"),
        Case("x = \"abc", "E002@4-8 the string has no end"),
        Case("x = f(\"abc)", "E002@6-11 the string has no end"),
        Case("x = \"abc\ny = \"d\\(\"", "E002@4-8 the string has no end", "E002@13-18 the string has no end"),
        Case(
            "x = \"\\q \\u{zz} \\(1 +)\"", "E003@5-7 unknown escape `\\q` in a string",
            "E003@8-10 `\\u` needs the number of a Unicode character",
            "E007@20-20 expected a value after `+`"),
        Case("x = 1_000", "E004@4-9 `1_000` is not a number"),
        Case(
            "x = 70steps 1e999", "E004@4-11 `70steps` is not a number", "E004@12-17 `1e999` is not a number"),
        Case("x = [1, 2", "E005@4-5 `[` is not closed"),
        Case("sweep k=1 { a", "E005@10-11 `{` is not closed"),
        Case("x = (1 + \ny = b | nois 3", "E005@4-5 `(` is not closed", "E020@18-22 unknown verb `nois`"),
        Case("a)", "E006@1-2 nothing opens this `)`"),
        Case("a } | denois", "E006@2-3 nothing opens this `}`", "E020@6-12 unknown verb `denois`"),
        Case("x =", "E007@3-3 expected a value after `=`"),
        Case("x = (1 +) * (2 3)", "E007@8-8 expected a value after `+`", "E009@15-16 unexpected `3`"),
        Case("x = ()", "E007@5-5 expected a value after `(`"),
        Case(
            "where (item < ) | decod", "E007@13-13 expected a value after `<`",
            "E020@18-23 unknown verb `decod`"),
        Case(
            "noise of= | denois", "E007@8-9 expected a value after `of=`", "E020@12-18 unknown verb `denois`"),
        Case("save a,, b", "E007@7-7 expected a value beside `,`"),
        Case("score fid,", "E007@10-10 expected a value beside `,`"),
        Case("x = {a 1}", "E007@5-6 expected `NAME: value` in a record"),
        Case("x = a. b", "E007@5-6 expected a name after the point", "E009@7-8 unexpected `b`"),
        Case("a |", "E008@2-3 expected a verb after `|`"),
        Case("a | | nois 3", "E008@2-3 expected a verb after `|`", "E020@6-10 unknown verb `nois`"),
        Case("a | \"text\" | nois", "E008@4-10 expected a verb after `|`", "E020@13-17 unknown verb `nois`"),
        Case("| decode", "E008@0-1 nothing stands above this `|` to continue"),
        Case("x = | decode", "E008@4-5 nothing stands between `=` and `|`"),
        Case("x = a [3]", "E009@6-7 unexpected `[`"),
        Case("a.b = 3", "E009@4-5 unexpected `=`"),
        Case("x = 20 : 3", "E009@7-8 unexpected `:`"),
        Case("x = 1..2..3", "E009@8-10 a range has two ends"),
        Case("x = \"a\"(3)", "E009@7-8 only functions can be called"),
        Case("x = def", "E009@4-7 `def` begins a statement; it is no value"),
        Case("sweep k=1 { } decode", "E009@14-20 unexpected `decode`"),
        Case("fit unet on=train, batch=3", "E009@24-25 unexpected `=`"),
        Case("noise k + 5 of=70", "E010@6-11 arithmetic inside a command needs brackets: write `(k + 5)`"),
        Case(
            "a | noise of=70 - 1*2 - 3",
            "E010@13-25 arithmetic inside a command needs brackets: write `(70 - 1 * 2 - 3)`"),
        Case("where not a", "E010@6-11 arithmetic inside a command needs brackets: write `(not a)`"),
        Case("where .step < 6", "E010@6-15 arithmetic inside a command needs brackets: write `(.step < 6)`"),
        Case("x = 1 < 2 < 3", "E011@10-11 comparisons do not chain"),
        Case("noise = 3", "E012@0-5 `noise` is a verb"),
        Case("yes = 3", "E012@0-3 `yes` is a word of the language"),
        Case("_ = 3", "E012@0-1 `_` is the last value at the prompt"),
        Case("param step = 3", "E012@6-10 `step` is a verb"),
        Case("def f noise { it }", "E012@6-11 `noise` is a verb"),
        Case("runs | where (step < 6)", "E013@14-18 `step` is a verb; the column is `.step`"),
        Case("x = a + noise", "E013@8-13 `noise` is a verb; the column is `.noise`"),
        Case("step.x", "E013@0-4 `step` is a verb; the column is `.step`"),
        Case("_ | decode", "E014@0-1 `_` means something only at the prompt"),
        Case("x = _2", "E014@4-6 `_2` means something only at the prompt"),
        Case("sweep k=1", "E016@0-5 `sweep` needs a block"),
        Case("def", "E017@3-3 `def` needs a name"),
        Case("def f(a) { a }", "E017@5-6 `def f` needs a block"),
        Case("param x 3\nnois 3", "E017@8-9 `param x` needs a value", "E020@10-14 unknown verb `nois`"),
        Case("def noise { it }", "E018@4-9 `noise` is a verb already"),
        Case("def f { f }", "E019@8-9 `f` is used in its own definition"),
        Case("nois 20", "E020@0-4 unknown verb `nois`"),
        Case("f (x)", "E020@0-1 unknown verb `f`"),
        Case(
            "each { a | nois }\nb | denois", "E020@11-15 unknown verb `nois`",
            "E020@22-28 unknown verb `denois`"),
        Case("def f a a { a }", "E024@8-9 the argument `a` is given twice"),
        Case("x = {a: 1, a: 2}", "E024@11-12 the field `a` is given twice"),
    ]

    @Test("each mistake has its code, place and words", arguments: cases)
    func errors(_ sample: Case) { #expect(Reading.errors(sample.text) == sample.errors) }

    @Test("every code of the parser has a case here or in the limits")
    func coverage() {
        let seen = Set(ErrorTests.cases.flatMap(\.errors).map { $0.prefix(4) })
        for code in DiagnosticCode.allCases where code.rawValue < "E021" && code != .nestingTooDeep {
            #expect(seen.contains(code.rawValue[...]), "\(code.rawValue)")
        }
    }

    @Test("an unknown verb is told its closest neighbour")
    func suggestion() {
        let diagnostics = Reading.parse("a | denosie 3").diagnostics
        #expect(diagnostics.map(\.label) == ["did you mean `denoise`?"])
    }

    @Test("a bracket that was forgotten lines above is shown with what it swallowed")
    func relatedBracket() {
        let diagnostics = Reading.parse("x = (a +\ny = b)").diagnostics
        #expect(diagnostics.map(\.title) == ["unexpected `=`"])
        #expect(diagnostics.flatMap(\.related).map(\.span) == [Span(4, 5)])
    }
}
