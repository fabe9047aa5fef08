import Caching
import Diffusion
import Interpreting
import ItemWork
import OpenedModels
import Results
import SourceText
import Tensors

/// What the network says of latents: once with the row's text, once with the empty prompt.
struct Prediction: ItemWork {
    /// Each of the latent's shape.
    typealias Value = (empty: Tensor, text: Tensor)

    let name = "predict"
    let finishesStopped = false
    let store: ItemStore?
    private let invocation: Invocation
    private let table: Table
    private let model: LoadedModel
    private let conditions: Conditions
    /// What the network is told of each row.
    private let told: [(input: Tensor, timestep: Float)]

    init(_ invocation: Invocation, _ table: Table, _ model: LoadedModel, _ latents: [Latent]) throws {
        (self.invocation, self.table, self.model) = (invocation, table, model)
        conditions = try Conditions(invocation, table, model, negative: invocation[PredictVerb.negative])
        let timestep = invocation[PredictVerb.timestep].map { Float($0) }
        told = try latents.map { try Self.told($0, at: timestep) }
        store = try model.store(for: invocation, [.unet])
    }

    /// - Parameter timestep: else the latent's place in its schedule says it.
    private static func told(_ latent: Latent, at timestep: Float?) throws -> (input: Tensor, timestep: Float)
    {
        if let timestep { return (latent.tensor, timestep) }
        guard let run = latent.run else {
            throw Complaint(
                .latentWithoutSchedule, "this latent is on no schedule: it \(latent.origin.rawValue)",
                label: "nothing says at which timestep",
                help: "say it: `predict at=TIMESTEP`, or put it on a schedule with `noise`")
        }
        guard let timestep = run.timestep else {
            throw Complaint(
                .noStepsLeft, "no steps are left: these latents are denoised",
                label: "all \(run.steps) steps are taken",
                help: "add noise first")
        }
        return (try run.scaledInput(latent.tensor), timestep)
    }

    var count: Int { told.count }
    func place(_ item: Int) -> String { table.itemPhrase(item) }

    func check(_ item: Int) throws {
        if !told[item].input.isFinite { throw NumberFailures.error("the latent") }
        if !conditions.texts[item].states.isFinite { throw NumberFailures.error("the text's embedding") }
    }

    func cost(_ item: Int) -> ItemCost { ItemCost(model.work("unet", told[item].input.shape), units: 2) }

    func key(_ item: Int, in store: ItemStore) throws -> ItemKey {
        try store.key {
            $0.add("input", told[item].input)
            $0.add("timestep", Double(told[item].timestep))
            $0.add("text", conditions.texts[item].states)
            $0.add("empty", conditions.empty.states)
        }
    }

    func find(_ item: Int, _ key: ItemKey, in store: ItemStore) -> Value? {
        guard let found = store.cache.value(key, { (empty: try $0.tensor(), text: try $0.tensor()) }) else {
            return nil
        }
        let shape = told[item].input.shape
        return found.empty.shape == shape && found.text.shape == shape ? found : nil
    }

    func keep(_ value: Value, of item: Int, _ key: ItemKey, in store: ItemStore) throws {
        try store.keep(key) {
            $0.write(value.empty)
            $0.write(value.text)
        }
    }

    func isUnknown(_ item: Int) -> Bool {
        told[item].input.isUnknown || conditions.texts[item].states.isUnknown
            || conditions.empty.states.isUnknown
    }

    func standIn(_ item: Int) -> Value {
        let unknown = Tensor.unknown(told[item].input.shape)
        return (unknown, unknown)
    }

    func isSound(_ value: Value) -> Bool { value.empty.isFinite && value.text.isFinite }
    func fault(_ item: Int) -> EngineError {
        NumberFailures.error("the UNet's prediction", cure: model.cure(for: .unet))
    }

    func reckon(_ items: [Int]) throws {
        try Reckoning.tensors(2 * items.count, told[items[0]].input.shape, "prediction")
        try model.reckonWeights(of: .unet)
    }

    func groups(_ items: [Int]) throws -> [[Int]] {
        try Batches.alike(items, .max) { told[$0].input.shape }.flatMap { group in
            Batches.of(
                group,
                size: try model.predictionBatch(of: group.count, told[group[0]].input.shape, 2, invocation))
        }
    }

    func compute(_ group: [Int], _ run: ItemRun) throws -> [Value?] {
        let unet = model.model.unet
        let output = try unet.predict(
            .stacked(group.map { told[$0].input }), timesteps: group.map { told[$0].timestep },
            conditioning: conditions.conditioning(unet, rows: group, withEmpty: true),
            contexts: Array(repeating: 0, count: group.count) + Array(1...group.count))
        return group.indices.map { (output[$0], output[group.count + $0]) }
    }
}
