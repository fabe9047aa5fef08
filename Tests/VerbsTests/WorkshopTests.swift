import Caching
import Files
import Interpreting
import Results
import SourceText
import TestSupport
import Testing
import Verbs

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Models that were made and kept: whole, or made anew.
@Suite("What is made and kept") struct WorkshopTests {
    private static func session(_ folder: TemporaryFolder, cached: Bool = true) -> Session {
        let session = Session(verbs: Verbs.registry, access: FileAccess(base: folder.path))
        session.cache = cached ? ItemCache(folder: folder.path(".noisebook"), signer: Signer.test) : nil
        return session
    }

    @discardableResult
    private static func run(_ program: String, _ folder: TemporaryFolder, cached: Bool = true) throws
        -> ProgramResult
    {
        let result = session(folder, cached: cached).run(SourceFile(name: "test", text: program))
        try #require(result.ending == .finished, "\(result.diagnostics.map(\.title))")
        return result
    }

    private static let pictures = "t = dataset monsters split=train | first 4\n"
    private static let training =
        pictures
        + "v = new vae channels=8,16 layers=1 attention=no | fit vae on=t batch=4 steps=2\nsave v out\n"

    private static func contents(_ folder: String) throws -> [String: [UInt8]] {
        var found: [String: [UInt8]] = [:]
        try CacheTests.each(folder) {
            found[String($0.dropFirst(folder.count + 1))] = try FileSystem.readBytes($0)
        }
        return found
    }

    private static func writeInPlace(_ path: String, _ bytes: [UInt8]) throws {
        let descriptor = open(path, O_WRONLY | O_TRUNC)
        try #require(descriptor >= 0)
        defer { close(descriptor) }
        #expect(write(descriptor, bytes, bytes.count) == bytes.count)
    }

