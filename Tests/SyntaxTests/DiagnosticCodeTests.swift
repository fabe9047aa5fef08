import SourceText
import Syntax
import Testing

@Suite("Examples of codes")
struct DiagnosticCodeTests {
    @Test("the examples of the parser's pages give their code")
    func examples() {
        for code in DiagnosticCode.allCases where code.rawValue <= "E020" && code != .nestingTooDeep {
            #expect(
                Reading.parse(code.page.example).diagnostics.map(\.code).contains(code),
                "\(code.rawValue): \(code.page.example)")
        }
    }

    @Test(
        "the examples of the other pages are sound sentences",
        arguments: DiagnosticCode.allCases.filter { ("E021"..."E038").contains($0.rawValue) })
    func soundExamples(_ code: DiagnosticCode) {
        #expect(Reading.errors(code.page.example) == [])
    }
}
