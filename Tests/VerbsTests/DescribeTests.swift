import Interpreting
import Results
import SourceText
import Testing
import Verbs

@Suite("What `describe` gives") struct DescribeTests {
    @Test("its numbers have all digits for programs, and few for people") func digits() throws {
        let session = Session(verbs: Verbs.registry, access: FileAccess(base: "."))
        let outputs = session.run(SourceFile(name: "t", text: "items k=1,2,2 | describe")).outputs
        let view = try #require(
            outputs.first.flatMap { if case .view(.table(let view)) = $0.value { view } else { nil } })
        // The mean of 1, 2, 2 has no end; what is shown has.
        #expect(abs((view.source?.column("mean")?.values[0].number ?? 0) - 5.0 / 3) < 1e-15)
    }
}
