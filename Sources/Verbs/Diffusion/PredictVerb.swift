import Diffusion
import Interpreting
import ItemWork
import Models
import OpenedModels
import Results
import SourceText
import Tensors

/// `predict` and `step`: the two halves of a denoising step, to be put together in the language.
enum PredictVerb {
    static let all = [predict, step]

    static let timestep = Slot(
        "at", .number, in: 0...100_000,
        "the timestep to tell the network; else that of the latent's place in its schedule")
    static let negative = Slot("negative", .text, default: "", "what to use in place of the empty prompt")
    private static let column = Slot("column", .column, .positional, default: "eps", "the guided prediction")

    static let predict = VerbDeclaration(
        "predict", .diffusion,
        """
        Asks the network about each latent: `eps.text` with the row's text, `eps.empty` with the empty \
        prompt.
        """, input: .table,
        slots: [timestep, negative, LoadedModel.using],
        adds: ["eps.text", "eps.empty"], replaces: true,
        notes: [
            """
            With `at`, the latent goes to the network as it is; without, scaled as its scheduler does. \
            The columns hold what the network gives, noise or velocity.
            """
        ],
        columns: .kept, reads: [.latent],
        examples: [
            """
            model = load monsters; "a red dragon" | noise of=4 scheduler=ddim | predict | with \
            eps=(eps.empty + 7.5*(eps.text - eps.empty)) | step | describe
            """,
            "model = load monsters; \"a red dragon\" | noise of=4 | predict at=500 | describe",
        ], computes: ["predict", "text encoder"]
    ) { invocation in
        var table = try invocation.table()
        let model = try invocation.model()
        let latents = try invocation.latents(table, for: model)
        let results = try Prediction(invocation, table, model, latents).results(in: invocation.session)
        table = table.finished(results.finished)
        table.set(Column("eps.text", results.values.compactMap { $0.map { .tensor($0.text) } }))
        table.set(Column("eps.empty", results.values.compactMap { $0.map { .tensor($0.empty) } }))
        table.record(invocation.step())
        return .table(table)
    }

    static let step = VerbDeclaration(
        "step", .diffusion,
        "Takes one step of each latent's scheduler, with the network's output from a column.", input: .table,
        slots: [column, LoadedModel.using],
        adds: ["latent"], replaces: true,
        notes: ["Some schedulers ask the network more than once per step; `step` takes one such turn."],
        columns: .kept, reads: [.latent],
        examples: [
            """
            model = load monsters; "a red dragon" | noise of=4 | predict | with eps=(eps.text) | step | \
            describe
            """,
            "model = load monsters; \"a red dragon\" | noise of=4 | predict | step eps.text | describe",
        ]
    ) { invocation in
        var table = try invocation.table()
        let model = try invocation.model()
        let name = invocation[column]
        let outputs = try invocation.column(
            name, of: table, slot: "column",
            cure: "`predict` makes `eps.text` and `eps.empty`; `with eps=(...)` combines them")
        let latents = try invocation.latents(table, for: model).enumerated().map { row, latent -> Value in
            guard let output = try outputs.values[row].elements() else {
                throw Complaint(
                    .wrongType, "row \(row) of `\(name)` is \(outputs.values[row].kind.phrase)",
                    label: "a tensor is needed", slot: "column")
            }
            guard var run = latent.run else {
                throw Complaint(
                    .latentWithoutSchedule, "this latent is on no schedule: it \(latent.origin.rawValue)",
                    label: "there is no step to take",
                    help: "put it on one with `noise`")
            }
            guard !run.isFinished else {
                throw Complaint(
                    .noStepsLeft, "no steps are left: these latents are denoised",
                    label: "all \(run.steps) steps are taken", help: "add noise first")
            }
            var next = latent
            var generator = latent.generator ?? Generator(seed: 0)
            next.tensor = try run.step(output: output, sample: latent.tensor, generator: &generator)
            guard next.tensor.isFinite || !invocation.mustBeFinite(next.tensor) else {
                let cause =
                    !latent.tensor.isFinite
                    ? "the latent"
                    : output.isFinite ? "the latent after the step" : "the prediction in `\(name)`"
                throw NumberFailures.failure(cause, at: "\(table.itemPhrase(row)), \(latent.stepPhrase)")
            }
            next.generator = generator
            next.run = run
            return .latent(next)
        }
        table.set(Column("latent", latents))
        table.record(invocation.step())
        return .table(table)
    }
}
