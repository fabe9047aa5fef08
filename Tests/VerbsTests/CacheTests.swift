import Caching
import Files
import Interpreting
import OpenedModels
import Results
import SourceText
import Tensors
import TestSupport
import Testing
import Verbs

/// Results do not depend on the cache: not on what is in it, not on when a run was stopped, not on batches.
@Suite("Pipelines over the cache") struct CacheTests {
    /// What a program's table `out` holds, to the bit, and what the cache did for it.
    struct Outcome: Equatable {
        var numbers: [[UInt32]]
        var items: [Int]
        var calls: [String]

        init(_ table: Table) throws {
            let names = ["latent", "generated", "eps.text", "eps.empty", "near.similarity"]
            numbers = try names.compactMap { table.column($0) }.flatMap { column in
                try column.values.map { value in
                    if case .number(let number) = value {
                        return [
                            UInt32(truncatingIfNeeded: number.bitPattern >> 32),
                            UInt32(truncatingIfNeeded: number.bitPattern),
                        ]
                    }
                    return try value.elements()?.values.map(\.bitPattern) ?? []
                }
            }
            items = table.items
            calls = (table.column("calls")?.values ?? []).map(\.summary)
        }
    }

    static func session(_ folder: TemporaryFolder?, version: Int = 1, of verb: String = "") -> Session {
        let verbs = Verbs.registry.all.map { old in
            old.name == verb
                ? VerbDeclaration(
                    old.name, old.family, old.summary, input: old.input, slots: old.slots, adds: old.adds,
                    examples: old.examples, version: version,
                    run: old.run)
                : old
        }
        let session = Session(verbs: VerbRegistry(verbs), access: FileAccess(base: "/"))
        session.cache = folder.map { ItemCache(folder: $0.path, signer: Signer.test) }
        return session
    }

    static func run(_ program: String, _ session: Session, model: String? = nil) throws -> (
        outcome: Outcome, result: ProgramResult
    ) {
        let model = try model ?? Golden.topic("models").path("pipeline")
        let result = session.run(SourceFile(name: "test", text: "model = load \(model)\n" + program))
        try #require(result.diagnostics.map(\.title) == [])
        guard case .table(let table) = session.globals["out"] else {
            throw EngineError(.data, "the program has no table `out`")
        }
        return (try Outcome(table), result)
    }

    /// Ancestral sampling draws in every step, so a generator that was not restored would show.
    static let sweep = """
        out = sweep k=2,3 { ["a cat", "a dog"] | noise of=k scheduler=euler_a seed=4 | denoise guidance=3 | \
        decode }
        """

    static let pipelines = [
        sweep,
        "out = [\"a cat\", \"a dog\", \"a cat\"] | noise of=5 scheduler=pndm | denoise every=2 | decode",
        "out = \"a cat\" | noise of=3 scheduler=heun | denoise steps=2",
        "out = [\"a cat\", \"a dog\"] | noise of=4 scheduler=dpmpp_2m | denoise guidance=1 | decode",
        """
        a = ["a cat", "a dog"] | noise of=2 | denoise | decode\nout = a | select text generated | encode \
        generated posterior=sample seed=3 | noise 2 of=4 seed=3 scheduler=ddpm | denoise
        """,
        "out = [\"a cat\", \"a dog\"] | noise of=4 | predict",
        "t = [\"a red cat\", \"a dog\", \"a bird\"]\nout = [\"a cat\", \"a wolf\"] | retrieve t top=2",
    ]

    @Test("the second run computes nothing and has the bytes of a run without a cache", arguments: pipelines)
    func twice(_ program: String) throws {
        let folder = try TemporaryFolder()
        let plain = try CacheTests.run(program, CacheTests.session(nil))
        #expect(plain.result.counts == CacheCounts())
        let first = try CacheTests.run(program, CacheTests.session(folder))
        #expect(first.outcome == plain.outcome)
        let second = try CacheTests.run(program, CacheTests.session(folder))
        #expect(second.outcome == plain.outcome)
        #expect(second.result.counts.verbs.allSatisfy { $0.count.computed == 0 && $0.count.cached > 0 })
        #expect(second.result.cacheRemarks == CacheRemarks())
    }

