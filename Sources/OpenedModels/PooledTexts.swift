import Caching
import Interpreting
import ItemWork
import Tensors

/// Texts as one vector each, for models without a CLIP of their own: what the text encoder gives beside its
/// states, which are not kept: those of a whole data set would fill a disk.
struct PooledTexts: ItemWork {
    let name = "text encoder"
    let isAuxiliary = true
    let store: ItemStore?
    private let texts: [String]
    private let model: LoadedModel
    private let session: Session
    private let naming: ((Int) -> String)?

    init(_ texts: [String], _ model: LoadedModel, _ session: Session, naming: ((Int) -> String)?) throws {
        (self.texts, self.model, self.session, self.naming) = (texts, model, session, naming)
        store = try model.digests.store(session.cache, verb: "text features", [.textEncoder, .tokenizer])
        model.warnOfCuts(texts, session)
    }

    var count: Int { texts.count }
    func place(_ item: Int) -> String { naming?(item) ?? "\"\(LoadedModel.shortened(texts[item]))\"" }
    func cost(_ item: Int) -> ItemCost { ItemCost(model.work("text encoder", [])) }

    func content(_ item: Int, _ key: ItemKey?) -> String? { "text \(texts[item])" }
    func key(_ item: Int, in store: ItemStore) throws -> ItemKey {
        try store.key { model.add(texts[item], to: &$0) }
    }

    func recall(_ item: Int) -> [Float]? {
        model.pooledTexts[texts[item]] ?? model.texts[texts[item]]?.pooled.values
    }

    func remember(_ values: [(item: Int, value: [Float])]) {
        model.pooledTexts.add(values.map { (texts[$0.item], $0.value) }, wanted: Set(texts))
    }

    func find(_ item: Int, _ key: ItemKey, in store: ItemStore) -> [Float]? {
        store.cache.value(key) { try $0.tensor().values }
    }

    func keep(_ value: [Float], of item: Int, _ key: ItemKey, in store: ItemStore) throws {
        try store.keep(key) { $0.write(Tensor(shape: [value.count], values: value)) }
    }

    func standIn(_ item: Int) throws -> [Float] { throw WorkPlan.Gap() }

    func isSound(_ value: [Float]) -> Bool { value.allSatisfy(\.isFinite) }

    func fault(_ item: Int) -> EngineError {
        NumberFailures.error("what the text encoder makes of the text", cure: model.cure(for: .textEncoder))
    }

    func reckon(_ items: [Int]) throws { try model.reckonWeights(of: .textEncoder) }

    func groups(_ items: [Int]) -> [[Int]] {
        Batches.of(items.sorted { texts[$0] < texts[$1] }, size: Batches.texts)
    }

    func compute(_ group: [Int], _ run: ItemRun) throws -> [[Float]?] {
        let output = try model.model.encode(group.map { texts[$0] })
        return group.indices.map { output.pooled[$0].values }
    }
}
