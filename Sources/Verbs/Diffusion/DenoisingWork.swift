import Caching
import Diffusion
import Interpreting
import ItemWork
import Models
import OpenedModels
import Results
import Tensors

/// The steps of many rows: rows at the same place of the same schedule go through the network together. What
/// was computed before comes from the cache; unfinished latents go there every few seconds and when the user
/// stops, so that the same line goes on from there.
final class DenoisingWork: ItemWork {
    /// How far a row is.
    private struct Row {
        var current: Latent
        /// Calls done when a latent is to be kept, in order; the last is the end.
        let marks: [Int]
        var kept: [Latent] = []
        /// Of this latent's way through the schedule, however many steps of it are taken; nil where nothing
        /// is cached.
        var key: ItemKey?
        /// Set where its numbers are none: it goes no further.
        var failure: (step: String, what: String)?

        var index: Int { current.run?.index ?? 0 }
        var callsLeft: Int { isFinished ? 0 : (marks.last ?? index) - index }
        var isFinished: Bool { kept.count == marks.count }
    }

    let name = "denoise"
    let finishesStopped = false
    let abandonsItself = true
    let store: ItemStore?
    private let invocation: Invocation
    private let table: Table
    private let model: LoadedModel
    private let conditions: Conditions
    private let guidance: Float
    private let steps: Int?
    private let every: Int?
    private var rows: [Row] = []
    private var stopped: Table.Partial.Steps?

    init(
        _ invocation: Invocation, _ table: Table, _ model: LoadedModel, _ latents: [Latent],
        _ conditions: Conditions
    ) throws {
        self.invocation = invocation
        self.table = table
        self.model = model
        self.conditions = conditions
        guidance = Float(invocation[DenoiseVerb.guidance])
        steps = invocation[DenoiseVerb.steps]
        every = invocation[DenoiseVerb.every]
        store = try model.store(for: invocation, [.unet])
        let tags = invocation.session.trace?.tags(rows: latents.count)
        rows = latents.enumerated().map { row, latent in
            var latent = latent
            latent.tag = tags?[row]
            return Row(current: latent, marks: marks(latent))
        }
    }

    /// Of each row that was finished, the latents to keep, in the order of the rows; and how far the others
    /// are, if the user stopped.
    func run() throws -> (finished: [(row: Int, turns: [Latent])], stopped: Table.Partial.Steps?) {
        let results = try results(in: invocation.session)
        let finished = results.finished.map { row in
            // A row that is like another one has its latents, and a tag of its own.
            (
                row,
                (results.values[row] ?? []).map { latent in
                    var latent = latent
                    latent.tag = rows[row].current.tag
                    return latent
                }
            )
        }
        let first = rows.first { !$0.isFinished && $0.failure == nil }
        return (finished, results.isStopped ? stopped ?? first.map(place(of:)) : nil)
    }

    private var isGuided: Bool { Guidance.isNeeded(scale: guidance) }

    // MARK: A row

    var count: Int { rows.count }

    func place(_ item: Int) -> String {
        table.itemPhrase(item) + (rows[item].failure.map { ", \($0.step)" } ?? "")
    }

    func check(_ item: Int) throws {
        if !rows[item].current.tensor.isFinite { throw NumberFailures.error("the latent") }
        if !conditions.texts[item].states.isFinite { throw NumberFailures.error("the text's embedding") }
    }

    func cost(_ item: Int) -> ItemCost {
        let row = rows[item]
        return ItemCost(
            model.work("unet", row.current.tensor.shape), units: row.callsLeft * (isGuided ? 2 : 1),
            steps: row.callsLeft)
    }

    func content(_ item: Int, _ key: ItemKey?) -> String? { key.map { "\($0) \(rows[item].marks)" } }

    func key(_ item: Int, in store: ItemStore) throws -> ItemKey {
        try store.key {
            $0.add("guidance", isGuided ? Double(guidance) : 1)
            $0.add("text", conditions.texts[item].states)
            if isGuided { $0.add("empty", conditions.empty.states) }
            $0.add("latent", rows[item].current)
        }
    }

