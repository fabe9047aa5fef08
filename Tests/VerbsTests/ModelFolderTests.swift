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

/// What users have on disk, through the language: configurations that the reference corrects, schedulers that
/// are not here, odd weight files.
@Suite("Model folders of others") struct ModelFolderTests {
    private let scheduler = "scheduler/scheduler_config.json"

    private func session(_ cache: TemporaryFolder? = nil) -> Session {
        let session = Session(verbs: Verbs.registry, access: FileAccess(base: "/"))
        session.cache = cache.map { ItemCache(folder: $0.path, signer: Signer.test) }
        return session
    }

    private func run(_ program: String, _ session: Session? = nil) throws -> (
        session: Session, result: ProgramResult
    ) {
        let session = session ?? self.session()
        let result = session.run(SourceFile(name: "test", text: program))
        try #require(result.diagnostics.map(\.title) == [])
        return (session, result)
    }

    private func latent(_ name: String, _ session: Session) throws -> Tensor {
        guard case .table(let table) = session.globals[name],
            case .latent(let latent) = table.column("latent")?.values.first
        else {
            throw EngineError(.data, "no latent in `\(name)`")
        }
        return latent.tensor
    }

    private func summary(_ name: String, _ session: Session) throws -> String {
        guard case .model(let model) = session.globals[name] else {
            throw EngineError(.data, "`\(name)` is no model")
        }
        return model.summary
    }

    private func recipe(_ name: String, _ session: Session) throws -> String {
        guard case .table(let table) = session.globals[name], let recipe = table.recipes.first else {
            throw EngineError(.data, "no recipe")
        }
        return recipe.lines.joined(separator: "\n")
    }

