import Autodiff
import Tensors
import TestSupport
import Testing
import Training

@Suite("Optimiser steps against torch")
struct OptimiserGoldenTests {
    @Test(
        "five steps of AdamW take the reference's way, plain and with clipping, average and cosine schedule")
    func steps() throws {
        for golden in try TrainingCase.all() {
            try run(golden, "adamw", final: "final", clip: nil, schedule: { _ in 1 }, average: nil)
            let cosine = RateSchedule(.cosine, warmup: 2, total: 8)
            try run(
                golden, "adamw_clip_ema_cosine", final: "final_clip", clip: 1, schedule: cosine.factor,
                average: .exponential(decay: 0.999, minimum: 0.999))
        }
    }

    private func run(
        _ golden: TrainingCase, _ key: String, final: String, clip: Double?, schedule: (Int) -> Double,
        average: AverageLength?
    ) throws {
        let json = try #require(golden.json[key]), settings = try #require(golden.json["adamw"])
        let start = golden.parameters.names.map { golden.parameters[$0] }
        defer {
            for (name, tensor) in zip(golden.parameters.names, start) { golden.parameters[name] = tensor }
        }
        let parameters = golden.parameters
        var optimiser = AdamW(
            .init(weightDecay: try #require(settings["weight_decay"]?.double)), for: parameters)
        var mean = average.map { WeightAverage($0, of: parameters) }
        let steps = try #require(settings["steps"]?.int)
        let losses = try #require(json["loss"]?.array).compactMap(\.double),
            norms = try #require(json["grad_norm"]?.array).compactMap(\.double)
        // How far float32 rounding of the weights alone moves the norm of each step: Adam turns gradients
        // near zero into whole steps of either sign. A dozen draws see most of it, so four times that.
        let spreads = try #require(
            json["grad_norm_spread"]?.doubles,
            "\(golden.name): training_spread.py gives the case its grad_norm_spread")
        var smallest = [[Float]](repeating: [], count: parameters.names.count)
        for step in 0..<steps {
            parameters.clearGradients()
            let tape = Tape(parameters)
            let loss = golden.loss(tape)
            tape.backward(loss)
            let norm = parameters.gradientNorm()
            // The reference's own float32 run is off its float64 run by up to 2e-5 after five steps.
            #expect(
                abs(loss.scalar - losses[step]) <= 1e-4 * losses[step],
                "\(golden.name) \(key) step \(step): loss \(loss.scalar), expected \(losses[step])")
            let allowed = max(1e-5, 4 * spreads[step])
            #expect(
                abs(norm - norms[step]) <= allowed * norms[step],
                "\(golden.name) \(key) step \(step): norm \(norm), expected \(norms[step])")
            for (index, name) in parameters.names.enumerated() {
                let gradient = parameters.gradient(name).values.map(abs)
                smallest[index] = smallest[index].isEmpty ? gradient : zip(smallest[index], gradient).map(min)
            }
            let scale = clip.map { min(1, $0 / (norm + 1e-6)) } ?? 1
            optimiser.update(parameters, rate: 1e-3 * schedule(step), scale: scale)
            mean?.update(parameters, step: step + 1)
        }
        for (index, name) in parameters.names.enumerated() {
            // The README's rule: Adam turns gradients that are zero but for rounding into whole steps of
            // either sign.
            func check(_ found: Tensor, _ group: String) throws {
                let expected = try golden.expected(group, name).values
                for (i, (a, b)) in zip(found.values, expected).enumerated() {
                    let allowed: Float = smallest[index][i] < 1e-5 ? 2 * 1e-3 * Float(steps) : 2e-4
                    if abs(a - b) > allowed {
                        Issue.record("\(golden.name) \(group).\(name)[\(i)]: \(a), expected \(b)")
                    }
                }
            }
            try check(parameters[name], final)
            if let mean { try check(mean.weights[index], "ema") }
        }
    }
}
