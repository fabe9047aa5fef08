import Notebooks
import Rendering
import Tensors
import Testing

@Suite("Notebooks as text")
struct NotebookTests {
    private func notebook(_ text: String) throws -> Notebook { try Notebook(name: "test.md", bytes: Array(text.utf8)) }
    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    @Test("cells are the top-level fences whose first word is noise")
    func cells() throws {
        let found = try notebook(
            """
            # Title
            ```noise first hide
            x = 1
            x | table
            ```
            ```swift
            let x = 1
            ```
            ~~~~ noise
            ```
            ~~~~
            ```noisebook
            no
            ```
            """
        ).cells
        #expect(found.map(\.header.label) == ["first", nil])
        #expect(found.map(\.code) == ["x = 1\nx | table\n", "```\n"])
        #expect(found.map(\.fenceLines) == [2...5, 9...11])
        #expect(found[0].header.flags == [.hide])
        #expect(found.map(\.name) == ["first", "2"])
    }

    @Test("fences in lists, quotes, comments and other fences are no cells")
    func nestedFences() throws {
        let found = try notebook("- ```noise\n  x = 1\n  ```\n\n> ```noise\n> x = 1\n> ```\n\n<!--\n```noise\n```\n-->\n\n````\n```noise\n```\n````\n").cells
        #expect(found.isEmpty)
    }

    @Test("an empty file and a file without cells are notebooks")
    func noCells() throws {
        #expect(try notebook("").cells.isEmpty)
        let prose = try notebook("only prose")
        #expect(prose.cells.isEmpty)
        #expect(text(try prose.rewriting([:])) == "only prose")
    }

    @Test("an indented fence takes its indentation off the code, as Markdown does")
    func indentedFence() throws {
        #expect(try notebook("  ```noise\n  a\n    b\n c\n  ```\n").cells[0].code == "a\n  b\nc\n")
    }

    @Test("a header names its label, flags and tolerances")
    func header() throws {
        let header = try #require(try CellHeader(info: "noise sweep volatile tol(fid=0.5, clip = 0.01) raises"))
        #expect(header.label == "sweep")
        #expect(header.flags == [.volatile, .raises])
        #expect(header.tolerances == ["fid": 0.5, "clip": 0.01])
        #expect(try CellHeader(info: "swift") == nil)
        #expect(try CellHeader(info: "") == nil)
    }

    @Test("a malformed header is an error with its line", arguments: ["noise a b", "noise tol(fid)", "noise tol(fid=x)", "noise tol(fid=1"])
    func malformedHeader(info: String) throws {
        let error = try #require(throws: EngineError.self) { try notebook("text\n\n```\(info)\n```\n") }
        #expect(error.message.hasPrefix("line 3:"))
    }

    @Test("a label given twice is an error that names both lines")
    func labelTwice() throws {
        let error = try #require(throws: EngineError.self) { try notebook("```noise a\n```\n```noise a\n```\n") }
        #expect(error.message.contains("lines 1 and 3"))
    }

