import Caching
import Files
import Interpreting
import OpenedModels
import Results
import SourceText
import Synchronization
import Tensors
import TestSupport
import Testing
import Verbs

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// What is kept, is kept under the digest of the bytes that made it, whatever happens to files while a model
/// opens or runs.
@Suite("Files that change while they are used") struct ReplacedFilesTests {
    /// A model of its own, whose UNet can have other weights.
    private struct Model {
        let folder: TemporaryFolder
        let path: String
        let weights: String
        let old: [UInt8]
        let new: [UInt8]

        init() throws {
            folder = try TemporaryFolder()
            path = folder.path("model")
            try CacheTests.copy(try Golden.topic("models").path("pipeline"), to: path)
            let unet = FileSystem.join(path, "unet")
            weights = FileSystem.join(
                unet, try #require(FileSystem.list(unet).first { $0.hasSuffix(".safetensors") }))
            old = try FileSystem.readBytes(weights)
            var bytes = old
            // The exponents' lowest bits of some of the numbers.
            for place in stride(from: bytes.count - 2, to: bytes.count - 4_000, by: -16) {
                bytes[place] ^= 0x80
            }
            new = bytes
        }

        func lay(_ bytes: [UInt8]) throws { try AtomicFile.write(bytes, to: weights) }

        /// Writes into the file that is there.
        func overwrite(_ bytes: [UInt8], cutting: Bool) throws {
            let descriptor = open(weights, O_WRONLY | (cutting ? O_TRUNC : 0))
            try #require(descriptor >= 0)
            defer { close(descriptor) }
            #expect(write(descriptor, bytes, bytes.count) == bytes.count)
        }
    }

    /// A session with a verb that changes something.
    private func session(_ folder: TemporaryFolder?, _ change: @escaping @Sendable () throws -> Void = {})
        -> Session
    {
        let verb = VerbDeclaration("change", .control, "Changes a file.", input: .optional, examples: []) {
            _ in
            try change()
            return .none
        }
        let session = Session(verbs: VerbRegistry(Verbs.registry.all + [verb]), access: FileAccess(base: "/"))
        session.cache = folder.map { ItemCache(folder: $0.path, signer: Signer.test) }
        return session
    }

    private static let picture = "out = \"a cat\" | noise of=3 seed=1 | denoise guidance=2 | decode"

    @Test(
        """
        weights that are replaced by renaming after the model was opened: the pictures are the old ones, and \
        so are their keys
        """) func renamed() throws
    {
        let model = try Model(), cache = try TemporaryFolder()
        let plain = try CacheTests.run(Self.picture, session(nil), model: model.path).outcome
        let replaced = try CacheTests.run(
            "change\n" + Self.picture, session(cache) { try model.lay(model.new) }, model: model.path)
        #expect(replaced.outcome == plain)
        let after = try CacheTests.run(Self.picture, session(cache), model: model.path)
        #expect(after.result.counts["denoise"] == .init(cached: 0, computed: 1))
        #expect(try after.outcome == CacheTests.run(Self.picture, session(nil), model: model.path).outcome)
        #expect(after.outcome != plain)
        try model.lay(model.old)
        let before = try CacheTests.run(Self.picture, session(cache), model: model.path)
        #expect(before.result.counts["denoise"] == .init(cached: 1, computed: 0) && before.outcome == plain)
    }

