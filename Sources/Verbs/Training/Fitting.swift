import Caching
import Files
import Interpreting
import Kernels
import OpenedModels
import Results
import SourceText
import Tensors
import Training

/// What all trainings share: settings from options, the key, the run with its progress and checkpoints.
struct Fitting {
    let invocation: Invocation
    let kind: ModelPart.Kind

    /// Rows that the memory of an ordinary machine takes at once, from the number of parameters alone, so
    /// that no result depends on the machine.
    static func chunk(parameters: Int) -> Int {
        parameters < 60_000_000 ? 32 : parameters < 200_000_000 ? 8 : 1
    }

    private var arguments: Arguments { invocation.arguments }

    func settings(rows: Int, parameters: Int) throws -> TrainingSettings {
        let budgets = [FitSlots.epochs.name, FitSlots.steps.name, FitSlots.minutes.name].filter(
            arguments.given.contains)
        if budgets.count > 1 {
            throw Complaint(
                .tooManyArguments, "`\(budgets[0])` and `\(budgets[1])` both say how long to train",
                label: "one of them is enough", slot: budgets[1])
        }
        let budget: TrainingSettings.Budget =
            invocation[FitSlots.steps].map { .steps($0) } ?? invocation[FitSlots.minutes].map { .minutes($0) }
            ?? .epochs(invocation[FitSlots.epochs] ?? 30)
        let batch = invocation[FitSlots.batch]
        if invocation.gives(FitSlots.batch), batch > rows {
            throw Complaint(
                .outOfRange, "a batch of \(batch) is larger than the \(rows) rows there are to learn from",
                label: "at most \(rows)", slot: "batch",
                help: invocation[FitSlots.keep] == .validation
                    ? "`keep=validation` holds a part of the rows out" : nil)
        }
        let norm = invocation[FitSlots.norm]
        return TrainingSettings(
            budget: budget, batch: min(batch, rows),
            chunk: invocation[FitSlots.chunk] ?? Self.chunk(parameters: parameters),
            rate: invocation[FitSlots.rate], shape: invocation[FitSlots.schedule],
            warmup: invocation[FitSlots.warmup],
            optimiser: AdamW.Settings(
                weightDecay: invocation[FitSlots.decay], beta2: kind == .clip ? 0.98 : 0.999),
            largestNorm: norm > 0 ? norm : nil, averages: try averages(), keep: invocation[FitSlots.keep],
            seed: invocation[FitSlots.seed])
    }

    /// Rows to learn from and rows held out.
    func split(_ texts: [String]) throws -> (learnt: [Int], heldOut: [Int]) {
        try TrainingRows.split(
            texts, share: invocation[FitSlots.keep] == .validation ? invocation[FitSlots.held] : 0)
    }

    private func averages() throws -> [AverageLength] {
        guard let list = invocation[FitSlots.average] else {
            return kind == .vae
                ? [.exponential(decay: 0.999)] : [.power(relative: 0.05), .power(relative: 0.1)]
        }
        return try list.flatMap { value -> [AverageLength] in
            switch value {
            case .boolean(false): return []
            case .number(let number) where number > 0 && number < 0.3: return [.power(relative: number)]
            case .number(let number) where number >= 0.3 && number < 1: return [.exponential(decay: number)]
            default:
                throw Complaint(
                    .outOfRange,
                    "an average is a decay from 0.3 to 1, a length from 0 to 0.3 of the run, or `no`",
                    label: value.summary, slot: "average")
            }
        }
    }

    /// While a run is planned: counts the training, and says whether the untrained part must stand in for its
    /// result.
    func isPlanned(_ key: ItemKey, _ modelStore: ModelStore, parameters: Int, rows: Int) throws -> Bool {
        guard let plan = invocation.session.plan else { return false }
        let isThere = try modelStore.has(key)
        guard !isThere, let settings = try? settings(rows: rows, parameters: parameters) else {
            plan.add("fit", cached: 1, missing: 0)
            return !isThere
        }
        let steps: Int? =
            switch settings.budget {
            case .steps(let steps): steps
            case .epochs(let epochs): Int(epochs * Double(rows) / Double(settings.batch))
            case .minutes: nil
            }
        plan.add("fit", cached: 0, missing: 1, work(parameters), units: (steps ?? 0) * settings.batch)
        return true
    }

    private func work(_ parameters: Int) -> WorkKind {
        WorkKind("fit \(kind.rawValue)", parameters: parameters, shape: [])
    }

