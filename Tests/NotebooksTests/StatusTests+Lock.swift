import Caching
import Files
import Interpreting
import Notebooks
import Rendering
import SourceText
import Tensors
import TestSupport
import Testing
import Verbs

/// The lock beside a notebook.
extension StatusTests {
    @Test("run twice, the lock has the same bytes; a cell that is gone leaves it")
    func deterministic() throws {
        let folder = try desk()
        let first = try FileSystem.readBytes(folder.path("n.lock"))
        try run(folder)
        #expect(try FileSystem.readBytes(folder.path("n.lock")) == first)
        let lines = String(decoding: first, as: UTF8.self).split(separator: "\n")
        #expect(lines.count == 7 && lines == lines.sorted())
        #expect(!String(decoding: first, as: UTF8.self).contains(folder.path))
        try change(folder, "```noise alone\n1 + 1\n```", "")
        try change(folder, "<!-- out -->\n\n```text\n2\n```\n\n<!-- /out -->", "")
        try run(folder)
        #expect(try FileSystem.readText(folder.path("n.lock")).split(separator: "\n").count == 6)
    }

    @Test("a damaged lock is an error that names its line")
    func damaged() throws {
        let folder = try desk()
        let text = try FileSystem.readText(folder.path("n.lock"))
        try AtomicFile.write(String(text.dropLast(20)), to: folder.path("n.lock"))
        #expect { try stale(folder) } throws: {
            ($0 as? EngineError)?.place?.hasSuffix("n.lock, line 7") == true
        }
    }

    @Test(
        """
        a lock with other line ends or a byte order mark says the same, and is left as it is by a run that \
        changes nothing
        """)
    func lineEnds() throws {
        let folder = try desk()
        let plain = try FileSystem.readText(folder.path("n.lock"))
        for text in [
            plain.replacing("\n", with: "\r\n"), "\u{FEFF}" + plain,
            "\u{FEFF}" + plain.replacing("\n", with: "\r\n"),
        ] {
            try AtomicFile.write(text, to: folder.path("n.lock"))
            #expect(try stale(folder) == [])
        }
        try AtomicFile.write(plain.replacing("\n", with: "\r\n"), to: folder.path("n.lock"))
        try run(folder)
        #expect(try FileSystem.readText(folder.path("n.lock")) == plain.replacing("\n", with: "\r\n"))
    }

    @Test(
        "a lock with a merge conflict is said to be so, and a run makes it anew", arguments: ["\n", "\r\n"])
    func conflict(_ newline: String) throws {
        let folder = try desk()
        let plain = try FileSystem.readText(folder.path("n.lock"))
        var lines = plain.split(separator: "\n").map(String.init)
        let theirs = lines[0].replacing("\"output\":\"", with: "\"output\":\"00")
        lines.replaceSubrange(0..<1, with: ["<<<<<<< HEAD", lines[0], "=======", theirs, ">>>>>>> branch"])
        try AtomicFile.write(lines.map { $0 + newline }.joined(), to: folder.path("n.lock"))
        #expect { try stale(folder) } throws: {
            let error = $0 as? EngineError
            return error?.message == "has an unresolved merge conflict, in lines 1 to 5"
                && error?.cure?.contains("--write") == true
        }
        // What both sides say differently is not known; the rest is.
        #expect(try Lock(notebook: folder.path("n.md"), isRenewed: true).entries.count == 6)
        try run(folder)
        #expect(try FileSystem.readText(folder.path("n.lock")) == plain)
        #expect(try stale(folder) == [])
    }
}
