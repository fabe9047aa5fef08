internal import Tensors

/// One step of a schedule: from one level of noise to a lower one.
package struct ScheduleStep: Sendable, Hashable {
    /// What the network is told.
    package let timestep: Float
    /// What the sample holds before the step.
    package let level: NoiseLevel
    /// What the sample holds after it.
    package let next: NoiseLevel
}

/// The N steps of a scheduler, noisiest first: what its sampler walks along, and the numbers behind the verb
/// `schedule`. A step that takes several calls of the network (PNDM's doubled second, Heun) is one row.
package struct ScheduleTable: Sendable, Hashable {
    package let rows: [ScheduleStep]
    /// Standard deviation of the pure noise that a full run starts from.
    package let initialSigma: Double

    /// - Parameter steps: N, 1 to the number of training timesteps.
    /// - Throws: where the scheduler has no schedule of so many steps.
    package init(_ configuration: SchedulerConfiguration, steps: Int) throws {
        let training = configuration.trainingSteps
        guard steps >= 1 else {
            throw EngineError(.schedule, "a schedule of \(steps) steps", cure: "it takes 1 step or more")
        }
        guard steps <= training else {
            throw EngineError(
                .schedule,
                """
                \(steps) steps are more than the \(training) timesteps of training: no whole timestep \
                lies between two steps
                """,
                place: configuration.place, cure: "at most \(training)")
        }
        self = try configuration.kind.traits.sampler.table(configuration, steps: steps)
    }

    init(rows: [ScheduleStep], initialSigma: Double = 1) {
        self.rows = rows
        self.initialSigma = initialSigma
    }
}

extension ScheduleTable {
    /// Steps over whole training timesteps; `next` gives the alpha bar after the step at a place of the list.
    init(_ configuration: SchedulerConfiguration, timesteps: [Int], next: (Int) -> Double) throws {
        let alphaBars = configuration.schedule.alphaBars
        if let outside = timesteps.first(where: { !alphaBars.indices.contains($0) }) {
            throw EngineError(
                .schedule,
                """
                \(timesteps.count) steps with steps_offset \(configuration.stepsOffset) reach timestep \
                \(outside), outside 0 to \(alphaBars.count - 1)
                """,
                place: configuration.place, cure: "fewer steps")
        }
        rows = timesteps.indices.map { place in
            ScheduleStep(
                timestep: Float(timesteps[place]),
                level: NoiseLevel(alphaBar: Double(alphaBars[timesteps[place]])),
                next: NoiseLevel(alphaBar: next(place)))
        }
        initialSigma = 1
    }
}

extension SchedulerConfiguration {
    /// The timesteps of samplers that walk over whole training timesteps, noisiest first.
    func wholeTimesteps(_ steps: Int) -> [Int] {
        spacing.timesteps(steps, of: trainingSteps, offset: stepsOffset).map {
            Int($0.rounded(.toNearestOrEven))
        }
    }

    /// The reference's distance between two steps for DDIM and PNDM, whatever the spacing.
    func stride(_ steps: Int) -> Int { trainingSteps / steps }

    /// Alpha bar at a training timestep, and the final one below the first.
    func alphaBar(at timestep: Int) -> Double {
        timestep < 0 ? finalAlphaBar : Double(schedule.alphaBars[min(timestep, trainingSteps - 1)])
    }
}
