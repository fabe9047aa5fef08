import Files
import Interpreting
import Prompt
import Results
import SourceText
import TestSupport
import Testing
import Verbs

/// Runs prompts one after the other: each changes what the process does on signals.
@Suite("The prompt without a terminal", .serialized)
struct SessionTests {
    private func converse(_ inputs: [LineInput], narrated: Bool = false) -> (
        output: String, errors: String, editor: ListedLines, session: Session
    ) {
        let session = Session(verbs: Verbs.registry, access: FileAccess(base: "."))
        let editor = ListedLines(inputs)
        var output = ""
        var errors = ""
        let prompt = PromptSession(
            session: session, editor: editor, display: Display(form: .text, isNarrated: narrated)
        ) { text, channel in
            if channel == .output { output += text.written } else { errors += text.written }
        }
        prompt.run()
        return (output, errors, editor, session)
    }

    /// The same with a notebook open, in a folder that is there while `body` looks at it.
    private func step(
        _ text: String, _ lines: [String],
        _ body: (_ output: String, _ errors: String, _ folder: TemporaryFolder) throws -> Void
    ) throws {
        let folder = try TemporaryFolder()
        try AtomicFile.write(text, to: folder.path("n.md"))
        let session = Session(verbs: Verbs.registry, access: FileAccess(base: folder.path))
        var output = ""
        var errors = ""
        let prompt = PromptSession(
            session: session, editor: ListedLines(lines.map { .line($0) }), display: Display(form: .text),
            notebook: try OpenNotebook(folder.path("n.md"))
        ) { text, channel in
            if channel == .output { output += text.written } else { errors += text.written }
        }
        prompt.run()
        try body(output, errors, folder)
    }

    private static let notebook =
        """
        # Title\n\n```noise one\nx = 3\nx * 2\n```\n<!-- out -->\n\n```text\n6\n```\n\n<!-- /out \
        -->\n\nThen more.\n\n```noise two\nx + 1\n```\n\nThe end.\n
        """

