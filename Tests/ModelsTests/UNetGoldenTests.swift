import Files
import Kernels
import Models
import Tensors
import TestSupport
import Testing

@Suite("UNet against diffusers")
struct UNetGoldenTests {
    static let models = Result { try GoldenModel.all(["UNet2DConditionModel"]) }

    @Test("every golden UNet gives the reference's output and activations")
    func outputs() throws {
        for model in try Self.models.get() {
            let unet = try UNet(folder: model.folder.path)
            try model.forEachCase { golden in
                let sample = try golden.tensor("sample")
                let told = try golden.arrays.doubles("\(golden.name).timestep").map(Float.init)
                let batch = sample.shape[0]
                let timesteps =
                    told.count == batch ? told : Array(repeating: try #require(told.first), count: batch)
                let conditioning = try unet.conditioning(golden.tensor("encoder_hidden_states"))
                let trace = ActivationTrace()
                let out = try unet.predict(
                    sample, timesteps: timesteps, conditioning: conditioning, contexts: Array(0..<batch),
                    trace: trace)
                try golden.check("out", out)
                let plain = try unet.predict(
                    sample, timesteps: timesteps, conditioning: conditioning, contexts: Array(0..<batch))
                #expect(
                    !KernelChoice.current.isBlindToPlaces || plain.values == out.values,
                    "tracing changes \(model.folder.name)")
                for key in golden.outputs where key.hasPrefix("act.") {
                    let activation = try #require(
                        trace.activations[String(key.dropFirst(4))],
                        "\(model.folder.name) \(golden.name): \(key) was not recorded")
                    try golden.check(key, activation)
                }
            }
        }
    }

    @Test(
        "an item's prediction does not depend on the batch or on the number of threads",
        .enabled(if: KernelChoice.current.isBlindToPlaces))
    func batchIndependence() throws {
        let model = try #require(try Self.models.get().first)
        let unet = try UNet(folder: model.folder.path)
        let golden = try #require(try firstCase(model) { $0.shape[0] > 1 }, "no case with a batch")
        let sample = try golden.tensor("sample")
        let batch = sample.shape[0]
        let conditioning = try unet.conditioning(golden.tensor("encoder_hidden_states"))
        let timesteps = (0..<batch).map { Float(100 * $0 + 1) }
        let together = try unet.predict(
            sample, timesteps: timesteps, conditioning: conditioning, contexts: Array(0..<batch))
        let threads = ThreadPool.shared.threadCount
        defer { ThreadPool.shared.threadCount = threads }
        for count in [1, 2, 3] {
            ThreadPool.shared.threadCount = count
            for item in 0..<batch {
                let alone = try unet.predict(
                    sample[rows: item..<(item + 1)], timesteps: [timesteps[item]], conditioning: conditioning,
                    contexts: [item])
                #expect(alone.values == together[item].values, "item \(item) with \(count) threads")
            }
        }
    }

    @Test(
        """
        items with two contexts each give what the same items twice do, to the bit, with any number of \
        threads
        """,
        .enabled(if: KernelChoice.current.isBlindToPlaces))
    func sharedBeginning() throws {
        let threads = ThreadPool.shared.threadCount
        defer { ThreadPool.shared.threadCount = threads }
        var tried = 0
        for model in try Self.models.get() {
            let unet = try UNet(folder: model.folder.path)
            guard let golden = try firstCase(model, where: { $0.shape[0] > 1 }) else { continue }
            let sample = try golden.tensor("sample"), states = try golden.tensor("encoder_hidden_states")
            let conditioning = try unet.conditioning(states)
            for items in 1...sample.shape[0] {
                let some = sample[rows: 0..<items]
                let timesteps = (0..<items).map { Float(100 * $0 + 1) },
                    contexts = (0..<2 * items).map { ($0 + $0 / items) % states.shape[0] }
                let twice = try unet.predict(
                    some.repeated(2), timesteps: timesteps + timesteps, conditioning: conditioning,
                    contexts: contexts)
                for count in [1, 2, 3] {
                    ThreadPool.shared.threadCount = count
                    let once = try unet.predict(
                        some, timesteps: timesteps, conditioning: conditioning, contexts: contexts)
                    #expect(
                        once.shape == twice.shape && once.values == twice.values,
                        "\(model.folder.path), \(items) items, \(count) threads")
                    tried += 1
                }
            }
        }
        #expect(tried > 0)
    }

    private func firstCase(_ model: GoldenModel, where wanted: (Tensor) -> Bool) throws -> GoldenCase? {
        var found: GoldenCase?
        try model.forEachCase { if found == nil, wanted(try $0.tensor("sample")) { found = $0 } }
        return found
    }
}
