import Caching
import Files
import Foundation
import Interpreting
import Results
import SourceText
import TestSupport
import Testing
import Verbs

/// Every verb that computes item by item has progress, a stop, plans, times and the cache, whichever it is.
@Suite("Work item by item") struct ItemWorkTests {
    /// A program that has a verb do one of its works.
    struct Use: Sendable, CustomTestStringConvertible {
        var verb: String
        /// By its declaration.
        var work: String
        var program: String
        var items = 3
        /// What its progress is called, and its time in the log, where these are other names.
        var label: String?
        var kind: String?
        /// Whether another verb's result needs it: then plans count what takes time alone.
        var isAuxiliary = false
        var isKept = true
        /// Whether plans count it under this name: scores they count as scores.
        var isPlanned = true
        /// Before it: three pictures, and no text that the cache does not know.
        var setup = ItemWorkTests.made

        var testDescription: String { "\(verb): \(work)" }
    }

    static let made = """
        made = ["a", "b", "c"] | noise of=1 seed=1 | decode
        known = ["", "a", "b", "c"] | encode text
        """
    static let monsters =
        "model = load \(ExampleTests.monsters)\nshown = dataset monsters split=test | first 3"
    static let noised = "[\"a\", \"b\", \"c\"] | noise of=2 seed=5"
    static let new = "[\"x\", \"y\"]"

    static let uses = [
        Use(verb: "encode", work: "encode", program: "out = made | encode generated as=again"),
        Use(
            verb: "encode", work: "encode", program: "out = [\"x\", \"y\", \"z\"] | encode text",
            kind: "text encoder"),
        Use(verb: "decode", work: "decode", program: "out = \(noised) | decode"),
        Use(verb: "denoise", work: "denoise", program: "out = \(noised) | denoise", kind: "unet"),
        Use(
            verb: "denoise", work: "text encoder", program: "out = \(new) | noise of=1 | denoise", items: 2,
            isAuxiliary: true),
        Use(verb: "predict", work: "predict", program: "out = \(noised) | predict", kind: "unet"),
        Use(
            verb: "predict", work: "text encoder", program: "out = \(new) | noise of=1 | predict", items: 2,
            isAuxiliary: true),
        Use(verb: "show", work: "decode", program: "out = \(noised) | show"),
        Use(verb: "grid", work: "decode", program: "out = \(noised) | grid latent"),
        Use(
            verb: "retrieve", work: "text encoder", program: "t = \(new)\nout = [\"z\"] | retrieve t",
            isAuxiliary: true),
        Use(
            verb: "retrieve", work: "text features", program: "out = [\"x\"] | retrieve shown", items: 4,
            label: "CLIP", isAuxiliary: true,
            setup: monsters),
        Use(
            verb: "retrieve", work: "picture features",
            program: "out = shown | select image | retrieve shown by=image", label: "CLIP",
            isAuxiliary: true, setup: monsters),
        Use(
            verb: "score", work: "picture features", program: "out = shown | score clip_image column=image",
            label: "CLIP", isAuxiliary: true,
            isPlanned: false, setup: monsters),
        Use(
            verb: "score", work: "text features", program: "out = shown | score clip column=image",
            label: "CLIP", isAuxiliary: true,
            isPlanned: false, setup: monsters),
        Use(
            verb: "fit", work: "encode", program: "out = model | fit unet on=rows batch=3 steps=1 flip=no",
            isKept: false,
            setup: made + "\nrows = made | with image=(generated) | select text image"),
        Use(
            verb: "fit", work: "text encoder",
            program: "out = model | fit unet on=rows batch=3 steps=1 flip=no", isKept: false,
            setup: made.replacing("known =", with: "fewer =").replacing(
                "\"\", \"a\", \"b\", \"c\"", with: "\"q\"")
                + "\nrows = made | with image=(generated) | select text image"),
    ]

    @Test("every work that a verb declares is tried here", arguments: Verbs.registry.names) func complete(
        _ name: String
    ) throws {
        let declared = try #require(Verbs.registry[name]).computes
        #expect(Set(declared) == Set(Self.uses.filter { $0.verb == name }.map(\.work)))
    }

    @Test("no example works at what its verbs do not declare", arguments: ExampleTests.examples)
    func declared(_ example: ExampleTests.Example) throws {
        let desk = try ExampleTests.desk()
        let session = Session(verbs: Verbs.registry, access: FileAccess(base: desk.path))
        let works = Works()
        session.progress = works
        _ = session.run(SourceFile(name: "example", text: example.text))
        let used = Verbs.registry.all.filter { example.text.contains($0.name) }
        // A network's features go by its name.
        let labels = Set(used.flatMap(\.computes)).union(["CLIP", "Inception"]).union(Self.loops).union(
            used.map(\.name))
        let undeclared = works.all.map(\.label).filter { label in
            !labels.contains(label) && !label.hasPrefix("fit ")
        }
        #expect(undeclared == [])
    }

    /// Their turns are not items.
    private static let loops: Set<String> = ["sweep", "loop", "bench", "time"]

