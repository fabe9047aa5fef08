import Caching
import Diffusion
import Interpreting
import Models
import Results
import Tensors

/// The steps of many rows: rows at the same place of the same schedule go through the network together. What was computed before
/// comes from the cache; unfinished latents go there every few seconds and when the user stops, so that the same line goes on from there.
struct DenoisingWork {
    /// How far a row is.
    private struct Row {
        var current: Latent
        /// Calls done when a latent is to be kept, in order; the last is the end.
        let marks: [Int]
        var kept: [Latent] = []
        /// Of this latent's way through the schedule, however many steps of it are taken; nil where nothing is cached.
        let key: ItemKey?
        /// Set where its numbers are none: it goes no further.
        var isFailed = false

        var index: Int { current.run?.index ?? 0 }
        var callsLeft: Int { isFinished ? 0 : (marks.last ?? index) - index }
        var isFinished: Bool { kept.count == marks.count }
    }

    private let invocation: Invocation
    private let table: Table
    private let model: LoadedModel
    private let latents: [Latent]
    private let conditions: Conditions
    private let guidance: Float
    private let steps: Int?
    private let every: Int?
    private let cache: ItemCache?
    private let store: ItemStore?

    init(_ invocation: Invocation, _ table: Table, _ model: LoadedModel, _ latents: [Latent], _ conditions: Conditions) throws {
        self.invocation = invocation
        self.table = table
        self.model = model
        self.latents = latents
        self.conditions = conditions
        guidance = Float(invocation.arguments.number("guidance") ?? 7.5)
        steps = invocation.arguments.integer("steps")
        every = invocation.arguments.integer("every")
        store = try ItemStore(invocation, model, [.unet])
        cache = store?.cache
    }

    /// Of each row that was finished, the latents to keep, in the order of the rows; and how far the others are, if the user stopped.
    func run() throws -> (finished: [(row: Int, turns: [Latent])], stopped: Table.Partial.Steps?) {
        let session = invocation.session
        let tags = session.trace?.tags(rows: latents.count)
        var rows = try latents.indices.map { try begun($0, tags?[$0]) }
        let known = rows.count(where: \.isFinished)
        if let plan = session.plan {
            plan.add("denoise", cached: known, missing: 0)
            for index in rows.indices where !rows[index].isFinished { try planned(&rows[index], plan) }
            return (rows.enumerated().map { ($0.offset, $0.element.kept) }, nil)
        }
        if let standIns = session.standIns {
            for index in rows.indices where !standIns.isWanted(rows[index].current.tag) || rows[index].current.tensor.isUnknown {
                try planned(&rows[index], standIns.plan)
            }
        }
        var failures = NumberFailures()
        for index in rows.indices where !rows[index].isFinished {
            for (what, tensor) in [("the latent", rows[index].current.tensor), ("the text's embedding", conditions.texts[index].states)]
            where !rows[index].isFailed && !tensor.isFinite {
                failures.add(what, at: table.itemPhrase(index))
                rows[index].isFailed = true
            }
        }
        cache?.count("denoise", cached: known)
        session.progress.begin("denoise", total: rows.reduce(0) { $0 + $1.callsLeft })
        defer { session.progress.end() }
        var stopped: Table.Partial.Steps?
        let groups = try groups(rows)
        if !groups.isEmpty { try model.reckonWeights(of: .unet) }
        for group in groups {
            stopped = try denoise(group, &rows, &failures)
            if stopped != nil { break }
            cache?.count("denoise", computed: group.count { !rows[$0].isFailed })
        }
        if !session.cancellation.isRequested { try failures.throwIfAny() }
        return (rows.enumerated().filter(\.element.isFinished).map { ($0.offset, $0.element.kept) }, stopped)
    }

    /// Takes a row to its end with numbers that nobody knows yet, and counts the calls that it would take.
    private func planned(_ row: inout Row, _ plan: WorkPlan) throws {
        let shape = row.current.tensor.shape
        plan.add("denoise", cached: 0, missing: 1, model.work("unet", shape), units: row.callsLeft * (Guidance.isNeeded(scale: guidance) ? 2 : 1))
        while !row.isFinished {
            try step(&row.current, output: .unknown(shape))
            if row.marks[row.kept.count] == row.index { row.kept.append(row.current) }
        }
    }

    // MARK: What was computed before