    /// The options that were given: a default that changes raises the version in the key instead, so that an
    /// option that is added later does not make long trainings anew.
    func add(to builder: inout ItemKeyBuilder) {
        // Whether one of the names fits does not depend on their order.
        for option in arguments.written
        where arguments.given.contains(where: { option.hasPrefix($0 + "=") }) && !option.hasPrefix("on=") {
            builder.add("option", option)
        }
    }

    /// Trains to the end, or throws what stopped it.
    func run(
        _ objective: any Objective, _ settings: TrainingSettings, order: BatchOrder, key: ItemKey,
        modelStore: ModelStore
    ) throws -> Trainer.Outcome {
        let session = invocation.session
        let parameters = objective.parameters.count
        // Values, gradients, two moments, the averages and the best so far.
        try MemoryBudget.check(
            4 * parameters * (5 + settings.averages.count),
            for: "training \(parameters) parameters with AdamW and its averages",
            cure: "make the network smaller")
        BufferPool.keep(upTo: min(6 << 30, MemoryBudget.installed / 4))
        defer { BufferPool.keep(upTo: BufferPool.standardLimit) }
        let trainer = try Trainer(
            objective, settings, order: order, key: key.digest,
            path: session.cache == nil ? nil : modelStore.checkpoint(key),
            signer: session.cache?.signer)
        if let damage = trainer.damage {
            session.cache?.note("the training begins anew, since its checkpoint cannot be used: \(damage)")
        }
        defer {
            if let unsaved = trainer.unsaved {
                session.cache?.note("no checkpoint could be written: \(unsaved)")
            }
        }
        if trainer.stepsDone > 0 {
            session.progress.note("fit \(kind.rawValue): goes on after step \(trainer.stepsDone)")
        }
        var shown = -1
        var told = ContinuousClock.now
        defer { if shown >= 0 { session.progress.end() } }
        let began = ContinuousClock.now, before = trainer.stepsDone
        defer {
            session.cache?.log.note(
                work(parameters), units: (trainer.stepsDone - before) * settings.batch,
                ContinuousClock.now - began)
        }
        let outcome = try trainer.run(shouldStop: { session.cancellation.isRequested }) { report in
            if let total = report.total {
                if shown < 0 {
                    session.progress.begin("fit \(kind.rawValue)", total: total)
                    shown = 0
                }
                session.progress.advance(by: report.step - shown)
                shown = report.step
            }
            if ContinuousClock.now - told > .seconds(20) {
                told = .now
                session.progress.note(Self.line(kind, report))
            }
        }
        guard let outcome else {
            throw EngineError(
                .interrupted, "`fit \(kind.rawValue)` was stopped after step \(trainer.stepsDone)",
                cure: session.cache == nil || trainer.unsaved != nil
                    ? "nothing is kept here, so it begins anew" : "run the same line to continue from there")
        }
        return outcome
    }

    private static func line(_ kind: ModelPart.Kind, _ report: Trainer.Report) -> String {
        let loss = ColumnFormat.fixed(decimals: 4)(report.loss),
            speed = ColumnFormat.fixed(decimals: 1)(report.rowsPerSecond)
        let left = report.secondsLeft.map { ", \(max(1, Int($0 / 60 + 0.5))) min left" } ?? ""
        return """
            fit \(kind.rawValue): step \(report.step)\(report.total.map { " of \($0)" } ?? ""), loss \
            \(loss), \(speed) rows a second\(left)
            """
    }

    /// What stands in `training.json` beside the curve.
    func facts(_ outcome: Trainer.Outcome, parameters: Int, rows: Int) -> [String: JSON] {
        [
            "command": .string("fit " + invocation.arguments.written.joined(separator: " ")),
            "steps": .number(Double(outcome.steps)),
            "kept_step": .number(Double(outcome.step)),
            "kept_loss": outcome.loss.map { .number($0) } ?? .null,
            "kept_by": .string(invocation[FitSlots.keep].rawValue), "parameters": .number(Double(parameters)),
            "rows": .number(Double(rows)),
        ]
    }

    /// Says which weights were kept, and why.
    func tell(_ outcome: Trainer.Outcome) {
        guard let loss = outcome.loss else { return }
        let by =
            invocation[FitSlots.keep] == .validation
            ? "over the rows held out" : "in training, averaged since the point before"
        invocation.session.progress.note(
            """
            fit \(kind.rawValue): kept the weights of step \(outcome.step) of \(outcome.steps), loss \
            \(ColumnFormat.fixed(decimals: 4)(loss)) \(by)
            """)
    }
}
