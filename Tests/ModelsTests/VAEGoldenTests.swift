import Files
import Models
import Tensors
import TestSupport
import Testing

@Suite("VAE against diffusers")
struct VAEGoldenTests {
    @Test("every golden VAE encodes and decodes as the reference")
    func outputs() throws {
        for model in try GoldenModel.all(["AutoencoderKL"]) {
            let vae = try VAE(folder: model.folder.path)
            try model.forEachCase { golden in
                let trace = ActivationTrace()
                if golden.has("image") {
                    let distribution = try vae.encode(golden.tensor("image"), trace: trace)
                    let actual: [String: Tensor] = [
                        "mean": distribution.mean, "mode": distribution.mean,
                        "logvar": distribution.logVariance, "std": distribution.standardDeviation,
                        "sample": try distribution.sample(
                            noise: golden.has("noise")
                                ? golden.tensor("noise") : Tensor(zeros: distribution.mean.shape)),
                        "latent_scaled": distribution.mean * vae.configuration.scalingFactor,
                        "kl_per_item": Tensor(
                            shape: [distribution.mean.shape[0]],
                            values: distribution.divergencePerItem.map(Float.init)),
                    ]
                    for key in golden.outputs { if let value = actual[key] { try golden.check(key, value) } }
                }
                if golden.has("latent") {
                    try golden.check("decoded", vae.decode(golden.tensor("latent"), trace: trace))
                }
                for key in golden.outputs where key.hasPrefix("act.") {
                    let activation = try #require(
                        trace.activations[String(key.dropFirst(4))],
                        "\(model.folder.name) \(golden.name): \(key) was not recorded")
                    try golden.check(key, activation)
                }
            }
        }
    }
}
