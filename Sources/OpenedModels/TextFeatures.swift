import Caching
import Interpreting
import ItemWork
import Tensors

/// Texts as a network compares them.
struct TextFeatures: ItemWork {
    let name = "text features"
    let isAuxiliary = true
    let store: ItemStore?
    private let texts: [String]
    private let network: FeatureNetwork
    private let naming: ((Int) -> String)?

    init(_ texts: [String], _ network: FeatureNetwork, _ session: Session, naming: ((Int) -> String)?) throws
    {
        (self.texts, self.network, self.naming) = (texts, network, naming)
        store = try network.store(session.cache, name)
    }

    var label: String { network.label }
    var count: Int { texts.count }
    func place(_ item: Int) -> String { naming?(item) ?? "\"\(LoadedModel.shortened(texts[item]))\"" }
    func cost(_ item: Int) -> ItemCost { network.cost(name) }

    func content(_ item: Int, _ key: ItemKey?) -> String? { key?.digest ?? "\(network.name) \(texts[item])" }
    func key(_ item: Int, in store: ItemStore) throws -> ItemKey {
        try store.key { network.add(texts[item], to: &$0) }
    }

    func recall(_ item: Int) -> [Float]? { network.texts[texts[item]] }

    func remember(_ values: [(item: Int, value: [Float])]) {
        network.texts.add(values.map { (texts[$0.item], $0.value) }, wanted: Set(texts))
    }

    func find(_ item: Int, _ key: ItemKey, in store: ItemStore) -> [Float]? {
        store.cache.value(key) { try $0.tensor().values }
    }

    func keep(_ value: [Float], of item: Int, _ key: ItemKey, in store: ItemStore) throws {
        try store.keep(key) { $0.write(Tensor(shape: [value.count], values: value)) }
    }

    func standIn(_ item: Int) throws -> [Float] { throw WorkPlan.Gap() }

    func isSound(_ value: [Float]) -> Bool { value.allSatisfy(\.isFinite) }
    func fault(_ item: Int) -> EngineError { network.fault("text") }

    func groups(_ items: [Int]) -> [[Int]] {
        Batches.of(items.sorted { texts[$0] < texts[$1] }, size: Batches.texts)
    }

    func compute(_ group: [Int], _ run: ItemRun) throws -> [[Float]?] {
        let features = try network.compute(group.map { texts[$0] })
        return group.indices.map { features[$0].values }
    }
}
