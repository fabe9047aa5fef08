internal import Tensors

/// Heun's method of second order (Karras and others 2022, algorithm 1, without churn): two calls for each
/// step but the last. The first goes to the next level; the second asks there and goes again from the start
/// with the mean of both slopes.
struct Heun: Sampler {
    let steps: [ScheduleStep]
    let prediction: Prediction
    let clip: Double?

    static func table(_ configuration: SchedulerConfiguration, steps: Int) -> ScheduleTable {
        ScheduleTable(exploding: configuration, steps: steps)
    }

    init(_ configuration: SchedulerConfiguration, _ table: ScheduleTable, left: Int, mode: StartMode) {
        steps = table.rows.suffix(left)
        prediction = configuration.prediction
        clip = configuration.clip
    }

    var calls: [SamplerCall] {
        steps.indices.flatMap { place in
            let isLast = place + 1 == steps.count
            let first = SamplerCall(timestep: steps[place].timestep, endsStep: isLast)
            return isLast
                ? [first] : [first, SamplerCall(timestep: steps[place + 1].timestep, endsStep: true)]
        }
    }

    /// The step whose level the sample has at a call.
    private func place(_ call: Int) -> Int { (call + 1) / 2 }

    func scaled(_ sample: Tensor, _ call: Int) -> Tensor { steps[place(call)].level.scaled(sample) }

    func step(
        _ call: Int, _ output: Tensor, _ sample: Tensor, _ memory: inout SamplerMemory,
        _ generator: inout Generator
    ) -> Tensor {
        let slope = slope(output, sample, at: steps[place(call)].level)
        let (from, to) = (steps[call / 2].level, steps[call / 2].next)
        guard call % 2 == 1, let start = memory.anchor, let before = memory.slope else {
            memory.anchor = sample
            memory.slope = slope
            return .sum(1, sample, to.sigma - from.sigma, slope)
        }
        memory = SamplerMemory()
        return .sum(1, start, to.sigma - from.sigma, .sum(0.5, before, 0.5, slope))
    }

    private func slope(_ output: Tensor, _ sample: Tensor, at level: NoiseLevel) -> Tensor {
        guard clip != nil else { return prediction.epsilon(output, sample, at: level) }
        let clean = prediction.clean(output, sample, at: level).clamped(to: clip)
        return .sum(1 / level.sigma, sample, -1 / level.sigma, clean)
    }
}