    @Test("only the engine of such work gives up computations, times them and counts them")
    func engine() throws {
        let sources = FileSystem.join(
            FileSystem.folder(of: FileSystem.folder(of: FileSystem.folder(of: #filePath))), "Sources")
        for module in ["Verbs", "OpenedModels"] where FileSystem.isFolder(FileSystem.join(sources, module)) {
            try CacheTests.each(FileSystem.join(sources, module)) { path in
                let name = FileSystem.name(of: path), text = try FileSystem.readText(path)
                // Steps are given up one by one; a training has steps of its own.
                if name != "DenoisingWork.swift" { #expect(!text.contains("abandonable"), "\(path)") }
                if name != "Fitting.swift" { #expect(!text.contains("log.note("), "\(path)") }
                #expect(!text.contains("cache?.count(") && !text.contains("cache.count("), "\(path)")
            }
        }
    }

    private struct Setting {
        let folder: TemporaryFolder
        let session: Session
        let works: Works

        init(_ use: Use, in folder: TemporaryFolder? = nil, isCached: Bool = true) throws {
            let folder = try folder ?? TemporaryFolder()
            self.folder = folder
            session = Session(verbs: Verbs.registry, access: FileAccess(base: "/"))
            session.settings.batch = 1
            if isCached { session.cache = ItemCache(folder: folder.path) }
            let model = try Golden.topic("models").path("pipeline")
            let result = session.run(SourceFile(name: "setup", text: "model = load \(model)\n" + use.setup))
            try #require(result.diagnostics.map(\.title) == [])
            works = Works()
            session.progress = works
        }

        func run(_ program: String) -> ProgramResult { session.run(SourceFile(name: "test", text: program)) }
        func plan(_ program: String) -> WorkPlan {
            session.copy().plan(SourceFile(name: "test", text: program)).plan
        }
    }

    @Test("progress begins, is told to the end, and ends", arguments: uses) func progress(_ use: Use) throws {
        let setting = try Setting(use)
        let result = setting.run(use.program)
        try #require(result.diagnostics.map(\.title) == [])
        let works = setting.works.all.filter { $0.label == use.label ?? use.work }
        #expect(!works.isEmpty && works.allSatisfy { $0.total > 0 && $0.done == $0.total && $0.hasEnded })
    }

    @Test("its time is in the log", arguments: uses) func times(_ use: Use) throws {
        let setting = try Setting(use)
        try #require(setting.run(use.program).diagnostics.map(\.title) == [])
        let lines = try FileSystem.readText(setting.folder.path("log")).split(separator: "\n")
        #expect(try #require(lines.last).contains("\"\(use.kind ?? use.work) "))
    }

    @Test(
        "a plan counts what is missing, what is there, and what the program makes before it needs it",
        arguments: uses.filter { $0.isKept && $0.isPlanned })
    func plans(_ use: Use) throws {
        typealias Count = CacheCounts.Count
        let setting = try Setting(use), items = use.items
        let before = setting.plan(use.program)
        #expect(before.counts[use.work] == Count(cached: 0, computed: items))
        #expect(before.repeated[use.work] == nil)
        if !use.program.contains("retrieve") {
            let twice = setting.plan(use.program + "\n" + use.program.replacing("out =", with: "again ="))
            #expect(twice.counts[use.work] == Count(cached: use.isAuxiliary ? 0 : items, computed: items))
            #expect(twice.repeated[use.work] == (use.isAuxiliary ? nil : items))
        }
        let result = setting.run(use.program)
        if !use.isAuxiliary { #expect(result.counts[use.work] == Count(cached: 0, computed: items)) }
        let after = try Setting(use, in: setting.folder).plan(use.program)
        #expect(after.counts[use.work] == Count(cached: use.isAuxiliary ? 0 : items, computed: 0))
    }

    @Test("what was computed is kept and found", arguments: uses.filter(\.isKept)) func kept(_ use: Use)
        throws
    {
        let first = try Setting(use)
        let made = first.run(use.program)
        try #require(made.diagnostics.map(\.title) == [])
        let second = try Setting(use, in: first.folder)
        let found = second.run(use.program)
        #expect(second.works.all.map(\.label).filter { $0 == use.label ?? use.work } == [])
        if !use.isAuxiliary {
            #expect(found.counts[use.work] == CacheCounts.Count(cached: use.items, computed: 0))
        }
        let values = [first, second].map { $0.session.globals["out"].map(\.summary) }
        #expect(values[0] == values[1] && values[0] != nil)
    }

    @Test("a stop leaves whole rows, or says where it was", arguments: uses) func stops(_ use: Use) throws {
        let setting = try Setting(use, isCached: false)
        let press = StoppedTests.Press(setting.session, use.label ?? use.work, after: 0)
        let result = setting.run(use.program)
        withExtendedLifetime(press) {}
        #expect(result.ending == .interrupted)
        let isPartial =
            if case .table(let table)? = setting.session.globals["out"] { table.partial != nil } else {
                false
            }
        #expect(isPartial || (result.stopped ?? result.diagnostics.first?.title)?.contains("stopped") == true)
    }
}

/// The works that were begun.
private final class Works: Interpreting.Progress {
    final class Work {
        let label: String
        let total: Int
        var done = 0
        var hasEnded = false

        init(_ label: String, _ total: Int) { (self.label, self.total) = (label, total) }
    }

    private(set) var all: [Work] = []
    private var open: [Work] = []

    func begin(_ label: String, total: Int) {
        let work = Work(label, total)
        all.append(work)
        open.append(work)
    }
    func advance(by units: Int) { open.last?.done += units }
    func end() { open.popLast()?.hasEnded = true }
    func note(_ message: String) {}
}
