import Files
import Interpreting
import Notebooks
import Rendering
import Results
import SourceText
import Tensors
import TestSupport
import Testing
import Verbs

@Suite("Replaying a notebook")
struct RunnerTests {
    private func session(_ folder: String = ".") -> Session { .ofTests(folder) }

    private func run(
        _ text: String, _ session: Session? = nil, folder: (any OutputFolder)? = ForgetfulFolder()
    ) throws -> NotebookRunner.Run {
        let notebook = try Notebook(name: "test.md", bytes: Array(text.utf8))
        return NotebookRunner(notebook, session: session ?? self.session(), folder: folder) {
            LayoutRenderer(usesColour: false).text($0)
        }.run()
    }

    @Test("cells share their variables, in document order")
    func order() throws {
        let result = try run("```noise\nx = 3\n```\n```noise\nx * 2\nx + 1\n```\n")
        #expect(result.ending == .finished)
        #expect(result.outputs == [0: "", 1: "```text\n6\n```\n\n```text\n4\n```"])
    }

    @Test("a part of a notebook: cells before it run only as far as it needs their values, and show nothing")
    func part() throws {
        let text = """
            ```noise\nx = 2\nx\n```\n```noise\nexpect (1 == 2)\n```\n```noise\ny = x * \
            3\ny\n```\n```noise\nx = x + y\n```\n```noise\nx\n```\n
            """
        let notebook = try Notebook(name: "test.md", bytes: Array(text.utf8))
        func run(_ part: NotebookRunner.Part) -> (ran: [Int], outputs: [Int: String]) {
            var ran: [Int] = []
            let runner = NotebookRunner(notebook, session: session(), folder: ForgetfulFolder()) {
                LayoutRenderer(usesColour: false).text($0)
            }
            let result = runner.run(part, began: { ran.append($0.index) })
            #expect(result.ending == .finished)
            return (ran, result.outputs)
        }
        // The second cell would fail, and nothing needs it.
        #expect(run(.only(2)) == ([0, 2], [2: "```text\n6\n```"]))
        #expect(run(.only(4)) == ([0, 2, 3, 4], [4: "```text\n8\n```"]))
        #expect(run(.from(3)) == ([0, 2, 3, 4], [3: "", 4: "```text\n8\n```"]))
    }

    @Test("hidden cells run without output, skipped cells do not run and keep theirs")
    func flags() throws {
        let result = try run(
            "```noise hide\nx = 1\nx\n```\n```noise skip\nnonsense here\n```\n```noise\nx\n```\n")
        #expect(result.ending == .finished)
        #expect(result.outputs == [0: "", 2: "```text\n1\n```"])
    }

    @Test("a cell that should fail has its error as output; one that does not is an error")
    func raises() throws {
        let result = try run("```noise broken raises\nitems n=1..3 | where (m > 1)\n```\n```noise\n7\n```\n")
        #expect(result.ending == .finished)
        #expect(result.outputs[0]?.contains("test.md: cell broken, line 1") == true)
        #expect(result.outputs[1] == "```text\n7\n```")
        let unmet = try run("```noise raises\n1\n```\n")
        #expect(unmet.ending == .unmet)
        #expect(unmet.diagnostics.map(\.code) == [.expectedFailure])
    }

    @Test("the error of a cell that should fail is the same wherever the file lies and whatever stands above")
    func raisesAnywhere() throws {
        func output(_ text: String, _ name: String) throws -> String? {
            let notebook = try Notebook(name: name, bytes: Array(text.utf8))
            let run = NotebookRunner(notebook, session: session(), folder: ForgetfulFolder()) {
                LayoutRenderer(usesColour: false).text($0)
            }.run()
            return run.outputs[0]
        }
        let text = "```noise raises\nexpect (1 == 2)\n```\n"
        let first = try output(text, "n.md")
        #expect(first?.contains("n.md: cell 1, line 1") == true)
        #expect(try output(text, "deep/folder/n.md") == first)
        #expect(try output("# Title\n\nProse.\n\n" + text, "n.md") == first)
    }

    @Test("all errors of a notebook come before anything runs, each in its cell and line")
    func checkedFirst() throws {
        let result = try run(
            """
            text\n\n```noise good\nx = 1\nx\n```\n\n```noise bad\ny = x\nitems n=1..3 | \
            frist\n```\n```noise\nz + 1\n```\n
            """)
        #expect(result.ending == .failed)
        #expect(result.outputs.isEmpty)
        let places = Set(result.diagnostics.compactMap { $0.source?.place(of: $0.span.lower) })
        #expect(places.contains("test.md: cell bad, line 2, column 16"))
        #expect(result.finished == 0)
    }

