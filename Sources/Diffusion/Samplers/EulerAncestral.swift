internal import Tensors

/// Euler's method to below the next level, then fresh noise up to it: ancestral sampling as k-diffusion
/// writes it, which for small steps is DDPM (Song and others 2021, appendix F).
struct EulerAncestral: OneCallSampler {
    let steps: [ScheduleStep]
    let prediction: Prediction

    static func table(_ configuration: SchedulerConfiguration, steps: Int) -> ScheduleTable {
        ScheduleTable(exploding: configuration, steps: steps)
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
        let (before, after) = (from.sigma * from.sigma, to.sigma * to.sigma)
        let up = max(after * (before - after) / before, 0)
        let down = max(after - up, 0).squareRoot()
        let lower = Tensor.sum(1, sample, down - from.sigma, prediction.epsilon(output, sample, at: from))
        return .sum(1, lower, up.squareRoot(), generator.normal(shape: sample.shape))
    }
}
