import Caching
import Files
import Interpreting
import Models
import Results
import SourceText
import Tensors
import TestSupport
import Testing
import Verbs

/// NaN and infinity end with an error that names item and step, wherever they come from; what else was asked
/// for is kept.
@Suite("Numbers that are none") struct NumberFailureTests {
    /// A copy of the small pipeline with one value of a weight changed.
    static func damaged(
        _ part: String, _ weight: String, to value: Float, at index: Int = 0, in folder: TemporaryFolder
    ) throws -> String {
        let model = folder.path("model")
        try CacheTests.copy(try Golden.topic("models").path("pipeline"), to: model)
        try damage(FileSystem.join(model, part), weight, to: value, at: index)
        return model
    }

    static func damage(_ part: String, _ weight: String, to value: Float, at index: Int) throws {
        let file = try #require(try FileSystem.list(part).first { $0.hasSuffix(".safetensors") })
        let path = FileSystem.join(part, file)
        let weights = try SafetensorsFile(path: path)
        var tensors: [String: Tensor] = [:]
        for name in weights.names { tensors[name] = try weights.tensor(name) }
        let full = try #require(weights.names.first { $0.hasSuffix(weight) })
        tensors[full]?.withUnsafeMutablePointer { $0[index] = value }
        try Safetensors.write(tensors, metadata: ["format": "pt"], to: path)
    }

    static func run(_ program: String, model: String? = nil, cache: TemporaryFolder? = nil) throws
        -> ProgramResult
    {
        let model = try model ?? Golden.topic("models").path("pipeline")
        return CacheTests.session(cache).run(
            SourceFile(name: "test", text: "model = load \(model)\n" + program))
    }

    /// The only complaint of a run.
    static func complaint(_ result: ProgramResult) throws -> Diagnostic {
        #expect(result.diagnostics.map(\.code) == [.engineNumbers])
        return try #require(result.diagnostics.first)
    }

    @Test(
        "a weight that is NaN or infinite is named, with the item and the step",
        arguments: [Float.nan, .infinity]) func unet(_ value: Float) throws
    {
        let folder = try TemporaryFolder()
        let model = try Self.damaged("unet", "conv_in.weight", to: value, in: folder)
        let found = try Self.complaint(
            Self.run("t = [\"a cat\", \"a dog\"] | noise of=2 seed=1 | denoise | decode", model: model))
        #expect(found.title == "the UNet's prediction holds NaN or infinity")
        #expect(found.notes == ["item 0 \"a cat\", step 1 of 2", "so it is with one more item"])
        #expect(found.help.first?.contains("conv_in.weight in \(model)/unet holds them") == true)
    }

