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

    static let fit = VerbDeclaration(
        "fit", .training, "Trains a part of a model on a table and gives it as a new value.", input: .value,
        slots: FitSlots.all,
        notes: [
            """
            `fit unet` works on a whole model and gives a whole model; the others on `new tokenizer`, \
            `new clip`, `new vae`. The input is never changed.
            """,
            """
            A training keeps checkpoints beside the item cache. Ctrl-C stops after the current step, and \
            the same line goes on to the same numbers; once it is finished the same line gives the \
            stored result.
            """,
            "The value's field `curve` is a table with `step`, `epoch`, `loss`, `validation` and `rate`.",
        ],
        columns: .other(.model),
        examples: [
            """
            train = dataset monsters split=train | first 40; new tokenizer size=600 | fit tokenizer \
            on=train
            """,
            """
            train = dataset monsters split=train | first 8; new vae channels=8,16 layers=1 attention=no \
            | fit vae on=train batch=4 steps=3
            """,
        ], computes: ["encode", "text encoder"]
    ) { invocation in
        guard case .model(let handle) = invocation.input else {
            throw Complaint(
                .wrongInput,
                """
                `fit` works on a part or a model, and this is \
                \(invocation.input?.kind.phrase ?? "nothing")
                """, label: "no model",
                help: "begin with `new`: `new vae channels=32,64 | fit vae on=train`")
        }
        let kind = invocation[FitSlots.part], table = invocation[FitSlots.on]
        guard table.rowCount > 0 else {
            throw Complaint(
                .emptyTable, "there is nothing to learn from: the table is empty", label: "no rows",
                slot: "on")
        }
        if let partial = table.partial {
            throw Complaint(
                .partialValue, "the table to learn from is not finished", label: partial.message, slot: "on")
        }
        if invocation[FitSlots.steps] == 0, invocation[FitSlots.CLIP.start] != .linear {
            throw Complaint(
                .outOfRange, "without a step nothing is learnt", label: "at least 1", slot: "steps",
                help: "`fit clip start=linear steps=0` is the exception")
        }
        if kind == .unet {
            guard let model = handle as? LoadedModel else {
                throw Complaint(
                    .wrongInput, "`fit unet` works on a whole model", label: handle.name,
                    help: """
                        a UNet learns on a VAE's latents and a CLIP's texts: `new model unet= vae= clip= | \
                        fit unet on=train`
                        """)
            }
            return .model(try UNetFitting(invocation, model, table).run())
        }
        guard let part = handle as? ModelPart, part.kind == kind else {
            throw Complaint(
                .wrongInput,
                """
                `fit \(kind.rawValue)` works on `new \(kind.rawValue)`, and this is \
                \((handle as? ModelPart)?.kind.phrase ?? "a whole model")
                """,
                label: "another part")
        }
        switch kind {
        case .tokenizer: return .model(try tokenizer(part, table, invocation))
        case .vae: return .model(try AutoencoderFitting(invocation, part, table).run())
        default: return .model(try ContrastiveFitting(invocation, part, table).run())
        }
    }

    private static func tokenizer(_ part: ModelPart, _ table: Table, _ invocation: Invocation) throws
        -> ModelPart
    {
        let texts = try TrainingRows.texts(table, invocation)
        var builder = ItemKeyBuilder(verb: "fit tokenizer", version: 1)
        builder.add("configuration", part.configuration.text)
        for text in texts { builder.add("text", text) }
        let length = part.configuration["model_max_length"]?.int ?? 77
        var learnt = part.configuration.object ?? [:]
        let modelStore = try ModelStore(invocation.session)
        let folder = try modelStore.folder(builder.key()) { path in
            let vocabulary = LearntVocabulary(
                of: texts, size: part.configuration["vocab_size"]?.int ?? LearntVocabulary.smallest)
            try vocabulary.write(to: path, maximumLength: length)
        }
        learnt["vocab_size"] = .number(Double(try Tokenizer(folder: folder).tokenCount))
        return try ModelPart(.tokenizer, .object(learnt), source: modelStore.source(folder))
    }

    private static let batch = Slot("batch", .whole, default: 128, in: 1...65_536, "rows per step")
    private static let seed = Slot("seed", .whole, default: 0, in: 0...4_294_967_295, "as given to `fit`")

    static let batches = VerbDeclaration(
        "batches", .training,
        "Shows the rows in the order in which `fit` sees them, a row for each of one epoch.", input: .table,
        slots: [batch, FitSlots.dropText, seed],
        adds: ["step", "empty"],
        notes: [
            "`step` counts from 0; `empty` says whether `fit unet` replaces the caption by the empty text."
        ],
        columns: .kept,
        examples: [
            """
            dataset monsters split=train | first 12 | batches batch=4 drop_text=0.3 seed=1 | select step \
            item text empty | table
            """,
            "items text=\"a red dragon\",\"a blue dragon\" | batches batch=1 | table",
        ]
    ) { invocation in
        let table = try invocation.table()
        guard table.rowCount > 0 else { return .table(table) }
        let order = BatchOrder(
            rowCount: table.rowCount, batch: min(invocation[batch], table.rowCount),
            emptyShare: invocation[FitSlots.dropText],
            seed: invocation[seed])
        let rows = (0..<order.stepsPerEpoch).flatMap { step in
            order.rows(step: step).map { (step: step, row: $0) }
        }
        var result = table.rows(rows.map(\.row.row))
        try invocation.add(Column("step", numbers: rows.map { Double($0.step) }), to: &result)
        try invocation.add(Column("empty", rows.map { .boolean($0.row.isEmpty) }), to: &result)
        result.record(invocation.step())
        return .table(result)
    }
}
