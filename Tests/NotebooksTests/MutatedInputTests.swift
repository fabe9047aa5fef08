import Caching
import Diffusion
import Files
import Interpreting
import Models
import Notebooks
import Rendering
import SourceText
import Tensors
import TestSupport
import Testing
import Verbs

/// Every reader of the program with inputs that nobody wrote. A reader is a line of the table: its name, a
/// file of a folder, and how that is read.
@Suite("Mutated inputs") struct MutatedInputTests {
    struct Reader: Sendable, CustomTestStringConvertible {
        let name: String
        /// The folder with its file, and how it is read; true where it is accepted.
        let make: @Sendable () throws -> (file: String, read: () throws -> Bool)
        var testDescription: String { name }
    }

    @Test("are read or refused", arguments: models + tables + notebooks + caches) func read(_ reader: Reader)
        throws
    {
        let (file, read) = try reader.make()
        try MutatedInputs.check(reader.name, FileSystem.readBytes(file)) { input in
            // Over the file: a new one each time would cost more than most readers.
            if FileSystem.exists(file) { try FileSystem.removeFile(file) }
            try AtomicFile.write(input, to: file, durable: false)
            return try read()
        }
    }

    // MARK: Models

    private static func model(
        _ name: String, _ file: String, _ open: @escaping @Sendable (ModelCopy) throws -> Void
    ) -> Reader {
        Reader(name: name) {
            let model = try SmallModel.folder()
            return (
                model.at(file),
                {
                    try open(model)
                    return true
                }
            )
        }
    }

    private static func tokenizer(_ name: String, _ file: String) -> Reader {
        model(name, "tokenizer/" + file) { model in
            let tokenizer = try Tokenizer(folder: model.at("tokenizer"))
            _ = tokenizer.decode(
                tokenizer.padded("a Cat <new> on the mat\u{1F41E}", to: 12).ids, keepingSpecialTokens: true)
        }
    }

    static let models: [Reader] = [
        model("safetensors file", "unet/diffusion_pytorch_model.safetensors") { model in
            let file = try SafetensorsFile(path: model.at("unet/diffusion_pytorch_model.safetensors"))
            for name in file.names { _ = try file.tensor(name) }
            _ = try UNet(folder: model.at("unet"))
        },
        model("safetensors index", "clip/model.safetensors.index.json") {
            _ = try CLIP(folder: $0.at("clip"))
        },
        model("UNet's config.json", "unet/config.json") { _ = try UNet(folder: $0.at("unet")) },
        model("VAE's config.json", "vae/config.json") { _ = try VAE(folder: $0.at("vae")) },
        model("text encoder's config.json", "text_encoder/config.json") {
            _ = try CLIPText(folder: $0.at("text_encoder")).encode([[1, 2, 3]])
        },
        model("CLIP's config.json", "clip/config.json") { _ = try CLIP(folder: $0.at("clip")) },
        model("scheduler_config.json", "scheduler/scheduler_config.json") { model in
            let file = SchedulerFile(
                try JSON.read(path: model.at("scheduler/scheduler_config.json")),
                place: "scheduler_config.json", isExact: false)
            for kind in SchedulerKind.allCases {
                _ = try ScheduleTable(SchedulerConfiguration(file, as: kind), steps: 7)
            }
        },
        model("model_index.json", "model_index.json") { _ = try DiffusionModel(folder: $0.path) },
        model("preprocessor_config.json", "clip/preprocessor_config.json") { model in
            let model = try DiffusionModel(folder: model.path)
            _ = try model.clip?.imageFeatures([Bitmap(width: 9, height: 14, red: 200, green: 10, blue: 90)])
        },
        tokenizer("vocab.json", "vocab.json"), tokenizer("merges.txt", "merges.txt"),
        tokenizer("tokenizer_config.json", "tokenizer_config.json"),
        tokenizer("special_tokens_map.json", "special_tokens_map.json"),
        tokenizer("added_tokens.json", "added_tokens.json"),
        Reader(name: "tokenizer.json") {
            let model = try SmallModel.folder(), file = model.at("tokenizer/tokenizer.json")
            let merges = String(
                decoding: try FileSystem.readBytes(model.at("tokenizer/merges.txt")), as: UTF8.self
            ).split(separator: "\n").dropFirst()
            let vocabulary = try JSON.read(path: model.at("tokenizer/vocab.json"))
            try model.write(
                "tokenizer/tokenizer.json",
                [
                    "added_tokens": [["id": 0, "content": "!", "special": .bool(false)]],
                    "model": ["vocab": vocabulary, "merges": .array(merges.map { .string(String($0)) })],
                ])
            return (
                file,
                {
                    _ = try Tokenizer(folder: model.at("tokenizer")).padded("a Cat on the mat", to: 12)
                    return true
                }
            )
        },
    ]

