import Files
import Interpreting
import SourceText
import Testing
import Verbs

@Suite("The generated reference") struct ReferenceTests {
    private let text = Reference.markdown(Verbs.registry)

    @Test("notebooks/reference.md is current") func current() throws {
        let tests = FileSystem.folder(of: FileSystem.folder(of: #filePath))
        let path = FileSystem.join(FileSystem.folder(of: tests), "notebooks/reference.md")
        #expect(
            try FileSystem.readText(path) == text,
            "write it anew: noisebook help --markdown > notebooks/reference.md")
    }

    @Test("every verb, slot, function and code stands in it") func complete() {
        for verb in Verbs.registry.all {
            #expect(text.contains("\n#### \(verb.name)\n"))
            #expect(text.contains(verb.usage))
            for slot in verb.slots { #expect(text.contains("- `\(slot.usage)`: ")) }
        }
        for function in Function.allCases { #expect(text.contains("- `\(function.usage)`: ")) }
        for code in DiagnosticCode.allCases { #expect(text.contains("- \(code.rawValue): ")) }
    }
}
