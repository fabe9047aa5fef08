import Caching
import Files
import Interpreting
import Models
import OpenedModels
import Results
import SourceText
import Tensors
import Training

/// `fit` and `batches`: training.
enum FitVerb {
    static let all = [fit, batches]

    /// A part that a vocabulary or weights are learnt for.
    private static let kinds = ModelPart.Kind.allCases

    static let on = Slot("on", .table, .named, required: true, "the rows to learn from, with `text` and `image`")
    static let dropText = Slot("drop_text", .number(whole: false), standard: "0.1", in: 0...1, "unet: share of the captions replaced by the empty text")
    static let batch = Slot("batch", .number(whole: true), in: 1...65_536, "rows per step; unet and clip 128, vae 16")

    static let fit = VerbDeclaration(
        "fit", .training, "Trains a part of a model on a table and gives it as a new value.", input: .value,
        slots: [
            Slot("part", .choice(kinds.map(\.rawValue)), .positional, required: true, "what to train"), on,
            Slot("epochs", .number(whole: false), in: 0.001...1_000_000, "how often every row is seen; without `steps` or `minutes`, 30"),
            Slot("steps", .number(whole: true), in: 0...1_000_000_000, "optimiser steps, in place of epochs; none leaves clip at its linear start"),
            Slot("minutes", .number(whole: false), in: 0.001...100_000, "in place of epochs: made into steps once the first have been timed"),
            batch,
            Slot("rate", .number(whole: false), in: 0...1_000_000, "the highest learning rate; unet 0.0005, vae and clip 0.001"),
            Slot("schedule", .choice(RateSchedule.Shape.allCases.map(\.rawValue)), standard: "linear", "how the rate runs to the end"),
            Slot("warmup", .number(whole: true), standard: "100", in: 0...1_000_000, "steps in which the rate climbs from zero"),
            Slot("decay", .number(whole: false), in: 0...10, "weight decay of AdamW; clip 0.1, else 0.01"),
            Slot("norm", .number(whole: false), standard: "1", in: 0...1_000_000, "gradients of a greater norm are scaled down to it; 0 leaves them"),
            Slot("average", .list, "moving averages of the weights: decays such as 0.999, or `no`; from 0.05 and 0.1 of the run's length the better is kept"),
            Slot(
                "keep", .choice(TrainingSettings.Keep.allCases.map(\.rawValue)), standard: "training",
                "the weights of the lowest training loss, of the lowest loss over rows held out, or the last"),
            Slot("held", .number(whole: false), standard: "0.1", in: 0...0.9, "share of the captions held out for `keep=validation`"),
            dropText,
            Slot("variants", .boolean, standard: "no", "unet: captions also as their name or their definition alone"),
            Slot("dropout", .number(whole: false), standard: "0", in: 0...0.9, "unet and clip: share of activations set to zero"),
            Slot("min_snr", .number(whole: false), in: 0.01...1000, "unet: cuts the weight of timesteps with little noise at this signal-to-noise ratio"),
            Slot("text_noise", .number(whole: false), standard: "0", in: 0...10, "unet: noise on the encoder states"),
            Slot("flip", .boolean, standard: "yes", "half of the pictures mirrored"),
            Slot("shift", .number(whole: true), in: 0...64, "vae and clip: pixels that pictures are moved at most; clip 2, vae 0"),
            Slot("recolour", .number(whole: false), in: 0...1, "vae and clip: share of pictures in other colours; clip 0.5, vae 0"),
            Slot("tune", .choice(["all", "decoder"]), standard: "all", "vae: what learns; with the decoder alone, latents made before keep their meaning"),
            Slot("absolute", .number(whole: false), standard: "1", in: 0...1000, "vae: weight of the mean absolute difference"),
            Slot("squared", .number(whole: false), standard: "0.5", in: 0...1000, "vae: weight of the mean squared difference"),
            Slot("edges", .number(whole: false), standard: "0.5", in: 0...1000, "vae: weight of the difference of neighbouring pixels' differences"),
            Slot("divergence", .number(whole: false), standard: "0.000001", in: 0...1000, "vae: weight of the latents' divergence from a normal distribution"),
            Slot(
                "start", .choice(["as_is", "linear"]), standard: "as_is",
                "clip: what the training begins with: the weights as they are, or a ridge regression from words to pictures (one patch per picture)"),
            Slot("appearance", .number(whole: false), standard: "1", in: 0...1000, "clip: weight of agreeing with thumbnails, colours and silhouettes"),
            Slot("pairs", .number(whole: false), standard: "0.5", in: 0...1000, "clip: weight of texts and pictures finding each other"),
            Slot("word_dropout", .number(whole: false), standard: "0.5", in: 0...0.95, "clip: share of words left out"),
            Slot("chunk", .number(whole: true), in: 1...4096, "rows that go through the network at once; gradients add up over the batch"),
            Slot("seed", .number(whole: true), standard: "0", in: 0...4_294_967_295, "of the order and of all draws"),
        ],
        notes: [
            "`fit unet` works on a whole model and gives a whole model; the others on `new tokenizer`, `new clip`, `new vae`. The input is never changed.",
            "A training keeps checkpoints beside the item cache. Ctrl-C stops after the current step, and the same line goes on to the same numbers; once it is finished the same line gives the stored result.",
            "The value's field `curve` is a table with `step`, `epoch`, `loss`, `validation` and `rate`.",
        ],
        columns: .other(.model),
        examples: [
            "train = dataset monsters split=train | first 40; new tokenizer size=600 | fit tokenizer on=train",
            "train = dataset monsters split=train | first 8; new vae channels=8,16 layers=1 attention=no | fit vae on=train batch=4 steps=3",
        ], computes: ["encode", "text encoder"]
    ) { invocation in
        guard case .model(let handle) = invocation.input else {
            throw Complaint(
                .wrongInput, "`fit` works on a part or a model, and this is \(invocation.input?.kind.phrase ?? "nothing")", label: "no model",
                help: "begin with `new`: `new vae channels=32,64 | fit vae on=train`")
        }
        let kind = ModelPart.Kind(rawValue: invocation.arguments.text("part") ?? "") ?? .unet
        guard let table = invocation.arguments.table("on"), table.rowCount > 0 else {
            throw Complaint(.emptyTable, "there is nothing to learn from: the table is empty", label: "no rows", slot: "on")
        }
        if let partial = table.partial {
            throw Complaint(.partialValue, "the table to learn from is not finished", label: partial.message, slot: "on")
        }
        try refuseOthers(kind, invocation)
        if invocation.arguments.integer("steps") == 0, invocation.arguments.text("start") != "linear" {
            throw Complaint(
                .outOfRange, "without a step nothing is learnt", label: "at least 1", slot: "steps", help: "`fit clip start=linear steps=0` is the exception")
        }
        if kind == .unet {
            guard let model = handle as? LoadedModel else {
                throw Complaint(
                    .wrongInput, "`fit unet` works on a whole model", label: handle.name,
                    help: "a UNet learns on a VAE's latents and a CLIP's texts: `new model unet= vae= clip= | fit unet on=train`")
            }
            return .model(try UNetFitting(invocation, model, table).run())
        }
        guard let part = handle as? ModelPart, part.kind == kind else {
            throw Complaint(
                .wrongInput, "`fit \(kind.rawValue)` works on `new \(kind.rawValue)`, and this is \((handle as? ModelPart)?.kind.phrase ?? "a whole model")",
                label: "another part")
        }
        switch kind {
        case .tokenizer: return .model(try tokenizer(part, table, invocation))
        case .vae: return .model(try AutoencoderFitting(invocation, part, table).run())
        default: return .model(try ContrastiveFitting(invocation, part, table).run())
        }
    }