    @Test("a trained part that is damaged is trained anew and said, whatever the damage and the file")
    func damaged() throws {
        let folder = try TemporaryFolder()
        try Self.run(Self.training, folder)
        let models = folder.path(".noisebook/models")
        let made = FileSystem.join(models, try #require(FileSystem.list(models).first))
        let whole = try Self.contents(made), saved = try Self.contents(folder.path("out"))
        #expect(Set(whole.keys) == Set(saved.keys).union([".sha256"]))
        #expect(try Self.run(Self.training, folder).cacheRemarks.lines == [])
        for (name, bytes) in whole.sorted(by: { $0.key < $1.key }) {
            let path = FileSystem.join(made, name)
            var flipped = bytes
            flipped[bytes.count / 3] ^= 2
            // The training record's curve tells how long it took; only what was learnt must be the same.
            for damage in ["flip": flipped, "cut": Array(bytes.dropLast()), "empty": [], "gone": nil]
                as [String: [UInt8]?]
            {
                if let content = damage.value {
                    try Self.writeInPlace(path, content)
                } else {
                    try FileSystem.removeFile(path)
                }
                let lines = try Self.run(Self.training, folder).cacheRemarks.lines
                #expect(
                    lines.count == 1 && lines[0].contains("is damaged") && lines[0].contains("is made anew"),
                    "\(name), \(damage.key): \(lines)")
                #expect(
                    try Self.contents(folder.path("out"))["diffusion_pytorch_model.safetensors"]
                        == saved["diffusion_pytorch_model.safetensors"])
                #expect(try Self.contents(folder.path("out"))["config.json"] == saved["config.json"])
            }
        }
        #expect(try Self.run(Self.training, folder).cacheRemarks.lines == [])
    }

    @Test("what is saved is a file of its own: to write into it leaves the cache as it was") func saved()
        throws
    {
        let folder = try TemporaryFolder()
        try Self.run(Self.training, folder)
        let path = folder.path("out/diffusion_pytorch_model.safetensors")
        let bytes = try FileSystem.readBytes(path)
        try Self.writeInPlace(path, [])
        let result = try Self.run(Self.training, folder)
        #expect(result.cacheRemarks.lines == [])
        #expect(try FileSystem.readBytes(path) == bytes)
    }

    @Test("parts whose files are links, as in the Hugging Face cache, go into a model, and links do not")
    func linked() throws {
        let folder = try TemporaryFolder()
        try FileSystem.createFolder(folder.path("blobs"))
        var number = 0
        let source = ExampleTests.monsters
        try CacheTests.each(source) { path in
            let target = folder.path("snapshots/x") + path.dropFirst(source.count)
            try FileSystem.createFolder(FileSystem.folder(of: target))
            number += 1
            try FileSystem.copy(path, to: folder.path("blobs/\(number)"))
            let up = String(
                repeating: "../", count: target.dropFirst(folder.path.count).count { $0 == "/" } - 1)
            #expect(symlink("\(up)blobs/\(number)", target) == 0)
        }
        let program = """
            m = load ./snapshots/x
            n = new model unet=m.unet vae=m.vae clip=m.clip tokenizer=m.tokenizer
            a = "a red dragon" | noise of=2 seed=1 using=m | denoise using=m | decode using=m
            b = "a red dragon" | noise of=2 seed=1 using=n | denoise using=n | decode using=n
            expect (max(difference(a.latent, b.latent)) == 0)
            save n out
            """
        for cached in [true, false] { try Self.run(program, folder, cached: cached) }
        for place in ["out", ".noisebook/models"] {
            try CacheTests.each(folder.path(place)) { path in
                var status = stat()
                #expect(
                    lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG && status.st_nlink == 1,
                    "\(path)")
            }
        }
    }

    @Test("parts that do not go together leave no folder behind") func broken() throws {
        let folder = try TemporaryFolder()
        let program =
            Self.pictures + """
                words = new tokenizer size=600 length=77 | fit tokenizer on=t
                clip = new clip tokenizer=words hidden=32 layers=1 heads=2 patch=16
                unet = new unet channels=16,32 context=64 sample=16 heads=2 layers=1 groups=8
                m = new model unet=unet vae=(new vae channels=8,16 layers=1 attention=no) clip=clip
                """
        let session = Self.session(folder)
        let result = session.run(SourceFile(name: "test", text: program))
        #expect(
            result.ending == .failed
                && result.diagnostics.contains { $0.title.contains("cross_attention_dim") },
            "\(result.diagnostics.map(\.title))")
        #expect(try FileSystem.list(folder.path(".noisebook/models")).count == 1)
    }

    @Test("what cannot be kept is made all the same, and said") func unkept() throws {
        let folder = try TemporaryFolder()
        try FileSystem.createFolder(folder.path(".noisebook"))
        try AtomicFile.write("in the way", to: folder.path(".noisebook/models"))
        let result = try Self.run(Self.training, folder)
        #expect(
            result.cacheRemarks.lines.contains {
                $0.hasPrefix("what was made is not kept: ") && $0.contains(".noisebook/models")
            },
            "\(result.cacheRemarks.lines)")
        #expect(FileSystem.exists(folder.path("out/config.json")))
    }

    @Test("nothing of a timed turn comes from a store: trainings, features of pictures, data sets")
    func timed() throws {
        let folder = try TemporaryFolder()
        let program =
            Self.pictures + """
                v = new vae channels=8,16 layers=1 attention=no | fit vae on=t batch=4 steps=2
                c = load clip \(FeatureNetworkTests.clip)
                s = t | score clip column=image using=c
                bench 2 { v = new vae channels=8,16 layers=1 attention=no | fit vae on=t batch=4 steps=2 }
                bench 2 { t | score clip column=image using=c }
                """
        let counter = Begun()
        let session = Self.session(folder)
        session.progress = counter
        let result = session.run(SourceFile(name: "test", text: program))
        #expect(result.ending == .finished, "\(result.diagnostics.map(\.title))")
        // Once before, and in the warm-up and both turns of each.
        #expect(counter.labels["fit vae"] == 4)
        // The texts and the pictures.
        #expect(counter.labels["CLIP"] == 2 * 4)
    }
}

private final class Begun: Interpreting.Progress {
    var labels: [String: Int] = [:]
    func begin(_ label: String, total: Int) { labels[label, default: 0] += 1 }
    func advance(by units: Int) {}
    func end() {}
    func note(_ message: String) {}
}
