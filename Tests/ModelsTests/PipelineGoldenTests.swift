import Diffusion
import Files
import Models
import Tensors
import TestSupport
import Testing

/// Whole runs of the reference's pipelines, from prompt to picture and from picture to picture, step by step.
@Suite("Pipelines against diffusers")
struct PipelineGoldenTests {
    private struct Run {
        let json: JSON
        let folder: GoldenFolder
        let arrays: SafetensorsFile
        var name: String { json["name"]?.string ?? "" }
        func texts(_ key: String) -> [String]? { json[key].flatMap { $0.string.map { [$0] } ?? $0.strings } }
    }

    @Test("every golden run gives the reference's latents at each step and its picture within one level")
    func runs() throws {
        let model = try DiffusionModel(folder: Golden.topic("models").path("pipeline"))
        let topic = try Golden.topic("pipeline")
        let list = try topic.json("runs.json")
        let runs = try #require(list["runs"]?.array)
        #expect(!runs.isEmpty)
        let picture = try PNG.read(path: topic.path(try #require(list["init_image"]?.string)))
        for json in runs {
            let name = try #require(json["name"]?.string)
            try check(
                Run(json: json, folder: topic, arrays: topic.tensors(name + ".safetensors")), model, picture,
                size: list["default_size"]?.int ?? 96)
        }
    }

    private func check(_ run: Run, _ model: DiffusionModel, _ picture: Bitmap, size: Int) throws {
        let prompts = try #require(run.texts("prompt"))
        let negative = run.texts("negative") ?? prompts.map { _ in "" }
        let steps = try #require(run.json["steps"]?.int)
        let guidance = Float(try #require(run.json["guidance"]?.double))
        let className = try #require(run.json["scheduler_class"]?.string)
        let kind = try #require(
            SchedulerKind(className: className), "\(run.name): unknown scheduler \(className)")
        let configuration = try SchedulerConfiguration(
            json: model.schedulerConfiguration, place: model.schedulerPath
        ).converted(to: kind)

        let states = try model.encode(prompts).states, empty = try model.encode(negative).states
        expectClose(
            actual: states, expected: try run.arrays.tensor("prompt_embeds"), absolute: 1e-4,
            "\(run.name) prompt_embeds")

        // A seed draws for the whole batch in one call; a list of seeds draws item by item.
        let seeds = run.json["seed"]?.ints
        let seed = try #require(seeds?.first ?? run.json["seed"]?.int)
        var generators = (seeds ?? [seed]).map { Generator(seed: UInt64($0)) }
        func normal(_ shape: [Int]) -> Tensor {
            guard seeds != nil else { return generators[0].normal(shape: shape) }
            return Tensor.concatenated(
                generators.indices.map { generators[$0].normal(shape: [1] + shape.dropFirst()) })
        }
        let factor = model.vae.configuration.factor
        var start = SchedulerStart.noise
        var sample: Tensor
        if let strength = run.json["strength"]?.double {
            let left = min(Int(Double(steps) * strength), steps)
            start = .middle(left: left, mode: .diffusers)
            let clean = try model.vae.encode(picture.autoencoderInput(multiple: factor).reshapedToBatch)
            let latent = clean.sample(noise: normal(clean.mean.shape)) * model.vae.configuration.scalingFactor
            expectClose(
                actual: latent, expected: try run.arrays.tensor("init_latents"), absolute: 1e-4,
                "\(run.name) init_latents")
            sample = try SchedulerRun(configuration, steps: steps, start: start).addNoise(
                latent, normal(latent.shape))
        } else {
            let height = run.json["height"]?.int ?? size, width = run.json["width"]?.int ?? size
            let noise = normal([
                prompts.count, model.unet.configuration.inChannels, height / factor, width / factor,
            ])
            expectClose(
                actual: noise, expected: try run.arrays.tensor("noise"), absolute: 2e-6, "\(run.name) noise")
            let sigma = try SchedulerRun(configuration, steps: steps).initialSigma
            sample = noise * Float(sigma)
        }

        var scheduler = try SchedulerRun(configuration, steps: steps, start: start)
        let guided = guidance > 1
        let conditioning = try model.unet.conditioning(
            guided ? Tensor.concatenated([empty, states]) : states)
        let batch = prompts.count
        var call = 0
        while let timestep = scheduler.timestep {
            let input = try scheduler.scaledInput(sample)
            var output = try model.unet.predict(
                input, timesteps: Array(repeating: timestep, count: batch), conditioning: conditioning,
                contexts: Array(0..<(guided ? 2 : 1) * batch))
            if guided {
                output = Guidance.combine(
                    empty: output[rows: 0..<batch], text: output[rows: batch..<2 * batch], scale: guidance)
            }
            var unused = Generator(seed: 0)
            sample = try scheduler.step(output: output, sample: sample, generator: &unused)
            let tolerance = try #require(run.json["outputs"]?["latents"]?["tol_abs"]?.double)
            if run.arrays.contains("step.\(call)") {
                expectClose(
                    actual: sample, expected: try run.arrays.tensor("step.\(call)"), absolute: tolerance,
                    "\(run.name) step \(call)")
            }
            call += 1
        }
        #expect(call == run.json["scheduler_calls"]?.int, "\(run.name)")

        let image = try model.vae.decode(sample / model.vae.configuration.scalingFactor)
        for (item, name) in (run.json["png"]?.strings ?? []).enumerated() {
            let actual = try Bitmap(image[item]), expected = try PNG.read(path: run.folder.path(name))
            let worst = zip(actual.samples, expected.samples).map { abs(Int($0) - Int($1)) }.max()
            #expect(
                actual.samples.count == expected.samples.count && worst ?? 255 <= 1,
                "\(name): \(worst ?? -1) levels off")
        }
    }
}

extension Tensor {
    /// A single picture as a batch of one.
    fileprivate var reshapedToBatch: Tensor { reshaped([1] + shape) }
}