    @Test(
        """
        weights of torch's own form give what the same ones give as safetensors, have keys of their own, and \
        are saved in half precision
        """)
    func torch() throws {
        let plain = try ModelCopy(), copy = try ModelCopy(), other = try ModelCopy(),
            cache = try TemporaryFolder(), out = try TemporaryFolder()
        func toTorch(_ copy: ModelCopy, change: (inout [String: Tensor]) -> Void = { _ in }) throws {
            for (part, stem) in [
                ("unet", "diffusion_pytorch_model"), ("vae", "diffusion_pytorch_model"),
                ("text_encoder", "pytorch_model"),
            ] {
                let source = try WeightFiles.open(folder: copy.at(part))
                var contents = Dictionary(
                    uniqueKeysWithValues: try source.names.map { ($0, try source.tensor($0)) })
                if part == "unet" { change(&contents) }
                for name in try FileSystem.list(copy.at(part)) where name.contains(".safetensors") {
                    try FileSystem.removeFile(copy.at("\(part)/\(name)"))
                }
                try AtomicFile.write(TorchWriter.bytes(contents), to: copy.at("\(part)/\(stem).bin"))
            }
        }
        try toTorch(copy)
        try toTorch(other) { $0["conv_out.bias"] = $0["conv_out.bias"].map { $0 + 1 } }
        let program = { (path: String) in
            "model = load \(path)\na = \"a cat\" | noise of=4 seed=1 | denoise guidance=2"
        }
        let expected = try latent("a", run(program(plain.path)).session).values
        for _ in 0..<2 {
            #expect(try latent("a", run(program(copy.path), session(cache)).session).values == expected)
            #expect(try latent("a", run(program(other.path), session(cache)).session).values != expected)
        }
        let counts = try run(program(copy.path), session(cache)).result.counts
        #expect(counts["denoise"].cached == 1 && counts["denoise"].computed == 0)
        let halves = out.path("halves")
        _ = try run("model = load \(copy.path)\nsave model \(halves) precision=float16")
        let unet = try WeightFiles.open(folder: FileSystem.join(halves, "unet"))
        #expect(
            unet.path.hasSuffix("unet/diffusion_pytorch_model.safetensors")
                && unet.names.allSatisfy { unet.entry($0)?.type == .float16 })
        #expect(
            try WeightFiles.open(folder: FileSystem.join(halves, "text_encoder")).path.hasSuffix(
                "text_encoder/model.safetensors"))
        #expect(
            try FileSystem.list(FileSystem.join(halves, "unet")).contains { $0.hasSuffix(".bin") } == false)
    }

    @Test("what the pipeline corrects is corrected, told, part of the key, and left alone on demand")
    func corrections() throws {
        let copy = try ModelCopy(), cache = try TemporaryFolder()
        let source = try ModelCopy()
        try copy.edit(scheduler, ["steps_offset": 0, "clip_sample": .bool(true)])
        let program = { (path: String, options: String) in
            """
            model = load \(path) \(options)\na = "a cat" | noise of=4 seed=1 | denoise guidance=2\nb = \
            "a cat" | noise of=4 seed=1 scheduler=ddim | denoise guidance=2
            """
        }
        let plain = try run(program(source.path, "")).session
        #expect(
            try !summary("model", plain).contains("corrected") && !recipe("a", plain).contains("corrects"))
        // One cache for both readings of the same files.
        let exact = try run(program(copy.path, "exact=yes"), session(cache)).session
        let corrected = try run(program(copy.path, ""), session(cache)).session
        for name in ["a", "b"] {
            #expect(try latent(name, corrected).values == latent(name, plain).values, "\(name)")
            #expect(try latent(name, exact).values != latent(name, plain).values, "\(name)")
            #expect(
                try recipe(name, corrected).contains(
                    "# steps_offset 1 (the folder has 0), clip_sample off, as diffusers corrects it"),
                "\(name)")
            #expect(try !recipe(name, exact).contains("corrects"), "\(name)")
        }
        #expect(
            try summary("model", corrected).contains(
                "corrected as diffusers does: steps_offset 1 (the folder has 0), clip_sample off"))
        #expect(try summary("model", exact).contains("exactly as they stand"))

        try copy.edit("unet/config.json", ["_diffusers_version": "0.6.0"])
        let sized = try run("model = load \(copy.path)\na = \"a cat\" | noise of=4 seed=1").session
        #expect(try latent("a", sized).shape == [4, 64, 64])
        #expect(try recipe("a", sized).contains("sample_size 64 (the folder has 12)"))
        #expect(try summary("model", sized).contains("sample_size 64 (the folder has 12)"))
    }

    @Test("a saved model holds the configuration that was read") func saved() throws {
        let copy = try ModelCopy(), place = try TemporaryFolder()
        try copy.edit(scheduler, ["steps_offset": nil, "clip_sample": .bool(true)])
        try copy.edit("unet/config.json", ["_diffusers_version": "0.6.0"])
        _ = try run(
            """
            model = load \(copy.path)\nsave model \(place.path("a"))\nexact = load \(copy.path) \
            exact=yes\nsave exact \(place.path("b"))
            """)
        let saved = try JSON.read(path: place.path("a/scheduler/scheduler_config.json"))
        #expect(
            saved["steps_offset"] == 1 && saved["clip_sample"] == .bool(false) && saved["beta_end"] == 0.012)
        #expect(try JSON.read(path: place.path("a/unet/config.json"))["sample_size"] == 64)
        for name in ["unet/config.json", scheduler] {
            #expect(
                try FileSystem.readBytes(place.path("b/" + name)) == FileSystem.readBytes(copy.at(name)),
                "\(name)")
        }
        #expect(
            try summary("model", run("model = load \(place.path("a"))").session).contains("corrected")
                == false)
    }

    @Test("a folder whose own scheduler is not here works with another, and says so before anything runs")
    func otherScheduler() throws {
        let copy = try ModelCopy()
        try copy.edit(
            scheduler,
            ["_class_name": "DEISMultistepScheduler", "algorithm_type": "deis", "solver_type": "logrho"])
        let found = session().check(
            SourceFile(name: "test", text: "model = load \(copy.path)\n\"a cat\" | noise of=3 | denoise"))
        #expect(found.count == 1)
        let first = try #require(found.first)
        #expect(first.code == .engineUnsupported && first.title.contains("DEISMultistepScheduler"))
        #expect(first.help.contains { $0.contains("scheduler=ddim") && $0.contains("dpmpp_2m") })
        let (session, _) = try run(
            "model = load \(copy.path)\na = \"a cat\" | noise of=3 seed=1 scheduler=ddim | denoise guidance=2"
        )
        #expect(
            try summary("model", session).contains(
                "DEISMultistepScheduler, is not supported: `noise` needs `scheduler=`"))
        let plain = try run(
            """
            model = load \(try Golden.topic("models").path("pipeline"))\na = "a cat" | noise of=3 seed=1 \
            scheduler=ddim | denoise guidance=2
            """)
        #expect(try latent("a", session).values == latent("a", plain.session).values)
    }

    @Test("the check opens folders: what can never run is found before anything does")
    func checks() throws {
        func codes(_ copy: ModelCopy, _ line: String) -> [DiagnosticCode] {
            session().check(SourceFile(name: "test", text: "model = load \(copy.path)\n\(line)")).map(\.code)
        }
        let plain = try ModelCopy(), dual = try ModelCopy(), rescaled = try ModelCopy(),
            other = try ModelCopy()
        #expect(codes(plain, "\"a\" | noise of=999 | denoise") == [])
        #expect(codes(plain, "\"a\" | noise of=1000 | denoise") == [.engineSchedule])
        #expect(codes(plain, "\"a\" | noise of=60 scheduler=lcm | denoise") == [.engineSchedule])
        #expect(codes(plain, "schedule lcm of=60") == [.engineSchedule])
        #expect(codes(plain, "\"a\" | noise of=10 size=100x75 | denoise") == [.outOfRange])
        #expect(codes(plain, "\"a\" | noise of=10 eta=0.5 | denoise") == [.engineUnsupported])
        // What is allowed to fail is not judged.
        #expect(codes(plain, "sweep n=10,1000 on_error=skip { \"a\" | noise of=n | denoise }") == [])
        try dual.edit("unet/config.json", ["dual_cross_attention": .bool(true)])
        #expect(codes(dual, "\"a\" | noise of=3 | denoise") == [.engineUnsupported])
        try rescaled.edit(scheduler, ["_class_name": "DDIMScheduler", "rescale_betas_zero_snr": .bool(true)])
        #expect(codes(rescaled, "\"a\" | noise of=3 | denoise") == [.engineUnsupported])
        // PNDM knows no such key.
        #expect(codes(rescaled, "\"a\" | noise of=3 scheduler=pndm | denoise") == [])
        try other.edit(scheduler, ["_class_name": "UniPCMultistepScheduler"])
        #expect(codes(other, "x = \"a\" | encode text") == [])
        #expect(codes(other, "\"a\" | noise of=3 using=model | denoise") == [.engineUnsupported])
    }

    @Test(
        "tensors that a configuration does not use are a warning with their names; missing ones stay errors")
    func unused() throws {
        let copy = try ModelCopy()
        let path = copy.at("unet/diffusion_pytorch_model.safetensors")
        let file = try SafetensorsFile(path: path)
        var tensors = Dictionary(uniqueKeysWithValues: try file.names.map { ($0, try file.tensor($0)) })
        for index in 0..<7 { tensors["extra.\(index)"] = Tensor(zeros: [2]) }
        try Safetensors.write(tensors, to: path)
        let (_, result) = try run("model = load \(copy.path)")
        let warning = try #require(result.outputs.first?.warnings.first)
        #expect(
            warning.contains("7 tensors of \(path) are not used") && warning.contains("extra.0, extra.1")
                && warning.contains("and 2 more"))
        #expect(warning.contains("W008"))
        tensors["conv_in.weight"] = nil
        try Safetensors.write(tensors, to: path)
        let found = session().check(SourceFile(name: "test", text: "model = load \(copy.path)"))
        #expect(found.map(\.code) == [.engineWeights])
        #expect(found.first?.notes.contains { $0.contains("conv_in.weight: missing") } == true)
    }
}