    @Test("a label that could be another cell's number is an error")
    func numericLabel() {
        #expect { try Notebook(name: "n.md", bytes: Array("```noise\n1\n```\n```noise 1\n2\n```\n".utf8)) } throws: {
            ($0 as? EngineError)?.message.contains("is labelled `1`, and cells without a label go by their number") == true
        }
    }

    @Test("an output region stands directly behind its cell, blank lines apart")
    func region() throws {
        let found = try notebook(
            "```noise\n```\n\n<!-- out -->\nold\n<!-- /out -->\n\n```noise\n```\nprose\n\n<!-- out -->\nnot a region\n<!-- /out -->\n"
        ).cells
        #expect(found.map(\.outputLines) == [4...6, nil])
    }

    @Test("a region without an end is an error, also where the next cell follows")
    func regionWithoutEnd() throws {
        for tail in ["", "```noise\n```\n<!-- /out -->\n", "<!-- out -->\n<!-- /out -->\n"] {
            let error = try #require(throws: EngineError.self) { try notebook("```noise a\n```\n<!-- out -->\ntext\n\n" + tail) }
            #expect(error.message == "the output of cell a begins in line 3 and has no end")
        }
    }

    @Test("a marker inside a fence of the output does not end the region")
    func markerInsideFence() throws {
        let output = MarkdownText.fence("<!-- /out -->\n```")
        let once = try notebook("```noise\n```\n").rewriting([0: output])
        let again = try Notebook(name: "test.md", bytes: once)
        #expect(try again.rewriting([0: output]) == once)
        #expect(text(try again.rewriting([0: ""])) == "```noise\n```\n")
    }

    @Test("outputs take the line ends of their fence, and nothing else changes")
    func lineEnds() throws {
        let written = try notebook("\u{FEFF}a\r\n```noise\r\nx\r\n```\r\nb\n").rewriting([0: "one\ntwo"])
        #expect(
            text(written) == "\u{FEFF}a\r\n```noise\r\nx\r\n```\r\n<!-- out -->\r\n\r\none\r\ntwo\r\n\r\n<!-- /out -->\r\nb\n")
    }

    @Test("a file without a last line end gets none")
    func noLastLineEnd() throws {
        let written = try notebook("```noise\nx\n```").rewriting([0: "out"])
        #expect(text(written) == "```noise\nx\n```\n<!-- out -->\n\nout\n\n<!-- /out -->")
        #expect(text(try Notebook(name: "n", bytes: written).rewriting([0: ""])) == "```noise\nx\n```")
    }

    @Test("a fence that is not closed runs, and cannot get outputs")
    func unclosed() throws {
        let open = try notebook("```noise last\nx = 1\n")
        #expect(open.cells.map(\.code) == ["x = 1\n"])
        #expect(throws: EngineError.self) { try open.rewriting([0: "out"]) }
    }

    @Test("a merge conflict is reported with both sides and its lines")
    func mergeConflict() throws {
        let error = try #require(throws: EngineError.self) {
            try notebook("a\n```noise\n<<<<<<< HEAD\nx = 1\n||||||| base\nx = 0\n=======\nx = 2\n>>>>>>> other\n```\n")
        }
        #expect(error.message.contains("lines 3 to 9"))
        #expect(error.message.contains("ours (HEAD):\n    x = 1\n  theirs (other):\n    x = 2"))
        #expect(!error.message.contains("x = 0"))
    }

    @Test("a heading's underline is no merge conflict")
    func underline() throws {
        #expect(try notebook("Title\n=======\n\n```noise\n```\n").cells.count == 1)
    }

    @Test("random Markdown keeps every byte outside output regions, and writing twice gives the same bytes")
    func randomMarkdown() throws {
        var written = 0
        for seed in 1...4000 {
            var random = RandomMarkdown(seed: UInt64(seed))
            let bytes = random.text()
            let notebook: Notebook
            do { notebook = try Notebook(name: "random.md", bytes: bytes) } catch is EngineError { continue }
            #expect(try notebook.rewriting([:]) == bytes, "seed \(seed): nothing to write")
            let closed = notebook.cells.filter(\.isClosed)
            let outputs = Dictionary(
                uniqueKeysWithValues: closed.map { ($0.index, MarkdownText.fence(random.words()) + "\n\n" + MarkdownText.inline("x " + random.words())) })
            let once = try notebook.rewriting(outputs)
            let again = try Notebook(name: "random.md", bytes: once)
            #expect(again.cells.map(\.code) == notebook.cells.map(\.code), "seed \(seed): the same cells")
            #expect(again.cells.map(\.header) == notebook.cells.map(\.header), "seed \(seed): the same headers")
            #expect(closed.allSatisfy { again.cells[$0.index].outputLines != nil }, "seed \(seed): every output is found again")
            #expect(try again.rewriting(outputs) == once, "seed \(seed): writing twice")
            let none = Dictionary(uniqueKeysWithValues: closed.map { ($0.index, "") })
            #expect(try again.rewriting(none) == notebook.rewriting(none), "seed \(seed): outputs apart, the text is as it was")
            written += closed.count
        }
        // The cases must not all be refused or empty.
        #expect(written > 4000)
    }
}