    /// A row with what the cache has of it: latents to keep, and the place to go on from.
    private func begun(_ row: Int, _ tag: RowTag?) throws -> Row {
        var latent = latents[row]
        latent.tag = tag
        let isGuided = Guidance.isNeeded(scale: guidance)
        let key = try store?.key {
            $0.add("guidance", isGuided ? Double(guidance) : 1)
            $0.add("text", conditions.texts[row].states)
            if isGuided { $0.add("empty", conditions.empty.states) }
            $0.add("latent", latent)
        }
        var result = Row(current: latent, marks: marks(latent), key: key)
        guard let cache, let key else { return result }
        for mark in result.marks {
            guard let kept = cache.value(try key.derived("after", mark), { try $0.latent(from: latent) }), kept.run?.index == mark, kept.tensor.isFinite else {
                break
            }
            result.kept.append(kept)
            result.current = kept
        }
        guard !result.isFinished, let saved = cache.value(try key.derived("unfinished"), { try $0.latent(from: latent) }), saved.tensor.isFinite,
            let index = saved.run?.index
        else {
            return result
        }
        let next = result.marks[result.kept.count]
        if index > result.index, index <= next {
            result.current = saved
            if index == next { result.kept.append(saved) }
        }
        return result
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

    private func saveUnfinished(_ rows: [Row]) throws {
        guard let store else { return }
        for row in rows where !row.isFinished && !row.isFailed {
            if let key = row.key { try store.keep(try key.derived("unfinished")) { $0.write(row.current) } }
        }
    }

    // MARK: Steps

    /// Rows in batches, each at one place of one schedule and of one size.
    private func groups(_ rows: [Row]) throws -> [[Int]] {
        struct Place: Hashable {
            var configuration: SchedulerConfiguration?
            var start: SchedulerStart?
            var shape: [Int]
            var numbers: [Int]
            var marks: ArraySlice<Int>
        }
        var order: [Place] = []
        var members: [Place: [Int]] = [:]
        for (index, row) in rows.enumerated() where !row.isFinished && !row.isFailed {
            let run = row.current.run
            let place = Place(
                configuration: run?.configuration, start: run?.start, shape: row.current.tensor.shape, numbers: [run?.steps ?? 0, row.index],
                marks: row.marks[row.kept.count...])
            if members[place] == nil { order.append(place) }
            members[place, default: []].append(index)
        }
        return try order.flatMap { place in
            let rows = members[place] ?? []
            let size = try model.predictionBatch(of: rows.count, place.shape, Guidance.isNeeded(scale: guidance) ? 2 : 1, invocation)
            return Batches.ranges(count: rows.count, size: size).map { Array(rows[$0]) }
        }
    }

    /// Takes the rows of a group to their ends; how far they came if the user stopped before. All of them are at the same place. A row whose
    /// numbers are none is left there, and the others go on without it, which changes none of them.
    private func denoise(_ group: [Int], _ all: inout [Row], _ failures: inout NumberFailures) throws -> Table.Partial.Steps? {
        let session = invocation.session
        let unet = model.model.unet
        let isGuided = Guidance.isNeeded(scale: guidance)
        func stopped(_ row: Row) -> Table.Partial.Steps {
            .init(done: row.index, total: row.marks.last ?? row.index, areKept: cache != nil)
        }
        guard !session.cancellation.isRequested else { return stopped(all[group[0]]) }
        let conditioning = try conditions.conditioning(unet, rows: group, withEmpty: isGuided)
        var rows = group.map { all[$0] }
        /// Places in the group.
        var going = Array(group.indices)
        let total = rows[0].callsLeft
        var saved = ContinuousClock.now
        let began = saved
        var units = 0
        // Also of a group that was stopped.
        defer { cache?.log.note(model.work("unet", latents[group[0]].tensor.shape), units: units, ContinuousClock.now - began) }
        for call in 0..<total {
            if session.cancellation.isRequested {
                try saveUnfinished(rows)
                return stopped(rows[0])
            }
            guard let first = going.first, let timestep = rows[first].current.run?.timestep else { break }
            let contexts = isGuided ? Array(repeating: 0, count: going.count) + going.map { $0 + 1 } : going
            do {
                let inputs = try going.map { try rows[$0].current.run?.scaledInput(rows[$0].current.tensor) ?? rows[$0].current.tensor }
                let sample = Tensor.stacked(inputs)
                let output = try session.abandonable {
                    try unet.predict(
                        sample, timesteps: Array(repeating: timestep, count: going.count), conditioning: conditioning, contexts: contexts)
                }
                for (index, place) in going.enumerated() {
                    let guided = isGuided ? Guidance.combine(empty: output[index], text: output[going.count + index], scale: guidance) : output[index]
                    let phrase = rows[place].current.stepPhrase
                    if guided.isFinite { try step(&rows[place].current, output: guided) }
                    guard guided.isFinite, rows[place].current.tensor.isFinite else {
                        failures.add(
                            guided.isFinite ? "the latent after the step" : "the UNet's prediction", at: "\(table.itemPhrase(group[place])), \(phrase)",
                            cure: model.cure(for: .unet))
                        rows[place].isFailed = true
                        continue
                    }
                }
            } catch {
                try saveUnfinished(rows)
                if Stop.place(of: error) != nil { return stopped(rows[0]) }
                throw NotedError(error, note: "\(table.itemsPhrase(group)), call \(call) of \(total)")
            }
            units += going.count * (isGuided ? 2 : 1)
            let asked = going.count
            going.removeAll { rows[$0].isFailed }
            for index in going where rows[index].marks[rows[index].kept.count] == rows[index].index { try keep(&rows[index]) }
            if let cache, ContinuousClock.now - saved >= cache.savingInterval {
                try saveUnfinished(rows)
                saved = ContinuousClock.now
            }
            session.progress.advance(by: asked)
        }
        for (row, done) in zip(group, rows) {
            all[row] = done
            if let cache, let key = done.key, !done.isFailed { cache.remove(try key.derived("unfinished")) }
        }
        return nil
    }

    private func keep(_ row: inout Row) throws {
        row.kept.append(row.current)
        guard let store, let key = row.key else { return }
        let latent = row.current
        try store.keep(try key.derived("after", row.index)) { $0.write(latent) }
    }

    private func step(_ latent: inout Latent, output: Tensor) throws {
        guard var run = latent.run else { return }
        var generator = latent.generator ?? Generator(seed: 0)
        latent.tensor = try run.step(output: output, sample: latent.tensor, generator: &generator)
        latent.generator = generator
        latent.run = run
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
