import Interpreting
import Results
import SourceText
import Testing

@Suite("Programs that are read once") struct ParsedProgramTests {
    @Test("a program can be checked, planned and run, and run again") func again() {
        let session = Session.small()
        let program = session.read(SourceFile(name: "t", text: "turn 3 { rows 2 } | add t=(k * 2)"))
        #expect(session.check([program]).isEmpty)
        #expect(session.plan(program).result.ending == .finished)
        for _ in 0..<2 {
            let result = session.run(program)
            #expect(result.ending == .finished)
            let table = result.outputs.first.flatMap {
                if case .table(let table) = $0.value { table } else { nil }
            }
            #expect(table?.column("t")?.values.map(\.number) == [0, 2])
        }
    }

    @Test("programs in a row see each other's names and definitions, and errors lie in their own texts")
    func row() {
        let session = Session.small()
        var verbs = session.verbSet
        let programs = ["n = 2\ndef two { rows n }", "two | add t=(k)", "two | add t=(j)\nrows m"]
            .enumerated().map { index, text in
                let program = ParsedProgram(SourceFile(name: "\(index)", text: text), verbs: verbs)
                verbs = program.verbsBelow
                return program
            }
        let found = session.check(programs)
        #expect(found.map(\.code) == [.unknownName, .unknownName])
        #expect(found.map { $0.source?.name } == ["2", "2"])
        #expect(found.map { $0.source?.text(of: $0.span) } == ["j", "m"])
    }

    @Test("an error in a definition of another program names both texts") func called() {
        let session = Session.small()
        let first = session.read(SourceFile(name: "first", text: "def made { it | add t=(j) }"))
        let second = ParsedProgram(SourceFile(name: "second", text: "rows | made"), verbs: first.verbsBelow)
        let found = session.check([first, second])
        #expect(found.map(\.source?.name) == ["first"])
        #expect(found.first?.related.map { $0.source?.name } == ["second"])
    }

    @Test("a program reads by the definitions that there are when it runs") func definitions() {
        let session = Session.small()
        let text = SourceFile(name: "t", text: "made")
        let early = session.read(text)
        #expect(session.run(early).diagnostics.map(\.code) == [.unknownName])
        _ = session.result("def made { rows 1 }")
        #expect(session.run(early).ending == .finished)
    }

    @Test("what depends on the variables that there are is bound anew") func variables() {
        let session = Session.small()
        let program = session.read(SourceFile(name: "t", text: "1 | turn 1 { look word }"))
        #expect(session.run(program).outputs.map(\.value.summary) == ["1 word"])
        _ = session.result("word = 2")
        #expect(session.run(program).outputs.map(\.value.summary) == ["2 none"])
    }

    @Test("the check and the run say the same of what is wrong") func alike() {
        for text in [
            "rows | rows", "add", "1 | add", "rows | add t=(x)", "sqrt(1, 2)", "nothing(1)",
            "rows | add t=(.j)", "(rows).j", ".k", "rows + 1",
        ] {
            let checked = Session.small().check(SourceFile(name: "t", text: text)).first
            // Inside of a block whose failures are left out nothing is checked of values, and the run meets
            // them.
            let run = Session.small().result("turn 1 { \(text) }").diagnostics.first
            #expect(checked?.code == run?.code, "\(text)")
            #expect(checked?.title == run?.title, "\(text)")
        }
    }
}
