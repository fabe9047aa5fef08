package import Autodiff
package import Diffusion
internal import Kernels
internal import Models
package import Tensors

/// Trains a UNet to tell the noise in latents (Ho et al. 2020, algorithm 1), with some captions replaced by
/// the empty text (Ho and Salimans 2022), so that it also learns what a picture without a caption looks like.
package final class DenoisingObjective: Objective {
    /// What the network learns from: each row in several ways of seeing it (mirrored) and of telling it.
    package struct Data: Sendable {
        /// By row and way: mean and standard deviation of the latent, `[height, width, channels]`, in the
        /// network's units.
        package var latents: [[(mean: Tensor, deviation: Tensor)]]
        /// By row and way: encoder states `[length, width]`.
        package var texts: [[Tensor]]

        package init(latents: [[(mean: Tensor, deviation: Tensor)]], texts: [[Tensor]]) {
            (self.latents, self.texts) = (latents, texts)
        }

        package var count: Int { latents.count }
    }

    package struct Settings: Sendable, Hashable {
        package var prediction: Prediction
        /// Weights are cut where the signal-to-noise ratio exceeds this (Hang et al. 2023, "min-SNR"); nil
        /// leaves them at one.
        package var largestRatio: Double?
        package var dropout: Float
        /// Standard deviation of noise on the encoder states, relative to theirs.
        package var textNoise: Float

        package init(
            prediction: Prediction, largestRatio: Double? = nil, dropout: Float = 0, textNoise: Float = 0
        ) {
            self.prediction = prediction
            self.largestRatio = largestRatio
            self.dropout = dropout
            self.textNoise = textNoise
        }
    }

    package let parameters: Parameters
    package let isSumOfRows = true
    private let graph: UNetGraph
    private let schedule: NoiseSchedule
    private let data: Data
    private let heldOut: Data
    private let empty: Tensor
    private let settings: Settings
    private let recomputes: Bool

    /// - Parameter empty: encoder states of the empty text.
    package init(
        _ graph: UNetGraph, _ parameters: Parameters, schedule: NoiseSchedule, data: Data, heldOut: Data,
        empty: Tensor, settings: Settings, recomputing: Bool
    ) {
        self.graph = graph
        self.parameters = parameters
        self.schedule = schedule
        self.data = data
        self.heldOut = heldOut
        self.empty = empty
        self.settings = settings
        recomputes = recomputing
    }

    package var rowCount: Int { data.count }
    package var validationCount: Int { 2 * heldOut.count }

    /// A row made ready.
    private struct Item {
        var noisy: Tensor
        var target: Tensor
        var text: Tensor
        var timestep: Int
        var weight: Float
    }

    package func learn(_ rows: [BatchRow], scale: Float) throws -> Double {
        let items = rows.map { row -> Item in
            var generator = row.generator
            let draws = generator.uniformDoubles(count: 4)
            let ways = data.latents[row.row], tellings = data.texts[row.row]
            let latent = ways[min(ways.count - 1, Int(draws[0] * Double(ways.count)))]
            let clean = latent.mean + latent.deviation * generator.normal(shape: latent.mean.shape)
            // Timesteps in strata over the batch: the same distribution with less spread between batches.
            let timestep = min(
                schedule.count - 1,
                Int((Double(row.place) + draws[1]) / Double(row.count) * Double(schedule.count)))
            let noise = generator.normal(shape: clean.shape)
            var text =
                row.isEmpty
                ? empty : tellings[min(tellings.count - 1, Int(draws[2] * Double(tellings.count)))]
            if settings.textNoise > 0, !row.isEmpty {
                text = text + generator.normal(shape: text.shape) * settings.textNoise
            }
            return item(clean, noise, text, timestep)
        }
        let tape = Tape(
            parameters, dropout: settings.dropout, seed: UInt64(rows[0].generator.state.words[0]),
            recomputing: recomputes)
        let loss = self.loss(tape, items)
        let value = loss.scalar
        tape.backward(loss, scale: scale)
        return value
    }

    private func item(_ clean: Tensor, _ noise: Tensor, _ text: Tensor, _ timestep: Int) -> Item {
        let alphaBar = Double(schedule.alphaBars[timestep])
        let signal = Float(alphaBar.squareRoot()), spread = Float((1 - alphaBar).squareRoot())
        let noisy = clean.zip(noise) { signal * $0 + spread * $1 }
        let target =
            switch settings.prediction {
            case .epsilon: noise
            case .velocity: noise.zip(clean) { signal * $0 - spread * $1 }
            case .sample: clean
            }
        return Item(noisy: noisy, target: target, text: text, timestep: timestep, weight: weight(alphaBar))
    }

    private func weight(_ alphaBar: Double) -> Float {
        guard let most = settings.largestRatio else { return 1 }
        let ratio = alphaBar / (1 - alphaBar)
        let cut = min(ratio, most)
        return switch settings.prediction {
        case .epsilon: Float(cut / ratio)
        case .velocity: Float(cut / (ratio + 1))
        case .sample: Float(cut)
        }
    }

    private func loss(_ tape: Tape, _ items: [Item], isWeighted: Bool = true) -> Node {
        let output = graph.predict(
            tape, sample: tape.constant(.stacked(items.map(\.noisy))),
            timesteps: items.map { Float($0.timestep) },
            context: tape.constant(.stacked(items.map(\.text))))
        return tape.meanSquaredError(
            output, .stacked(items.map(\.target)), weights: isWeighted ? items.map(\.weight) : nil)
    }

    /// The plain loss of every row held out at two of ten timesteps, 50, 150, ... 950, with one noise each.
    package func validate() throws -> Double? {
        guard heldOut.count > 0 else { return nil }
        let items = (0..<heldOut.count).flatMap { row -> [Item] in
            [row % 10, (row + 5) % 10].map { stratum in
                let timestep = min(schedule.count - 1, (2 * stratum + 1) * schedule.count / 20)
                let clean = heldOut.latents[row][0].mean
                var generator = Generator(seed: UInt64(1000 * row + timestep))
                return item(clean, generator.normal(shape: clean.shape), heldOut.texts[row][0], timestep)
            }
        }
        var sum = 0.0
        for start in stride(from: 0, to: items.count, by: 16) {
            let part = Array(items[start..<min(start + 16, items.count)])
            sum +=
                loss(Tape(parameters, recording: false), part, isWeighted: false).scalar * Double(part.count)
        }
        return sum / Double(items.count)
    }
}