    @Test(
        "weights that are written over in place end the run, and nothing of it is kept",
        arguments: [false, true]) func inPlace(_ isCut: Bool) throws
    {
        let model = try Model(), cache = try TemporaryFolder()
        let session = session(cache) {
            try model.overwrite(isCut ? Array(model.new.prefix(100)) : model.new, cutting: isCut)
        }
        let result = session.run(
            SourceFile(name: "test", text: "model = load \(model.path)\nchange\n" + Self.picture))
        #expect(result.ending == .failed)
        #expect(
            result.diagnostics.map(\.title).contains { $0.contains("was written over while it was in use") },
            "\(result.diagnostics.map(\.title))")
        try model.lay(model.new)
        let after = try CacheTests.run(Self.picture, self.session(cache), model: model.path)
        #expect(
            after.result.counts["denoise"] == .init(cached: 0, computed: 1)
                && after.result.counts["decode"] == .init(cached: 0, computed: 1))
    }

    @Test("the model is asked again where its files are others now") func again() throws {
        let model = try Model()
        let program = "model = load \(model.path)\n" + Self.picture
        let session = session(nil)
        #expect(session.run(SourceFile(name: "test", text: program)).ending == .finished)
        try model.lay(model.new)
        #expect(
            try CacheTests.run(Self.picture, session, model: model.path).outcome
                == CacheTests.run(Self.picture, self.session(nil), model: model.path).outcome)
    }

    @Test("the model is asked again where its scheduler was edited") func scheduler() throws {
        let model = try ModelCopy()
        let session = session(nil)
        let before = try CacheTests.run(Self.picture, session, model: model.path).outcome
        try model.edit("scheduler/scheduler_config.json", ["beta_end": .number(0.03)])
        let after = try CacheTests.run(Self.picture, session, model: model.path).outcome
        #expect(after != before)
        #expect(try after == CacheTests.run(Self.picture, self.session(nil), model: model.path).outcome)
    }

    @Test(
        "a part of a model whose files are others now is not taken for the one that was opened",
        arguments: ["weights", "config.json"])
    func part(_ name: String) throws {
        let model = try Model(), cache = try TemporaryFolder()
        let config = FileSystem.join(FileSystem.folder(of: model.weights), "config.json")
        let session = session(cache) {
            if name == "weights" {
                try model.lay(model.new)
            } else {
                try AtomicFile.write(FileSystem.readText(config) + "\n", to: config)
            }
        }
        let program = "model = load \(model.path)\nchange\nu = model.unet\nsave u \(cache.path("u"))"
        let result = session.run(SourceFile(name: "test", text: program))
        #expect(result.ending == .failed, "\(result.diagnostics.map(\.title))")
        #expect(!FileSystem.exists(cache.path("u")))
    }

    /// Replaces a file as soon as it has been read, so many times.
    private final class Replacing: ReadingWitness {
        private let path: String
        private let left: Mutex<[[UInt8]]>

        init(_ path: String, by contents: [[UInt8]]) {
            self.path = path
            left = Mutex(contents)
        }

        func note(_ reading: FileReading, isKept: Bool) {}

        func glanced(at path: String) {
            guard path == self.path, let bytes = left.withLock({ $0.isEmpty ? nil : $0.removeFirst() }) else {
                return
            }
            try? AtomicFile.write(bytes, to: path)
        }
    }

    @Test(
        """
        a file that is replaced while a network opens: it is opened again, and an error if that does not \
        end
        """, arguments: ["model.safetensors", "vocab.json"])
    func opening(_ name: String) throws {
        let folder = try TemporaryFolder()
        let clip = folder.path("clip")
        try CacheTests.copy(FeatureNetworkTests.clip, to: clip)
        let path = FileSystem.join(clip, name)
        let old = try FileSystem.readBytes(path)
        var new = old
        if name == "vocab.json" {
            new += [0x0A]
        } else {
            for place in stride(from: new.count - 2, to: new.count / 4, by: -4096) { new[place] ^= 0x80 }
        }
        let session = session(folder)
        func features(_ contents: [[UInt8]]) throws -> [Float] {
            try AtomicFile.write(old, to: path)
            let network = try FileReading.$witness.withValue(Replacing(path, by: contents)) {
                try FeatureNetwork(name: "clip", clip: clip)
            }
            return try network.features(of: ["a cat"], session).values
        }
        let first = try features([]), second = try features([new])
        try AtomicFile.write(new, to: path)
        let plain = try FeatureNetwork(name: "clip", clip: clip).features(of: ["a cat"], self.session(nil))
            .values
        #expect(second == plain)
        if name != "vocab.json" { #expect(first != second) }
        #expect { try features([new, old, new, old, new]) } throws: {
            ($0 as? EngineError)?.message.contains("changed again and again") == true
        }
    }
}
