internal import Tensors

#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

/// Denoising diffusion probabilistic models (Ho, Jain and Abbeel 2020, formulas 6, 7 and 15).
struct DDPM: OneCallSampler {
    let steps: [ScheduleStep]
    let prediction: Prediction
    let clip: Double?
    let variance: SchedulerConfiguration.VarianceType

    static func table(_ configuration: SchedulerConfiguration, steps: Int) throws -> ScheduleTable {
        let timesteps = configuration.wholeTimesteps(steps)
        return try ScheduleTable(configuration, timesteps: timesteps) { place in
            place + 1 < timesteps.count ? configuration.alphaBar(at: timesteps[place + 1]) : 1
        }
    }

    init(_ configuration: SchedulerConfiguration, _ table: ScheduleTable, left: Int, mode: StartMode) {
        steps = table.rows.suffix(left)
        prediction = configuration.prediction
        clip = configuration.clip
        variance = configuration.variance
    }

    func step(
        _ call: Int, _ output: Tensor, _ sample: Tensor, _ memory: inout SamplerMemory,
        _ generator: inout Generator
    ) -> Tensor {
        let (from, to) = (steps[call].level, steps[call].next)
        let clean = prediction.clean(output, sample, at: from).clamped(to: clip)
        let alpha = from.alphaBar / to.alphaBar
        let beta = 1 - alpha
        let mean = Tensor.sum(
            to.signal * beta / (1 - from.alphaBar), clean,
            alpha.squareRoot() * (1 - to.alphaBar) / (1 - from.alphaBar), sample)
        // The reference draws wherever the timestep is not 0, also at a last step that adds next to nothing.
        guard steps[call].timestep > 0 else { return mean }
        return .sum(
            1, mean, deviation(beta, (1 - to.alphaBar) / (1 - from.alphaBar) * beta),
            generator.normal(shape: sample.shape))
    }

    private func deviation(_ beta: Double, _ posterior: Double) -> Double {
        switch variance {
        case .fixedSmall: max(posterior, 1e-20).squareRoot()
        case .fixedSmallLog: exp(0.5 * log(max(posterior, 1e-20)))
        case .fixedLarge: max(beta, 0).squareRoot()
        }
    }
}
