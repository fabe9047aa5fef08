import Caching
import Interpreting
import ItemWork
import Models
import OpenedModels
import Results
import Tensors

/// Pictures as latents, by the autoencoder's encoder.
final class PictureEncoding: ItemWork {
    let name = "encode"
    let store: ItemStore?
    private let invocation: Invocation
    private let table: Table
    private let model: LoadedModel
    private let pictures: [Picture]
    /// Whether latents are drawn from the encoder's distribution.
    private let samples: Bool
    private let seed: Int
    /// Of the pictures that were looked at.
    private var shapes: [Int: [Int]] = [:]
    /// The one that was looked at last: it is checked first and then asked for its key.
    private var last: (item: Int, pixels: Tensor)?

    init(_ invocation: Invocation, _ table: Table, column: String, _ model: LoadedModel) throws {
        (self.invocation, self.table, self.model) = (invocation, table, model)
        pictures = try invocation.pictures(column, of: table, slot: "column")
        samples = invocation[EncodeVerb.posterior] == .sample
        seed = Seeds.base(invocation)
        store = try model.store(for: invocation, [.vae])
        if samples { SeedWatch.note(invocation, base: seed, items: table.items) }
    }

    var count: Int { pictures.count }
    private var vae: VAE { model.model.vae }

    // MARK: A picture

    /// From -1 to 1, as the encoder takes them.
    private func pixels(_ item: Int) throws -> Tensor {
        if let last, last.item == item { return last.pixels }
        let picture = pictures[item], pixels = try picture.pixels(), factor = vae.configuration.factor
        guard pixels.isFinite || picture.isStandIn else { throw NumberFailures.error("the picture") }
        guard pixels.shape[1] % factor == 0, pixels.shape[2] % factor == 0 else {
            throw EngineError(
                .shape,
                """
                a picture of \(pixels.shape[2]) x \(pixels.shape[1]) pixels cannot be encoded: both must \
                be multiples of \(factor)
                """)
        }
        let result = pixels * 2 - 1
        last = (item, result)
        shapes[item] = result.shape
        return result
    }

    private func shape(_ item: Int) -> [Int] { shapes[item] ?? (try? pixels(item))?.shape ?? [3, 0, 0] }

    func place(_ item: Int) -> String { table.itemPhrase(item) }
    func check(_ item: Int) throws { _ = try pixels(item) }
    func cost(_ item: Int) -> ItemCost { ItemCost(model.work("encode", shape(item))) }

    func key(_ item: Int, in store: ItemStore) throws -> ItemKey {
        let pixels = try pixels(item)
        return try store.key {
            $0.add("picture", pixels)
            if samples { $0.add("seed", seed &+ table.items[item]) }
        }
    }

    func find(_ item: Int, _ key: ItemKey, in store: ItemStore) -> Latent? {
        guard let (tensor, generator) = store.cache.value(key, { (try $0.tensor(), try $0.generator()) })
        else { return nil }
        return latent(tensor, generator)
    }

    func keep(_ latent: Latent, of item: Int, _ key: ItemKey, in store: ItemStore) throws {
        try store.keep(key) {
            $0.write(latent.tensor)
            $0.write(latent.generator)
        }
    }

    private func latent(_ tensor: Tensor, _ generator: Generator?) -> Latent {
        Latent(
            tensor: tensor, model: model.identity, origin: .encoded, generator: generator,
            seed: samples ? seed : nil)
    }

    func isUnknown(_ item: Int) -> Bool { pictures[item].isStandIn }

    func standIn(_ item: Int) throws -> Latent {
        latent(
            .unknown(vae.configuration.latentShape(of: try pixels(item).shape)),
            samples ? Seeds.generator(invocation, item: table.items[item]) : nil)
    }

    // MARK: Encoding

    func isSound(_ latent: Latent) -> Bool { latent.tensor.isFinite }

    func fault(_ item: Int) -> EngineError {
        NumberFailures.error("what the autoencoder makes of the picture", cure: model.cure(for: .vae))
    }

    func reckon(_ items: [Int]) throws {
        try model.reckonWeights(of: .vae)
        guard let largest = items.map(shape).max(by: { $0[1] * $0[2] < $1[1] * $1[2] }) else { return }
        _ = try Reckoning.batch(
            given: 1, usual: 1, bytes: vae.configuration.leastBytes(height: largest[1], width: largest[2]),
            "encode", largest)
    }

    func groups(_ items: [Int]) -> [[Int]] {
        Batches.alike(
            items, Batches.pixelLimit, most: invocation.session.settings.batch ?? Batches.pictures,
            shape: shape)
    }

    func compute(_ group: [Int], _ run: ItemRun) throws -> [Latent?] {
        let posterior = try vae.encode(.stacked(group.map(pixels)))
        return group.enumerated().map { index, item in
            let mean = posterior.mean[index], factor = vae.configuration.scalingFactor
            guard samples else { return latent(mean * factor, nil) }
            var generator = Seeds.generator(invocation, item: table.items[item])
            let noise = generator.normal(shape: [1] + mean.shape).reshaped(mean.shape)
            return latent((mean + posterior.standardDeviation[index] * noise) * factor, generator)
        }
    }
}
