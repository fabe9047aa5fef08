internal import Tensors

/// Euler's method on the probability flow (Karras and others 2022, algorithm 1 without its correction).
struct Euler: OneCallSampler {
    let steps: [ScheduleStep]
    let prediction: Prediction

    static func table(_ configuration: SchedulerConfiguration, steps: Int) -> ScheduleTable {
        let final = configuration.finalSigma == .zero ? 0 : SigmaTable(configuration.schedule).smallest
        return ScheduleTable(exploding: configuration, steps: steps, final: final)
    }

    init(_ configuration: SchedulerConfiguration, _ table: ScheduleTable, left: Int, mode: StartMode) {
        steps = table.rows.suffix(left)
        prediction = configuration.prediction
    }

    func scaled(_ sample: Tensor, _ call: Int) -> Tensor { steps[call].level.scaled(sample) }

    func step(
        _ call: Int, _ output: Tensor, _ sample: Tensor, _ memory: inout SamplerMemory,
        _ generator: inout Generator
    ) -> Tensor {
        let (from, to) = (steps[call].level, steps[call].next)
        return .sum(1, sample, to.sigma - from.sigma, prediction.epsilon(output, sample, at: from))
    }
}