    @Test("no black picture: the autoencoder's decoder and encoder") func vae() throws {
        let folder = try TemporaryFolder()
        let model = try Self.damaged("vae", "decoder.conv_out.weight", to: .nan, in: folder)
        let found = try Self.complaint(
            Self.run("t = \"a cat\" | noise of=2 seed=1 | denoise | decode", model: model))
        #expect(
            found.title == "what the autoencoder makes of the latent holds NaN or infinity"
                && found.notes == ["item 0 \"a cat\""])
        // Infinity would have become white.
        try Self.damage(model + "/vae", "decoder.conv_out.bias", to: .infinity, at: 1)
        try Self.damage(model + "/vae", "decoder.conv_out.weight", to: 0, at: 0)
        _ = try Self.complaint(Self.run("t = \"a cat\" | noise of=2 seed=1 | decode", model: model))
        try Self.damage(model + "/vae", "decoder.conv_out.bias", to: 0, at: 1)
        try Self.damage(model + "/vae", "encoder.conv_in.weight", to: .nan, at: 0)
        let encoded = try Self.complaint(
            Self.run("t = \"a cat\" | noise of=2 seed=1 | decode | encode generated", model: model))
        #expect(
            encoded.title == "what the autoencoder makes of the picture holds NaN or infinity"
                && encoded.notes == ["item 0 \"a cat\""])
    }

    @Test("a text encoder that fails at one token fails for the texts that have it; the others are kept")
    func textEncoder() throws {
        let folder = try TemporaryFolder(), cache = try TemporaryFolder()
        let tokenizer = try Tokenizer(folder: Golden.topic("models").path("pipeline/tokenizer"))
        let width =
            try JSON.read(path: Golden.topic("models").path("pipeline/text_encoder/config.json"))[
                "hidden_size"]?.int ?? 0
        let token = try #require(tokenizer.encode("dog").first)
        let model = try Self.damaged(
            "text_encoder", "token_embedding.weight", to: .nan, at: token * width, in: folder)
        for program in [
            "t = [\"a cat\", \"a dog\"] | encode text", "t = [\"a cat\", \"a dog\"] | noise of=2 | denoise",
            "t = [\"a cat\", \"a dog\"] | noise of=2 | predict",
        ] {
            let result = try Self.run(program, model: model, cache: cache)
            let found = try Self.complaint(result)
            #expect(
                found.title == "what the text encoder makes of the text holds NaN or infinity"
                    && found.notes == ["item 1 \"a dog\""], "\(program)")
        }
        let good = try Self.run("t = \"a cat\" | encode text", model: model, cache: cache)
        #expect(good.diagnostics.isEmpty && good.counts["encode"] == .init(cached: 1, computed: 0))
    }

    @Test("latents of a file: the damaged ones are named, the others are decoded and kept") func latents()
        throws
    {
        let folder = try TemporaryFolder(), cache = try TemporaryFolder()
        var values = (0..<3 * 4 * 8 * 8).map { Float($0 % 7) / 7 }
        values[4 * 8 * 8 + 5] = .infinity
        try Safetensors.write(
            ["latent": Tensor(shape: [3, 4, 8, 8], values: values)], to: folder.path("x.safetensors"))
        let read = "x = read \(folder.path("x.safetensors"))\n"
        let result = try Self.run(read + "t = x | decode", cache: cache)
        let found = try Self.complaint(result)
        #expect(found.title == "the latent holds NaN or infinity" && found.notes == ["item 1"])
        #expect(result.counts["decode"] == .init(cached: 0, computed: 2))
        let others = try Self.run(read + "t = x | where (item != 1) | decode", cache: cache)
        #expect(others.diagnostics.isEmpty && others.counts["decode"] == .init(cached: 2, computed: 0))
        for program in [
            "x | with text=\"a\" | noise 1 of=2", "x | with text=\"a\" | predict at=500", "x | grid latent",
        ] {
            #expect(
                try Self.complaint(Self.run(read + program)).notes.first?.hasPrefix("item 1") == true,
                "\(program)")
        }
    }

    @Test("embeddings of a file go the same way, and finished rows are kept") func embeddings() throws {
        let cache = try TemporaryFolder()
        let start = """
            model = load \(try Golden.topic("models").path("pipeline"))\ne = ["a cat", "a dog", "a bird"] | \
            encode text\n
            """
        let bad = "bad = e | with embedding=(embedding / (item - 1))\nt = bad | noise of=3 | "
        for verb in ["denoise", "predict"] {
            let result = CacheTests.session(cache).run(SourceFile(name: "test", text: start + bad + verb))
            let found = try Self.complaint(result)
            #expect(
                found.title == "the text's embedding holds NaN or infinity"
                    && found.notes == ["item 1 \"a dog\""])
            #expect(result.counts[verb].computed == 2)
        }
    }

    @Test("sweeps leave such a point out where they are asked to") func skips() throws {
        let folder = try TemporaryFolder()
        try Safetensors.write(
            ["latent": Tensor(repeating: 0.5, shape: [1, 4, 8, 8])], to: folder.path("x.safetensors"))
        let program =
            """
            x = read \(folder.path("x.safetensors"))\nt = sweep f=1,1e38,2 on_error=skip { x | with \
            latent=(latent * f * f) | decode }\nexpect (length(t.f) == 2)
            """
        let result = try Self.run(program)
        #expect(result.diagnostics.isEmpty)
        let stopped = try Self.complaint(Self.run(program.replacing(" on_error=skip", with: "")))
        #expect(stopped.notes == ["item 0", "f=1e+38"])
    }

    @Test("what half precision cannot hold says so") func half() throws {
        let folder = try TemporaryFolder()
        let model = try Self.damaged("unet", "conv_in.weight", to: 1e6, in: folder)
        let program = "t = \"a\" | noise of=2 seed=1 | denoise"
        #expect(try Self.run(program, model: model).diagnostics.isEmpty)
        let result = CacheTests.session(nil).run(
            SourceFile(name: "test", text: "model = load \(model) precision=float16\n" + program))
        let found = try Self.complaint(result)
        #expect(found.help == ["half precision may be too narrow for it: load it with precision=float32"])
    }

    @Test("pictures by arithmetic that no pixel can show are neither shown, saved nor scored") func pictures()
        throws
    {
        let folder = try TemporaryFolder()
        let made = """
            a = "a" | noise of=2 seed=1 | decode\nb = a | with generated=((generated - generated) / \
            (generated - generated)) image=(generated)\n
            """
        for program in [
            "b | save \(folder.path("out"))", "b | score psnr column=image truth=generated",
            "b | encode generated",
        ] {
            #expect(
                try Self.complaint(Self.run(made + program)).title.contains("NaN or infinity"), "\(program)")
        }
        // Equal pictures have infinitely many decibels: that is a number of theirs.
        #expect(try Self.run(made + "a | with image=(generated) | score psnr").diagnostics.isEmpty)
    }

    @Test("a CLIP that fails: retrieval and scores name the item") func clip() throws {
        let folder = try TemporaryFolder()
        try CacheTests.copy(FeatureNetworkTests.clip, to: folder.path("clip"))
        let tokenizer = FileSystem.join(FileSystem.folder(of: FeatureNetworkTests.clip), "tokenizer")
        for name in try FileSystem.list(tokenizer) where !FileSystem.exists(folder.path("clip/" + name)) {
            try AtomicFile.write(
                try FileSystem.readBytes(FileSystem.join(tokenizer, name)), to: folder.path("clip/" + name))
        }
        let start = "c = load clip \(folder.path("clip"))\nt = [\"a cat\", \"a dog\"]\n"
        try Self.damage(folder.path("clip"), "text_projection.weight", to: .nan, at: 0)
        let retrieved = try Self.complaint(Self.run(start + "t | retrieve t using=c"))
        #expect(retrieved.notes.first == "item 0 \"a cat\"")
        #expect(retrieved.help.first?.contains("text_projection.weight") == true)
        try Self.damage(folder.path("clip"), "visual_projection.weight", to: .infinity, at: 0)
        let scored = try Self.complaint(
            Self.run(
                start + "p = t | noise of=2 seed=1 | decode\np | score clip_image truth=generated using=c"))
        #expect(scored.notes.first == "item 0 \"a cat\"")
    }
}
