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

@Suite("Which outputs still belong to their cells") struct StatusTests {
    static let text = """
        # Mutations

        ```noise size
        param n = 3 in 1..9
        k = 2
        ```

        ```noise rows
        t = items a=1..n
        t | table
        ```

        ```noise file
        x = read d.csv
        x | first 1 | table
        ```

        ```noise verb
        def doubled { it | with b=(a * k) }
        ```

        ```noise use
        t | doubled | table
        ```

        ```noise alone
        1 + 1
        ```

        ```noise both
        "\\(length(t.a)) and \\(x[0].a)"
        ```
        """

    /// A notebook that was run with its outputs and lock written, in a folder of its own.
    func desk() throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        try AtomicFile.write(Self.text, to: folder.path("n.md"))
        try AtomicFile.write("a,b\n1,2\n", to: folder.path("d.csv"))
        try run(folder)
        return folder
    }

    func session(_ folder: TemporaryFolder) -> Session {
        let session = Session(verbs: Verbs.registry, access: FileAccess(base: folder.path))
        session.cache = ItemCache(folder: folder.path(".noisebook"), signer: Signer.test)
        return session
    }

    func run(_ folder: TemporaryFolder) throws {
        let file = try NotebookFile(folder.path("n.md"))
        let session = session(folder)
        let run = NotebookRunner(file.notebook, session: session, folder: file.folder) {
            LayoutRenderer(usesColour: false).text($0)
        }.run()
        #expect(run.ending == .finished, "\(run.diagnostics.map(\.title))")
        try file.write(run.outputs)
        try file.writeLock(session, written: run.outputs.keys, made: run.made)
    }

    /// Names of the cells that are not fresh, in the order of the text.
    func stale(_ folder: TemporaryFolder, _ parameters: [String: String] = [:]) throws -> [String] {
        let session = session(folder)
        session.parameters = parameters
        return try status(folder, session).cells.filter { $0.state != .fresh }.map(\.cell.name)
    }

    func status(_ folder: TemporaryFolder, _ session: Session) throws -> NotebookStatus {
        let file = try NotebookFile(folder.path("n.md"))
        return try NotebookStatus(
            file, session: session, files: FileDigests(path: folder.path("digests")),
            lock: Lock(notebook: file.path))
    }

    /// A file that is another by the time the outputs are written: which one, and whether a cell reads what
    /// was there before or what is there now.
    @Test(
        """
        a file that is replaced while the notebook runs: its cells do not belong to what is there now, \
        and do to what was read
        """,
        arguments: [
            "d.csv", "p/metadata.csv", "p/1.png", "p/metadata.jsonl",
            "model/unet/diffusion_pytorch_model.safetensors", "model/vae/config.json",
        ])
    func replaced(_ name: String) throws {
        let folder = try TemporaryFolder()
        let grey = { (value: UInt8) in
            try PNG.encode(
                Bitmap(width: 8, height: 8, channels: 3, samples: [UInt8](repeating: value, count: 192)))
        }
        try FileSystem.createFolder(folder.path("p"))
        try AtomicFile.write(grey(1), to: folder.path("p/1.png"))
        try AtomicFile.write("file_name,text\n1.png,one\n", to: folder.path("p/metadata.csv"))
        try AtomicFile.write("a,b\n1,2\n", to: folder.path("d.csv"))
        let source = try Golden.topic("models").path("pipeline")
        for part in try FileSystem.list(source) where FileSystem.isFolder(FileSystem.join(source, part)) {
            try AtomicFolder.copyFiles(of: FileSystem.join(source, part), to: folder.path("model/" + part))
        }
        try AtomicFile.write(
            """
            ```noise file
            x = read d.csv
            x | table
            ```

            ```noise data
            p = dataset p
            p | grid image
            ```

            ```noise model
            model = load ./model
            model.parameters
            ```

            ```noise alone
            1 + 1
            ```

            ```noise change
            change
            2
            ```

            """, to: folder.path("n.md"))
        let path = folder.path(name)
        let old = FileSystem.exists(path) ? try FileSystem.readBytes(path) : nil
        var new = old ?? Array("{\"file_name\": \"1.png\", \"text\": \"two\"}\n".utf8)
        if name.hasSuffix(".png") {
            new = try grey(2)
        } else if name.hasSuffix(".safetensors") {
            new[new.count - 2] ^= 1
        } else {
            new += [0x0A]
        }
        let replacement = new
        let change = VerbDeclaration("change", .control, "Replaces a file.", input: .optional, examples: []) {
            _ in
            try AtomicFile.write(replacement, to: path)
            return .none
        }
        func session() -> Session {
            Session(verbs: VerbRegistry(Verbs.registry.all + [change]), access: FileAccess(base: folder.path))
        }
        let file = try NotebookFile(folder.path("n.md")), running = session()
        let run = NotebookRunner(file.notebook, session: running, folder: file.folder) {
            LayoutRenderer(usesColour: false).text($0)
        }.run()
        try #require(run.ending == .finished, "\(run.diagnostics.map(\.title))")
        try file.write(run.outputs)
        try file.writeLock(running, written: run.outputs.keys, made: run.made)
        func stale() throws -> [String] {
            try status(folder, session()).cells.filter { $0.state != .fresh }.map(\.cell.name)
        }
        #expect(try stale() == [name == "d.csv" ? "file" : name.hasPrefix("p/") ? "data" : "model"])
        // As it was, all belong together again; a file that came belongs to nothing, since nobody can tell
        // who looked for it.
        guard let old else { return }
        try AtomicFile.write(old, to: path)
        #expect(try stale() == [])
    }

    @Test("a file that the notebook writes itself and then reads belongs to it") func ownFile() throws {
        let folder = try TemporaryFolder()
        try AtomicFile.write(
            "```noise a\nt = items a=1\nsave t made.csv\n```\n\n```noise b\nx = read made.csv\nx | table\n```\n",
            to: folder.path("n.md"))
        let file = try NotebookFile(folder.path("n.md")), session = session(folder)
        let run = NotebookRunner(file.notebook, session: session, folder: file.folder) {
            LayoutRenderer(usesColour: false).text($0)
        }.run()
        #expect(run.ending == .finished, "\(run.diagnostics.map(\.title))")
        try file.write(run.outputs)
        try file.writeLock(session, written: run.outputs.keys, made: run.made)
        #expect(try stale(folder) == [])
    }

    @Test("what an earlier engine made is older, unless something else has changed too") func older() throws {
        let folder = try desk()
        let file = try NotebookFile(folder.path("n.md"))
        let earlier = ItemKeyBuilder.engineVersion - 1
        let own = session(folder)
        let keys = try CellKeys(
            file.notebook.program(own), session: own, files: FileDigests(path: folder.path("digests")),
            engine: earlier
        ) { _ in [] }
        let lines = try FileSystem.readText(folder.path("n.lock")).split(separator: "\n").map { line in
            var entry = try JSON.decode(Lock.Entry.self, from: Array(line.utf8), place: "n.lock")
            let cell = try #require(file.notebook.cells.first { $0.name == entry.cell })
            entry.engine = earlier
            entry.key = try #require(keys.parts[cell.index])
            return try JSON.encode(entry)
        }
        try AtomicFile.write(lines.joined(separator: "\n") + "\n", to: folder.path("n.lock"))
        let all = try status(folder, session(folder)).cells
        #expect(
            !all.isEmpty && all.allSatisfy { $0.state == .older && $0.reason == "made by engine \(earlier)" })
        try change(folder, "1 + 1", "1 + 2")
        let one = try status(folder, session(folder)).cells.filter { $0.state != .older }
        #expect(one.map(\.cell.name) == ["alone"] && one.map(\.state) == [.stale])
    }

    func change(_ folder: TemporaryFolder, _ old: String, _ new: String, in name: String = "n.md") throws {
        let text = try FileSystem.readText(folder.path(name))
        #expect(text.contains(old))
        try AtomicFile.write(text.replacing(old, with: new, maxReplacements: 1), to: folder.path(name))
    }

    struct Mutation: Sendable, CustomTestStringConvertible {
        let old: String
        let new: String
        let stale: [String]
        var testDescription: String { "\(old) becomes \(new)" }
    }

    @Test(
        "one changed token makes exactly the cells stale that depend on it",
        arguments: [
            Mutation(old: "1 + 1", new: "1 + 2", stale: ["alone"]),
            Mutation(old: "n = 3", new: "n = 4", stale: ["size", "rows", "use", "both"]),
            Mutation(old: "k = 2", new: "k = 5", stale: ["size", "verb", "use"]),
            Mutation(old: "a * k", new: "a + k", stale: ["verb", "use"]),
            Mutation(old: "items a=1..n", new: "items a=2..n", stale: ["rows", "use", "both"]),
            Mutation(old: "first 1 | table", new: "first 2 | table", stale: ["file"]),
            Mutation(old: "t | doubled | table", new: "t | doubled | first 1 | table", stale: ["use"]),
            Mutation(old: "length(t.a)", new: "length(t.item)", stale: ["both"]),
        ])
    func mutations(_ mutation: Mutation) throws {
        let folder = try desk()
        #expect(try stale(folder) == [])
        try change(folder, mutation.old, mutation.new)
        #expect(try stale(folder) == mutation.stale)
        // Undone, everything is fresh again.
        try change(folder, mutation.new, mutation.old)
        #expect(try stale(folder) == [])
    }

    @Test("comments, spaces, prose and line breaks of a pipeline make nothing stale")
    func formatting() throws {
        let folder = try desk()
        for (old, new) in [
            ("1 + 1", "1  +  1   # two"), ("# Mutations", "# Other words"),
            ("t = items a=1..n", "# the rows\nt   =   items a = 1..n"),
            ("x | first 1 | table", "x\n  | first 1\n  | table"), ("k = 2\n", "k = 2\n\n\n"),
        ] { try change(folder, old, new) }
        #expect(try stale(folder) == [])
    }

    @Test("a param from outside, a changed file and an edited output are noticed where they count")
    func outside() throws {
        let folder = try desk()
        #expect(try stale(folder, ["n": "5"]) == ["size", "rows", "use", "both"])
        try change(folder, "1,2", "7,2", in: "d.csv")
        #expect(try stale(folder) == ["file", "both"])
        try change(folder, "7,2", "1,2", in: "d.csv")
        try change(folder, "```text\n2\n```", "```text\n3\n```")
        #expect(try stale(folder) == ["alone"])
    }

    @Test("a cell with an error is named, and what reads its values cannot be known")
    func errors() throws {
        let folder = try desk()
        try change(folder, "items a=1..n", "items a=1..m")
        let stale = try stale(folder)
        #expect(stale.contains("rows") && !stale.contains("alone") && !stale.contains("file"))
    }

    @Test(
        """
        a model that a param names is told by its content, and one that is not there is no error before it \
        runs
        """)
    func namedByParam() throws {
        let folder = try TemporaryFolder()
        try FileSystem.createFolder(folder.path("m"))
        try AtomicFile.write("one", to: folder.path("m/config.json"))
        let text = """
            ```noise load\nparam weights = "./m"\nparam other = "none"\nmodel = load (weights)\nnet = \
            if(yes, 1, (load clip (other)))\n```\n
            """
        try AtomicFile.write(text, to: folder.path("n.md"))
        func sources(_ parameters: [String: String] = [:]) throws -> [String: String] {
            let session = session(folder)
            session.parameters = parameters
            let program = try Notebook(name: "n.md", bytes: Array(text.utf8)).program(session)
            return try CellKeys(program, session: session, files: FileDigests(path: folder.path("digests"))) {
                _ in []
            }.parts[0]?.sources ?? [:]
        }
        let first = try sources()
        #expect(first.keys.sorted() == ["load ./m", "load clip none"])
        try AtomicFile.write("two", to: folder.path("m/config.json"))
        #expect(try sources()["load ./m"] != first["load ./m"])
        #expect(try sources(["weights": "./elsewhere"])["load ./elsewhere"] != nil)
    }

    @Test("a file that only a run can name is noticed when it changes, with what follows from it")
    func namedByRun() throws {
        let folder = try TemporaryFolder()
        for name in ["d", "e"] { try AtomicFile.write("a\n1\n", to: folder.path(name + ".csv")) }
        let cells = [
            ("pick", "names = [\"d\", \"e\"]\nt = read (\"\\(names[0]).csv\")\nt | table"),
            ("use", "t | describe"), ("alone", "1"),
        ]
        try AtomicFile.write(
            cells.map { "```noise \($0)\n\($1)\n```\n" }.joined(separator: "\n"), to: folder.path("n.md"))
        try run(folder)
        #expect(try stale(folder) == [])
        try AtomicFile.write("a\n2\n", to: folder.path("e.csv"))
        #expect(try stale(folder) == [])
        try AtomicFile.write("a\n2\n", to: folder.path("d.csv"))
        #expect(try stale(folder) == ["pick", "use"])
        try run(folder)
        #expect(try stale(folder) == [])
        try FileSystem.removeFile(folder.path("d.csv"))
        #expect(try stale(folder) == ["pick", "use"])
    }

    @Test("an unlabelled cell that got another number is what it was")
    func moved() throws {
        let folder = try TemporaryFolder()
        try AtomicFile.write("```noise\n1 + 1\n```\n\n```noise\n2 + 2\n```\n", to: folder.path("n.md"))
        try run(folder)
        let text = try FileSystem.readText(folder.path("n.md"))
        try AtomicFile.write("```noise\n3 + 3\n```\n\n" + text, to: folder.path("n.md"))
        #expect(try stale(folder) == ["1"])
    }

    @Test("a picture that an output shows and that is gone is noticed")
    func gone() throws {
        let folder = try TemporaryFolder()
        try AtomicFile.write("```noise a\nitems k=1..3 v=1..3 | plot x=k y=v\n```\n", to: folder.path("n.md"))
        try run(folder)
        #expect(try stale(folder) == [])
        let name = try #require(try FileSystem.list(folder.path("n.out")).first)
        try FileSystem.removeFile(folder.path("n.out/" + name))
        #expect(try stale(folder) == ["a"])
    }

    @Test("another weight or another version of the engine makes what depends on the model stale")
    func weights() throws {
        let folder = try TemporaryFolder()
        try FileSystem.createFolder(folder.path("m"))
        try AtomicFile.write("one", to: folder.path("m/config.json"))
        try AtomicFile.write(
            """
            ```noise load\nmodel = load ./m\n```\n```noise draw\nx = "a" | noise of=2 | \
            denoise\n```\n```noise other\n1\n```\n
            """, to: folder.path("n.md"))
        func parts() throws -> [Int: CellKeys.Parts] {
            let file = try NotebookFile(folder.path("n.md")), session = session(folder)
            return try CellKeys(
                file.notebook.program(session), session: session,
                files: FileDigests(path: folder.path("digests"))
            ) { _ in [] }
            .parts
        }
        let before = try parts()
        try AtomicFile.write("two", to: folder.path("m/config.json"))
        let after = try parts()
        #expect([0, 1, 2].map { before[$0] == after[$0] } == [false, false, true])
    }
}
