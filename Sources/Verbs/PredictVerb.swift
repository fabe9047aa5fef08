import Caching
import Diffusion
import Interpreting
import Models
import Results
import SourceText
import Tensors

/// `predict` and `step`: the two halves of a denoising step, to be put together in the language.
enum PredictVerb {
    static let all = [predict, step]

    static let predict = VerbDeclaration(
        "predict", .diffusion, "Asks the network about each latent: `eps.text` with the row's text, `eps.empty` with the empty prompt.", input: .table,
        slots: [
            Slot("at", .number(whole: false), in: 0...100_000, "the timestep to tell the network; else that of the latent's place in its schedule"),
            Slot("negative", .text, standard: "\"\"", "what to use in place of the empty prompt"),
            Slot("using", .model, "another model than the variable `model`"),
        ],
        adds: ["eps.text", "eps.empty"], replaces: true,
        notes: [
            "With `at`, the latent goes to the network as it is; without, scaled as its scheduler does. The columns hold what the network gives, noise or velocity."
        ],
        columns: .kept, reads: [.latent],
        examples: [
            "model = load monsters; \"a red dragon\" | noise of=4 scheduler=ddim | predict | with eps=(eps.empty + 7.5*(eps.text - eps.empty)) | step | describe",
            "model = load monsters; \"a red dragon\" | noise of=4 | predict at=500 | describe",
        ]
    ) { invocation in
        var table = try invocation.table()
        let model = try invocation.model()
        let unet = model.model.unet
        let latents = try invocation.latents(table, for: model)
        let conditions = try Conditions(invocation, table, model)
        let at = invocation.arguments.number("at").map { Float($0) }
        let told = try latents.map { latent -> (input: Tensor, timestep: Float) in
            if let at { return (latent.tensor, at) }
            guard let run = latent.run else {
                throw Complaint(
                    .latentWithoutSchedule, "this latent is on no schedule: it \(latent.origin.rawValue)", label: "nothing says at which timestep",
                    help: "say it: `predict at=TIMESTEP`, or put it on a schedule with `noise`")
            }
            guard let timestep = run.timestep else {
                throw Complaint(
                    .noStepsLeft, "no steps are left: these latents are denoised", label: "all \(run.steps) steps are taken", help: "add noise first")
            }
            return (try run.scaledInput(latent.tensor), timestep)
        }
        var texts: [Int: Value] = [:]
        var empties: [Int: Value] = [:]
        var keys: [Int: ItemKey] = [:]
        let store = try ItemStore(invocation, model, [.unet])
        if let store {
            for (row, (input, timestep)) in told.enumerated() {
                let key = try store.key {
                    $0.add("input", input)
                    $0.add("timestep", Double(timestep))
                    $0.add("text", conditions.texts[row].states)
                    $0.add("empty", conditions.empty.states)
                }
                keys[row] = key
                guard let (empty, text) = store.cache.value(key, { (try $0.tensor(), try $0.tensor()) }), empty.shape == input.shape,
                    text.shape == input.shape, empty.isFinite, text.isFinite
                else { continue }
                empties[row] = .tensor(empty)
                texts[row] = .tensor(text)
            }
        }
        let session = invocation.session
        var failures = NumberFailures()
        let known = texts.count
        let missing = told.indices.filter { row in
            guard texts[row] == nil else { return false }
            for (what, tensor) in [("the latent", told[row].input), ("the text's embedding", conditions.texts[row].states)]
            where !tensor.isFinite && invocation.mustBeFinite(tensor) {
                failures.add(what, at: table.itemPhrase(row))
                return false
            }
            return true
        }
        if let plan = session.plan {
            plan.add("predict", cached: known, missing: 0)
            for row in missing {
                let shape = told[row].input.shape
                plan.add("predict", cached: 0, missing: 1, model.work("unet", shape), units: 2)
                texts[row] = .tensor(.unknown(shape))
                empties[row] = texts[row]
            }
        }
        store?.cache.count("predict", cached: known)
        if let shape = missing.first.map({ told[$0].input.shape }), session.plan == nil {
            try Reckoning.tensors(2 * missing.count, shape, "prediction")
            try model.reckonWeights(of: .unet)
        }
        let groups = try Batches.alike(missing.map { told[$0].input.shape }, .max).flatMap { group in
            let size = try model.predictionBatch(of: group.count, told[missing[group[0]]].input.shape, 2, invocation)
            return Batches.ranges(count: group.count, size: size).map { group[$0].map { missing[$0] } }
        }
        session.progress.begin("predict", total: missing.count)
        defer { session.progress.end() }
        do {
            for rows in session.plan == nil ? groups : [] {
                if session.cancellation.isRequested { break }
                let began = ContinuousClock.now
                let conditioning = try conditions.conditioning(unet, rows: rows, withEmpty: true)
                let inputs = rows.map { told[$0].input }
                let times = rows.map { told[$0].timestep }
                let output = try session.abandonable {
                    try unet.predict(
                        .stacked(inputs), timesteps: times, conditioning: conditioning,
                        contexts: Array(repeating: 0, count: rows.count) + Array(1...rows.count))
                }
                for (index, row) in rows.enumerated() {
                    let isFinite = output[index].isFinite && output[rows.count + index].isFinite
                    guard isFinite || told[row].input.isUnknown else {
                        failures.add("the UNet's prediction", at: table.itemPhrase(row), cure: model.cure(for: .unet))
                        continue
                    }
                    empties[row] = .tensor(output[index])
                    texts[row] = .tensor(output[rows.count + index])
                    guard let store, let key = keys[row] else { continue }
                    try store.keep(key) {
                        $0.write(output[index])
                        $0.write(output[rows.count + index])
                    }
                }
                store?.cache.count("predict", computed: rows.count)
                store?.cache.log.note(model.work("unet", inputs[0].shape), units: 2 * rows.count, ContinuousClock.now - began)
                session.progress.advance(by: rows.count)
            }
        } catch  where Stop.place(of: error) != nil {}
        if !session.cancellation.isRequested { try failures.throwIfAny() }
        let done = told.indices.filter { texts[$0] != nil && empties[$0] != nil }
        table = table.finished(done)
        table.set(Column("eps.text", done.map { texts[$0] ?? .none }))
        table.set(Column("eps.empty", done.map { empties[$0] ?? .none }))
        table.record(invocation.step())
        return .table(table)
    }