    // MARK: Tables and pictures

    /// A program that reads the file `name` of its folder.
    private static func program(_ title: String, _ name: String, _ text: String, _ files: [String: [UInt8]])
        -> Reader
    {
        Reader(name: title) {
            let folder = try TemporaryFolder()
            for (name, bytes) in files { try AtomicFile.write(bytes, to: folder.path(name)) }
            return (
                folder.path(name),
                {
                    let session = Session(verbs: Verbs.registry, access: FileAccess(base: folder.path))
                    return !session.run(SourceFile(name: "test", text: text)).diagnostics.hasErrors
                }
            )
        }
    }

    private static func picture(_ name: String) -> [UInt8] {
        (try? Golden.topic("images").bytes("png/" + name)) ?? []
    }
    private static let small = (try? PNG.encode(Bitmap(width: 3, height: 2, red: 1, green: 2, blue: 3))) ?? []

    static let tables: [Reader] =
        ["rgb8.png", "palette8_trns.png", "gray16_adam7.png"].map { name in
            program(
                "png, \(name)", "x.png", "x = read x.png\nx | with m=(mean(image)) | table",
                ["x.png": picture(name)])
        } + [
            program(
                "csv table", "x.csv", "x = read x.csv\nx | sort a | table\nx | describe",
                [
                    "x.csv": Array(
                        "a,b,\"c d\"\n1,2,\"three, four\"\n-1e9,0.5,\"5\"\"6\"\n7,yes,\"two\nlines\"\n".utf8)
                ]),
            program(
                "json table", "x.json", "x = read x.json\nx | table\nx",
                [
                    "x.json": Array(
                        """
                        [{"a": 1, "b": [1, 2, [3]]}, {"a": 2.5e3, "b": {"c": null}}, {"a": -7, "t": "text \
                        \\u00e9"}]
                        """.utf8)
                ]),
            program(
                "csv data set", "metadata.csv", "x = dataset \".\"\nx | describe",
                [
                    "metadata.csv": Array("file_name,text\n1.png,one\n1.png,\"two, three\"\n".utf8),
                    "1.png": small,
                ]),
            program(
                "jsonl data set", "metadata.jsonl", "x = dataset \".\"\nx | describe",
                [
                    "metadata.jsonl": Array(
                        "{\"file_name\": \"1.png\", \"text\": \"one\", \"n\": 3}\n{\"file_name\": \"1.png\", \"text\": \"two\"}\n"
                            .utf8),
                    "1.png": small,
                ]),
            program(
                "json data set", "train.json", "x = dataset \".\" split=train\nx | describe",
                [
                    "train.json": Array(
                        "[[\"one\", \"1.png\"], {\"text\": \"two\", \"image\": \"1.png\", \"n\": 3}]".utf8),
                    "1.png": small,
                ]),
            Reader(name: "npz") {
                let folder = try TemporaryFolder(), file = folder.path("x.npz")
                try NumpyArchive.write(
                    [
                        ("mu", .init(shape: [4], values: [1, 2, 3, 4])),
                        ("sigma", .init(shape: [2, 2], values: [1, 0, 0, 1])),
                    ], to: file)
                return (
                    file,
                    {
                        _ = folder
                        let archive = try NumpyArchive(path: file)
                        for name in archive.names { _ = try archive.array(name) }
                        return true
                    }
                )
            },
            Reader(name: "npz, compressed") {
                let folder = try TemporaryFolder(), file = folder.path("x.npz")
                let tests = FileSystem.folder(of: FileSystem.folder(of: #filePath))
                try AtomicFile.write(
                    try FileSystem.readBytes(FileSystem.join(tests, "Data/statistics-compressed.npz")),
                    to: file)
                return (
                    file,
                    {
                        _ = folder
                        let archive = try NumpyArchive(path: file)
                        for name in archive.names { _ = try archive.array(name) }
                        return true
                    }
                )
            },
        ]

    // MARK: Notebooks

    private static let text = """
        ---
        title: a notebook
        ---
        # Numbers

        ```noise sizes
        param n = 3 in 1..9
        k = 2
        ```

        > ```noise
        > quoted
        > ```

        ```noise rows
        t = items a=1..n b="x","y","z" | with c=(a * k)
        t | table
        ```
        <!-- out -->

        | a | b | c |
        | --: | --- | --: |
        | 1 | x | 2 |

        ![a picture](n.out/0123456789ab.png)

        <!-- /out -->

        ```noise wrong raises
        1 +
        ```

        - a list with [a link](https://example.org) and `code`
          1. inside of it <b>raw</b>

        ```noise sweep
        t | sweep m=1,2 { with d=(c * m) } | group m total=(sum(d)) | table
        "\\(length(t.a)) and \\(t[0].a)"
        ```

        """

    private static func notebook(
        _ title: String, _ file: String = "n.md",
        _ read: @escaping @Sendable (TemporaryFolder, Session) throws -> Bool
    ) -> Reader {
        Reader(name: title) {
            let folder = try TemporaryFolder()
            func session() -> Session {
                Session(verbs: Verbs.registry, access: FileAccess(base: folder.path))
            }
            try AtomicFile.write(text, to: folder.path("n.md"))
            try FileSystem.createFolder(folder.path("n.out"))
            try AtomicFile.write(small, to: folder.path("n.out/0123456789ab.png"))
            let file = (folder.path(file))
            // As `run --write` leaves it.
            let notebook = try NotebookFile(folder.path("n.md")), writing = session()
            let run = NotebookRunner(
                notebook.notebook, session: writing, folder: notebook.folder, describe: describe
            ).run()
            try notebook.write(run.outputs)
            try notebook.writeLock(writing, written: run.outputs.keys, made: run.made)
            return (file, { try read(folder, session()) })
        }
    }

    private static let describe: @Sendable (Diagnostic) -> String = {
        LayoutRenderer(usesColour: false).text($0)
    }

    static let notebooks: [Reader] = [
        notebook("notebook, check") { folder, session in
            let found = try NotebookFile(folder.path("n.md")).notebook.program(session).check(session)
            for diagnostic in found { _ = describe(diagnostic) }
            return !found.hasErrors
        },
        notebook("notebook, run") { folder, session in
            let file = try NotebookFile(folder.path("n.md"))
            return NotebookRunner(file.notebook, session: session, folder: file.folder, describe: describe)
                .run().ending == .finished
        },
        notebook("notebook, status") { folder, session in
            let file = try NotebookFile(folder.path("n.md"))
            _ = try NotebookStatus(
                file, session: session, files: FileDigests(path: folder.path("digests")),
                lock: Lock(notebook: file.path))
            return true
        },
        notebook("notebook, verify") { folder, session in
            _ = try Verification(NotebookFile(folder.path("n.md")), session: session, describe: describe)
            return true
        },
        notebook("notebook, plan") { folder, session in
            !NotebookPlan(try NotebookFile(folder.path("n.md")).notebook, session: session).diagnostics
                .hasErrors
        },
        notebook("notebook, render") { folder, session in
            let export = NotebookExport(
                try NotebookFile(folder.path("n.md")), verbs: session.verbSet, version: "1")
            for form in NotebookExport.Form.allCases { _ = try export.text(form) }
            return true
        },
        notebook("lock", "n.lock") { folder, session in
            let file = try NotebookFile(folder.path("n.md")), lock = try Lock(notebook: file.path)
            session.settings.seed = lock.seed ?? 0
            _ = try NotebookStatus(
                file, session: session, files: FileDigests(path: folder.path("digests")), lock: lock)
            let sampling = Session(verbs: Verbs.registry, access: FileAccess(base: folder.path))
            sampling.settings.seed = lock.seed ?? 0
            _ = try Verification(file, session: sampling, method: .sample(1, seed: 0), describe: describe)
            return true
        },
    ]

    // MARK: What the program keeps

    private static let work = "model = load ./m\nx = \"a cat\" | noise of=2 seed=1 | denoise guidance=2"

    /// A folder with a small model and what a run of `work` has kept.
    private static func kept(
        _ title: String, _ name: @escaping @Sendable (String) throws -> String,
        _ read: @escaping @Sendable (String) throws -> Bool
    )
        -> Reader
    {
        Reader(name: title) {
            let model = try SmallModel.folder(), folder = try TemporaryFolder()
            try AtomicFolder.copyFiles(of: model.path, to: folder.path("m"))
            for part in try FileSystem.list(model.path) where FileSystem.isFolder(model.at(part)) {
                try AtomicFolder.copyFiles(of: model.at(part), to: folder.path("m/" + part))
            }
            let session = session(folder.path)
            #expect(!session.run(SourceFile(name: "test", text: work)).diagnostics.hasErrors)
            return (
                try name(folder.path(".noisebook")),
                {
                    _ = folder
                    return try read(folder.path)
                }
            )
        }
    }

    private static func session(_ folder: String) -> Session {
        let session = Session(verbs: Verbs.registry, access: FileAccess(base: folder))
        session.cache = ItemCache(folder: FileSystem.join(folder, ".noisebook"), signer: Signer.test)
        return session
    }

    /// The largest entry: the latent at its end.
    private static func entry(_ store: String) throws -> String {
        let cache = FileSystem.join(store, "cache")
        let entries = try FileSystem.list(cache).flatMap { part in
            try FileSystem.list(FileSystem.join(cache, part)).map {
                FileSystem.join(FileSystem.join(cache, part), $0)
            }
        }
        return try #require(
            try entries.max { try FileSystem.readBytes($0).count < FileSystem.readBytes($1).count })
    }

    static let caches: [Reader] = [
        kept("run log", { FileSystem.join($0, "log") }) { folder in
            let session = session(folder)
            let (plan, _) = session.plan(
                SourceFile(name: "test", text: work.replacing("seed=1", with: "seed=2")))
            return !plan.text(session.cache?.log).isEmpty
        },
        Reader(name: "digests") {
            let folder = try TemporaryFolder(), file = folder.path("digests"), model = try SmallModel.folder()
            let weights = model.at("vae/diffusion_pytorch_model.safetensors"),
                reading = try FileDigests(path: file).digest(of: weights)
            try AtomicFile.write(
                "1:2:3:4 \(reading) \(weights)\n5:6:7:8 \(reading) \(model.at("vae/config.json"))\n", to: file
            )
            return (
                file,
                {
                    _ = (folder, model)
                    let found = try FileDigests(path: file).digest(of: weights)
                    #expect(found == reading, "whatever stands there, the digest is the file's")
                    return true
                }
            )
        },
    ]

    @Test(
        "an entry of the cache is believed or computed anew, and with a right digest it is read or not",
        arguments: [false, true])
    func entries(_ isSealed: Bool) throws {
        let reader = Self.kept(isSealed ? "cache entry, sealed anew" : "cache entry", Self.entry) { folder in
            let session = Self.session(folder)
            let result = session.run(SourceFile(name: "test", text: Self.work))
            #expect(!result.diagnostics.hasErrors, "\(result.diagnostics.map(\.title))")
            return result.counts.verbs.allSatisfy { $0.count.computed == 0 }
        }
        let (file, read) = try reader.make()
        let original = try FileSystem.readBytes(file)
        // The first line, the digest of what follows, and a signature of it.
        let head = "noisebook item 2\n".utf8.count, content = Array(original[(head + 64 + Signer.length)...])
        let key = FileSystem.name(of: FileSystem.folder(of: file)) + FileSystem.name(of: file),
            signer = try Signer.test()
        func sealed(_ content: [UInt8]) throws -> [UInt8] {
            let digest = try Digest.sha256(content)
            return try original[..<head]
                + Array((digest + signer.signature(of: "item \(key) \(digest)")).utf8) + content
        }
        try MutatedInputs.check(reader.name, isSealed ? content : original) { input in
            if FileSystem.exists(file) { try FileSystem.removeFile(file) }
            try AtomicFile.write(isSealed ? sealed(input) : input, to: file, durable: false)
            return try read()
        }
    }
}
