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

/// `fit clip`.
struct ContrastiveFitting {
    private let invocation: Invocation
    private let part: ModelPart
    private let rows: TrainingRows

    init(_ invocation: Invocation, _ part: ModelPart, _ table: Table) throws {
        self.invocation = invocation
        self.part = part
        rows = try TrainingRows(table, invocation, texts: true)
        guard rows.texts.count > 1 else {
            throw Complaint(
                .wrongInput, "one row cannot be told from others", label: "at least two are needed",
                slot: "on")
        }
    }

    func run() throws -> ModelPart {
        let fitting = Fitting(invocation: invocation, kind: .clip)
        var builder = ItemKeyBuilder(verb: "fit clip", version: 2)
        builder.add("part", try part.digest)
        fitting.add(to: &builder)
        rows.add(to: &builder)
        let key = try builder.key()
        let modelStore = try ModelStore(invocation.session)
        if try fitting.isPlanned(key, modelStore, parameters: part.parameterCount, rows: rows.pictures.count)
        {
            return part
        }
        guard let words = part.tokenizer else {
            throw Complaint(.wrongInput, "this CLIP has no tokenizer", label: "`new clip tokenizer=`")
        }
        let tokenizer = try words.openedTokenizer()
        func train() throws -> (outcome: Trainer.Outcome, rows: Int) {
            let (text, vision) = try CLIP.configurations(part.configuration, place: "new clip")
            let (learnt, heldOut) = try fitting.split(rows.texts)
            let settings = try fitting.settings(rows: learnt.count, parameters: part.parameterCount)
            let pictures = rows.pictures.map { picture in
                picture.shape[1] == vision.imageSize && picture.shape[2] == vision.imageSize
                    ? picture
                    : picture.reshaped([1] + picture.shape).interpolated(
                        height: vision.imageSize, width: vision.imageSize, .bilinear, antialias: true)[0]
            }
            func row(_ index: Int) -> ContrastiveObjective.Row {
                .init(text: rows.texts[index], picture: pictures[index])
            }
            let length = min(tokenizer.maximumLength, text.maximumLength)
            let parameters = Parameters(try part.weights())
            if invocation[FitSlots.CLIP.start] == .linear {
                let start = try LinearStart(
                    text: text, vision: vision, texts: learnt.map { tokenizer.encode(rows.texts[$0]) },
                    pictures: learnt.map { pictures[$0] },
                    mirrors: invocation[FitSlots.flip], seed: settings.seed)
                // In any order: each has a parameter of its own.
                for (name, tensor) in start.weights { parameters[name] = tensor }
            }
            let objective = ContrastiveObjective(
                CLIPGraph(text: text, vision: vision), parameters, rows: learnt.map(row),
                heldOut: heldOut.map(row),
                settings: .init(
                    pairs: Float(invocation[FitSlots.CLIP.pairs]),
                    appearance: Float(invocation[FitSlots.CLIP.appearance]),
                    dropout: Float(invocation[FitSlots.dropout]),
                    pictures: PictureChange(
                        mirrors: invocation[FitSlots.flip], shift: invocation[FitSlots.shift]),
                    recolour: invocation[FitSlots.recolour],
                    captions: CaptionChange(wordDropout: invocation[FitSlots.CLIP.wordDropout])),
                tokens: { tokenizer.padded($0, to: length).ids },
                normalisation: ([0.5, 0.5, 0.5], [0.5, 0.5, 0.5]))
            let order = BatchOrder(rowCount: learnt.count, batch: settings.batch, seed: settings.seed)
            let outcome = try fitting.run(objective, settings, order: order, key: key, modelStore: modelStore)
            fitting.tell(outcome)
            return (outcome, learnt.count)
        }
        let folder = try modelStore.folder(key, made: train) { made, path in
            try ModelPart.write(.clip, part.configuration, made.outcome.weights, to: path)
            try TrainingRecord.write(
                made.outcome.curve,
                fitting.facts(made.outcome, parameters: part.parameterCount, rows: made.rows), to: path)
        }
        return try ModelPart(.clip, part.configuration, source: modelStore.source(folder), tokenizer: words)
    }
}