    /// What the cache has of the row: latents to keep, and the place to go on from.
    func find(_ item: Int, _ key: ItemKey, in store: ItemStore) throws -> [Latent]? {
        let latent = rows[item].current
        rows[item].key = key
        for mark in rows[item].marks {
            guard
                let kept = store.cache.value(try key.derived("after", mark), { try $0.latent(from: latent) }),
                kept.run?.index == mark,
                kept.tensor.isFinite
            else { break }
            rows[item].kept.append(kept)
            rows[item].current = kept
        }
        guard !rows[item].isFinished else { return rows[item].kept }
        guard let saved = store.cache.value(try key.derived("unfinished"), { try $0.latent(from: latent) }),
            saved.tensor.isFinite,
            let index = saved.run?.index
        else { return nil }
        let next = rows[item].marks[rows[item].kept.count]
        if index > rows[item].index, index <= next {
            rows[item].current = saved
            if index == next { rows[item].kept.append(saved) }
        }
        return rows[item].isFinished ? rows[item].kept : nil
    }

    /// Each latent is kept as soon as it is there.
    func keep(_ latents: [Latent], of item: Int, _ key: ItemKey, in store: ItemStore) {}

    func isUnknown(_ item: Int) -> Bool {
        rows[item].current.tensor.isUnknown || conditions.texts[item].states.isUnknown
            || conditions.empty.states.isUnknown
    }

    func isWanted(_ item: Int, _ standIns: StandIns) -> Bool { standIns.isWanted(rows[item].current.tag) }

    /// Takes a row to its end with numbers that nobody knows yet.
    func standIn(_ item: Int) throws -> [Latent] {
        let unknown = Tensor.unknown(rows[item].current.tensor.shape)
        while !rows[item].isFinished {
            try step(&rows[item].current, output: unknown)
            if rows[item].marks[rows[item].kept.count] == rows[item].index {
                rows[item].kept.append(rows[item].current)
            }
        }
        return rows[item].kept
    }

    func isSound(_ latents: [Latent]) -> Bool { latents.allSatisfy(\.tensor.isFinite) }

    func fault(_ item: Int) -> EngineError {
        NumberFailures.error(rows[item].failure?.what ?? "the latent", cure: model.cure(for: .unet))
    }

    /// The calls after which a latent is kept: the last wanted one, and with `every` some before it.
    private func marks(_ latent: Latent) -> [Int] {
        guard let run = latent.run else { return [] }
        var marks: [Int] = []
        var ended = 0
        for (offset, call) in run.calls[run.index...].enumerated() {
            let index = run.index + offset + 1
            if call.endsStep { ended += 1 }
            let isLast = index == run.calls.count || (call.endsStep && ended == steps)
            if isLast || (call.endsStep && every.map { ended % $0 == 0 } ?? false) { marks.append(index) }
            if isLast { break }
        }
        return marks
    }

    // MARK: Steps

    func reckon(_ items: [Int]) throws { try model.reckonWeights(of: .unet) }

    /// Rows in batches, each at one place of one schedule and of one size.
    func groups(_ items: [Int]) throws -> [[Int]] {
        struct Place: Hashable {
            var configuration: SchedulerConfiguration?
            var start: SchedulerStart?
            var shape: [Int]
            var numbers: [Int]
            var marks: ArraySlice<Int>
        }
        var order: [Place] = []
        var members: [Place: [Int]] = [:]
        for item in items {
            let row = rows[item], run = row.current.run
            let place = Place(
                configuration: run?.configuration, start: run?.start, shape: row.current.tensor.shape,
                numbers: [run?.steps ?? 0, row.index],
                marks: row.marks[row.kept.count...])
            if members[place] == nil { order.append(place) }
            members[place, default: []].append(item)
        }
        return try order.flatMap { place in
            let rows = members[place] ?? []
            return Batches.of(
                rows,
                size: try model.predictionBatch(of: rows.count, place.shape, isGuided ? 2 : 1, invocation))
        }
    }

    private func place(of row: Row) -> Table.Partial.Steps {
        .init(done: row.index, total: row.marks.last ?? row.index, areKept: store != nil)
    }