    static let step = VerbDeclaration(
        "step", .diffusion, "Takes one step of each latent's scheduler, with the network's output from a column.", input: .table,
        slots: [
            Slot("column", .column, .positional, standard: "eps", "the guided prediction"),
            Slot("using", .model, "another model than the variable `model`"),
        ],
        adds: ["latent"], replaces: true, notes: ["Some schedulers ask the network more than once per step; `step` takes one such turn."],
        columns: .kept, reads: [.latent],
        examples: [
            "model = load monsters; \"a red dragon\" | noise of=4 | predict | with eps=(eps.text) | step | describe",
            "model = load monsters; \"a red dragon\" | noise of=4 | predict | step eps.text | describe",
        ]
    ) { invocation in
        var table = try invocation.table()
        let model = try invocation.model()
        let name = invocation.arguments.text("column") ?? "eps"
        let outputs = try invocation.column(name, of: table, slot: "column", cure: "`predict` makes `eps.text` and `eps.empty`; `with eps=(...)` combines them")
        let latents = try invocation.latents(table, for: model).enumerated().map { row, latent -> Value in
            guard let output = try outputs.values[row].elements() else {
                throw Complaint(.wrongType, "row \(row) of `\(name)` is \(outputs.values[row].kind.phrase)", label: "a tensor is needed", slot: "column")
            }
            guard var run = latent.run else {
                throw Complaint(
                    .latentWithoutSchedule, "this latent is on no schedule: it \(latent.origin.rawValue)", label: "there is no step to take",
                    help: "put it on one with `noise`")
            }
            guard !run.isFinished else {
                throw Complaint(
                    .noStepsLeft, "no steps are left: these latents are denoised", label: "all \(run.steps) steps are taken", help: "add noise first")
            }
            var next = latent
            var generator = latent.generator ?? Generator(seed: 0)
            next.tensor = try run.step(output: output, sample: latent.tensor, generator: &generator)
            guard next.tensor.isFinite || !invocation.mustBeFinite(next.tensor) else {
                let cause = !latent.tensor.isFinite ? "the latent" : output.isFinite ? "the latent after the step" : "the prediction in `\(name)`"
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
