internal import Caching
internal import Interpreting
internal import Tensors

/// One pass over the items of a command.
struct ItemPass<Work: ItemWork> {
    private let work: Work
    private let session: Session
    private let run: ItemRun
    private var values: [Work.Value?]
    private var keys: [ItemKey?]
    /// Still to be computed.
    private var missing: [Int] = []
    /// Items whose value is that of another one.
    private var twins: [(item: Int, of: Int)] = []
    private var failures = NumberFailures()
    private var done = 0

    init(_ work: Work, _ session: Session) {
        (self.work, self.session) = (work, session)
        run = ItemRun(session, finishesStopped: work.finishesStopped)
        values = Array(repeating: nil, count: work.count)
        keys = Array(repeating: nil, count: work.count)
    }

    mutating func results() throws -> ItemResults<Work.Value> {
        try lookUp()
        let found = values.count { $0 != nil }
        let standIns = try standIn(found: found)
        defer {
            work.remember(
                values.indices.compactMap { item in
                    standIns.contains(item) ? nil : values[item].map { (item, $0) }
                })
        }
        findTwins()
        if session.plan == nil { count(cached: found) }
        let asked = missing.count
        try compute()
        for (item, other) in twins {
            values[item] = values[other]
            if values[item] != nil { count(cached: 1) }
        }
        if !run.isStopped { try failures.throwIfAny() }
        return ItemResults(
            values: values, isStopped: run.isStopped, place: run.place, done: done, asked: asked)
    }

    private func count(cached: Int = 0, computed: Int = 0) {
        if !work.isAuxiliary { session.cache?.count(work.name, cached: cached, computed: computed) }
    }

    private func isUnknown(_ item: Int) -> Bool { session.standIns != nil && work.isUnknown(item) }

    // MARK: What is there already

    private mutating func lookUp() throws {
        for item in values.indices {
            if let value = work.recall(item) {
                values[item] = value
                continue
            }
            if !isUnknown(item) {
                guard try isPossible(item) else { continue }
                if try isFound(item) { continue }
            }
            missing.append(item)
        }
    }

    /// False where nothing can be computed of the item, which the command ends with.
    private mutating func isPossible(_ item: Int) throws -> Bool {
        do {
            try work.check(item)
            return true
        } catch let complaint as Complaint {
            throw complaint
        } catch {
            failures.add(NotedError(error, note: work.place(item)))
            return false
        }
    }

    private mutating func isFound(_ item: Int) throws -> Bool {
        guard let store = work.store else { return false }
        let key = try work.key(item, in: store)
        keys[item] = key
        guard let value = try work.find(item, key, in: store), work.isSound(value) else { return false }
        values[item] = value
        return true
    }

    /// Items that are alike are computed once.
    private mutating func findTwins() {
        var first: [String: Int] = [:]
        missing = missing.filter { item in
            guard let content = work.content(item, keys[item]) else { return true }
            if let other = first[content] {
                twins.append((item, other))
                return false
            }
            first[content] = item
            return true
        }
    }

    // MARK: Plans and samples

    /// Stands in for what is not to be computed, and counts it.
    private mutating func standIn(found: Int) throws -> Set<Int> {
        guard let standIns = session.standIns else { return [] }
        if session.plan != nil, !work.isAuxiliary { standIns.plan.add(work.name, cached: found, missing: 0) }
        let left = missing.filter { session.plan != nil || isUnknown($0) || !work.isWanted($0, standIns) }
        for item in left { plan(item, standIns.plan) }
        for item in left { values[item] = try work.standIn(item) }
        let leftOut = Set(left)
        missing.removeAll(where: leftOut.contains)
        return leftOut
    }

    private func plan(_ item: Int, _ plan: WorkPlan) {
        let cost = work.cost(item)
        let content = isUnknown(item) ? nil : work.content(item, keys[item])
        guard let content, !plan.isFirst(content) else {
            return plan.add(work.name, cached: 0, missing: 1, cost.kind, units: cost.units)
        }
        // By then the program itself has made it.
        guard !work.isAuxiliary else { return }
        plan.add(work.name, cached: 1, missing: 0)
        plan.addRepeated(work.name)
    }

    // MARK: Computing

    private mutating func compute() throws {
        guard !missing.isEmpty, !run.isStopped else { return }
        try work.reckon(missing)
        let groups = try work.groups(missing)
        session.progress.begin(work.label, total: missing.reduce(0) { $0 + work.cost($1).steps })
        defer { session.progress.end() }
        for group in groups {
            if run.isStopped { return }
            do {
                try compute(group)
            } catch {
                guard let place = Stop.place(of: error) else { throw error }
                return run.stop(at: place)
            }
        }
    }

    private mutating func compute(_ group: [Int]) throws {
        let costs = group.map(work.cost)
        let began = ContinuousClock.now
        run.begin()
        // Also of a group that was stopped.
        defer {
            if let kind = costs.first?.kind, run.units > 0 {
                session.cache?.log.note(kind, units: run.units, ContinuousClock.now - began)
            }
        }
        let made =
            try work.abandonsItself
            ? work.compute(group, run) : session.abandonable { try work.compute(group, run) }
        var computed = 0
        for (item, value) in zip(group, made) {
            guard let value, work.isSound(value) else {
                failures.add(NotedError(work.fault(item), note: work.place(item)))
                continue
            }
            values[item] = value
            computed += 1
            if let store = work.store, let key = keys[item] { try work.keep(value, of: item, key, in: store) }
        }
        done += computed
        count(computed: computed)
        run.finish(costs)
    }
}