    /// Takes the rows of a group to their ends. All of them are at the same place. A row whose numbers are
    /// none is left there, and the others go on without it, which changes none of them.
    func compute(_ group: [Int], _ run: ItemRun) throws -> [[Latent]?] {
        let unet = model.model.unet
        let conditioning = try conditions.conditioning(unet, rows: group, withEmpty: isGuided)
        /// Places in the group.
        var going = Array(group.indices)
        let total = rows[group[0]].callsLeft
        var saved = ContinuousClock.now
        for call in 0..<total {
            if run.isStopped { throw try stop(group) }
            guard let first = going.first, let timestep = rows[group[first]].current.run?.timestep else {
                break
            }
            let contexts = isGuided ? Array(repeating: 0, count: going.count) + going.map { $0 + 1 } : going
            do {
                let inputs = try going.map { place in
                    let latent = rows[group[place]].current
                    return try latent.run?.scaledInput(latent.tensor) ?? latent.tensor
                }
                let sample = Tensor.stacked(inputs)
                let output = try run.session.abandonable {
                    try unet.predict(
                        sample, timesteps: Array(repeating: timestep, count: going.count),
                        conditioning: conditioning, contexts: contexts)
                }
                for (index, place) in going.enumerated() {
                    try step(
                        group[place],
                        guided: isGuided
                            ? Guidance.combine(
                                empty: output[index], text: output[going.count + index], scale: guidance)
                            : output[index])
                }
            } catch {
                if Stop.place(of: error) != nil { throw try stop(group) }
                try saveUnfinished(group)
                throw NotedError(error, note: "\(table.itemsPhrase(group)), call \(call) of \(total)")
            }
            let asked = going.count
            going.removeAll { rows[group[$0]].failure != nil }
            for place in going { try keepIfMarked(group[place]) }
            if let cache = store?.cache, ContinuousClock.now - saved >= cache.savingInterval {
                try saveUnfinished(group)
                saved = ContinuousClock.now
            }
            run.advance(by: asked, units: asked * (isGuided ? 2 : 1))
        }
        return try group.map { item in
            let row = rows[item]
            guard row.failure == nil else { return nil }
            if let cache = store?.cache, let key = row.key { cache.remove(try key.derived("unfinished")) }
            return row.kept
        }
    }

    /// Saves how far a group is that the user stopped.
    private func stop(_ group: [Int]) throws -> EngineError {
        try saveUnfinished(group)
        stopped = place(of: rows[group[0]])
        return Stop.error(at: "")
    }

    private func step(_ item: Int, guided: Tensor) throws {
        let phrase = rows[item].current.stepPhrase
        if guided.isFinite { try step(&rows[item].current, output: guided) }
        guard guided.isFinite, rows[item].current.tensor.isFinite else {
            rows[item].failure = (
                phrase, guided.isFinite ? "the latent after the step" : "the UNet's prediction"
            )
            return
        }
    }

    private func step(_ latent: inout Latent, output: Tensor) throws {
        guard var run = latent.run else { return }
        var generator = latent.generator ?? Generator(seed: 0)
        latent.tensor = try run.step(output: output, sample: latent.tensor, generator: &generator)
        latent.generator = generator
        latent.run = run
    }

    private func keepIfMarked(_ item: Int) throws {
        let row = rows[item]
        guard row.marks[row.kept.count] == row.index else { return }
        rows[item].kept.append(row.current)
        guard let store, let key = row.key else { return }
        try store.keep(try key.derived("after", row.index)) { $0.write(row.current) }
    }

    private func saveUnfinished(_ group: [Int]) throws {
        guard let store else { return }
        for item in group where !rows[item].isFinished && rows[item].failure == nil {
            if let key = rows[item].key {
                try store.keep(try key.derived("unfinished")) { $0.write(rows[item].current) }
            }
        }
    }
}

extension Latent {
    /// Which of its schedule's steps comes next: "step 23 of 40".
    var stepPhrase: String {
        guard let run else { return "no step" }
        let ended = run.calls[..<run.index].count { $0.endsStep }
        return "step \(ended + 1) of \(run.calls.count { $0.endsStep })"
    }
}
