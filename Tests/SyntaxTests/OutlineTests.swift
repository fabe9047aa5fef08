import SourceText
import Syntax
import Testing

@Suite("Whether a line at the prompt goes on")
struct OutlineTests {
    static let incomplete = [
        "sweep k=1 {", "x = (1 +", "a |", "a | # comment", "score fid,", "x = a \\", "x = [1,\n 2",
        "def f {\n it\n# }", "x = \"a\" + (",
    ]
    static let complete = [
        "", "a", "a | decode", "sweep k=1 { it }", "x = \"abc", "x = \"(\"", "# (", "x = \"a |\"",
        "x = \"a \\(b", "a)", "a }", "x = 3 # |",
    ]

    @Test("open brackets and a bar, comma or backslash at the end ask for more", arguments: incomplete)
    func goesOn(_ text: String) { #expect(Outline(SourceFile(name: "prompt", text: text)).isIncomplete) }

    @Test("anything else is complete, mistakes included", arguments: complete)
    func ends(_ text: String) { #expect(!Outline(SourceFile(name: "prompt", text: text)).isIncomplete) }
}
