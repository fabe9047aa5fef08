package import Autodiff
package import Files
internal import Models
package import Tensors
internal import Testing

/// A tiny network with its batch, loss and gradients, as `Tests/Golden/make/training.py` wrote them.
package struct TrainingCase {
    package let name: String
    package let json: JSON
    package let parameters: Parameters
    package let expectedLoss: Double
    /// The loss of the fixed batch.
    package let loss: (Tape) -> Node
    private let io: SafetensorsFile

    package static func all() throws -> [TrainingCase] {
        try Golden.topic("training").folders().map(TrainingCase.init)
    }

    init(_ folder: GoldenFolder) throws {
        let json = try folder.json("case.json")
        let io = try folder.tensors("io.safetensors")
        func input(_ name: String) throws -> Tensor { try io.tensor("in." + name) }
        let weights = try WeightFolder(
            folder: folder.path,
            name: (FileSystem.exists(folder.path("model.safetensors")) ? "model" : "diffusion_pytorch_model")
                + ".safetensors")
        parameters = Parameters(try weights.names.map { ($0, try weights.tensor($0)) })
        name = folder.name
        expectedLoss = try #require(json["loss"]?.double)
        switch json["kind"]?.string {
        case "unet":
            let graph = UNetGraph(try UNet(folder: folder.path).configuration)
            let sample = try input("noisy").channelsLast, target = try input("target").channelsLast,
                context = try input("encoder_hidden_states")
            let timesteps = try #require(json["timesteps"]?.ints).map(Float.init)
            loss = { tape in
                let output = graph.predict(
                    tape, sample: tape.constant(sample), timesteps: timesteps, context: tape.constant(context)
                )
                return tape.meanSquaredError(output, target)
            }
        case "vae":
            let graph = AutoencoderGraph(try VAE(folder: folder.path).configuration)
            let image = try input("image").channelsLast, noise = try input("noise").channelsLast
            let weight = Float(try #require(json["kl_weight"]?.double))
            loss = { tape in
                let (mean, logVariance) = graph.encode(tape, tape.constant(image))
                let decoded = graph.decode(
                    tape, tape.sampled(mean: mean, logVariance: logVariance, noise: noise))
                return tape.total([
                    (1, tape.meanSquaredError(decoded, image)),
                    (weight, tape.divergence(mean: mean, logVariance: logVariance)),
                ])
            }
        default:
            let clip = try CLIP(folder: folder.path)
            let graph = CLIPGraph(text: clip.text.configuration, vision: clip.vision.configuration)
            let flat = try io.integers("in.input_ids"),
                batch = try #require(io.entry("in.input_ids")).shape[0]
            let ids = (0..<batch).map { Array(flat[$0 * flat.count / batch..<($0 + 1) * flat.count / batch]) }
            let pixels = try input("pixel_values").channelsLast
            loss = { tape in
                let texts = graph.textFeatures(tape, ids),
                    images = graph.imageFeatures(tape, tape.constant(pixels))
                return tape.contrastiveLoss(texts, images, logScale: tape.scalar("logit_scale"))
            }
        }
        self.json = json
        self.io = io
    }

    package func expected(_ group: String, _ name: String) throws -> Tensor {
        try io.tensor("\(group).\(name)")
    }

    /// The README's bound: 20 times the reference's own rounding, at least 1e-5.
    package func checkGradients(_ parameters: Parameters) throws {
        let bound = max(1e-5, 20 * (json["grad_max_abs_err_f32_vs_f64"]?.double ?? 0))
        for name in parameters.names {
            let expected = try expected("grad", name).values, found = parameters.gradient(name).values
            #expect(found.count == expected.count)
            let worst = zip(found, expected).map { abs(Double($0) - Double($1)) }.max() ?? 0
            #expect(worst <= bound, "\(self.name) \(name): off by \(worst), allowed \(bound)")
        }
    }
}
