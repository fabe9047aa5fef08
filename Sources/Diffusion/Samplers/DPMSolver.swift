internal import Tensors

#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

/// DPM-Solver++ with two steps of memory (Lu and others 2022, algorithm 2): an exponential integrator for the
/// predicted picture.
struct DPMSolver: OneCallSampler {
    let steps: [ScheduleStep]
    let prediction: Prediction
    let order: Int
    let type: SchedulerConfiguration.SolverType
    /// The last step is of first order: with a final sigma of 0 the second is not defined, and with few steps
    /// it is unstable.
    let lowersLastOrder: Bool

    static func table(_ configuration: SchedulerConfiguration, steps: Int) throws -> ScheduleTable {
        let sigmas = SigmaTable(configuration.schedule)
        let final = configuration.finalSigma == .zero ? 0 : sigmas.smallest
        if configuration.karras {
            let range = configuration.sigmaRange
            let chosen = SigmaTable.karras(
                from: range.largest ?? sigmas.largest, to: range.smallest ?? sigmas.smallest, count: steps)
            // On the cosine schedule the reference does not round, and cuts where it makes whole numbers of
            // them. Where that tells the first two steps one timestep it leaves out the first and fails at
            // its end; here all of them are taken.
            let timesteps = chosen.map {
                configuration.cutsTimesteps
                    ? sigmas.timestep(of: $0, inSinglePrecision: true).rounded(.towardZero)
                    : sigmas.timestep(of: $0).rounded(.toNearestOrEven)
            }
            return ScheduleTable(
                timesteps: timesteps, sigmas: chosen, final: final, initialSigma: 1,
                level: NoiseLevel.preserving)
        }
        let timesteps = try timesteps(configuration, steps)
        return ScheduleTable(
            timesteps: timesteps, sigmas: timesteps.map(sigmas.sigma), final: final, initialSigma: 1,
            level: NoiseLevel.preserving)
    }

    /// The reference lays out one timestep more than there are steps and leaves out the last, except with
    /// trailing spacing.
    private static func timesteps(_ configuration: SchedulerConfiguration, _ steps: Int) throws -> [Double] {
        // Lambda, half the logarithm of signal over noise, is minus the logarithm of sigma; timesteps below
        // the limit are left out.
        let usable = configuration.schedule.sigmas.count { -Double(log($0)) >= configuration.smallestLambda }
        switch configuration.spacing {
        case .linspace where usable > 0:
            return TimestepSpacing.evenly(from: 0, to: Double(usable - 1), count: steps + 1).map {
                $0.rounded(.toNearestOrEven)
            }.reversed().dropLast()
        case .leading where usable > steps:
            return TimestepSpacing.leading.timesteps(steps + 1, of: usable, offset: configuration.stepsOffset)
                .dropLast()
        case .trailing where usable == configuration.trainingSteps:
            return TimestepSpacing.trailing.timesteps(steps, of: usable, offset: 0)
        default:
            throw EngineError(
                .schedule,
                """
                \(configuration.spacing.rawValue) spacing cannot lay \(steps) steps over \(usable) \
                usable timesteps of training
                """,
                place: configuration.place, cure: "fewer steps")
        }
    }

    init(_ configuration: SchedulerConfiguration, _ table: ScheduleTable, left: Int, mode: StartMode) {
        steps = table.rows.suffix(left)
        prediction = configuration.prediction
        order = configuration.solverOrder
        type = configuration.solverType
        lowersLastOrder =
            configuration.eulerAtEnd || (configuration.lowerOrderAtEnd && table.rows.count < 15)
            || configuration.finalSigma == .zero
    }

    func step(
        _ call: Int, _ output: Tensor, _ sample: Tensor, _ memory: inout SamplerMemory,
        _ generator: inout Generator
    ) -> Tensor {
        let (from, to) = (steps[call].level, steps[call].next)
        let clean = prediction.clean(output, sample, at: from)
        let earlier = memory.outputs.last
        memory.outputs = [clean]

        // h is the step in lambda, so exp(-h) is the ratio of the sigmas, 0 where the next sigma is 0.
        let decay = to.sigma / from.sigma
        let first = Tensor.sum(to.noise / from.noise, sample, to.signal * (1 - decay), clean)
        let isLowered = lowersLastOrder && call + 1 == steps.count
        guard let earlier, call > 0, order > 1, !isLowered else { return first }

        let h = log(from.sigma / to.sigma)
        let hBefore = log(steps[call - 1].level.sigma / from.sigma)
        let weight =
            switch type {
            case .midpoint: 0.5 * to.signal * (1 - decay)
            case .heun: h == 0 ? 0 : to.signal * (1 - (1 - decay) / h)
            }
        return .sum(1, first, weight * h / hBefore, clean - earlier)
    }
}
