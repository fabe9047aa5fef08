import SourceText
import Syntax
import Testing

@Suite("Codes")
struct DiagnosticCodeTests {
    @Test("every code has a page with a title, a meaning, an example and a cure")
    func pages() {
        var titles: Set<String> = []
        for code in DiagnosticCode.allCases {
            let page = code.page
            for part in [page.title, page.meaning, page.example, page.cure] { #expect(!part.isEmpty, "\(code.rawValue)") }
            #expect(code.explanation.hasPrefix("\(code.rawValue): \(page.title)\n"))
            titles.insert(page.title)
        }
        #expect(titles.count >= DiagnosticCode.allCases.count - 1, "only the two `not supported` share a title")
    }

    @Test("the examples of the parser's pages give their code")
    func examples() {
        for code in DiagnosticCode.allCases where code.rawValue <= "E020" && code != .nestingTooDeep {
            #expect(Reading.parse(code.page.example).diagnostics.map(\.code).contains(code), "\(code.rawValue): \(code.page.example)")
        }
    }

    @Test("the examples of the other pages are sound sentences", arguments: DiagnosticCode.allCases.filter { ("E021"..."E038").contains($0.rawValue) })
    func soundExamples(_ code: DiagnosticCode) {
        #expect(Reading.errors(code.page.example) == [])
    }

    @Test("a code can be typed in any form")
    func typed() {
        for text in ["E021", "e021", "E21", "21", "021"] { #expect(DiagnosticCode(typed: text) == .unknownOption) }
        #expect(DiagnosticCode(typed: "w1") == .promptTooLong)
        for text in ["", "E", "E999", "noise", "E0021", "\u{662}\u{661}"] { #expect(DiagnosticCode(typed: text) == nil) }
    }
}

@Suite("Suggestions")
struct SuggestionTests {
    static let names = ["of", "left", "seed", "size", "scheduler", "guidance", "denoise", "noise"]

    @Test(
        "the closest name is found",
        arguments: [("off", "of"), ("sede", "seed"), ("Scheduler", "scheduler"), ("guidence", "guidance"), ("dneoise", "denoise"), ("LEFT", "left")])
    func closest(_ pair: (String, String)) { #expect(Suggestion.closest(to: pair.0, in: SuggestionTests.names) == pair.1) }

    @Test("what is far from everything gets no suggestion", arguments: ["", "x", "temperature", "zz"])
    func none(_ name: String) { #expect(Suggestion.closest(to: name, in: SuggestionTests.names) == nil) }

    @Test(
        "a swap of neighbours is one edit, and no letter is edited twice",
        arguments: [("ca", "abc", 3), ("ab", "ba", 1), ("", "abc", 3), ("kitten", "sitting", 3), ("same", "same", 0)])
    func distance(_ sample: (String, String, Int)) {
        #expect(Suggestion.distance(Array(sample.0), Array(sample.1)) == sample.2)
        #expect(Suggestion.distance(Array(sample.1), Array(sample.0)) == sample.2)
    }
}
