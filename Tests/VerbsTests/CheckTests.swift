import Interpreting
import SourceText
import TestSupport
import Testing
import Verbs

/// The check before running, on the design's own cells and on what is left of them after random damage.
@Suite("The check before running") struct CheckTests {
    private func session() -> Session { Session(verbs: Verbs.registry, access: FileAccess(base: ".")) }

    @Test("finds nothing wrong in the cells of the design", arguments: Examples.cells.map(\.text))
    func cells(_ text: String) {
        // A cell may go on from the first ones.
        let before =
            "model = load monsters\ntrain = dataset monsters split=train\ntest = dataset monsters split=test\n"
        let found = session().check(SourceFile(name: "cell", text: before + text))
        #expect(found.map(\.title) == [])
    }

    @Test("says something about any text, with every place inside it")
    func damaged() {
        let words =
            Examples.cells.flatMap {
                $0.text.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
            } + [
                "{", "}", "it", "\n", "def f a {", "f", "loop t {", "each {",
            ]
        let session = session()
        var state: UInt64 = 0x9E37_79B9_7F4A_7C15
        func next(_ count: Int) -> Int {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return Int(state % UInt64(count))
        }
        for _ in 0..<4_000 {
            let start = next(words.count)
            var some = Array(words[start..<min(words.count, start + 4 + next(30))])
            for _ in 0..<next(6) { some[next(some.count)] = words[next(words.count)] }
            let text = some.joined(separator: " ")
            let source = SourceFile(name: "damaged", text: text)
            for problem in session.check(source) {
                let inside = problem.span.lower <= problem.span.upper && problem.span.upper <= text.utf8.count
                #expect(
                    inside && problem.related.allSatisfy { $0.span.upper <= text.utf8.count },
                    "\(problem.code.rawValue) in \(text)")
            }
        }
    }
}
