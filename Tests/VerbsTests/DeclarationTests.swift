import Interpreting
import Results
import SourceText
import Testing
import Verbs

@Suite("Declarations of verbs") struct DeclarationTests {
    private var session: Session { Session(verbs: Verbs.registry, access: FileAccess(base: ".")) }

    @Test("every verb has two examples that parse and bind", arguments: Verbs.registry.names) func examples(
        _ name: String
    ) throws {
        let verb = try #require(Verbs.registry[name])
        #expect(verb.examples.count >= 2)
        for example in verb.examples {
            // Examples may go on from what a reader has: a table t, test and train data, results.
            let session = session
            for variable in ["model", "test", "train", "runs", "pictures"] {
                session.globals.set(variable, .none)
            }
            // What it opens need not be on this machine.
            let found = session.check(SourceFile(name: "example", text: example)).filter {
                ![.engineFile, .engineData].contains($0.code)
            }
            #expect(found.map(\.title) == [], "\(example)")
        }
    }

    @Test("names are unique, slots too, and every verb says what it does", arguments: Verbs.registry.names)
    func words(_ name: String) throws {
        let verb = try #require(Verbs.registry[name])
        #expect(Verbs.registry.names.filter { $0 == name }.count == 1)
        #expect(Set(verb.slots.map(\.name)).count == verb.slots.count)
        #expect(verb.summary.hasSuffix("."))
        #expect(verb.slots.allSatisfy { !$0.summary.isEmpty })
    }

    @Test("a slot's default fits the slot", arguments: Verbs.registry.names) func defaults(_ name: String)
        throws
    {
        for slot in try #require(Verbs.registry[name]).slots {
            guard let standard = slot.standard else { continue }
            if let range = slot.range, let number = Double(standard) { #expect(range.contains(number)) }
            if case .choice(let choices) = slot.kind { #expect(choices.contains(standard)) }
        }
    }

    @Test("help explains every verb and lists them all") func help() throws {
        let session = session
        for name in Verbs.registry.names {
            let result = session.run(SourceFile(name: "help", text: "help \(name)"))
            let lines = PlainText.lines(try #require(result.outputs.first).value.view)
            #expect(lines.first?.contains(name) == true)
        }
        let all = PlainText.lines(
            try #require(session.run(SourceFile(name: "help", text: "help")).outputs.first).value.view)
        for name in Verbs.registry.names { #expect(all.contains { $0.hasPrefix(name + " | ") }) }
    }
}
