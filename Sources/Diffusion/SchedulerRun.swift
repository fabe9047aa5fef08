package import Tensors

/// One item's way through a schedule: a value that holds all state, so that items of a batch are independent
/// and a run can be copied, stored, and gone on with. It works on samples of any shape; the caller keeps the
/// sample, the network and the generator:
///
///     var run = try SchedulerRun(configuration, steps: 70)
///     var sample = generator.normal(shape: [4, 32, 32]) * Float(run.initialSigma)
///     while let timestep = run.timestep {
///         let output = try network(run.scaledInput(sample), timestep)
///         sample = try run.step(output: output, sample: sample, generator: &generator)
///     }
package struct SchedulerRun: Sendable {
    package let configuration: SchedulerConfiguration
    /// N, the steps of the full schedule.
    package let steps: Int
    package let start: SchedulerStart
    package let table: ScheduleTable
    /// The network's calls, first to last.
    package let calls: [SamplerCall]
    /// How many calls are done.
    package private(set) var index = 0
    package private(set) var memory = SamplerMemory()
    private let sampler: any Sampler

    /// - Throws: where the scheduler has no schedule of so many steps, or `start` leaves more than these.
    package init(_ configuration: SchedulerConfiguration, steps: Int, start: SchedulerStart = .noise) throws {
        table = try ScheduleTable(configuration, steps: steps)
        let (left, mode) = start.resolved(steps: steps)
        try Self.check(left, of: steps)
        self.configuration = configuration
        self.steps = steps
        self.start = start
        sampler = try configuration.kind.traits.sampler.init(configuration, table, left: left, mode: mode)
        calls = sampler.calls
    }

    private static func check(_ count: Int, of steps: Int) throws {
        guard (0...steps).contains(count) else {
            throw EngineError(.schedule, "\(count) of \(steps) steps", cure: "from 0 to \(steps)")
        }
    }

    // MARK: Where the run stands

    package var isFinished: Bool { index == calls.count }

    /// What the network is to be told at the present call; nil at the end.
    package var timestep: Float? { isFinished ? nil : calls[index].timestep }

    /// Steps of the schedule that are not done yet. A step of several calls counts until its last.
    package var left: Int { start.resolved(steps: steps).left - calls[..<index].count(where: \.endsStep) }

    /// Standard deviation of the pure noise that a full run starts from.
    package var initialSigma: Double { table.initialSigma }

    /// Puts a stored run's state in place of this one's. The run must have been made with the same arguments.
    /// - Throws: where the run has no call of that number.
    package mutating func resume(index: Int, memory: SamplerMemory) throws {
        guard (0...calls.count).contains(index) else {
            throw EngineError(.schedule, "a run of \(calls.count) calls cannot go on at call \(index)")
        }
        self.index = index
        self.memory = memory
    }

    // MARK: Adding noise

    /// The level of noise that leaves `count` steps to go: of the first step's level where `count` is `left`
    /// at the start. Nil for 0 steps.
    package func noiseStep(for count: Int) throws -> ScheduleStep? {
        try Self.check(count, of: steps)
        guard count > 0 else { return nil }
        let mode = start.resolved(steps: steps).mode
        return table.rows[type(of: sampler).firstRow(configuration, steps: steps, left: count, mode: mode)]
    }

    /// The timestep whose noise leaves `count` steps to go. Nil for 0 steps: no noise.
    package func noiseTimestep(for count: Int) throws -> Float? { try noiseStep(for: count)?.timestep }

    /// A picture with noise added, of the level of the first call, or as much as leaves `count` steps to go
    /// (which may be another number than the run has: 0 for a clean start). `noise` has the picture's shape
    /// and variance 1.
    /// - Throws: where the shapes differ, or `count` is beyond the steps.
    package func addNoise(_ clean: Tensor, _ noise: Tensor, count: Int? = nil) throws -> Tensor {
        guard clean.shape == noise.shape else {
            throw EngineError(.shape, "noise of shape \(noise.shape) on a latent of shape \(clean.shape)")
        }
        let step = try noiseStep(for: count ?? start.resolved(steps: steps).left)
        return step.map { $0.level.noised(clean, with: noise) } ?? clean
    }

    // MARK: Denoising

    /// The sample as the network wants it at the present call.
    /// - Throws: where no call is left.
    package func scaledInput(_ sample: Tensor) throws -> Tensor {
        try checkNotFinished()
        return sampler.scaled(sample, index)
    }

    /// The sample after the present call, whose guided output is `output`; both have the same shape.
    /// Draws from the generator exactly what the reference draws.
    /// - Throws: where the shapes differ, or no call is left.
    package mutating func step(output: Tensor, sample: Tensor, generator: inout Generator) throws -> Tensor {
        try checkNotFinished()
        guard output.shape == sample.shape else {
            throw EngineError(
                .shape, "a prediction of shape \(output.shape) for a sample of shape \(sample.shape)")
        }
        if let earlier = memory.anchor ?? memory.outputs.last, earlier.shape != sample.shape {
            throw EngineError(
                .shape, "a sample of shape \(sample.shape) in a run that began with \(earlier.shape)")
        }
        defer { index += 1 }
        return sampler.step(index, output, sample, &memory, &generator)
    }

    private func checkNotFinished() throws {
        guard !isFinished else {
            throw EngineError(.schedule, "no steps are left of \(steps)", cure: "add noise first")
        }
    }
}

extension SchedulerStart {
    fileprivate func resolved(steps: Int) -> (left: Int, mode: StartMode) {
        switch self {
        case .noise: (steps, .aligned)
        case .middle(let left, let mode): (left, mode)
        }
    }
}