    @Test("a picture that cannot be read is named by its item, and the others are kept") func brokenPicture()
        throws
    {
        let data = try TemporaryFolder(), cache = try TemporaryFolder()
        _ = try CacheTests.run(
            """
            out = ["a cat", "a dog", "a bird"] | noise of=2 | decode\nout | select generated | save \
            \(data.path)/pictures
            """, CacheTests.session(nil))
        let names = ["cat", "dog", "bird"].enumerated().map {
            "{\"file_name\": \"pictures/generated-000\($0).png\", \"text\": \"a \($1)\"}"
        }
        try AtomicFile.write(Array(names.joined(separator: "\n").utf8), to: data.path + "/metadata.jsonl")
        let broken = data.path + "/pictures/generated-0001.png"
        let whole = try FileSystem.readBytes(broken)
        try AtomicFile.write(Array(whole.prefix(whole.count - 20)), to: broken)
        let program = """
            model = load \(try Golden.topic("models").path("pipeline"))\nout = dataset "\(data.path)" | \
            encode image
            """
        let result = CacheTests.session(cache).run(SourceFile(name: "test", text: program))
        #expect(result.diagnostics.map(\.code) == [.engineFormat])
        #expect(result.diagnostics.first?.notes == ["item 1 \"a dog\""])
        #expect(result.counts.verbs.first?.count.computed == 2)
        try AtomicFile.write(whole, to: broken)
        let again = CacheTests.session(cache).run(SourceFile(name: "test", text: program))
        #expect(again.diagnostics.isEmpty)
        #expect(again.counts.verbs.first?.count == .init(cached: 2, computed: 1))
    }

    @Test(
        "stopped at any step and run again, a sweep has the bytes of an uninterrupted one", arguments: 1...10)
    func stopped(_ step: Int) throws {
        let folder = try TemporaryFolder()
        let plain = try CacheTests.run(CacheTests.sweep, CacheTests.session(nil))
        let session = CacheTests.session(folder)
        session.settings.batch = 1
        session.progress = Stopper(session.cancellation, after: step)
        let stopped = try CacheTests.run(CacheTests.sweep, session)
        #expect(stopped.result.ending == .interrupted)
        let counter = StepCounter()
        let again = CacheTests.session(folder)
        again.progress = counter
        let finished = try CacheTests.run(CacheTests.sweep, again)
        #expect(finished.outcome == plain.outcome)
        // Two items of two and of three steps: not one of those taken is taken again.
        #expect(counter.steps == 10 - step)
    }

    @Test("a process that is killed loses no step that was saved") func killed() throws {
        let folder = try TemporaryFolder()
        let program = "out = [\"a cat\", \"a dog\"] | noise of=6 scheduler=dpmpp_2m | denoise"
        let plain = try CacheTests.run(program, CacheTests.session(nil))
        let session = CacheTests.session(folder)
        session.cache?.savingInterval = .zero
        // What lies in the folder at the fourth step is what a kill would leave.
        let copier = try Copier(folder, after: 4)
        session.progress = copier
        #expect(try CacheTests.run(program, session).outcome == plain.outcome)
        let counter = StepCounter()
        let again = CacheTests.session(copier.copy)
        again.progress = counter
        #expect(try CacheTests.run(program, again).outcome == plain.outcome)
        // Saved before the progress is told, so the fourth is there too; a step counts once per item.
        #expect(counter.steps == (6 - 4) * 2)
    }

    @Test("a longer sweep and more items compute only what is new") func extended() throws {
        let folder = try TemporaryFolder()
        func program(_ k: String, _ first: Int) -> String {
            """
            out = sweep k=\(k) { ["a cat", "a dog", "a bird"] | first \(first) | noise of=k \
            scheduler=ddim | denoise | decode }
            """
        }
        _ = try CacheTests.run(program("2,3", 2), CacheTests.session(folder))
        let longer = try CacheTests.run(program("2,3,4", 2), CacheTests.session(folder))
        #expect(longer.result.counts.description == "cached 4, computed 2")
        let wider = try CacheTests.run(program("2,3", 3), CacheTests.session(folder))
        #expect(wider.result.counts.description == "cached 4, computed 2")
        #expect(try wider.outcome == CacheTests.run(program("2,3", 3), CacheTests.session(nil)).outcome)
    }

    @Test("batches and order find the same entries") func batches() throws {
        let folder = try TemporaryFolder()
        let program =
            "out = [\"a cat\", \"a dog\", \"a bird\"] | noise of=3 scheduler=euler_a | denoise | decode"
        let session = CacheTests.session(folder)
        session.settings.batch = 2
        let first = try CacheTests.run(program, session)
        let turned = CacheTests.session(folder)
        turned.settings.batch = 1
        let second = try CacheTests.run(
            program.replacing("| noise", with: "| sort item down=yes | noise"), turned)
        #expect(second.result.counts.description == "cached 3, computed 0")
        #expect(second.outcome.items == [2, 1, 0])
        #expect(Set(second.outcome.numbers) == Set(first.outcome.numbers))
    }

