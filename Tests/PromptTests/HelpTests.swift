import Files
import Interpreting
import Prompt
import Rendering
import Results
import SourceText
import Testing
import Verbs

@Suite("Help") struct HelpTests {
    private let session = Session(verbs: Verbs.registry, access: FileAccess(base: "."))

    private func page(_ word: String) throws -> String {
        let result = session.run(SourceFile(name: "help", text: "help \(word)"))
        let output = try #require(result.outputs.first, "\(result.diagnostics.map(\.title))")
        #expect(output.isProse)
        guard case .view(.text(let text)) = output.value else { return "" }
        return text
    }

    @Test("the name of any option leads to the verbs that have it")
    func options() throws {
        for verb in Verbs.registry.all {
            for slot in verb.slots where slot.place != .open && Verbs.registry[slot.name] == nil {
                let isTaken =
                    LanguageForm.all.contains { $0.name == slot.name } || Function(rawValue: slot.name) != nil
                    || DiagnosticCode(typed: slot.name) != nil
                if !isTaken {
                    #expect(try page(slot.name).contains("  \(verb.name) "), "\(slot.name) of \(verb.name)")
                }
            }
        }
        #expect(try page("seed").contains("noise [seed=0]"))
        #expect(try page("guidance").contains("denoise [guidance=7.5]"))
    }

    @Test(
        "what other programs call an option leads to ours",
        arguments: [
            ("sampler", "noise [scheduler="), ("cfg", "denoise [guidance="), ("generator", "noise [seed=0]"),
            ("lr", "fit [rate=]"),
        ])
    func foreign(_ word: String, _ ours: String) throws {
        #expect(try page(word).contains(ours))
    }

    @Test("an option of another verb says whose it is")
    func owners() {
        func label(_ text: String) -> String? {
            session.check(SourceFile(name: "t", text: text)).first { $0.code == .unknownOption }?.label
        }
        #expect(label("\"a\" | noise of=2 guidance=7") == "it belongs to `denoise`")
        #expect(label("items a=1 | first repeat=7") == "it belongs to `sweep`")
        #expect(label("items a=1 | sort a seed=7") == "it is an option of other verbs: `help seed`")
    }

    @Test(
        "pages are broken between words, lists below themselves, and code where the language goes on",
        arguments: [40, 60, 80])
    func wrapped(_ width: Int) throws {
        let renderer = TextRenderer(proseWidth: width)
        for name in Verbs.registry.names + ["E021", "W006", "param", "seed"] {
            let whole = try page(name), text = try renderer.render(.text(whole))
            func words(_ text: String) -> [Substring] { text.split { $0 == " " || $0 == "\n" } }
            #expect(words(text) == words(whole))
            // A word may be wider than a page, and code is broken before bars alone.
            for line in text.split(separator: "\n").prefix(while: {
                !$0.hasPrefix("examples:") && !$0.hasPrefix("An example")
            }) {
                #expect(
                    TextWidth.of(line) <= width || line.drop { $0 == " " }.split(separator: " ").count <= 4,
                    "\(line)")
            }
            // Code is code still: its lines go on behind a bar.
            if let examples = Verbs.registry[name]?.examples {
                let shown = text.split(separator: "\n", omittingEmptySubsequences: false).drop {
                    $0 != "examples:"
                }.dropFirst().joined(separator: "\n")
                #expect(
                    shown.isEmpty || examples.isEmpty
                        || session.check(SourceFile(name: name, text: shown)).allSatisfy {
                            ![.expectedCommand, .unexpectedToken].contains($0.code)
                        })
            }
        }
        let overview = try renderer.render(HelpTests.view(session))
        #expect(overview.split(separator: "\n").allSatisfy { TextWidth.of($0) <= max(width, 40) })
    }

    private static func view(_ session: Session) -> View {
        session.run(SourceFile(name: "help", text: "help")).outputs.first?.value.view ?? .text("")
    }

    @Test("the value of a verb that is no page keeps its lines") func others() {
        #expect(session.run(SourceFile(name: "t", text: "why 1")).outputs.first?.isProse == false)
    }
}
