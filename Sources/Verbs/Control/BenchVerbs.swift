import Interpreting
import ItemWork
import Networks
import OpenedModels
import Results
import SourceText
import Tensors

/// `bench` and `time`: how long a block takes. Pictures that flow in are read before the clock starts and
/// those that come out before it stops; the item cache is left alone, and models keep only their weights from
/// one turn to the next.
enum BenchVerbs {
    static let all = [bench, time]

    private static let notes = [
        """
        Seconds are those of the wall clock, memory is the most that the process held resident, in \
        millions of bytes.
        """,
        """
        Nothing of a turn comes from a store: the cache, models that were made, encodings and features \
        that were computed before. Pictures that flow in are read before the clock starts, and those \
        that come out are computed before it stops; between turns a model keeps only its weights.
        """,
    ]

    private static let runs = Slot("n", .whole, required: .positional, in: 1...10_000, "timed runs")

    static let bench = VerbDeclaration(
        "bench", .control,
        "Runs a block once to warm up and then N times, and gives the median, smallest and largest time.",
        input: .optional,
        slots: [runs], block: true,
        adds: ["seconds", "seconds_min", "seconds_max", "runs", "peak_mb"], notes: notes,
        columns: .made,
        examples: [
            "bench 5 { items n=1..1000 | with square=(n*n) }",
            """
            model = load monsters; "a red dragon" | noise of=2 seed=1 | bench 2 { denoise | decode } | \
            table
            """,
        ]
    ) { invocation in
        guard let block = invocation.block else { return .none }
        let runs = invocation[runs]
        if let plan = invocation.session.standIns?.plan {
            plan.add("bench", cached: 0, missing: runs + 1)
            return row(
                invocation,
                [("seconds", .nan), ("seconds_min", .nan), ("seconds_max", .nan), ("runs", Double(runs))])
        }
        let times = try Stopwatch(invocation, block).seconds(runs: runs, warmUp: true).sorted()
        let median = (times[(runs - 1) / 2] + times[runs / 2]) / 2
        return row(
            invocation,
            [
                ("seconds", median), ("seconds_min", times[0]), ("seconds_max", times[runs - 1]),
                ("runs", Double(runs)),
            ])
    }

    static let time = VerbDeclaration(
        "time", .control, "Runs a block once and says how long it took.", input: .optional, block: true,
        adds: ["seconds", "peak_mb"],
        notes: ["The first use of a model includes opening it; `bench` warms up."] + notes,
        columns: .made,
        examples: [
            "time { items n=1..1000 | with square=(n*n) }",
            "model = load monsters; time { \"a red dragon\" | noise of=2 seed=1 | denoise | decode }",
        ]
    ) { invocation in
        guard let block = invocation.block else { return .none }
        if let plan = invocation.session.standIns?.plan {
            plan.add("time", cached: 0, missing: 1)
            return row(invocation, [("seconds", .nan)])
        }
        let times = try Stopwatch(invocation, block).seconds(runs: 1, warmUp: false)
        return row(invocation, [("seconds", times[0])])
    }

    private static func row(_ invocation: Invocation, _ numbers: [(String, Double)]) -> Value {
        let columns = numbers + [("peak_mb", PeakMemory.bytes / 1e6)]
        return .table(
            Table(
                columns: columns.map { Column($0.0, numbers: [$0.1]) }, recipes: [Recipe(invocation.step())]))
    }
}

/// Times the turns of a block.
private struct Stopwatch {
    private let invocation: Invocation
    private let block: BoundBlock
    private var session: Session { invocation.session }

    init(_ invocation: Invocation, _ block: BoundBlock) {
        self.invocation = invocation
        self.block = block
    }

    /// At least one time.
    func seconds(runs: Int, warmUp: Bool) throws -> [Double] {
        let usedCache = session.usesCache
        session.usesCache = false
        // What is trained or put together in a turn is made in a folder of that turn.
        let modelStore = TemporaryModelStore.taken(from: session)
        defer {
            session.usesCache = usedCache
            // A variable may hold what the last turn made.
            let last = TemporaryModelStore.taken(from: session)
            if let last { session.store["model store of \(ObjectIdentifier(last).hashValue)"] = last }
            TemporaryModelStore.give(modelStore, to: session)
        }
        session.progress.begin(invocation.verb.name, total: runs + (warmUp ? 1 : 0))
        defer { session.progress.end() }
        try forceInputs()
        // The warm-up packs all weights, so that no turn has to.
        if warmUp { try WeightUse.$current.withValue(.often) { _ = try turn(0, of: runs) } }
        PeakMemory.reset()
        return try (1...runs).map { try turn($0, of: runs) }
    }

    private func turn(_ index: Int, of runs: Int) throws -> Double {
        RememberedEpoch.forgetAll()
        _ = TemporaryModelStore.taken(from: session)
        let duration = try ContinuousClock().measure {
            try block(it: invocation.input).force()
        }
        if session.cancellation.isRequested {
            throw Complaint(
                .interrupted, "stopped at run \(index) of \(runs)", label: "unfinished runs have no time")
        }
        session.progress.advance(by: 1)
        return duration / .seconds(1)
    }

    /// The pictures of what flows in, and of the variables that the block names.
    private func forceInputs() throws {
        try invocation.input?.force()
        for name in block.names.sorted() { try invocation.variable(name)?.force() }
    }
}

extension Value {
    /// Computes or reads the pixels of every picture in the value.
    func force() throws {
        switch self {
        case .picture(let picture): _ = try picture.bitmap()
        case .list(let values): for value in values { try value.force() }
        case .record(let record): for field in record.fields { try field.value.force() }
        case .table(let table):
            for column in table.columns where column.kind != .number && column.kind != .text {
                for value in column.values { try value.force() }
            }
        default: break
        }
    }
}