    @Test(":next shows the prose and runs the next cell; anything can be tried in between")
    func stepping() throws {
        try step(Self.notebook, [":next", "x = 10", ":n", ":next"]) { output, errors, _ in
            #expect(errors == "")
            #expect(
                output
                    == """
                    \n# Title\n\n[one]\nnoise> x = 3\nnoise> x * 2\n6\n\nThen more.\n\n[two]\nnoise> x + \
                    1\n11\nThe end.\n\nthe notebook is at its end\n
                    """
            )
        }
    }

    @Test(":plan tells what the cells or a line would compute, and computes nothing; the variables stay")
    func plan() throws {
        let text = """
            ```noise one\nmodel = load monsters\nx = 3\n```\n\n```noise two\n"a cat" | noise of=2 | denoise \
            | decode\n```\n
            """
        let lines = [
            ":next", "x = 4", ":plan", ":plan [\"a cat\", \"a dog\"] | noise of=2 | denoise",
            ":plan [\"a cat\"] | nois of=2", "x",
        ]
        try step(text, lines) { output, errors, folder in
            #expect(
                output.contains(
                    """
                    >  two     text encoder: 2 to compute; denoise: 1 to compute; decode: 1 to compute; time not \
                    known
                    """))
            #expect(output.contains("text encoder: 3 to compute; denoise: 2 to compute; time not known"))
            #expect(output.hasSuffix("4\n"))
            #expect(errors.contains("unknown verb `nois`"))
            let left = try FileSystem.list(folder.path)
            #expect(left == ["n.md"])
        }
    }

    @Test("Tab behind :to and :show knows the notebook's cells, behind :why the variables")
    func labels() throws {
        let folder = try TemporaryFolder()
        try AtomicFile.write(Self.notebook, to: folder.path("n.md"))
        let notebook = try OpenNotebook(folder.path("n.md"))
        let session = Session(verbs: Verbs.registry, access: FileAccess(base: folder.path))
        _ = session.run(SourceFile(name: "prompt", text: "xs = 1"))
        let completer = Completer(session: session, labels: { notebook.cellNames })
        #expect(completer.completions(":to t", wordStart: 4).words == ["two"])
        #expect(completer.completions(":sh ", wordStart: 4).words == ["one", "two"])
        #expect(completer.completions(":why x", wordStart: 5).words == ["xs"])
        #expect(completer.completions(":set th", wordStart: 5).words == ["threads"])
    }

    @Test(":to runs up to a cell, :show shows one with its stored output, unknown ones are named")
    func toAndShow() throws {
        try step(Self.notebook, [":to two", ":show one", ":to three", ":to one"]) { output, errors, _ in
            #expect(output.contains("[two]\nnoise> x + 1\n4\n"))
            #expect(output.contains("[one]\nx = 3\nx * 2\n\n```text\n6\n```\n"))
            #expect(
                errors.contains("there is no cell `three`; cells are one two")
                    && errors.contains("cell one has run"))
        }
    }

    @Test("a cell that fails stops :to there; the session goes on")
    func failing() throws {
        try step("```noise\nnope\n```\n```noise last\n1\n```\n", [":to last", ":next"]) { output, errors, _ in
            #expect(errors.contains("E028"))
            #expect(output.hasSuffix("[last]\nnoise> 1\n1\n"))
        }
    }

    @Test(":keep appends the last line with its output, and the file stays a notebook that gives the same")
    func keeping() throws {
        try step(
            "# Kept\n",
            [":keep", "items a=1,2 | table", "broken |", "", ":keep tried", "2 + 2", ":keep tried", ":keep"]
        ) { output, errors, folder in
            let text = try FileSystem.readText(folder.path("n.md"))
            #expect(
                text
                    == """
                    # Kept\n\n```noise tried\nitems a=1,2 | table\n```\n<!-- out -->\n\n| a |\n| --: \
                    |\n| 1 |\n| 2 |\n\n<!-- /out -->\n\n```noise\n2 + 2\n```\n<!-- out \
                    -->\n\n```text\n4\n```\n\n<!-- /out -->\n
                    """
            )
            #expect(
                errors.contains("nothing has run yet") && errors.contains("there is a cell `tried` already"))
        }
    }

    @Test("what was kept is not kept twice, and bytes that are no text stay")
    func keptOnce() throws {
        let folder = try TemporaryFolder()
        let bytes: [UInt8] = Array("latin ".utf8) + [0xE9, 0xFF] + Array(" prose\r\n".utf8)
        try AtomicFile.write(bytes, to: folder.path("n.md"))
        let session = Session(verbs: Verbs.registry, access: FileAccess(base: folder.path))
        var errors = ""
        let lines = ["1 + 1", ":keep", "nope", ":keep", ":keep hide"].map { LineInput.line($0) }
        let prompt = PromptSession(
            session: session, editor: ListedLines(lines), display: Display(form: .text),
            notebook: try OpenNotebook(folder.path("n.md"))
        ) {
            if $1 == .error { errors += $0.written }
        }
        prompt.run()
        let written = try FileSystem.readBytes(folder.path("n.md"))
        #expect(
            written == bytes
                + Array(
                    "\r\n```noise\r\n1 + 1\r\n```\r\n<!-- out -->\r\n\r\n```text\r\n2\r\n```\r\n\r\n<!-- /out -->\r\n"
                        .utf8))
        #expect(errors.contains("nothing has run since"))
    }

    @Test(
        """
        :status names the cells, :save writes what ran as a notebook, and without a notebook the commands \
        say so
        """)
    func statusAndSave() throws {
        try step(
            Self.notebook,
            [":status", ":next", "7", ":save s.md", ":save s.md", ":save x.txt", ":cache", ":time", "1"]
        ) { output, errors, folder in
            #expect(output.contains(">  one  unknown"))
            let saved = try FileSystem.readText(folder.path("s.md"))
            #expect(saved == "```noise\n7\n```\n")
            #expect(
                errors.contains("there is a file s.md already")
                    && errors.contains("takes the name of a notebook"))
            #expect(output.contains("there is no cache here"))
            #expect(errors.hasSuffix(" s\n"))
        }
        let plain = converse(":next", ":keep", ":status")
        #expect(plain.errors.contains("no notebook is open"))
    }

    private func converse(_ lines: String...) -> (
        output: String, errors: String, editor: ListedLines, session: Session
    ) {
        converse(lines.map { .line($0) })
    }

    @Test("results come out, errors go beside them, and the session goes on")
    func results() {
        let result = converse("x = 3", "x * 2", "y", "x + 1")
        #expect(result.output == "6\n4\n")
        #expect(result.errors.contains("E028"))
    }

    @Test("an entry goes on while a bracket is open or a line ends in a bar; an empty line ends it")
    func severalLines() {
        let result = converse("items n=1..3 |", "last", "(1 +", "", "7")
        #expect(result.output == "n\n3\n7\n")
        #expect(result.editor.prompts == ["noise> ", "   ... ", "noise> ", "   ... ", "noise> ", "noise> "])
        #expect(result.editor.remembered == ["items n=1..3 |\nlast", "(1 +\n", "7"])
    }

    @Test("Ctrl-C drops the entry, also in its second line")
    func interrupted() {
        let result = converse([.line("(1 +"), .interrupted, .line("5"), .interrupted, .line("6")])
        #expect(result.output == "5\n6\n")
        #expect(result.errors.isEmpty)
    }

    @Test("the end of input in the middle of an entry takes the entry back; at the prompt it leaves")
    func endOfInput() throws {
        let result = converse([.line("(1 +"), .end, .line("5"), .end, .line("6")])
        #expect(result.output == "\n5\n")
    }

    @Test(":time with a line times that line alone")
    func timing() throws {
        let result = converse("1 + 1", ":time 2 + 2", "3 + 3")
        #expect(result.output == "2\n4\n6\n")
        #expect(result.errors.matches(of: /[0-9.]+ s\n/).count == 1)
    }

    @Test("the last values are _, _1 and _2, and a bar at the beginning goes on from _")
    func lastValues() {
        #expect(
            converse("1", "2", "_1 + 10 * _", "items n=1..5 | last 2", "| first").output
                == "1\n2\n21\nn\n4\n5\nn\n4\n")
    }

    @Test("a pasted transcript runs its prompt lines only")
    func transcript() {
        let pasted = "noise> x = (1 +\n   ... 2)\nnoise> x\n3\nerror: whatever\nnoise> x * 2\n6"
        #expect(Transcript.input(in: pasted) == "x = (1 +\n2)\nx\nx * 2")
        #expect(converse(pasted).output == "3\n6\n")
        #expect(Transcript.input(in: "a\nb") == "a\nb")
    }

    @Test("a question mark behind a word is help, inside a string it is not")
    func questions() {
        #expect(HelpQuestion.word(in: "test | where?") == "where")
        #expect(HelpQuestion.word(in: "where ?") == "where")
        #expect(HelpQuestion.word(in: "x = \"what?") == nil)
        #expect(HelpQuestion.word(in: "x") == nil)
        #expect(converse("first?").output.contains("usage: ... | first"))
        // A question behind an argument or option is about the verb; a code, a function or a word of the
        // language has its own page.
        #expect(converse("noise of=2?").output.contains("usage: ... | noise"))
        #expect(converse("denoise every?").output.contains("usage: ... | denoise"))
        #expect(converse("E021?").output.contains("no such option"))
        #expect(converse("t | with b=sqrt?").output.hasPrefix("sqrt(x)"))
        #expect(converse("def?").output.contains("usage: def NAME"))
    }

    @Test("commands of the prompt can be abbreviated as long as one is meant")
    func metaCommands() throws {
        #expect(try MetaCommand.named("v") == .vars)
        #expect(throws: UnknownMetaCommand.self) { try MetaCommand.named("h") }
        #expect(throws: UnknownMetaCommand.self) { try MetaCommand.named("zoo") }
        #expect(throws: UnknownMetaCommand.self) { try MetaCommand.named("") }
        let result = converse("x = 3", ":vars", ":v", ":nonsense", ":quit", "never")
        #expect(result.output == "x  3\nx  3\n")
        #expect(result.errors.contains(":nonsense"))
        #expect(!result.editor.prompts.isEmpty)
    }

    @Test(
        "every command of the prompt works without an argument and with a bad one",
        arguments: MetaCommand.allCases)
    func metaCommandsLive(command: MetaCommand) {
        guard command != .quit else { return }
        #expect(
            converse(":" + command.rawValue, ":\(command.rawValue) \"(]", "41 + 1").output.hasSuffix("42\n"))
    }

    @Test(":set changes settings and refuses what they cannot be")
    func settings() {
        let result = converse(
            ":set batch 3", ":set batch 0", ":set seed -1", ":set colour 7", ":set batch 99999999999999999999"
        )
        #expect(result.session.settings.batch == 3)
        #expect(result.errors.split(separator: "\n").count == 4)
    }

    @Test("habits from IPython are answered")
    func habits() {
        let asked = converse([
            .line("t = items n=1..3"), .line("t?"), .line("?first"), .line("first??"), .line("%time 1"),
            .line("!ls"), .line("True"),
        ])
        #expect(asked.output.contains("3 rows"))
        #expect(asked.output.split(separator: "\n").count { $0 == "Keeps the first rows." } == 2)
        #expect(
            asked.errors.contains("magics") && asked.errors.contains("another program")
                && asked.errors.contains("`yes`"))
        #expect(!asked.errors.contains("E001"))
        let left = converse([.line("exit"), .line("7")])
        #expect(!left.output.contains("7"))
    }

    @Test("a narrated prompt tells errors in sentences")
    func narrated() {
        let errors = converse([.line("1 +")], narrated: true).errors
        #expect(errors.contains("E007"))
        #expect(!errors.contains("^"))
    }
}
