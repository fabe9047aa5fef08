import Caching
import Interpreting
import ItemWork
import Tensors

/// A block of a large table's rows, kept as one: `[rows, width]`.
final class FeatureBlock<Row>: ItemWork {
    let name = "features of a table"
    let isAuxiliary = true
    let count = 1
    let store: ItemStore?
    let key: ItemKey
    private let network: FeatureNetwork
    private let rows: [Row]
    private let range: Range<Int>
    private let batch: Int
    private let naming: ((Int) -> String)?
    private let features: ([Row]) throws -> Tensor
    /// A row whose features are no numbers.
    private var bad = 0

    /// - Parameters:
    ///   - rows: of the whole table, of which `range` is this block.
    ///   - features: of `batch` rows at most.
    init(
        _ rows: [Row], _ range: Range<Int>, _ network: FeatureNetwork, _ store: ItemStore, key: ItemKey,
        batch: Int,
        naming: ((Int) -> String)?, features: @escaping ([Row]) throws -> Tensor
    ) {
        (self.rows, self.range, self.network, self.store, self.key) = (rows, range, network, store, key)
        (self.batch, self.naming, self.features) = (batch, naming, features)
    }

    /// Counts what is missing of all blocks.
    static func plan(_ blocks: [FeatureBlock], _ session: Session) throws {
        let results = blocks.map { block in Result { try block.results(in: session) } }
        for result in results { _ = try result.get() }
    }

    var label: String { network.label }
    func place(_ item: Int) -> String { naming?(bad) ?? "row \(bad)" }
    func cost(_ item: Int) -> ItemCost { network.cost(name, units: range.count) }

    func key(_ item: Int, in store: ItemStore) -> ItemKey { key }
    func find(_ item: Int, _ key: ItemKey, in store: ItemStore) -> Tensor? {
        store.cache.value(key) { try $0.tensor() }
    }
    func keep(_ value: Tensor, of item: Int, _ key: ItemKey, in store: ItemStore) throws {
        try store.keep(key) { $0.write(value) }
    }
    func standIn(_ item: Int) throws -> Tensor { throw WorkPlan.Gap() }

    func isSound(_ value: Tensor) -> Bool {
        guard value.rank == 2, !value.isFinite else { return value.rank == 2 }
        bad = range.lowerBound + ((0..<value.shape[0]).first { !value[$0].isFinite } ?? 0)
        return false
    }

    func fault(_ item: Int) -> EngineError { network.fault("row") }
    func groups(_ items: [Int]) -> [[Int]] { [items] }

    func compute(_ group: [Int], _ run: ItemRun) throws -> [Tensor?] {
        let parts = try Batches.of(Array(range), size: batch).map { part in
            if run.isStopped { throw Stop.error(at: "row \(part[0]) of \(rows.count)") }
            let features = try features(part.map { rows[$0] })
            run.advance(by: part.count, units: part.count)
            return features
        }
        return [Tensor.concatenated(parts)]
    }
}
