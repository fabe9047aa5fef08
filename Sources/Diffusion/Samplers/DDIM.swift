internal import Tensors

/// Denoising diffusion implicit models (Song, Meng and Ermon 2021, formulas 12 and 16).
struct DDIM: OneCallSampler {
    let steps: [ScheduleStep]
    let prediction: Prediction
    let clip: Double?
    let eta: Double

    static func table(_ configuration: SchedulerConfiguration, steps: Int) throws -> ScheduleTable {
        let timesteps = configuration.wholeTimesteps(steps)
        let stride = configuration.stride(steps)
        // The reference goes down by a fixed stride, which meets the next timestep of the list with leading
        // spacing only.
        return try ScheduleTable(configuration, timesteps: timesteps) {
            configuration.alphaBar(at: timesteps[$0] - stride)
        }
    }

    init(_ configuration: SchedulerConfiguration, _ table: ScheduleTable, left: Int, mode: StartMode) {
        steps = table.rows.suffix(left)
        prediction = configuration.prediction
        clip = configuration.clip
        eta = configuration.eta
    }

    func step(
        _ call: Int, _ output: Tensor, _ sample: Tensor, _ memory: inout SamplerMemory,
        _ generator: inout Generator
    ) -> Tensor {
        let (from, to) = (steps[call].level, steps[call].next)
        let clean = prediction.clean(output, sample, at: from).clamped(to: clip)
        let epsilon = prediction.epsilon(output, sample, at: from)
        let variance = (1 - to.alphaBar) / (1 - from.alphaBar) * (1 - from.alphaBar / to.alphaBar)
        let fresh = eta * max(variance, 0).squareRoot()
        let direction = max(1 - to.alphaBar - fresh * fresh, 0).squareRoot()
        let mean = Tensor.sum(to.signal, clean, direction, epsilon)
        return eta > 0 ? .sum(1, mean, fresh, generator.normal(shape: sample.shape)) : mean
    }
}
