import SourceText
import Testing

@Suite("Codes")
struct DiagnosticCodeTests {
    @Test("every code has a page with a title, a meaning, an example and a cure")
    func pages() {
        var titles: Set<String> = []
        for code in DiagnosticCode.allCases {
            let page = code.page
            for part in [page.title, page.meaning, page.example, page.cure] {
                #expect(!part.isEmpty, "\(code.rawValue)")
            }
            #expect(code.explanation.hasPrefix("\(code.rawValue): \(page.title)\n"))
            titles.insert(page.title)
        }
        #expect(
            titles.count >= DiagnosticCode.allCases.count - 1, "only the two `not supported` share a title")
    }

    @Test("a code can be typed in any form")
    func typed() {
        for text in ["E021", "e021", "E21", "21", "021"] {
            #expect(DiagnosticCode(typed: text) == .unknownOption)
        }
        #expect(DiagnosticCode(typed: "w1") == .promptTooLong)
        for text in ["", "E", "E999", "noise", "E0021", "\u{662}\u{661}"] {
            #expect(DiagnosticCode(typed: text) == nil)
        }
    }
}
