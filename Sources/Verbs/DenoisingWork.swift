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

    /// Of each row that was finished, the latents to keep, in the order of the rows.
    func run() throws -> [(row: Int, turns: [Latent])] {
        let session = invocation.session
        let tags = session.trace?.tags(rows: latents.count)
        var rows = try latents.indices.map { try begun($0, tags?[$0]) }
        let known = rows.count(where: \.isFinished)
        if let plan = session.plan {
            plan.add("denoise", cached: known, missing: 0)
            for index in rows.indices where !rows[index].isFinished { try planned(&rows[index], plan) }
            return rows.enumerated().map { ($0.offset, $0.element.kept) }
        }
        if let standIns = session.standIns {
            for index in rows.indices where !standIns.isWanted(rows[index].current.tag) || rows[index].current.tensor.isUnknown {
                try planned(&rows[index], standIns.plan)
            }
        }
        cache?.count("denoise", cached: known)
        session.progress.begin("denoise", total: rows.reduce(0) { $0 + $1.callsLeft })
        defer { session.progress.end() }
        for group in groups(rows) {
            guard try denoise(group, &rows) else { break }
            cache?.count("denoise", computed: group.count)
        }
        return rows.enumerated().filter(\.element.isFinished).map { ($0.offset, $0.element.kept) }
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
            guard let kept = cache.value(try key.derived("after", mark), { try $0.latent(from: latent) }), kept.run?.index == mark else { break }
            result.kept.append(kept)
            result.current = kept
        }
        guard !result.isFinished, let saved = cache.value(try key.derived("unfinished"), { try $0.latent(from: latent) }), let index = saved.run?.index else {
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
        for row in rows where !row.isFinished {
            if let key = row.key { try store.keep(try key.derived("unfinished")) { $0.write(row.current) } }
        }
    }

    // MARK: Steps

    /// Rows in batches, each at one place of one schedule and of one size.
    private func groups(_ rows: [Row]) -> [[Int]] {
        struct Place: Hashable {
            var configuration: SchedulerConfiguration?
            var start: SchedulerStart?
            var shape: [Int]
            var numbers: [Int]
            var marks: ArraySlice<Int>
        }
        var order: [Place] = []
        var members: [Place: [Int]] = [:]
        for (index, row) in rows.enumerated() where !row.isFinished {
            let run = row.current.run
            let place = Place(
                configuration: run?.configuration, start: run?.start, shape: row.current.tensor.shape, numbers: [run?.steps ?? 0, row.index],
                marks: row.marks[row.kept.count...])
            if members[place] == nil { order.append(place) }
            members[place, default: []].append(index)
        }
        return order.flatMap { place in
            let rows = members[place] ?? []
            return Batches.ranges(count: rows.count, size: invocation.session.settings.batch ?? model.model.unet.usualBatch).map { Array(rows[$0]) }
        }
    }

    /// Takes the rows of a group to their ends; false if the user stopped before. All of them are at the same place.
    private func denoise(_ group: [Int], _ all: inout [Row]) throws -> Bool {
        let session = invocation.session
        let unet = model.model.unet
        let isGuided = Guidance.isNeeded(scale: guidance)
        guard !session.cancellation.isRequested else { return false }
        let conditioning = try conditions.conditioning(unet, rows: group, withEmpty: isGuided)
        let contexts = isGuided ? Array(repeating: 0, count: group.count) + Array(1...group.count) : Array(0..<group.count)
        var rows = group.map { all[$0] }
        let total = rows[0].callsLeft
        var saved = ContinuousClock.now
        let began = saved
        var calls = 0
        // Also of a group that was stopped.
        defer {
            cache?.log.note(
                model.work("unet", latents[group[0]].tensor.shape), units: calls * rows.count * (isGuided ? 2 : 1), ContinuousClock.now - began)
        }
        for call in 0..<total {
            if session.cancellation.isRequested {
                try saveUnfinished(rows)
                return false
            }
            guard let timestep = rows[0].current.run?.timestep else { break }
            do {
                let inputs = try rows.map { row in try row.current.run?.scaledInput(row.current.tensor) ?? row.current.tensor }
                let sample = Tensor.stacked(inputs)
                let output = try session.abandonable {
                    try unet.predict(
                        sample, timesteps: Array(repeating: timestep, count: rows.count), conditioning: conditioning, contexts: contexts)
                }
                for index in rows.indices {
                    let guided = isGuided ? Guidance.combine(empty: output[index], text: output[rows.count + index], scale: guidance) : output[index]
                    try step(&rows[index].current, output: guided)
                }
            } catch {
                try saveUnfinished(rows)
                if Stop.place(of: error) != nil { return false }
                throw NotedError(error, note: "\(table.itemsPhrase(group)), call \(call) of \(total)")
            }
            for index in rows.indices where rows[index].marks[rows[index].kept.count] == rows[index].index { try keep(&rows[index]) }
            if let cache, ContinuousClock.now - saved >= cache.savingInterval {
                try saveUnfinished(rows)
                saved = ContinuousClock.now
            }
            session.progress.advance(by: rows.count)
            calls += 1
        }
        for (row, done) in zip(group, rows) {
            all[row] = done
            if let cache, let key = done.key { cache.remove(try key.derived("unfinished")) }
        }
        return true
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
