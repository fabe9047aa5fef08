import Autodiff
import Foundation
import Kernels
import Models
import Tensors
import TestSupport
import Testing
import Training

/// What `../shared/bench/peer.py train` does, for comparisons by hand: NOISEBOOK_SPEED names a model folder,
/// NOISEBOOK_BATCH the batch.
@Suite(
    "Speed of a training step", .enabled(if: ProcessInfo.processInfo.environment["NOISEBOOK_TRAIN"] != nil))
struct SpeedTests {
    @Test("an AdamW step of a UNet, the median of five")
    func unet() throws {
        let environment = ProcessInfo.processInfo.environment
        let folder = try #require(environment["NOISEBOOK_TRAIN"]) + "/unet"
        let batch = Int(environment["NOISEBOOK_BATCH"] ?? "") ?? 32
        let configuration = try UNet(folder: folder).configuration
        let weights = try WeightFiles.open(folder: folder)
        let parameters = Parameters(try weights.names.map { ($0, try weights.tensor($0)) })
        let graph = UNetGraph(configuration)
        let side = configuration.sampleSize?.height ?? 64
        var generator = Generator(seed: 0)
        let sample = generator.normal(shape: [batch, side, side, configuration.inChannels]),
            noise = generator.normal(shape: sample.shape)
        let context = generator.normal(shape: [batch, 77, configuration.crossAttentionWidth[0]])
        var optimiser = AdamW(.init(), for: parameters)
        var seconds: [Double] = []
        BufferPool.keep(upTo: 4 << 30)
        defer { BufferPool.keep(upTo: BufferPool.standardLimit) }
        for _ in 0..<6 {
            let begun = ContinuousClock.now
            parameters.clearGradients()
            let tape = Tape(parameters, recomputing: environment["NOISEBOOK_RECOMPUTE"] != nil)
            let output = graph.predict(
                tape, sample: tape.constant(sample), timesteps: (0..<batch).map { Float($0 * 997 % 1000) },
                context: tape.constant(context))
            tape.backward(tape.meanSquaredError(output, noise))
            optimiser.update(parameters, rate: 1e-4, scale: 1)
            seconds.append((ContinuousClock.now - begun) / .seconds(1))
        }
        print(
            """
            a step of \(parameters.count) parameters, batch \(batch): first \(seconds[0]) s, then median \
            \(seconds.dropFirst().sorted()[2]) s
            """)
    }
}
