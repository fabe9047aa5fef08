import Caching
import Interpreting
import ItemWork
import Results
import Tensors

/// Texts as a model's text encoder gives them.
package struct TextEncoding: ItemWork {
    package struct Value: Sendable {
        /// `[tokens, width]`
        package var states: Tensor
        /// `[width]`
        package var pooled: Tensor
    }

    package let name: String
    package let isAuxiliary: Bool
    package let store: ItemStore?
    private let texts: [String]
    private let model: LoadedModel
    private let naming: ((Int) -> String)?

    /// Warns of texts that are longer than the encoder takes.
    package init(
        _ texts: [String], _ model: LoadedModel, _ session: Session, name: String = "text encoder",
        isAuxiliary: Bool = true,
        naming: ((Int) -> String)? = nil
    ) throws {
        (self.texts, self.model, self.name, self.isAuxiliary, self.naming) = (
            texts, model, name, isAuxiliary, naming
        )
        store = try model.digests.store(session.cache, verb: "encode text", [.textEncoder, .tokenizer])
        model.warnOfCuts(texts, session)
    }

    package func embedding(_ item: Int, _ value: Value) -> Embedding {
        Embedding(states: value.states, text: texts[item], model: model.identity)
    }

    package var count: Int { texts.count }
    package func place(_ item: Int) -> String { naming?(item) ?? "\"\(LoadedModel.shortened(texts[item]))\"" }
    package func cost(_ item: Int) -> ItemCost { ItemCost(model.work("text encoder", [])) }

    package func content(_ item: Int, _ key: ItemKey?) -> String? { key?.digest ?? "text \(texts[item])" }
    package func key(_ item: Int, in store: ItemStore) throws -> ItemKey {
        try store.key { model.add(texts[item], to: &$0) }
    }

    package func recall(_ item: Int) -> Value? { model.texts[texts[item]] }

    package func remember(_ values: [(item: Int, value: Value)]) {
        model.texts.add(values.map { (texts[$0.item], $0.value) }, wanted: Set(texts))
    }

    package func find(_ item: Int, _ key: ItemKey, in store: ItemStore) -> Value? {
        store.cache.value(key) { Value(states: try $0.tensor(), pooled: try $0.tensor()) }
    }

    package func keep(_ value: Value, of item: Int, _ key: ItemKey, in store: ItemStore) throws {
        try store.keep(key) {
            $0.write(value.states)
            $0.write(value.pooled)
        }
    }

    package func standIn(_ item: Int) -> Value {
        let width = model.model.textEncoder.configuration.width
        return Value(states: .unknown([model.model.maximumTokens, width]), pooled: .unknown([width]))
    }

    package func isSound(_ value: Value) -> Bool { value.states.isFinite && value.pooled.isFinite }

    package func fault(_ item: Int) -> EngineError {
        NumberFailures.error("what the text encoder makes of the text", cure: model.cure(for: .textEncoder))
    }

    package func reckon(_ items: [Int]) throws { try model.reckonWeights(of: .textEncoder) }

    /// In the order of the texts: those that begin alike share the beginning.
    package func groups(_ items: [Int]) -> [[Int]] {
        Batches.of(items.sorted { texts[$0] < texts[$1] }, size: Batches.texts)
    }

    package func compute(_ group: [Int], _ run: ItemRun) throws -> [Value?] {
        let output = try model.model.encode(group.map { texts[$0] })
        return group.indices.map { Value(states: output.states[$0], pooled: output.pooled[$0]) }
    }
}
