import Notebooks
import Rendering
import Tensors
import TestSupport
import Testing

@Suite("Notebooks as text")
struct NotebookTests {
    private func notebook(_ text: String) throws -> Notebook {
        try Notebook(name: "test.md", bytes: Array(text.utf8))
    }
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
        let found = try notebook(
            """
            - ```noise\n  x = 1\n  ```\n\n> ```noise\n> x = 1\n> \
            ```\n\n<!--\n```noise\n```\n-->\n\n````\n```noise\n```\n````\n
            """
        ).cells
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
        let header = try #require(
            try CellHeader(info: "noise sweep volatile tol(fid=0.5, clip = 0.01) raises"))
        #expect(header.label == "sweep")
        #expect(header.flags == [.volatile, .raises])
        #expect(header.tolerances == ["fid": 0.5, "clip": 0.01])
        #expect(try CellHeader(info: "swift") == nil)
        #expect(try CellHeader(info: "") == nil)
    }

    @Test(
        "a malformed header is an error with its line",
        arguments: ["noise a b", "noise tol(fid)", "noise tol(fid=x)", "noise tol(fid=1"])
    func malformedHeader(info: String) throws {
        let error = try #require(throws: EngineError.self) { try notebook("text\n\n```\(info)\n```\n") }
        #expect(error.message.hasPrefix("line 3:"))
    }

    @Test("a label given twice is an error that names both lines")
    func labelTwice() throws {
        let error = try #require(throws: EngineError.self) {
            try notebook("```noise a\n```\n```noise a\n```\n")
        }
        #expect(error.message.contains("lines 1 and 3"))
    }

    @Test("a label that could be another cell's number is an error")
    func numericLabel() {
        #expect {
            try Notebook(name: "n.md", bytes: Array("```noise\n1\n```\n```noise 1\n2\n```\n".utf8))
        } throws: {
            ($0 as? EngineError)?.message.contains(
                "is labelled `1`, and cells without a label go by their number") == true
        }
    }

    @Test("an output region stands directly behind its cell, blank lines apart")
    func region() throws {
        let found = try notebook(
            """
            ```noise\n```\n\n<!-- out -->\nold\n<!-- /out -->\n\n```noise\n```\nprose\n\n<!-- out \
            -->\nnot a region\n<!-- /out -->\n
            """
        ).cells
        #expect(found.map(\.outputLines) == [4...6, nil])
    }

    @Test("a region without an end is an error, also where the next cell follows")
    func regionWithoutEnd() throws {
        for tail in ["", "```noise\n```\n<!-- /out -->\n", "<!-- out -->\n<!-- /out -->\n"] {
            let error = try #require(throws: EngineError.self) {
                try notebook("```noise a\n```\n<!-- out -->\ntext\n\n" + tail)
            }
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
            text(written) == """
                \u{FEFF}a\r\n```noise\r\nx\r\n```\r\n<!-- out -->\r\n\r\none\r\ntwo\r\n\r\n<!-- /out \
                -->\r\nb\n
                """)
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
            try notebook(
                "a\n```noise\n<<<<<<< HEAD\nx = 1\n||||||| base\nx = 0\n=======\nx = 2\n>>>>>>> other\n```\n")
        }
        #expect(error.message.contains("lines 3 to 9"))
        #expect(error.message.contains("ours (HEAD):\n    x = 1\n  theirs (other):\n    x = 2"))
        #expect(!error.message.contains("x = 0"))
    }

    @Test("a heading's underline is no merge conflict")
    func underline() throws {
        #expect(try notebook("Title\n=======\n\n```noise\n```\n").cells.count == 1)
    }

    /// What git left in a text, in one fence.
    static let conflict = "<<<<<<< HEAD\n=======\n>>>>>>> x"

    @Test(
        "conflict markers inside a closed fence that is no cell are text",
        arguments: [
            "```noise a\n1\n```\n<!-- out -->\n\n```text\n\(NotebookTests.conflict)\n```\n\n<!-- /out -->\n",
            "~~~\n\(NotebookTests.conflict)\n~~~\n",
            "````diff\n```\n\(NotebookTests.conflict)\n````\nend",
            // One marker in the output of each of three cells.
            "```text\n<<<<<<< a\n```\n\n```text\n=======\n```\n\n```text\n>>>>>>> b\n```\n",
        ])
    func quotedConflict(_ text: String) throws { #expect(try notebook(text).bytes == Array(text.utf8)) }

    @Test(
        "those outside count, also around a fence with markers in it, and where a conflict cuts through one",
        arguments: [
            "\(NotebookTests.conflict)\n", "```noise\n\(NotebookTests.conflict)\n```\n",
            "```\n\(NotebookTests.conflict)\n",
            "<<<<<<< a\n```text\n\(NotebookTests.conflict)\n```\n=======\n4\n>>>>>>> b\n",
            "```text\n<<<<<<< a\n3\n```\nmore\n=======\n4\n```\n>>>>>>> b\n",
        ])
    func openConflict(_ text: String) throws {
        let error = try #require(throws: EngineError.self) { try notebook(text) }
        #expect(error.message.contains("unresolved merge conflict"))
    }

    @Test("bytes that are no UTF-8 in a cell are an error with line and byte; in prose they stay")
    func otherBytes() throws {
        func read(_ before: String, _ code: [UInt8], _ after: String = "\n```\n") throws -> Notebook {
            try Notebook(
                name: "n.md",
                bytes: Array("# caf".utf8) + [0xE9] + Array("\n\n\(before)".utf8) + code + Array(after.utf8))
        }
        for (code, byte) in [
            (Array("\"caf".utf8) + [0xE9, 0x22], "0xE9, line 4, byte 5"),
            (Array("1 # ".utf8) + [0x80], "0x80, line 4, byte 5"),
            ([0xE6, 0x97], "0xE6, line 4, byte 1"),
        ] {
            let error = try #require(throws: EngineError.self) { try read("```noise a\n", code) }
            #expect("\(error.message.suffix(4)), \(error.place?.dropFirst("n.md, ".count) ?? "")" == byte)
        }
        let header = try #require(throws: EngineError.self) {
            try read("```noise l", [0xFF], "\r\n1\r\n```\r\n")
        }
        #expect(header.place == "n.md, line 3, byte 11")
        let prose = try read(
            "```noise a\n", Array("\"café\"".utf8), "\n```\n<!-- out -->\n\nold\n\n<!-- /out -->\n")
        #expect(try prose.rewriting([0: "new"]).starts(with: Array("# caf".utf8) + [0xE9, 0x0A]))
    }

    @Test("outputs that stand behind no cell are found, warned of and removed, and nothing else goes")
    func orphans() throws {
        let text =
            """
            # T\n\n<!-- out -->\n\nfirst\n\n<!-- /out -->\n```noise a\nx\n```\n\nA sentence.\n\n<!-- out \
            -->\n\n```noise-like\n<!-- /out -->\n```\n\n<!-- /out -->\nend\n
            """
        let found = try notebook(text)
        #expect(found.orphans == [3...7, 14...20])
        #expect(
            found.warnings.map(\.code) == [.orphanOutput, .orphanOutput]
                && found.warnings.map { $0.source?.firstLine } == [3, 14])
        let written = try found.rewriting([0: "new"], keepsOrphans: false)
        #expect(
            self.text(written)
                == "# T\n\n```noise a\nx\n```\n<!-- out -->\n\nnew\n\n<!-- /out -->\n\nA sentence.\n\nend\n")
        #expect(try notebook(self.text(written)).warnings.isEmpty)
        // A second region directly behind a cell's own, the cell of another language, the whole file, a
        // beginning alone.
        #expect(
            try notebook("```noise\n```\n<!-- out -->\n<!-- /out -->\n<!-- out -->\n<!-- /out -->\n").orphans
                == [5...6])
        #expect(try notebook("```python\n```\n<!-- out -->\na\n<!-- /out -->").orphans == [3...5])
        #expect(
            self.text(try notebook("<!-- out -->\na\n<!-- /out -->").rewriting([:], keepsOrphans: false))
                == "")
        let open = try notebook("text\n\n<!-- out -->\nold\n\n```noise\n1\n```\n")
        #expect(open.orphans.isEmpty && open.warnings.map(\.code) == [.orphanOutput])
        #expect(
            try notebook("````md\n<!-- out -->\n<!-- /out -->\n````\n\n- <!-- out -->\n- <!-- /out -->\n")
                .warnings.isEmpty)
    }

    @Test(
        "fences that are almost cells are warned of with what to write",
        arguments: [
            ("```{noise}", "```noise at"), ("```{noise sweep}", "```noise sweep at"),
            ("```{.noise}", "```noise at"), ("```{.noise .hide}", "```noise hide at"),
            ("```Noise", "```noise at"), ("~~~NOISE raises", "```noise raises at"),
            ("```noise,skip", "```noise skip at"), ("```noise:a", "```noise a at"),
            ("```noise{echo=false}", "```noise at"), ("```.noise", "```noise at"),
            ("\t```noise", "```noise at"), ("    ```noise a hide", "```noise a hide at"),
            ("\t~~~{noise}", "```noise at"),
        ])
    func nearMisses(_ sample: (String, String)) throws {
        let found = try notebook("# T\n\n\(sample.0)\n1\n```\n")
        #expect(
            found.cells.isEmpty && found.warnings.map(\.code) == [.almostCell]
                && found.warnings[0].source?.firstLine == 3)
        #expect(found.warnings[0].help[0].contains(sample.1), "\(found.warnings[0].help)")
    }

    @Test(
        "fences of other languages and examples of prose are not warned of",
        arguments: [
            "```noisebook", "```noise-free", "```noises", "```python noise", "```", "- ```noise",
            "> ```{noise}", "    noise = 3", "\tx", "``noise``",
        ])
    func noNearMisses(_ line: String) throws { #expect(try notebook("# T\n\n\(line)\n").warnings.isEmpty) }

    @Test("a cell goes by its label and by its number")
    func named() throws {
        let found = try notebook("```noise a\n```\n```noise\n```\n```noise b\n```\n")
        #expect(["a", "1", "2", "3", "b"].map { found.cell($0)?.index } == [0, 0, 1, 2, 2])
        #expect(["0", "4", "-1", "c", ""].allSatisfy { found.cell($0) == nil })
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
            let clean = try notebook.rewriting([:], keepsOrphans: false)
            #expect(
                notebook.orphans.isEmpty ? clean == bytes : clean.count < bytes.count,
                "seed \(seed): outputs without a cell")
            let closed = notebook.cells.filter(\.isClosed)
            let outputs = Dictionary(
                uniqueKeysWithValues: closed.map {
                    (
                        $0.index,
                        MarkdownText.fence(random.words()) + "\n\n"
                            + MarkdownText.inline("x " + random.words())
                    )
                })
            let once = try notebook.rewriting(outputs)
            let again = try Notebook(name: "random.md", bytes: once)
            #expect(again.cells.map(\.code) == notebook.cells.map(\.code), "seed \(seed): the same cells")
            #expect(
                again.cells.map(\.header) == notebook.cells.map(\.header), "seed \(seed): the same headers")
            #expect(
                closed.allSatisfy { again.cells[$0.index].outputLines != nil },
                "seed \(seed): every output is found again")
            #expect(try again.rewriting(outputs) == once, "seed \(seed): writing twice")
            let none = Dictionary(uniqueKeysWithValues: closed.map { ($0.index, "") })
            #expect(
                try again.rewriting(none) == notebook.rewriting(none),
                "seed \(seed): outputs apart, the text is as it was")
            written += closed.count
        }
        // The cases must not all be refused or empty.
        #expect(written > 4000)
    }
}
