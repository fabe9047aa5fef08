internal import Autodiff
package import Files
package import Tensors

/// Minimises an objective: batches in a seeded order, AdamW, moving averages, a curve, checkpoints.
/// Everything random is drawn anew from the seed and the step, so a training that was stopped or killed goes
/// on to the same numbers, to the bit.
package final class Trainer {
    /// How far a running training is, after each step.
    package struct Report {
        package var step: Int
        /// Steps in all; nil while they are being timed.
        package var total: Int?
        /// Mean of the last steps.
        package var loss: Double
        package var rate: Double
        package var rowsPerSecond: Double
        package var secondsLeft: Double?
    }

    package struct Outcome {
        /// The weights kept, a tensor per parameter.
        package var weights: [(name: String, tensor: Tensor)]
        package var curve: TrainingCurve
        /// The step after which they stood so, and the loss that chose them.
        package var step: Int
        package var loss: Double?
        package var steps: Int
        package var seconds: Double
    }

    private let objective: any Objective
    private let settings: TrainingSettings
    private let order: BatchOrder
    private let path: String?
    private let signer: Signer?
    private let interval: Duration
    private var progress: Checkpoint.Progress
    private var optimiser: AdamW
    private var averages: [WeightAverage]
    private var best: [Tensor]?
    private var recent: [Double] = []

    private var parameters: Parameters { objective.parameters }

    /// - Parameters:
    ///   - key: digest of everything that the result depends on.
    ///   - path: of the checkpoint, from which an unfinished training goes on; nil keeps none.
    ///   - signer: whose checkpoint is gone on from; nil for everybody's.
    ///   - interval: between checkpoints, at least; writing never takes more than a twentieth of the time.
    package init(
        _ objective: any Objective, _ settings: TrainingSettings, order: BatchOrder, key: String,
        path: String?, signer: Signer? = nil,
        interval: Duration = .seconds(30)
    ) throws {
        self.objective = objective
        self.settings = settings
        self.order = order
        self.path = path
        self.signer = signer
        self.interval = interval
        let parameters = objective.parameters
        var stored: (progress: Checkpoint.Progress, groups: [String: [Tensor]])?
        do {
            stored = try path.flatMap {
                try Checkpoint.read(
                    $0, key: key, names: parameters.names,
                    shapes: parameters.names.indices.map { parameters.shape($0) }, signer)
            }
            if let found = stored {
                let needed =
                    found.progress.isFinished
                    ? ["best"]
                    : ["weights", "first", "second"] + settings.averages.indices.map { "average\($0)" }
                if let missing = needed.first(where: { found.groups[$0] == nil }) {
                    throw EngineError(
                        .format, "the checkpoint is not complete: \(missing) is missing", place: path)
                }
            }
        } catch let error as EngineError {
            (stored, damage) = (nil, error)
        }
        progress = stored?.progress ?? Checkpoint.Progress(key: key)
        best = stored?.groups["best"]
        if let stored, !stored.progress.isFinished, let weights = stored.groups["weights"],
            let first = stored.groups["first"],
            let second = stored.groups["second"]
        {
            for (name, tensor) in zip(parameters.names, weights) { parameters[name] = tensor }
            optimiser = AdamW(settings.optimiser, step: stored.progress.step, first: first, second: second)
            averages = settings.averages.enumerated().map {
                WeightAverage($0.element, weights: stored.groups["average\($0.offset)"] ?? [])
            }
        } else {
            optimiser = AdamW(settings.optimiser, for: parameters)
            averages = settings.averages.map { WeightAverage($0, of: parameters) }
        }
        switch settings.budget {
        case .epochs(let epochs):
            progress.total = max(1, Int((epochs * Double(order.stepsPerEpoch)).rounded()))
        case .steps(let steps): progress.total = steps
        case .minutes: break
        }
    }

    /// What is wrong with the checkpoint that was there: the training began anew.
    package private(set) var damage: EngineError?
    /// Why no checkpoint could be written the last time.
    package private(set) var unsaved: EngineError?

    package var isFinished: Bool { progress.isFinished }
    /// Steps that stood in the checkpoint.
    package var stepsDone: Int { progress.step }

    /// Trains to the end of the budget; nil if `shouldStop` said so before, with a checkpoint written.
    package func run(shouldStop: () -> Bool = { false }, report: (Report) -> Void = { _ in }) throws
        -> Outcome?
    {
        var saved = ContinuousClock.now
        var writing = Duration.zero
        var ticked = ContinuousClock.now
        while !progress.isFinished {
            if let total = progress.total, progress.step >= total { break }
            if shouldStop() {
                try save()
                return nil
            }
            let loss = try step()
            let now = ContinuousClock.now
            progress.seconds += (now - ticked) / .seconds(1)
            ticked = now
            planSteps()
            recent = Array((recent + [loss]).suffix(20))
            report(currentReport())
            if isPoint(progress.step) { try addPoint() }
            if ContinuousClock.now - saved > max(interval, writing * 20), progress.total != progress.step {
                let begun = ContinuousClock.now
                try save()
                saved = .now
                writing = saved - begun
            }
        }
        if !progress.isFinished { try finish() }
        return outcome()
    }

    // MARK: A step

    private func rate(_ step: Int) -> Double {
        // A budget in minutes has no end yet while its first steps are timed: they take the rate of a run
        // without end.
        let schedule = RateSchedule(
            progress.total == nil ? .constant : settings.shape, warmup: settings.warmup,
            total: progress.total ?? .max)
        return settings.rate * schedule.factor(step)
    }

    /// The mean loss of the step's batch.
    private func step() throws -> Double {
        let index = progress.step
        let drawn = order.rows(step: index)
        let rows = drawn.enumerated().map { place, row in
            BatchRow(
                row: row.row, place: place, count: drawn.count, isEmpty: row.isEmpty,
                generator: generator(step: index, place: place))
        }
        parameters.clearGradients()
        let size = objective.isSumOfRows ? max(1, settings.chunk) : rows.count
        var loss = 0.0
        for start in stride(from: 0, to: rows.count, by: size) {
            let part = Array(rows[start..<min(start + size, rows.count)])
            let share = Double(part.count) / Double(rows.count)
            loss += try objective.learn(part, scale: Float(share)) * share
        }
        let norm = parameters.gradientNorm()
        try checkThatItConverges(loss, norm)
        let scale = settings.largestNorm.map { min(1, $0 / (norm + 1e-6)) } ?? 1
        optimiser.update(parameters, rate: rate(index), scale: scale)
        progress.step = index + 1
        for average in averages.indices { averages[average].update(parameters, step: progress.step) }
        progress.lossSum += loss
        progress.lossCount += 1
        if progress.lossOfFirstStep == nil { progress.lossOfFirstStep = loss }
        return loss
    }

    private func generator(step: Int, place: Int) -> Generator {
        // Fibonacci hashing spreads neighbouring steps and places over the 32 bits that a seed has.
        let mixed =
            (UInt64(bitPattern: Int64(settings.seed)) &* 0x9E37_79B9_7F4A_7C15)
            ^ (UInt64(step) &* 0xC2B2_AE3D_27D4_EB4F)
            ^ (UInt64(place) &* 0x1656_67B1_9E37_79F9)
        return Generator(seed: (mixed ^ (mixed >> 29)) &* 0xBF58_476D_1CE4_E5B9 >> 32)
    }

    private func checkThatItConverges(_ loss: Double, _ norm: Double) throws {
        let start = progress.lossOfFirstStep ?? loss
        guard !loss.isFinite || !norm.isFinite || loss > 1000 * max(start, 1e-3) else { return }
        throw divergence("in step \(progress.step + 1) the loss is \(loss), the gradient's norm \(norm)")
    }

    private func divergence(_ what: String) -> EngineError {
        let last = progress.step > 0 && path.map(FileSystem.exists) ?? false
        return EngineError(
            .training,
            """
            the training diverged: \(what); \
            \(last ? "the last checkpoint is kept" : "no checkpoint was written")
            """, place: last ? path : nil,
            cure: "a smaller `rate=`, a longer `warmup=` or `norm=`")
    }

    /// A collapse without infinities: a training that had learnt (the mean of three points of its curve fell
    /// to a third of the first) has lost more than half of that for two points in a row. At a rate too high
    /// the loss of a UNet went from 0.22 to 1.00 within 60 steps and stayed.
    private func checkThatItHolds() throws {
        let losses = progress.curve.map(\.loss)
        guard progress.step >= 200, progress.step != progress.total, losses.count > 5,
            let first = losses.first
        else { return }
        let lowest =
            losses.indices.dropFirst(2).map { (losses[$0] + losses[$0 - 1] + losses[$0 - 2]) / 3 }.min()
            ?? first
        guard lowest < first / 3, losses.suffix(2).allSatisfy({ $0 > (first + lowest) / 2 }) else { return }
        throw divergence("at step \(progress.step) the mean loss is \(losses.last ?? 0), after \(lowest)")
    }

    // MARK: The curve and what is kept

    /// Steps between two points: an epoch, or a fiftieth of the run where that is shorter, yet at least ten.
    private var spacing: Int {
        guard let total = progress.total else { return order.stepsPerEpoch }
        return max(1, min(order.stepsPerEpoch, max(10, total / 50)))
    }

    /// Steps between two validations: so many that they cost a tenth of the time, and at least a fiftieth of
    /// the run. A row of a validation costs a third of a row of training, for each of the averages.
    private var validationSpacing: Int {
        let cost = objective.validationCount * max(1, averages.count) * 10 / (3 * order.batch)
        let least = max(cost, (progress.total ?? 0) / 50)
        return (least + spacing - 1) / spacing * spacing
    }

    private func isPoint(_ step: Int) -> Bool { step % spacing == 0 || step == progress.total }

    private func addPoint() throws {
        let isLast = progress.step == progress.total
        var validation: (loss: Double, candidate: Int)?
        if progress.step % max(spacing, validationSpacing) == 0 || isLast { validation = try validate() }
        let loss = progress.lossSum / Double(max(1, progress.lossCount))
        progress.lossSum = 0
        progress.lossCount = 0
        progress.curve.append(
            .init(
                step: progress.step, epoch: Double(progress.step) / Double(order.stepsPerEpoch), loss: loss,
                validation: validation?.loss,
                rate: rate(progress.step - 1)))
        try checkThatItHolds()
        switch settings.keep {
        case .training: keep(loss, candidate: averages.isEmpty ? -1 : 0)
        case .validation: if let validation { keep(validation.loss, candidate: validation.candidate) }
        case .last: if isLast { keep(loss, candidate: averages.isEmpty ? -1 : 0) }
        }
    }

    /// The lowest loss over the rows held out among the averages, or of the weights themselves where there
    /// are none.
    private func validate() throws -> (loss: Double, candidate: Int)? {
        guard !averages.isEmpty else { return try objective.validate().map { ($0, -1) } }
        let own = parameters.names.map { parameters[$0] }
        defer { for (name, tensor) in zip(parameters.names, own) { parameters[name] = tensor } }
        var lowest: (loss: Double, candidate: Int)?
        for (index, average) in averages.enumerated() {
            for (name, tensor) in zip(parameters.names, average.weights) { parameters[name] = tensor }
            guard let loss = try objective.validate() else { return nil }
            if loss.isFinite, loss < lowest?.loss ?? .infinity { lowest = (loss, index) }
        }
        return lowest
    }

    private func keep(_ loss: Double, candidate: Int) {
        if settings.keep != .last, let best = progress.best, best.loss <= loss { return }
        progress.best = .init(step: progress.step, loss: loss, candidate: candidate)
        best = candidate < 0 ? parameters.names.map { parameters[$0] } : averages[candidate].weights
    }

    // MARK: Time

    /// Turns a budget in minutes into steps once a twentieth of it has passed.
    private func planSteps() {
        guard progress.total == nil, case .minutes(let minutes) = settings.budget else { return }
        let seconds = minutes * 60
        guard progress.step >= 3, progress.seconds >= seconds / 20 else { return }
        progress.total = max(progress.step, Int(Double(progress.step) / progress.seconds * seconds))
    }

    private func currentReport() -> Report {
        let perStep = progress.seconds / Double(max(1, progress.step))
        return Report(
            step: progress.step, total: progress.total,
            loss: recent.reduce(0, +) / Double(max(1, recent.count)), rate: rate(progress.step - 1),
            rowsPerSecond: Double(settings.batch) / max(perStep, 1e-9),
            secondsLeft: progress.total.map { Double($0 - progress.step) * perStep })
    }

    // MARK: Storing

    /// A disk without room must not end what took hours: it is tried again, and `unsaved` says why it failed.
    private func save() throws {
        do {
            try write()
            unsaved = nil
        } catch let error as EngineError where error.kind == .file {
            unsaved = error
        }
    }

    private func write() throws {
        guard let path else { return }
        var groups = [
            "weights": parameters.names.map { parameters[$0] }, "first": optimiser.first,
            "second": optimiser.second,
        ]
        for (index, average) in averages.enumerated() { groups["average\(index)"] = average.weights }
        if let best { groups["best"] = best }
        try Checkpoint.write(progress, groups, names: parameters.names, signer, to: path)
    }

    /// Of a finished training only what is kept stays on the disk.
    private func finish() throws {
        progress.isFinished = true
        if best == nil { best = parameters.names.map { parameters[$0] } }
        guard let path, let best else { return }
        do {
            try Checkpoint.write(progress, ["best": best], names: parameters.names, signer, to: path)
            unsaved = nil
        } catch let error as EngineError where error.kind == .file {
            unsaved = error
        }
    }

    private func outcome() -> Outcome {
        let weights = best ?? parameters.names.map { parameters[$0] }
        return Outcome(
            weights: zip(parameters.names, weights).map { ($0, $1) },
            curve: TrainingCurve(points: progress.curve),
            step: progress.best?.step ?? progress.step, loss: progress.best?.loss, steps: progress.step,
            seconds: progress.seconds)
    }
}