    @Test("an unknown verb does not hide the errors below it")
    func allErrors() throws {
        let result = try run(
            "```noise\nitems n=1..3 | frist\n```\n\n```noise\nz + 1\nitems n=1..3 | frobnicate\n```\n")
        #expect(
            result.diagnostics.compactMap { $0.source?.position(of: $0.span.lower).fileLine } == [2, 6, 7])
    }

    @Test("names are checked across cells")
    func namesAcrossCells() throws {
        let result = try run("```noise\nx = 1\n```\n\n```noise\nz + 1\n```\n")
        #expect(
            result.diagnostics.map { $0.source?.place(of: $0.span.lower) } == ["test.md: line 6, column 1"])
    }

    @Test("a cell that fails ends the run; earlier outputs are there, later ones are not")
    func failure() throws {
        let result = try run("```noise\n1\n```\n```noise second\nx = 1..3\nx[9]\n```\n```noise\n3\n```\n")
        #expect(result.ending == .failed)
        #expect(result.outputs == [0: "```text\n1\n```"])
        #expect(result.diagnostics.first?.source?.cell == "second")
        #expect(result.finished == 1)
    }

    @Test("an expectation that is not met has its own ending")
    func unmet() throws {
        #expect(try run("```noise\nexpect (1 > 2) \"no\"\n```\n").ending == .unmet)
    }

    @Test("a stopped cell keeps its old output")
    func interrupted() throws {
        let result = try run("```noise\n1\n```\n```noise\nstopped\n```\n```noise\n3\n```\n")
        #expect(result.ending == .interrupted)
        #expect(result.outputs.keys.sorted() == [0])
    }

    @Test("params are found, and set from outside by the kind of their default")
    func params() throws {
        let text = "```noise\nparam g = 7.5 in 0..30\nparam mode = \"a\"\n```\n```noise\ng\nmode\n```\n"
        let notebook = try Notebook(name: "test.md", bytes: Array(text.utf8))
        let session = session()
        #expect(Params(notebook.program(session).programs, session: session).names == ["g", "mode"])
        session.parameters = ["g": "5", "mode": "b"]
        #expect(try run(text, session).outputs[1] == "```text\n5\n```\n\n```text\nb\n```")
        session.parameters = ["g": "31"]
        #expect(try run(text, session).ending == .failed)
    }

    @Test(
        "a list param takes numbers and ranges from outside",
        arguments: [
            ("2,5", "[2, 5]"), ("20..60:20", "[20, 40, 60]"), ("1..3,9", "[1, 2, 3, 9]"),
            ("3..1", "[3, 2, 1]"),
        ])
    func listParam(_ text: String, _ shown: String) throws {
        let session = session()
        session.parameters["k"] = text
        #expect(try run("```noise\nparam k = 1,2\nk\n```\n", session).outputs[0] == "```text\n\(shown)\n```")
    }

    @Test(
        "a range from outside that has no end is refused", arguments: ["1..", "1..2:0", "1..1e9", "1..2:x"])
    func badRange(_ text: String) throws {
        let session = session()
        session.parameters["k"] = text
        #expect(
            try run("```noise\nparam k = 1,2\nk\n```\n", session).diagnostics.map(\.code) == [.paramOutside])
    }

    @Test(
        """
        pictures become files named by their content; running twice gives the same bytes; stale pictures go, \
        other files stay
        """)
    func pictures() throws {
        do {
            let temporary = try TemporaryFolder()
            let folder = temporary.path
            let path = FileSystem.join(folder, "my notes.md")
            func write(_ grey: Int) throws {
                try AtomicFile.write("# T\n\n```noise\nink \(grey)\nink 9 | show\n```\nend", to: path)
            }
            func replay() throws -> String {
                let file = try NotebookFile(path), session = session(folder)
                let run = NotebookRunner(file.notebook, session: session, folder: file.folder) { _ in "" }
                    .run()
                #expect(run.ending == .finished)
                try file.write(run.outputs)
                try file.writeLock(session, written: run.outputs.keys, made: run.made)
                return try FileSystem.readText(path)
            }
            try write(1)
            let once = try replay()
            let out = FileSystem.join(folder, "my notes.out")
            let files = try FileSystem.list(out)
            #expect(files.count == 2)
            #expect(once.hasPrefix("# T\n\n```noise\nink 1\nink 9 | show\n```\n<!-- out -->\n"))
            #expect(once.hasSuffix("<!-- /out -->\nend"))
            #expect(files.allSatisfy { once.contains("my%20notes.out/\($0)") })
            let bytes = try files.map { try FileSystem.readBytes(FileSystem.join(out, $0)) }
            #expect(try replay() == once)
            #expect(try files.map { try FileSystem.readBytes(FileSystem.join(out, $0)) } == bytes)
            try AtomicFile.write("mine", to: FileSystem.join(out, "notes.txt"))
            try write(2)
            _ = try replay()
            let later = try FileSystem.list(out)
            #expect(later.contains("notes.txt"))
            #expect(later.count == 3)
            #expect(Set(later).intersection(files).count == 1)
        }
    }

    @Test("a notebook that somebody changes meanwhile is not overwritten")
    func changedMeanwhile() throws {
        do {
            let temporary = try TemporaryFolder()
            let path = temporary.path("a.md")
            try AtomicFile.write("```noise\n1\n```\n", to: path)
            let file = try NotebookFile(path)
            try AtomicFile.write("edited", to: path)
            #expect(throws: EngineError.self) { try file.write([0: "1"]) }
            #expect(try FileSystem.readText(path) == "edited")
        }
    }
}
