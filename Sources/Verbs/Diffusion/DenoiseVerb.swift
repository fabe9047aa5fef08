import Caching
import Diffusion
import Interpreting
import ItemWork
import Models
import Networks
import OpenedModels
import Results
import SourceText
import Tensors

/// `denoise`: the remaining steps of each row's schedule.
enum DenoiseVerb {
    static let guidance = Slot(
        "guidance", .number, default: 7.5, in: 0...1000,
        """
        how far to go from the empty prompt's prediction beyond the text's; 1 or less runs without the \
        empty prompt
        """)
    static let steps = Slot("steps", .whole, in: 1...1000, "how many of the remaining steps to take")
    static let every = Slot(
        "every", .whole, in: 1...1000, role: .addsColumn("left"),
        "keeps a row per so many steps, with the column `left`")
    private static let negative = Slot(
        "negative", .text, default: "", "what to lead away from, in place of the empty prompt")

    static let denoise = VerbDeclaration(
        "denoise", .diffusion, "Takes the remaining steps, or some of them, with classifier-free guidance.",
        input: .table,
        slots: [guidance, steps, negative, every, LoadedModel.using],
        adds: ["latent", "calls"], replaces: true,
        notes: [
            """
            The text is `embedding` if there is such a column, else `text` is encoded. `calls` counts \
            how often the network was asked, from the start of the schedule.
            """,
            "Ctrl-C stops before the next step and keeps the rows that are finished.",
        ],
        columns: .kept, reads: [.latent],
        examples: [
            """
            model = load monsters; "a red dragon" | noise of=4 seed=1 | denoise guidance=7.5 | decode | \
            show
            """,
            """
            model = load monsters; "a red dragon" | noise of=4 seed=1 | denoise every=2 | decode | grid \
            generated cols=left
            """,
        ], computes: ["denoise", "text encoder"]
    ) { invocation in
        let table = try invocation.table()
        let model = try invocation.model()
        let latents = try invocation.latents(table, for: model)
        for latent in latents {
            guard let run = latent.run else {
                throw Complaint(
                    .latentWithoutSchedule, "this latent is on no schedule: it \(latent.origin.rawValue)",
                    label: "nothing says how much noise it has",
                    help: "`noise K of=N` puts it on one; `noise 0 of=N left=K` does so without adding noise")
            }
            guard !run.isFinished else {
                throw Complaint(
                    .noStepsLeft, "no steps are left: these latents are denoised",
                    label: "all \(run.steps) steps are taken",
                    help: "add noise first: `noise 40 of=70`")
            }
        }
        let left = latents.map { $0.run?.left ?? 0 }.max() ?? 0
        let turns = invocation[every].map { max(1, min(left, invocation[steps] ?? left) / $0) } ?? 1
        if let shape = latents.first?.tensor.shape {
            try Reckoning.tensors(MemoryBudget.product([latents.count, turns]), shape, "latent")
        }
        let conditions = try Conditions(invocation, table, model, negative: invocation[negative])
        // Many steps follow the first: it packs the network's weights.
        let (kept, stopped) = try WeightUse.$current.withValue(.often) {
            try DenoisingWork(invocation, table, model, latents, conditions).run()
        }
        let rows = kept.flatMap { row, turns in turns.map { (row, $0) } }
        var result = table.rows(rows.map(\.0))
        result.partial = table.finished(kept.map(\.row), steps: stopped).partial
        result.set(Column("latent", rows.map { .latent($0.1) }))
        result.set(Column("calls", numbers: rows.map { Double($0.1.run?.index ?? 0) }))
        if invocation.gives(every) {
            result.set(Column("left", numbers: rows.map { Double($0.1.run?.left ?? 0) }))
        }
        result.record(invocation.step(remark: "model \(model.name)"))
        return .table(result)
    }
}

/// The texts of a table's rows as the network is told them.
struct Conditions {
    /// One per row.
    var texts: [Embedding]
    /// The empty prompt, or what stands in for it.
    var empty: Embedding

    /// - Parameter negative: what stands in for the empty prompt.
    init(_ invocation: Invocation, _ table: Table, _ model: LoadedModel, negative: String) throws {
        // All texts together: the encoder's weights are read once.
        let encoded: [Embedding]
        if let column = table.column("embedding") {
            encoded = try model.embeddings(of: [negative], in: invocation.session)
            texts = try column.values.enumerated().map { row, value in
                switch value {
                case .embedding(let embedding): return embedding
                case .tensor(let tensor): return Embedding(states: tensor)
                default:
                    throw Complaint(
                        .wrongType, "row \(row) of `embedding` is \(value.kind.phrase)",
                        label: "embeddings are needed")
                }
            }
        } else {
            let prompts = try invocation.texts(
                "text", of: table, cure: "give each row a text, or an `embedding`")
            encoded = try model.embeddings(of: [negative] + prompts, in: invocation.session) {
                $0 > 0 ? table.itemPhrase($0 - 1) : "the empty or negative prompt"
            }
            texts = Array(encoded.dropFirst())
        }
        guard let first = encoded.first else {
            throw EngineError(.text, "the text encoder gave nothing for the empty prompt")
        }
        empty = first
        for (row, text) in texts.enumerated() where text.states.shape != empty.states.shape {
            throw Complaint(
                .differentLengths,
                """
                the embedding of row \(row) has the shape \(text.states.shape.shapeText), the text \
                encoder of \(model.name) gives \(empty.states.shape.shapeText)
                """,
                label: "they must agree")
        }
    }

    /// Keys and values for some rows: the empty prompt first, then each row's text.
    func conditioning(_ unet: UNet, rows: some Sequence<Int>, withEmpty: Bool) throws -> Conditioning {
        try unet.conditioning(.stacked((withEmpty ? [empty.states] : []) + rows.map { texts[$0].states }))
    }
}
