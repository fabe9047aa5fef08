import Interpreting
import Notebooks
import Results
import SourceText
import Testing
import Verbs

@Suite("Params from outside") struct ParamTests {
    private let session = Session(verbs: Verbs.registry, access: FileAccess(base: "."))

    private func setting(_ text: String, _ values: (name: String, value: String)...) throws -> String {
        session.parameters = Dictionary(uniqueKeysWithValues: values.map { ($0.name, $0.value) })
        let notebook = try Notebook(name: "n.md", bytes: Array(text.utf8)).setting(values, session: session)
        return String(decoding: notebook.bytes, as: UTF8.self)
    }

    /// A cell with one param in it: how it is declared, what is given, how it is declared in the copy.
    @Test(
        "a copy says the value as the language writes it, and keeps every other byte of the line",
        arguments: [
            ("param n = 2", "3", "param n = 3"),
            ("param n = 2 # how many", "007", "param n = 7 # how many"),
            ("param  n=2 in 1..5; m = n", "4", "param  n=4 in 1..5; m = n"),
            ("param n = 0.5", "-1e-7", "param n = -1e-07"),
            ("param n = 1", "inf", "param n = 1/0"),
            ("param n = 1", "-inf", "param n = -1/0"),
            ("param n = 1", "nan", "param n = 0/0"),
            ("param n = (2 + 1) in 0..9 # sum", "1e300", "param n = 1e+300 in 0..9 # sum"),
            ("k = 3; param n = k * 2", "5", "k = 3; param n = 5"),
            ("param n = yes in yes, no", "no", "param n = no in yes, no"),
            ("param n = \"a\"", "say \"hi\"", "param n = \"say \\\"hi\\\"\""),
            ("param n = \"a\"", "\"a cat, sitting\"", "param n = \"a cat, sitting\""),
            ("param n = \"a\" in \"a\", \"b\" # one", "b", "param n = \"b\" in \"a\", \"b\" # one"),
            ("param n = \"a\"", "\\(k) # no comment", "param n = \"\\\\(k) # no comment\""),
            ("param n = \"a\"", "2 lines\nand a tab\t", "param n = \"2 lines\\nand a tab\\t\""),
            ("param n = \"größe\"  ", "日本 🐉", "param n = \"日本 🐉\"  "),
            ("param n = 1, 2", "3,4", "param n = 3, 4"),
            ("param n = [1, 2] in 1..9", "3, 4", "param n = [3, 4] in 1..9"),
            ("param n = 1, 2", "3", "param n = [3]"),
            ("param n = 20..60:20", "1..3", "param n = 1..3"),
            ("param n = 1, 2", "1..3,9", "param n = 1..3,9"),
            ("param n = 1, 2", "", "param n = []"),
            ("param n = \"a\", \"b\"", "\"x, y\",z", "param n = \"x, y\", \"z\""),
            ("param n = 1,\n  2\nn", "7,8", "param n = 7, 8\nn"),
        ])
    func written(_ sample: (String, String, String)) throws {
        let copy = try setting("# T\r\n\r\n```noise a\r\n\(sample.0)\r\n```\r\nend", ("n", sample.1))
        #expect(copy == "# T\r\n\r\n```noise a\r\n\(sample.2)\r\n```\r\nend")
        // What is written is what was given: given again, it changes nothing.
        let notebook = try Notebook(name: "n.md", bytes: Array(copy.utf8))
        session.parameters = [:]
        #expect(
            Params(notebook.program(session).programs, session: session).all.map { $0.isStandard(sample.1) }
                == [true])
    }

    @Test("params of several cells, in indented and tilde fences, behind other text")
    func several() throws {
        let text = """
            \u{FEFF}Größe\n\n   ```noise\n   param a = 1\n     param b = 2\n   ```\n\n~~~~noise x\ny = "ü"; \
            param c = [1, 2] # c\n~~~~\n
            """
        let wanted = """
            \u{FEFF}Größe\n\n   ```noise\n   param a = 10\n     param b = 20\n   ```\n\n~~~~noise x\ny = \
            "ü"; param c = [3] # c\n~~~~\n
            """
        #expect(try setting(text, ("c", "3"), ("a", "10"), ("b", "20")) == wanted)
    }

    @Test("a default that only a run can tell cannot be written in place")
    func unknown() {
        #expect(throws: (any Error).self) {
            try setting("```noise\nx = length(read d.csv)\nparam n = x\n```\n", ("n", "3"))
        }
    }

    @Test(
        "a value that says what the default says is no other value",
        arguments: [
            ("1", "1.0", true), ("1", "2", false), ("0.1", "1e-1", true), ("yes", "yes", true),
            ("yes", "no", false), ("\"a\"", "\"a\"", true),
            ("\"a\"", "a", true),
            ("\"a\"", "a ", false), ("1..3", "1,2,3", true), ("[1, 2]", "1..2", true), ("1, 2", "2,1", false),
            ("\"1\"", "1", true), ("2^3", "8", true),
        ])
    func standard(_ sample: (String, String, Bool)) {
        let source = SourceFile(name: "s", text: "param n = \(sample.0)")
        #expect(
            Params([session.read(source)], session: session).all.map { $0.isStandard(sample.1) } == [sample.2]
        )
    }

    @Test(
        "text that reads as no value like the default is refused with what to write",
        arguments: [
            ("1, 2", "[3,4]", "write n=3,4"), ("1, 2", "[ 3, 4 ]", "write n=3,4"),
            ("1, 2", "3,,4", "write n=3,4"), ("1, 2", "3;4", "n=3,4 or n=20..60:10"),
            ("\"a\", \"b\"", "[x,y]", "write n=x,y"), ("3", "[3,4]", "write n=3,4, which runs once for each"),
            ("3", "three", "write a number: n=3"),
            ("yes", "true", "write n=yes or n=no"),
            ("{a: 1}", "2", "a number, a text, yes or no, or a list of these"),
        ])
    func refused(_ sample: (String, String, String)) throws {
        let source = SourceFile(name: "s", text: "param n = \(sample.0)")
        let problem = try #require(
            Params([session.read(source)], session: session).all.first?.problem(sample.1))
        #expect(problem.code == .paramOutside && problem.help.joined().contains(sample.2), "\(problem.help)")
        // The run says the same.
        session.parameters = ["n": sample.1]
        #expect(session.run(source).diagnostics.map(\.help) == [problem.help])
    }

    @Test("values are parted at commas outside of quotes, without the spaces around them")
    func split() {
        #expect(ParamText.split("1, 2") == ["1", "2"])
        #expect(ParamText.split("\"a cat, sitting\", dog") == ["\"a cat, sitting\"", "dog"])
        #expect(ParamText.split("\"a \\\", b\",c") == ["\"a \\\", b\"", "c"])
        #expect(ParamText.split("3\" disk,5") == ["3\" disk", "5"])
        #expect(ParamText.split(" alone ") == [" alone "])
        for text in ["a", "a, b", "\"", "\\", "say \"x\\\"", ""] {
            #expect(ParamText.unquoted(ParamText.quoted(text)) == text)
        }
        #expect(ParamText.unquoted("\"hi\" and \"bye\"") == "\"hi\" and \"bye\"")
    }
}
