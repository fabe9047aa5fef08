import Caching
import Interpreting
import ItemWork
import Models
import OpenedModels
import Results
import SourceText
import Tensors

/// Latents as pictures, by the autoencoder's decoder: `[3, height, width]` in 0...1.
struct PictureDecoding: ItemWork {
    let name = "decode"
    let store: ItemStore?
    private let latents: [Latent]
    private let model: LoadedModel
    private let naming: (Int) -> String

    init(
        _ latents: [Latent], _ model: LoadedModel, _ invocation: Invocation, naming: @escaping (Int) -> String
    ) throws {
        (self.latents, self.model, self.naming) = (latents, model, naming)
        // One key, whichever verb asks.
        store = try model.digests.store(
            invocation.session.cache, verb: name, version: invocation.session.verbs[name]?.version ?? 1,
            [.vae])
        session = invocation.session
    }

    private let session: Session
    private var vae: VAE { model.model.vae }
    private var factor: Int { vae.configuration.factor }

    /// What `show` and `grid` draw of a column of latents.
    static func shown(_ column: Column, of table: Table, _ invocation: Invocation) throws -> Column {
        let model = try invocation.model()
        let latents = try invocation.latents(table, for: model, column: column.name)
        let pictures = try PictureDecoding(latents, model, invocation, naming: table.itemPhrase).allPictures()
        return Column(column.name, pictures.map { .picture($0) })
    }

    /// - Throws: that the user stopped it, where one of them is not there.
    func allPictures() throws -> [Picture] {
        try pictures(of: results(in: session).whole("picture")).compactMap { $0 }
    }

    /// nil for those that were left when the user stopped.
    func pictures(recipes: [Recipe]) throws -> [Picture?] {
        try pictures(of: results(in: session).values, recipes: recipes)
    }

    private func pictures(of values: [Tensor?], recipes: [Recipe]? = nil) -> [Picture?] {
        // One picture stands for all of a size, so that what looks at it does so once.
        var unknown: [[Int]: Picture] = [:]
        return values.enumerated().map { row, values in
            guard let values else { return nil }
            guard values.isUnknown else { return Picture(values: values, recipe: recipes?[row]) }
            let picture = unknown[values.shape] ?? Picture(values: values, isStandIn: true)
            unknown[values.shape] = picture
            return picture
        }
    }

    // MARK: A latent

    var count: Int { latents.count }
    func place(_ item: Int) -> String { naming(item) }
    func check(_ item: Int) throws {
        if !latents[item].tensor.isFinite { throw NumberFailures.error("the latent") }
    }
    func cost(_ item: Int) -> ItemCost { ItemCost(model.work("decode", latents[item].tensor.shape)) }

    func key(_ item: Int, in store: ItemStore) throws -> ItemKey {
        try store.key { $0.add("latent", latents[item].tensor) }
    }

    func find(_ item: Int, _ key: ItemKey, in store: ItemStore) -> Tensor? {
        store.cache.value(key) { try $0.tensor() }.flatMap { $0.rank == 3 ? $0 : nil }
    }

    func keep(_ values: Tensor, of item: Int, _ key: ItemKey, in store: ItemStore) throws {
        try store.keep(key) { $0.write(values) }
    }

    func isUnknown(_ item: Int) -> Bool { latents[item].tensor.isUnknown }

    func standIn(_ item: Int) -> Tensor { .unknown(pictureShape(item)) }

    private func pictureShape(_ item: Int) -> [Int] {
        let shape = latents[item].tensor.shape
        return [3, shape[1] * factor, shape[2] * factor]
    }

    // MARK: Decoding

    func isSound(_ values: Tensor) -> Bool { values.isFinite }

    func fault(_ item: Int) -> EngineError {
        NumberFailures.error("what the autoencoder makes of the latent", cure: model.cure(for: .vae))
    }

    func reckon(_ items: [Int]) throws {
        let shapes = items.map(pictureShape)
        guard let largest = shapes.max(by: { $0[1] * $0[2] < $1[1] * $1[2] }) else { return }
        let all = shapes.reduce(0) { MemoryBudget.sum($0, MemoryBudget.product($1 + [4])) }
        try MemoryBudget.check(
            all, for: "\(Reckoning.counted(items.count, "picture")) of up to \(largest.shapeText)",
            cure: "fewer rows at a time, or smaller pictures")
        try model.reckonWeights(of: .vae)
        _ = try Reckoning.batch(
            given: 1, usual: 1, bytes: vae.configuration.leastBytes(height: largest[1], width: largest[2]),
            "decode", largest)
    }

    func groups(_ items: [Int]) -> [[Int]] {
        Batches.alike(items, Batches.pixelLimit / (factor * factor)) { latents[$0].tensor.shape }
    }

    func compute(_ group: [Int], _ run: ItemRun) throws -> [Tensor?] {
        let decoded = try vae.decode(
            .stacked(group.map { latents[$0].tensor / vae.configuration.scalingFactor }))
        guard decoded.shape[1] == 3 else {
            throw EngineError(
                .unsupported, "the autoencoder gives \(decoded.shape[1]) channels, and pictures have 3",
                place: model.model.folder)
        }
        return group.indices.map { index in
            let values = decoded[index]
            // Before they are brought into their range, in which infinity is white.
            return values.isFinite ? values.map { min(max($0 * 0.5 + 0.5, 0), 1) } : nil
        }
    }
}
