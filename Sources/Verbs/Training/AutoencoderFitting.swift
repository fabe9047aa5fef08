import Autodiff
import Caching
import Files
import Interpreting
import Models
import OpenedModels
import Results
import SourceText
import Tensors
import Training

/// `fit vae`.
struct AutoencoderFitting {
    private let invocation: Invocation
    private let part: ModelPart
    private let rows: TrainingRows
    private let configuration: VAEConfiguration

    init(_ invocation: Invocation, _ part: ModelPart, _ table: Table) throws {
        self.invocation = invocation
        self.part = part
        // Captions only decide what is held out; a table without them learns on all rows.
        rows = try TrainingRows(table, invocation, texts: table.has("text"))
        configuration = try VAEConfiguration(part.configuration, place: "new vae")
        guard configuration.inChannels == 3, configuration.outChannels == 3 else {
            throw Complaint(
                .unsupportedFeature, "pictures have 3 channels, this VAE takes \(configuration.inChannels)",
                label: "in_channels")
        }
        guard let first = rows.pictures.first, first.shape[1] % configuration.factor == 0,
            first.shape[2] % configuration.factor == 0
        else {
            let shape = rows.pictures.first?.shape ?? [3, 0, 0]
            throw EngineError(
                .shape,
                """
                pictures of \(shape[2]) x \(shape[1]) pixels do not divide by \(configuration.factor), \
                the factor of \(configuration.blockOutChannels.count) levels
                """
            )
        }
    }

    func run() throws -> ModelPart {
        let fitting = Fitting(invocation: invocation, kind: .vae)
        let tunesDecoder = invocation[FitSlots.VAE.tune] == .decoder
        var builder = ItemKeyBuilder(verb: "fit vae", version: 1)
        builder.add("part", try part.digest)
        fitting.add(to: &builder)
        rows.add(to: &builder)
        let key = try builder.key()
        let modelStore = try ModelStore(invocation.session)
        if try fitting.isPlanned(key, modelStore, parameters: part.parameterCount, rows: rows.pictures.count)
        {
            return part
        }
        func train() throws -> (outcome: Trainer.Outcome, rows: Int) {
            if invocation[FitSlots.keep] == .validation, rows.texts.isEmpty {
                _ = try invocation.column(
                    "text", of: Table(columns: []), slot: "keep", cure: "captions decide what is held out")
            }
            let (learnt, heldOut) = try fitting.split(
                rows.texts.isEmpty ? rows.items.map(String.init) : rows.texts)
            let settings = try fitting.settings(rows: learnt.count, parameters: part.parameterCount)
            let weights = try part.weights()
            let learns = { (name: String) in
                !tunesDecoder || name.hasPrefix("decoder.") || name.hasPrefix("post_quant_conv.")
            }
            let parameters = Parameters(weights.filter { learns($0.name) })
            let frozen = tunesDecoder ? Parameters(weights.filter { !learns($0.name) }) : nil
            func weight(_ slot: Slot<Double>) -> Float { Float(invocation[slot]) }
            let objective = ReconstructionObjective(
                AutoencoderGraph(configuration), parameters, frozen: frozen,
                pictures: learnt.map { rows.pictures[$0] },
                heldOut: heldOut.map { rows.pictures[$0] },
                weights: .init(
                    absolute: weight(FitSlots.VAE.absolute), squared: weight(FitSlots.VAE.squared),
                    edges: weight(FitSlots.VAE.edges),
                    divergence: weight(FitSlots.VAE.divergence)),
                change: PictureChange(
                    mirrors: invocation[FitSlots.flip], shift: invocation[FitSlots.shift],
                    recolour: invocation[FitSlots.recolour]))
            let order = BatchOrder(rowCount: learnt.count, batch: settings.batch, seed: settings.seed)
            var outcome = try fitting.run(objective, settings, order: order, key: key, modelStore: modelStore)
            fitting.tell(outcome)
            let tuned = Dictionary(uniqueKeysWithValues: outcome.weights.map { ($0.name, $0.tensor) })
            outcome.weights = weights.map { ($0.name, tuned[$0.name] ?? $0.tensor) }
            return (outcome, order.rowCount)
        }
        let folder = try modelStore.folder(key, made: train) { made, path in
            // Latents are scaled to unit variance over the training pictures, as Rombach et al. (2022) do.
            let scale = try scalingFactor(made.outcome.weights)
            var members = part.configuration.object ?? [:]
            members["scaling_factor"] = .number(scale)
            members["sample_size"] = .number(Double(rows.pictures[0].shape[1]))
            try ModelPart.write(.vae, .object(members), made.outcome.weights, to: path)
            try TrainingRecord.write(
                made.outcome.curve,
                fitting.facts(made.outcome, parameters: part.parameterCount, rows: made.rows), to: path)
        }
        return try ModelPart(
            .vae, JSON.read(path: FileSystem.join(folder, "config.json")), source: modelStore.source(folder))
    }

    /// One over the standard deviation of the latents' means.
    private func scalingFactor(_ weights: [(name: String, tensor: Tensor)]) throws -> Double {
        let graph = AutoencoderGraph(configuration)
        let parameters = Parameters(weights)
        var sum = 0.0, squares = 0.0, count = 0.0
        for start in stride(from: 0, to: rows.pictures.count, by: 16) {
            let part = rows.pictures[start..<min(start + 16, rows.pictures.count)].map { $0 * 2 - 1 }
            let tape = Tape(parameters, recording: false)
            for value in graph.encode(tape, tape.constant(Tensor.stacked(part).channelsLast)).mean.value
                .values
            {
                sum += Double(value)
                squares += Double(value) * Double(value)
                count += 1
            }
        }
        let variance = squares / count - (sum / count) * (sum / count)
        return variance > 1e-12 ? 1 / variance.squareRoot() : 1
    }
}