    struct Mutation: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var old: String
        var new: String
        /// Items of three that are computed anew, by verb.
        var denoised: Int
        var decoded: Int
    }

    static let base =
        "out = [\"a cat\", \"a dog\", \"a bird\"] | noise of=3 scheduler=ddim seed=1 | denoise guidance=3 | decode"

    @Test(
        "a changed argument, seed or text makes exactly its items new",
        arguments: [
            Mutation(
                testDescription: "spaces", old: "guidance=3", new: "guidance = 3.0", denoised: 0, decoded: 0),
            Mutation(
                testDescription: "name", old: "| decode", new: "| decode as=generated", denoised: 0,
                decoded: 0),
            Mutation(
                testDescription: "guidance", old: "guidance=3", new: "guidance=4", denoised: 3, decoded: 3),
            Mutation(testDescription: "seed", old: "seed=1", new: "seed=11", denoised: 3, decoded: 3),
            // Item 0 has the seed that item 1 had, but another text.
            Mutation(testDescription: "next seed", old: "seed=1", new: "seed=2", denoised: 3, decoded: 3),
            Mutation(testDescription: "text", old: "a dog", new: "a wolf", denoised: 1, decoded: 1),
            Mutation(testDescription: "steps", old: "of=3", new: "of=4", denoised: 3, decoded: 3),
            Mutation(testDescription: "scheduler", old: "=ddim", new: "=euler", denoised: 3, decoded: 3),
            Mutation(testDescription: "eta", old: "=ddim", new: "=ddim eta=0.5", denoised: 3, decoded: 3),
            Mutation(
                testDescription: "negative", old: "guidance=3", new: "guidance=3 negative=\"a dog\"",
                denoised: 3, decoded: 3),
        ]) func mutation(_ mutation: Mutation) throws
    {
        let folder = try TemporaryFolder()
        _ = try CacheTests.run(CacheTests.base, CacheTests.session(folder))
        let counts = try CacheTests.run(
            CacheTests.base.replacing(mutation.old, with: mutation.new), CacheTests.session(folder)
        ).result.counts
        #expect(counts["denoise"] == .init(cached: 3 - mutation.denoised, computed: mutation.denoised))
        #expect(counts["decode"] == .init(cached: 3 - mutation.decoded, computed: mutation.decoded))
    }

    @Test("another version of a verb makes its own items new", arguments: ["denoise", "decode"]) func version(
        _ verb: String
    ) throws {
        let folder = try TemporaryFolder()
        _ = try CacheTests.run(CacheTests.base, CacheTests.session(folder))
        let counts = try CacheTests.run(CacheTests.base, CacheTests.session(folder, version: 2, of: verb))
            .result.counts
        // The numbers are the same, so what comes after finds its own.
        #expect(counts["denoise"].computed == (verb == "denoise" ? 3 : 0))
        #expect(counts["decode"].computed == (verb == "decode" ? 3 : 0))
    }

    @Test(
        "a changed byte of weights makes new what they computed, and no more",
        arguments: ["unet", "vae", "text_encoder"]) func weights(_ part: String) throws
    {
        let folder = try TemporaryFolder()
        let model = folder.path("model")
        try CacheTests.copy(try Golden.topic("models").path("pipeline"), to: model)
        _ = try CacheTests.run(CacheTests.base, CacheTests.session(folder), model: model)
        let name = try #require(
            FileSystem.list(FileSystem.join(model, part)).first { $0.hasSuffix(".safetensors") })
        let path = FileSystem.join(FileSystem.join(model, part), name)
        var bytes = try FileSystem.readBytes(path)
        // The lowest bit of the last number: results may even stay the same, the key may not.
        bytes[bytes.count - 4] ^= 1
        try AtomicFile.write(bytes, to: path)
        let session = CacheTests.session(folder)
        let changed = try CacheTests.run(CacheTests.base, session, model: model)
        let counts = changed.result.counts
        #expect(
            try changed.outcome
                == CacheTests.run(CacheTests.base, CacheTests.session(nil), model: model).outcome)
        if part == "unet" { #expect(counts["denoise"].computed == 3) }
        if part == "vae" {
            #expect(counts["denoise"].computed == 0)
            #expect(counts["decode"].computed == 3)
        }
        // A session that goes on with the opened model knows nothing of files that take its files' names, and
        // keeps its results under the digest of what it has.
        if part == "text_encoder" {
            let text = SourceFile(name: "test", text: "out = \"a new text\" | encode text")
            let before = CacheTests.session(folder), old = bytes
            _ = before.run(SourceFile(name: "test", text: "model = load \(model)"))
            bytes[bytes.count - 4] ^= 2
            try AtomicFile.write(bytes, to: path)
            #expect(before.run(text).counts["encode"].computed == 1)
            for (content, isKnown) in [(bytes, false), (old, true)] {
                try AtomicFile.write(content, to: path)
                let now = CacheTests.session(folder)
                _ = now.run(SourceFile(name: "test", text: "model = load \(model)"))
                #expect(
                    now.run(text).counts["encode"]
                        == .init(cached: isKnown ? 1 : 0, computed: isKnown ? 0 : 1))
            }
        }
    }

    @Test("a changed picture of a data set makes exactly its own items new") func row() throws {
        let folder = try TemporaryFolder(), data = try TemporaryFolder()
        func write(_ grey: Int, _ index: Int) throws {
            let values = [UInt8](repeating: UInt8(grey), count: 32 * 32 * 3)
            try AtomicFile.write(
                try PNG.encode(Bitmap(width: 32, height: 32, channels: 3, samples: values)),
                to: data.path("\(index).png"))
        }
        for index in 0..<3 { try write(40 * index, index) }
        try AtomicFile.write(
            (0..<3).map { "{\"file_name\": \"\($0).png\", \"text\": \"a cat\"}\n" }.joined(),
            to: data.path("metadata.jsonl"))
        let program =
            "out = dataset \(data.path) | encode image | noise 2 of=3 scheduler=ddim seed=1 | denoise | decode"
        _ = try CacheTests.run(program, CacheTests.session(folder))
        try write(200, 1)
        let counts = try CacheTests.run(program, CacheTests.session(folder)).result.counts
        for verb in ["encode", "denoise", "decode"] {
            #expect(counts[verb] == .init(cached: 2, computed: 1), "\(verb)")
        }
    }

    @Test("a damaged entry is computed anew") func damaged() throws {
        let folder = try TemporaryFolder()
        let first = try CacheTests.run(CacheTests.base, CacheTests.session(folder))
        try CacheTests.each(folder.path("cache")) { path in
            var bytes = try FileSystem.readBytes(path)
            bytes[bytes.count / 2] ^= 1
            try AtomicFile.write(bytes, to: path)
        }
        let second = try CacheTests.run(CacheTests.base, CacheTests.session(folder))
        #expect(second.outcome == first.outcome)
        #expect(second.result.counts.description == "cached 0, computed 3")
        #expect(
            try CacheTests.run(CacheTests.base, CacheTests.session(folder)).result.counts.description
                == "cached 3, computed 0")
    }

    @Test("where nothing can be stored the results are there all the same, and the reason is told")
    func full() throws {
        let folder = try TemporaryFolder()
        try AtomicFile.write("in the way", to: folder.path("cache"))
        let plain = try CacheTests.run(CacheTests.base, CacheTests.session(nil))
        let refused = try CacheTests.run(CacheTests.base, CacheTests.session(folder))
        #expect(refused.outcome == plain.outcome)
        #expect(
            refused.result.cacheRemarks.lines.count == 1
                && refused.result.cacheRemarks.lines[0].contains(folder.path("cache")))
    }

    @Test("what is timed neither reads nor writes the cache") func timed() throws {
        let folder = try TemporaryFolder()
        let work = CacheTests.base.replacing("out = ", with: "")
        let timed = try CacheTests.run("out = bench 1 { \(work) }", CacheTests.session(folder))
        #expect(timed.result.counts == CacheCounts())
        #expect(!FileSystem.exists(folder.path("cache")))
    }

    // MARK: Files

    static func each(_ folder: String, _ body: (String) throws -> Void) throws {
        for name in try FileSystem.list(folder) {
            let path = FileSystem.join(folder, name)
            if FileSystem.isFolder(path) { try each(path, body) } else { try body(path) }
        }
    }

    static func count(_ folder: String) throws -> Int {
        var count = 0
        try each(folder) { _ in count += 1 }
        return count
    }

    static func copy(_ folder: String, to target: String) throws {
        try FileSystem.createFolder(target)
        try each(folder) { path in
            let goal = target + path.dropFirst(folder.count)
            try FileSystem.createFolder(FileSystem.folder(of: goal))
            try AtomicFile.write(try FileSystem.readBytes(path), to: goal, durable: false)
        }
    }
}

/// Counts the steps of denoising, once per item.
private final class StepCounter: Interpreting.Progress {
    private(set) var steps = 0
    private var labels: [String] = []

    func begin(_ label: String, total: Int) { labels.append(label) }
    func advance(by units: Int) { if labels.last == "denoise" { steps += units } }
    func end() { labels.removeLast() }
    func note(_ message: String) {}
}

/// Copies a cache's folder after so many steps.
private final class Copier: Interpreting.Progress {
    let copy: TemporaryFolder
    private let folder: TemporaryFolder
    private var left: Int
    private var labels: [String] = []

    init(_ folder: TemporaryFolder, after steps: Int) throws {
        copy = try TemporaryFolder()
        self.folder = folder
        left = steps
    }

    func begin(_ label: String, total: Int) { labels.append(label) }
    func advance(by units: Int) {
        guard labels.last == "denoise" else { return }
        left -= 1
        if left == 0 { #expect(throws: Never.self) { try CacheTests.copy(folder.path, to: copy.path) } }
    }
    func end() { labels.removeLast() }
    func note(_ message: String) {}
}