    /// Options that mean something for these parts only.
    private static let takers: [String: [ModelPart.Kind]] = [
        "drop_text": [.unet], "variants": [.unet], "min_snr": [.unet], "text_noise": [.unet], "dropout": [.unet, .clip], "shift": [.vae, .clip],
        "recolour": [.vae, .clip], "tune": [.vae], "absolute": [.vae], "squared": [.vae], "edges": [.vae], "divergence": [.vae], "appearance": [.clip],
        "start": [.clip],
        "pairs": [.clip],
        "word_dropout": [.clip],
    ]

    private static func refuseOthers(_ kind: ModelPart.Kind, _ invocation: Invocation) throws {
        for slot in invocation.arguments.given.sorted() where slot != "part" && slot != "on" {
            let kinds = takers[slot] ?? [.clip, .vae, .unet]
            guard kinds.contains(kind) else {
                throw Complaint(
                    .unknownOption, "`fit \(kind.rawValue)` has no option `\(slot)`",
                    label: "for " + kinds.map { "`fit \($0.rawValue)`" }.joined(separator: ", "), slot: slot)
            }
        }
    }

    private static func tokenizer(_ part: ModelPart, _ table: Table, _ invocation: Invocation) throws -> ModelPart {
        let texts = try TrainingRows.texts(table, invocation)
        var builder = ItemKeyBuilder(verb: "fit tokenizer", version: 1)
        builder.add("configuration", part.configuration.text)
        for text in texts { builder.add("text", text) }
        let length = part.configuration["model_max_length"]?.int ?? 77
        var learnt = part.configuration.object ?? [:]
        let modelStore = try ModelStore(invocation.session)
        let folder = try modelStore.folder(builder.key()) { path in
            let vocabulary = LearntVocabulary(of: texts, size: part.configuration["vocab_size"]?.int ?? LearntVocabulary.smallest)
            try vocabulary.write(to: path, maximumLength: length)
        }
        learnt["vocab_size"] = .number(Double(try Tokenizer(folder: folder).tokenCount))
        return try ModelPart(.tokenizer, .object(learnt), source: modelStore.source(folder))
    }

    static let batches = VerbDeclaration(
        "batches", .training, "Shows the rows in the order in which `fit` sees them, a row for each of one epoch.", input: .table,
        slots: [
            Slot("batch", .number(whole: true), standard: "128", in: 1...65_536, "rows per step"), dropText,
            Slot("seed", .number(whole: true), standard: "0", in: 0...4_294_967_295, "as given to `fit`"),
        ],
        adds: ["step", "empty"],
        notes: ["`step` counts from 0; `empty` says whether `fit unet` replaces the caption by the empty text."],
        columns: .kept,
        examples: [
            "dataset monsters split=train | first 12 | batches batch=4 drop_text=0.3 seed=1 | select step item text empty | table",
            "items text=\"a red dragon\",\"a blue dragon\" | batches batch=1 | table",
        ]
    ) { invocation in
        let table = try invocation.table()
        guard table.rowCount > 0 else { return .table(table) }
        let order = BatchOrder(
            rowCount: table.rowCount, batch: min(invocation.arguments.integer("batch") ?? 128, table.rowCount),
            emptyShare: invocation.arguments.number("drop_text") ?? 0, seed: invocation.arguments.integer("seed") ?? 0)
        let rows = (0..<order.stepsPerEpoch).flatMap { step in order.rows(step: step).map { (step: step, row: $0) } }
        var result = table.rows(rows.map(\.row.row))
        try invocation.add(Column("step", numbers: rows.map { Double($0.step) }), to: &result)
        try invocation.add(Column("empty", rows.map { .boolean($0.row.isEmpty) }), to: &result)
        result.record(invocation.step())
        return .table(result)
    }
}
