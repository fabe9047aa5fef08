import SourceText
import Syntax
import Testing

@Suite("Depth and length")
struct LimitsTests {
    private static let deep = 50_000

    /// Nested in every way the grammar knows.
    static let nestings: [(String, @Sendable (Int) -> String)] = [
        ("brackets", { String(repeating: "(", count: $0) + "1" + String(repeating: ")", count: $0) }),
        ("lists", { String(repeating: "[", count: $0) + "1" + String(repeating: "]", count: $0) }),
        ("records", { String(repeating: "{a:", count: $0) + "1" + String(repeating: "}", count: $0) }),
        ("calls", { String(repeating: "f(", count: $0) + "1" + String(repeating: ")", count: $0) }),
        ("indices", { String(repeating: "a[", count: $0) + "1" + String(repeating: "]", count: $0) }),
        ("signs", { "x = " + String(repeating: "-", count: $0) + "1" }),
        ("negations", { String(repeating: "not ", count: $0) + "a" }),
        ("powers", { "2" + String(repeating: "^2", count: $0) }),
        ("sums", { "1" + String(repeating: "+1", count: $0) }),
        ("fields", { "a" + String(repeating: ".b", count: $0) }),
        ("blocks", { String(repeating: "each { ", count: $0) + "it" + String(repeating: " }", count: $0) }),
        (
            "commands",
            { String(repeating: "(a | noise ", count: $0) + "1" + String(repeating: ")", count: $0) }
        ),
        ("strings", { String(repeating: "\"\\(", count: $0) + "1" + String(repeating: ")\"", count: $0) }),
        ("definitions", { String(repeating: "def f { ", count: $0) + String(repeating: " }", count: $0) }),
    ]

    @Test(
        "ten levels are fine, fifty thousand are one error and not the end of the process",
        arguments: nestings.indices)
    func nesting(_ index: Int) {
        let (name, make) = LimitsTests.nestings[index]
        let few = Reading.parse(make(10)).diagnostics.filter { $0.code != .recursiveDefinition }
        #expect(few.map(\.title) == [], "\(name)")
        let many = Reading.parse(make(LimitsTests.deep)).diagnostics.filter {
            $0.code != .recursiveDefinition
        }
        #expect(many.map(\.code) == [.nestingTooDeep], "\(name)")
    }

    @Test("the greatest depth that is allowed can be printed and read again")
    func deepest() {
        let text =
            "x = " + String(repeating: "(", count: 64) + "1" + String(repeating: "+1", count: 90)
            + String(repeating: ")", count: 64)
        let program = Reading.parse(text).program
        #expect(Reading.errors(text) == [])
        #expect(Reading.shape(Printer.text(program)) == Dump.text(program, spans: false))
    }

    @Test("nested mistakes are not read again and again")
    func rereading() {
        // Each level would be read twice without a budget: 2^90 readings.
        let text =
            String(repeating: "(a | noise 1 + ", count: 90) + "1" + String(repeating: " + )", count: 90)
        let parse = Reading.parse(text)
        #expect(parse.diagnostics.hasErrors)
    }

    @Test("a long file is read in one go")
    func long() {
        let text = String(repeating: "x = test | noise (k + 5) of=70 | denoise\n", count: 5_000)
        let parse = Reading.parse(text)
        #expect(parse.diagnostics.isEmpty)
        #expect(parse.program.statements.count == 5_000)
    }
}
