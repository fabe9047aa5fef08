package import Autodiff
internal import Kernels
internal import Models
package import Tensors

/// Trains an autoencoder: pictures through a draw of their latents and back (Kingma and Welling 2014; Rombach
/// et al. 2022, without a discriminator).
package final class ReconstructionObjective: Objective {
    /// Weights of the loss's parts.
    package struct Weights: Sendable, Hashable {
        /// Mean absolute and mean squared difference, and mean absolute difference of neighbouring pixels'
        /// differences.
        package var absolute: Float
        package var squared: Float
        package var edges: Float
        /// Of the divergence from a unit normal distribution, summed over an item's latents.
        package var divergence: Float

        package init(absolute: Float, squared: Float, edges: Float, divergence: Float) {
            (self.absolute, self.squared, self.edges, self.divergence) = (
                absolute, squared, edges, divergence
            )
        }
    }

    package let parameters: Parameters
    /// An encoder that stays as it is, where only the decoder learns: latents made before keep their meaning.
    private let frozen: Parameters?
    package let isSumOfRows = true
    private let graph: AutoencoderGraph
    private let pictures: [Tensor]
    private let heldOut: [Tensor]
    private let weights: Weights
    private let change: PictureChange

    /// - Parameters:
    ///   - parameters: what learns, all or the decoder's.
    ///   - frozen: the encoder's parameters where they are not among them.
    ///   - pictures: each `[3, height, width]` in 0...1, all of one size.
    package init(
        _ graph: AutoencoderGraph, _ parameters: Parameters, frozen: Parameters? = nil, pictures: [Tensor],
        heldOut: [Tensor], weights: Weights,
        change: PictureChange
    ) {
        self.graph = graph
        self.parameters = parameters
        self.frozen = frozen
        self.pictures = pictures
        self.heldOut = heldOut
        self.weights = weights
        self.change = change
    }

    package var rowCount: Int { pictures.count }
    package var validationCount: Int { heldOut.count }

    package func learn(_ rows: [BatchRow], scale: Float) throws -> Double {
        var noises: [Tensor] = []
        let factor = graph.configuration.factor
        let images = rows.map { row in
            var generator = row.generator
            let image = PictureChange.apply(change.draw(&generator), to: pictures[row.row])
            noises.append(
                generator.normal(shape: [
                    image.shape[1] / factor, image.shape[2] / factor, graph.configuration.latentChannels,
                ]))
            return image * 2 - 1
        }
        let target = Tensor.stacked(images).channelsLast
        let tape = Tape(parameters)
        let (mean, logVariance) = encoded(tape, target)
        let decoded = graph.decode(
            tape, tape.sampled(mean: mean, logVariance: logVariance, noise: .stacked(noises)))
        let loss = self.loss(tape, decoded, target, mean, logVariance)
        let value = loss.scalar
        tape.backward(loss, scale: scale)
        return value
    }

    private func encoded(_ tape: Tape, _ pictures: Tensor) -> (mean: Node, logVariance: Node) {
        guard let frozen else { return graph.encode(tape, tape.constant(pictures)) }
        let aside = Tape(frozen, recording: false)
        let (mean, logVariance) = graph.encode(aside, aside.constant(pictures))
        return (tape.constant(mean.value), tape.constant(logVariance.value))
    }

    private func loss(_ tape: Tape, _ decoded: Node, _ target: Tensor, _ mean: Node, _ logVariance: Node)
        -> Node
    {
        var parts: [(weight: Float, loss: Node)] = []
        if weights.absolute > 0 { parts.append((weights.absolute, tape.meanAbsoluteError(decoded, target))) }
        if weights.squared > 0 { parts.append((weights.squared, tape.meanSquaredError(decoded, target))) }
        if weights.edges > 0 { parts.append((weights.edges, tape.meanEdgeError(decoded, target))) }
        if weights.divergence > 0, frozen == nil {
            parts.append((weights.divergence, tape.divergence(mean: mean, logVariance: logVariance)))
        }
        return tape.total(parts)
    }

    /// The same loss without chance: the mean of the latents, pictures as they are.
    package func validate() throws -> Double? {
        guard !heldOut.isEmpty else { return nil }
        var sum = 0.0
        for start in stride(from: 0, to: heldOut.count, by: 16) {
            let part = heldOut[start..<min(start + 16, heldOut.count)].map { $0 * 2 - 1 }
            let target = Tensor.stacked(part).channelsLast
            let tape = Tape(parameters, recording: false)
            let (mean, logVariance) = encoded(tape, target)
            sum += loss(tape, graph.decode(tape, mean), target, mean, logVariance).scalar * Double(part.count)
        }
        return sum / Double(heldOut.count)
    }
}
