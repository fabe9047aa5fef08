package import Autodiff
internal import Models
package import Tensors

/// Trains both towers of a CLIP on pairs (Radford et al. 2021); equal captions count as matches of each
/// other. For small data the towers can be told to agree with what pictures look like (`Appearance`) as well
/// as with each other.
package final class ContrastiveObjective: Objective {
    package struct Row: Sendable {
        package var text: String
        /// `[3, size, size]` in 0...1.
        package var picture: Tensor

        package init(text: String, picture: Tensor) { (self.text, self.picture) = (text, picture) }
    }

    package struct Settings: Sendable, Hashable {
        /// Of the pictures' and texts' own contrastive loss.
        package var pairs: Float
        /// Of the texts' contrastive loss against appearances, and twice that of the pictures' distance from
        /// theirs; 0 leaves them out.
        package var appearance: Float
        package var dropout: Float
        package var pictures: PictureChange
        /// Colours are changed for the pictures' own task only: a caption that names a colour would be wrong
        /// afterwards.
        package var recolour: Double
        package var captions: CaptionChange

        package init(
            pairs: Float, appearance: Float, dropout: Float, pictures: PictureChange, recolour: Double,
            captions: CaptionChange
        ) {
            self.pairs = pairs
            self.appearance = appearance
            self.dropout = dropout
            self.pictures = pictures
            self.recolour = recolour
            self.captions = captions
        }
    }

    package let parameters: Parameters
    package let isSumOfRows = false
    private let graph: CLIPGraph
    private let rows: [Row]
    private let heldOut: [Row]
    private let settings: Settings
    private let appearance: Appearance?
    private let tokens: (String) -> [Int]
    /// From 0...1 to what the network takes: (value - mean) / deviation, per channel.
    private let normalisation: (mean: [Float], deviation: [Float])

    /// - Parameter tokens: a text's ids, padded to one length.
    package init(
        _ graph: CLIPGraph, _ parameters: Parameters, rows: [Row], heldOut: [Row], settings: Settings,
        tokens: @escaping (String) -> [Int],
        normalisation: (mean: [Float], deviation: [Float])
    ) {
        self.graph = graph
        self.parameters = parameters
        self.rows = rows
        self.heldOut = heldOut
        self.settings = settings
        self.tokens = tokens
        self.normalisation = normalisation
        appearance =
            settings.appearance > 0
            ? Appearance(of: rows.map(\.picture), directions: graph.text.projectionWidth) : nil
    }

    package var rowCount: Int { rows.count }
    package var validationCount: Int { heldOut.count }

    package func learn(_ batch: [BatchRow], scale: Float) throws -> Double {
        var texts: [String] = [], plain: [Tensor] = [], recoloured: [Tensor] = []
        for item in batch {
            var generator = item.generator
            let row = rows[item.row]
            let picture = PictureChange.apply(settings.pictures.draw(&generator), to: row.picture)
            texts.append(settings.captions(row.text, &generator))
            plain.append(picture)
            let colours = PictureChange(mirrors: false, recolour: settings.recolour)
            recoloured.append(PictureChange.apply(colours.draw(&generator), to: picture))
        }
        let tape = Tape(
            parameters, dropout: settings.dropout, seed: UInt64(batch[0].generator.state.words[0]))
        var groups: [String: Int] = [:]
        let labels = batch.map { item in
            let text = rows[item.row].text
            if let known = groups[text] { return known }
            groups[text] = groups.count
            return groups.count - 1
        }
        let told = graph.textFeatures(tape, texts.map(tokens))
        var parts: [(weight: Float, loss: Node)] = []
        let logScale = tape.scalar("logit_scale")
        if settings.pairs > 0 {
            parts.append(
                (
                    settings.pairs,
                    tape.contrastiveLoss(
                        told, graph.imageFeatures(tape, pixels(tape, plain)), logScale: logScale,
                        groups: labels)
                ))
        }
        if let appearance, settings.appearance > 0 {
            // A fixed scale: these targets are not learnt, so nothing keeps a learnt one from growing.
            let fixed = tape.constant(Tensor(shape: [], values: [2.3]))
            let looks = tape.constant(target(appearance, plain))
            parts.append(
                (settings.appearance, tape.contrastiveLoss(told, looks, logScale: fixed, groups: labels)))
            let seen = graph.imageFeatures(tape, pixels(tape, recoloured))
            parts.append((2 * settings.appearance, tape.cosineError(seen, target(appearance, recoloured))))
        }
        let loss = tape.total(parts)
        let value = loss.scalar
        tape.backward(loss, scale: scale)
        return value
    }

    /// The contrastive loss between the towers over all rows held out.
    package func validate() throws -> Double? {
        guard heldOut.count > 1 else { return nil }
        let tape = Tape(parameters, recording: false)
        let told = graph.textFeatures(tape, heldOut.map { tokens($0.text) })
        let seen = graph.imageFeatures(tape, pixels(tape, heldOut.map(\.picture)))
        return tape.contrastiveLoss(told, seen, logScale: tape.constant(Tensor(shape: [], values: [2.3])))
            .scalar
    }

    private func pixels(_ tape: Tape, _ pictures: [Tensor]) -> Node {
        let (mean, deviation) = normalisation
        let area = pictures[0].shape[1] * pictures[0].shape[2]
        let prepared = pictures.map { picture in
            picture.withUnsafePointer { source in
                Tensor(shape: picture.shape) { out in
                    for channel in 0..<3 {
                        for i in channel * area..<(channel + 1) * area {
                            out[i] = (source[i] - mean[channel]) / deviation[channel]
                        }
                    }
                }
            }
        }
        return tape.constant(Tensor.stacked(prepared).channelsLast)
    }

    /// Filled up with zeros where the network projects to more numbers than there are directions.
    private func target(_ appearance: Appearance, _ pictures: [Tensor]) -> Tensor {
        let width = graph.text.projectionWidth
        return Tensor(
            shape: [pictures.count, width],
            values: pictures.flatMap { picture in
                let looks = appearance(picture)
                return looks + [Float](repeating: 0, count: width - looks.count)
            })
    }
}
