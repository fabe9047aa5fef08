import Diffusion
import Files
import Models
import Tensors
import TestSupport
import Testing

/// Model folders as StableDiffusionPipeline reads them: `make/folders.py` says what stands in the files.
@Suite("Folders as the pipeline reads them")
struct FolderReadingTests {
    /// The golden pipeline, opened once.
    private static let model = Result { try DiffusionModel(folder: Golden.topic("models").path("pipeline")) }

    private struct Run: Hashable {
        let configuration: SchedulerConfiguration
        let steps: Int
    }

    @Test("every scheduler file gives the reference's latents, and its picture within one level")
    func schedulers() throws {
        let topic = try Golden.laterTopic("folders")
        let model = try Self.model.get()
        let list = try topic.json("schedulers.json"), arrays = try topic.tensors("schedulers.safetensors")
        let prompt = try #require(list["prompt"]?.string), seed = try #require(list["seed"]?.int)
        let guidance = Float(try #require(list["guidance"]?.double))
        let conditioning = try model.unet.conditioning(
            Tensor.concatenated([model.encode([""]).states, model.encode([prompt]).states]))
        let cases = try #require(list["cases"]?.array)
        #expect(cases.count > 300)

        var done: [Run: Tensor] = [:]
        func latents(_ run: Run) throws -> Tensor {
            if let known = done[run] { return known }
            var scheduler = try SchedulerRun(run.configuration, steps: run.steps)
            var generator = Generator(seed: UInt64(seed))
            let size = model.latentSize
            var sample =
                generator.normal(shape: [1, 4, size.height, size.width]) * Float(scheduler.initialSigma)
            while let timestep = scheduler.timestep {
                let output = try model.unet.predict(
                    try scheduler.scaledInput(sample), timesteps: [timestep], conditioning: conditioning,
                    contexts: [0, 1])
                let guided = Guidance.combine(
                    empty: output[rows: 0..<1], text: output[rows: 1..<2], scale: guidance)
                sample = try scheduler.step(output: guided, sample: sample, generator: &generator)
            }
            done[run] = sample
            return sample
        }

        for json in cases {
            let file = SchedulerFile(
                try #require(json["config"]), place: "scheduler_config.json",
                isExact: json["exact"]?.bool ?? false)
            let target = json["scheduler"]?.string
            let kind = try target.map { try #require(SchedulerKind(className: $0)) }
            let steps = try #require(json["steps"]?.int)
            let name = "\(file.json.text) as \(target ?? "it is") in \(steps) steps"
            guard let key = json["latents"]?.string else {
                // Where the reference fails, either so does this, or it runs to its end.
                if let configuration = try? SchedulerConfiguration(file, as: kind) {
                    #expect(
                        configuration.karras && configuration.kind == .dpmpp2M,
                        "\(name): the reference says \(json["error"]?.text ?? "nothing")")
                    #expect(
                        try latents(Run(configuration: configuration, steps: steps)).values.allSatisfy(
                            \.isFinite), "\(name)")
                }
                continue
            }
            let expected = try arrays.tensor(key)
            let actual: Tensor
            do {
                actual = try latents(
                    Run(configuration: try SchedulerConfiguration(file, as: kind), steps: steps))
            } catch {
                Issue.record("\(name): \(error)")
                continue
            }
            // 20 times the reference's own rounding, as everywhere in the golden data.
            expectClose(
                actual: actual[0], expected: expected, absolute: try #require(json["tol_abs"]?.double), name)
            let pictures = try [actual, expected.reshaped(actual.shape)].map {
                try Bitmap(model.vae.decode($0 / model.vae.configuration.scalingFactor)[0])
            }
            let worst = zip(pictures[0].samples, pictures[1].samples).map { abs(Int($0) - Int($1)) }.max()
            #expect(worst ?? 255 <= 1, "\(name): \(worst ?? -1) levels off")
        }
    }

    @Test("a small sample_size of a UNet from before diffusers 0.9 is 64, unless the files are taken exactly")
    func sizes() throws {
        let topic = try Golden.laterTopic("folders")
        let configuration = try #require(
            try JSON.read(path: Golden.topic("models").path("pipeline/unet/config.json")).object)
        let rows = try #require(try topic.json("sizes.json").array)
        #expect(rows.count > 20)
        for row in rows {
            var members = configuration
            members["_diffusers_version"] = row["version"]
            members["sample_size"] = row["sample_size"]
            let copy = try ModelCopy()
            try copy.write("unet/config.json", .object(members))
            func size(_ isExact: Bool) throws -> JSON {
                let (height, width) = try DiffusionModel(folder: copy.path, isExact: isExact).latentSize
                return height == width
                    ? .number(Double(height)) : [.number(Double(height)), .number(Double(width))]
            }
            #expect(try size(false) == row["size"], "\(row.text)")
            #expect(try size(true) == row["sample_size"], "\(row.text)")
        }
    }

    @Test("padding is hidden from a prompt where the text encoder's configuration says so")
    func attentionMask() throws {
        let topic = try Golden.laterTopic("folders")
        let arrays = try topic.tensors("texts.safetensors"), list = try topic.json("texts.json")
        let copy = try ModelCopy()
        let members = try #require(try JSON.read(path: copy.at("text_encoder/config.json")).object)
        try copy.write(
            "text_encoder/config.json",
            .object(members.merging(try #require(list["text_encoder"]?.object)) { $1 }))
        let prompts = try #require(list["prompts"]?.strings)
        let model = try DiffusionModel(folder: copy.path)
        let output = try model.encode(prompts)
        // As the prompts of the golden pipelines.
        expectClose(actual: output.states, expected: try arrays.tensor("states"), absolute: 1e-4, "states")
        expectClose(actual: output.pooled, expected: try arrays.tensor("pooled"), absolute: 1e-4, "pooled")
        let plain = try DiffusionModel(folder: Golden.topic("models").path("pipeline")).encode(prompts)
        #expect(plain.states.values != output.states.values)
    }

    @Test("the middle block attends to itself whatever only_cross_attention says")
    func onlyCrossAttention() throws {
        let topic = try Golden.laterTopic("folders")
        let folders = try topic.folder("unets").folders()
        #expect(folders.count >= 3)
        for folder in folders {
            let unet = try UNet(folder: folder.path)
            let io = try folder.tensors("io.safetensors")
            let out = try unet.predict(
                io.tensor("sample"), timesteps: io.tensor("timestep").values,
                conditioning: unet.conditioning(io.tensor("context")),
                contexts: Array(0..<io.tensor("sample").shape[0]))
            expectClose(
                actual: out, expected: try io.tensor("out"),
                absolute: try #require(try folder.json("case.json")["tol_abs"]?.double), folder.name)
        }
    }
}
