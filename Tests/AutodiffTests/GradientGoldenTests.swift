import Autodiff
import Files
import Models
import Tensors
import TestSupport
import Testing

@Suite("Gradients against torch")
struct GradientGoldenTests {
    @Test("the loss and every parameter's gradient of the golden cases are the reference's")
    func gradients() throws {
        let cases = try TrainingCase.all()
        #expect(cases.count >= 3)
        for golden in cases {
            let parameters = golden.parameters
            let tape = Tape(parameters)
            let loss = golden.loss(tape)
            // The README's bound on losses.
            #expect(
                abs(loss.scalar - golden.expectedLoss) <= 1e-5 * golden.expectedLoss,
                "\(golden.name): loss \(loss.scalar), expected \(golden.expectedLoss)")
            tape.backward(loss)
            try golden.checkGradients(parameters)
        }
    }

    @Test("blocks that are computed again give the same gradients")
    func recomputing() throws {
        for golden in try TrainingCase.all() {
            var results: [[Tensor]] = []
            for recomputing in [false, true] {
                let parameters = golden.parameters
                parameters.clearGradients()
                let tape = Tape(parameters, dropout: 0.3, seed: 5, recomputing: recomputing)
                tape.backward(golden.loss(tape))
                results.append(parameters.names.map(parameters.gradient))
            }
            for (name, pair) in zip(golden.parameters.names, zip(results[0], results[1])) {
                let worst = zip(pair.0.values, pair.1.values).map { abs($0 - $1) }.max() ?? 0
                // Where a value is used twice its gradients are added in another order: a few roundings.
                let largest = pair.0.values.map(abs).max() ?? 0
                #expect(worst <= 3e-6 * max(largest, 0.1), "\(golden.name) \(name): off by \(worst)")
            }
        }
    }
}
