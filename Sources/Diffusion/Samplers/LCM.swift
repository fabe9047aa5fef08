internal import Tensors

/// Latent consistency models (Luo and others 2023, algorithm 3): each call jumps to the picture, then noise
/// brings it to the next level.
struct LCM: OneCallSampler {
    let steps: [ScheduleStep]
    let prediction: Prediction
    let clip: Double?
    let timestepScaling: Double

    /// Evenly chosen from the schedule that the model was distilled on, which is itself a part of the
    /// training timesteps.
    static func table(_ configuration: SchedulerConfiguration, steps: Int) throws -> ScheduleTable {
        let original = configuration.originalSteps
        guard steps <= original else {
            throw EngineError(
                .schedule,
                """
                \(steps) steps are more than the \(original) that the model was distilled on \
                (original_inference_steps)
                """,
                place: configuration.place, cure: "at most \(original)")
        }
        let stride = configuration.stride(original)
        let interval = Double(original) / Double(steps)
        let timesteps = (0..<steps).map { (original - Int(Double($0) * interval)) * stride - 1 }
        return try ScheduleTable(configuration, timesteps: timesteps) { place in
            place + 1 < steps ? configuration.alphaBar(at: timesteps[place + 1]) : 1
        }
    }

    init(_ configuration: SchedulerConfiguration, _ table: ScheduleTable, left: Int, mode: StartMode) {
        steps = table.rows.suffix(left)
        prediction = configuration.prediction
        clip = configuration.clip
        timestepScaling = configuration.timestepScaling
    }

    func step(
        _ call: Int, _ output: Tensor, _ sample: Tensor, _ memory: inout SamplerMemory,
        _ generator: inout Generator
    ) -> Tensor {
        let (from, to) = (steps[call].level, steps[call].next)
        let clean = prediction.clean(output, sample, at: from).clamped(to: clip)
        // The boundary condition of consistency models (Song and others 2023, section 3): at timestep 0 the
        // sample is the picture.
        let scaled = Double(steps[call].timestep) * timestepScaling
        let power = scaled * scaled + 0.5 * 0.5
        let denoised = Tensor.sum(scaled / power.squareRoot(), clean, 0.5 * 0.5 / power, sample)
        guard call + 1 < steps.count else { return denoised }
        return to.noised(denoised, with: generator.normal(shape: sample.shape))
    }
}
