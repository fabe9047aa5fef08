import Caching
import Interpreting
import ItemWork
import OpenedModels
import Tensors
import Training

/// What a UNet learns from: the autoencoder's distribution for each picture, and for its mirror image where
/// that is shown too (a mirrored latent is not the latent of the mirrored picture). They are not kept: the
/// training is.
struct TrainingLatents: ItemWork {
    /// By way: mean and standard deviation, `[height, width, channels]`, in the network's units.
    typealias Value = [(mean: Tensor, deviation: Tensor)]

    let name = "encode"
    let isAuxiliary = true
    let finishesStopped = false
    let store: ItemStore? = nil
    private let pictures: [Tensor]
    private let model: LoadedModel
    private let flips: Bool
    private let naming: (Int) -> String

    init(_ pictures: [Tensor], _ model: LoadedModel, flips: Bool, naming: @escaping (Int) -> String) {
        (self.pictures, self.model, self.flips, self.naming) = (pictures, model, flips, naming)
    }

    var count: Int { pictures.count }
    func place(_ item: Int) -> String { naming(item) }
    func cost(_ item: Int) -> ItemCost {
        ItemCost(model.work("encode", pictures[item].shape), units: flips ? 2 : 1)
    }
    func key(_ item: Int, in store: ItemStore) throws -> ItemKey {
        try store.key { $0.add("picture", pictures[item]) }
    }
    func find(_ item: Int, _ key: ItemKey, in store: ItemStore) -> Value? { nil }
    func keep(_ value: Value, of item: Int, _ key: ItemKey, in store: ItemStore) {}
    func standIn(_ item: Int) throws -> Value { throw WorkPlan.Gap() }

    func isSound(_ value: Value) -> Bool { value.allSatisfy { $0.mean.isFinite && $0.deviation.isFinite } }

    func fault(_ item: Int) -> EngineError {
        NumberFailures.error("what the autoencoder makes of the picture", cure: model.cure(for: .vae))
    }

    func groups(_ items: [Int]) -> [[Int]] { Batches.of(items, size: Batches.pictures) }

    func compute(_ group: [Int], _ run: ItemRun) throws -> [Value?] {
        let part = group.map { pictures[$0] }, vae = model.model.vae, factor = vae.configuration.scalingFactor
        let mirrored = PictureChange.Draw(isMirrored: true)
        let ways = [part] + (flips ? [part.map { PictureChange.apply(mirrored, to: $0) }] : [])
        let encoded = try ways.map { way in
            let distribution = try vae.encode(Tensor.stacked(way) * 2 - 1)
            return (
                mean: (distribution.mean * factor).channelsLast,
                deviation: (distribution.standardDeviation * factor).channelsLast
            )
        }
        return group.indices.map { row in encoded.map { ($0.mean[row], $0.deviation[row]) } }
    }
}
