import Diffusion
import Interpreting
import ItemWork
import OpenedModels
import Results
import SourceText
import Tensors

/// `noise` and `schedule`: where a denoising begins.
enum NoiseVerb {
    static let all = [noise, schedule]

    private static let added = Slot(
        "k", .whole, .positional, in: 0...1000, atMost: "of", "steps of noise to add; without it, pure noise")
    private static let steps = Slot(
        "of", .whole, required: .named, in: 1...1000, "steps of the whole schedule")
    private static let left = Slot("left", .whole, in: 0...1000, atMost: "of", "steps that remain, if not K")
    private static let size = Slot("size", .size, "of the picture in pixels, if not the model's own")
    private static let scheduler = Slot(
        "scheduler", .choice(SchedulerKind.self), "if not the folder's; it takes over the folder's settings")
    private static let start = Slot(
        "start", .choice(StartMode.self), default: .aligned,
        "how to begin in the middle: on the schedule's own levels, or call for call as diffusers does")
    private static let eta = Slot("eta", .number, in: 0...1, "the share of fresh noise in each step (ddim)")
    private static let karras = Slot(
        "karras", .boolean, "whether the step sizes are those of Karras and others (2022)")

    static let noise = VerbDeclaration(
        "noise", .diffusion,
        "Puts latents on a schedule: pure noise, or so much noise on `latent` that K of N steps remain.",
        input: .table,
        slots: [added, steps, left, Seeds.slot, size, scheduler, start, eta, karras, LoadedModel.using],
        adds: ["latent"], replaces: true,
        notes: [
            "`noise 0 of=70 left=60` denoises a clean latent, which blurs it.",
            """
            `scheduler=` takes over the folder's settings by the rules of diffusers' `from_config`, \
            whatever the folder's own scheduler is: what the folder's file says and the scheduler knows, \
            else the scheduler's own default. The corrections that `load` tells of come along where the \
            file has the key. The folder's own scheduler stays as it is when it is named.
            """,
            """
            What differs from diffusers with intent: a scheduler that is not the folder's clips \
            predicted pictures only where the folder says so (DDIM and DDPM would by default, but \
            latents are no pictures). With trailing spacing a schedule has as many steps as asked for, \
            where a rounding error gives diffusers one more for 61, 103, 121, 122 and some larger \
            counts, at timestep -1. DPM++ with Karras' step sizes on the schedule squaredcos_cap_v2 \
            tells the network whole timesteps, the first two the same from 4 steps on: diffusers then \
            leaves out the first step and ends in an error; here all steps are taken.
            """,
            """
            PNDM begun in the middle by diffusers runs out of step with its schedule; `start=aligned` \
            does not.
            """,
        ],
        columns: .kept,
        reads: [
            .init("latent", with: "k", cure: "put `encode COLUMN` before it; without K it makes pure noise")
        ],
        examples: [
            "model = load monsters; \"a red dragon\" | noise of=70 seed=1 | denoise | decode | show",
            """
            model = load monsters; dataset monsters split=test | first 2 | encode image | noise 40 of=70 \
            | denoise guidance=7.5 | decode | grid image,generated
            """,
        ],
        checks: { use in
            try checkOptions(use)
            if use.gives(added), use.gives(size) { throw sizeOfLatent }
        }
    ) { invocation in
        var table = try invocation.table()
        let model = try invocation.model()
        let steps = invocation[steps], added = invocation[added], left = invocation[left]
        for (slot, value) in [("k", added), ("left", left)] {
            if let value, value > steps {
                throw Complaint(
                    .outOfRange, "\(value) of \(steps) steps: a schedule has no more steps than it has",
                    label: "at most \(steps)", slot: slot)
            }
        }
        if added != nil, invocation.gives(size) { throw sizeOfLatent }
        let configuration = try configuration(model, invocation, kind: invocation[scheduler])
        let run = try SchedulerRun(
            configuration, steps: steps,
            start: (left ?? added).map { .middle(left: $0, mode: invocation[start]) } ?? .noise)
        let latents =
            try added.map { try noised(table, model, run, added: $0, invocation) }
            ?? pure(table, model, run, invocation)
        table.set(Column("latent", latents.map { .latent($0) }))
        let corrections =
            configuration.corrections
            + (added == nil && !invocation.gives(size) ? model.model.corrections : [])
        table.record(
            invocation.step(
                remark: remark(corrections),
                extra: invocation.gives(scheduler) ? [] : ["scheduler=\(configuration.kind.rawValue)"]))
        return .table(table)
    }

    private static func remark(_ corrections: [String]) -> String? {
        corrections.isEmpty ? nil : corrections.joined(separator: ", ") + ", as diffusers corrects it"
    }

    private static let sizeOfLatent = Complaint(
        .wrongInput, "`size` is for pure noise; a latent has its own size", label: "leave it out",
        slot: "size")

    /// Options that mean nothing to the scheduler that is named or, where the model is sure, to the folder's
    /// own, and schedules and sizes that it cannot have.
    @Sendable private static func checkOptions(_ use: VerbUse) throws {
        let kind = use[scheduler], eta = use[eta], karras = use[karras] == true ? true : nil
        try kind?.check(eta: eta, karras: karras)
        let own: (any ModelHandle)? = if case .model(let handle)? = use.model { handle } else { nil }
        guard let model = (use.gives(LoadedModel.using) ? use[LoadedModel.using] : own) as? LoadedModel else {
            return
        }
        if let size = use[size] { try check(across: size.width, down: size.height, model) }
        guard kind != nil || !use.gives(scheduler) else { return }
        let configuration = try SchedulerConfiguration(model.scheduler, as: kind, eta: eta, karras: karras)
        if let steps = use[steps] { _ = try ScheduleTable(configuration, steps: steps) }
    }

    private static func configuration(
        _ model: LoadedModel, _ invocation: Invocation, kind: SchedulerKind?
    ) throws -> SchedulerConfiguration {
        try SchedulerConfiguration(
            model.scheduler, as: kind, eta: invocation[eta], karras: invocation[karras])
    }

    private static func pure(
        _ table: Table, _ model: LoadedModel, _ run: SchedulerRun, _ invocation: Invocation
    ) throws -> [Latent] {
        let factor = model.model.vae.configuration.factor
        var (height, width) = model.model.latentSize
        if let size = invocation[size] {
            try check(across: size.width, down: size.height, model)
            (height, width) = (size.height / factor, size.width / factor)
        }
        let shape = [model.model.unet.configuration.inChannels, height, width]
        try Reckoning.tensors(table.rowCount, shape, "latent")
        let seed = Seeds.base(invocation)
        SeedWatch.note(invocation, base: seed, items: table.items)
        return table.items.map { item in
            var generator = Seeds.generator(invocation, item: item)
            let noise = generator.normal(shape: [1] + shape).reshaped(shape)
            return Latent(
                tensor: noise * Float(run.initialSigma), model: model.identity, origin: .noised, run: run,
                generator: generator, seed: seed)
        }
    }

    private static func check(across: Int, down: Int, _ model: LoadedModel) throws {
        let factor = model.model.vae.configuration.factor
        guard across % factor == 0, down % factor == 0 else {
            throw Complaint(
                .outOfRange, "a picture of \(across) x \(down) does not divide by \(factor)",
                label: "both sides must be multiples of \(factor)",
                slot: "size")
        }
    }

    private static func noised(
        _ table: Table, _ model: LoadedModel, _ run: SchedulerRun, added: Int, _ invocation: Invocation
    ) throws -> [Latent] {
        guard table.has("latent") else {
            throw Complaint(
                .missingColumn, "`noise \(added)` adds noise to the column `latent`, and there is none",
                label: "the table has " + table.columnNames.joined(separator: ", "),
                slot: "k",
                help: "put `encode COLUMN` before it, or leave \(added) out to begin from pure noise")
        }
        let seed = Seeds.base(invocation)
        if added > 0 { SeedWatch.note(invocation, base: seed, items: table.items) }
        let given = try invocation.latents(table, for: model)
        if let shape = given.first?.tensor.shape { try Reckoning.tensors(given.count, shape, "latent") }
        return try given.enumerated().map { row, clean in
            // A draw from the posterior with the same seed is the first of this generator's draws, as in the
            // reference.
            var generator = Seeds.generator(invocation, item: table.items[row])
            if clean.origin == .encoded, clean.seed == seed, let begun = clean.generator { generator = begun }
            var tensor = clean.tensor
            guard tensor.isFinite || !invocation.mustBeFinite(tensor) else {
                throw NumberFailures.failure("the latent", at: table.itemPhrase(row))
            }
            if added > 0 {
                let noise = generator.normal(shape: [1] + tensor.shape).reshaped(tensor.shape)
                tensor = try run.addNoise(tensor, noise, count: added)
            }
            return Latent(
                tensor: tensor, model: model.identity, origin: .noised, run: run, generator: generator,
                seed: seed)
        }
    }

    private static let named = Slot(
        "scheduler", .choice(SchedulerKind.self), .positional, "if not the folder's")

    static let schedule = VerbDeclaration(
        "schedule", .diffusion, "Gives a schedule's numbers, one row per step, noisiest first.", input: .none,
        slots: [named, steps, eta, karras, LoadedModel.using],
        adds: ["timestep", "alpha_bar", "alpha_bar_next", "sigma", "sigma_next"],
        notes: [
            """
            `alpha_bar` is the picture's share of the variance before the step, `alpha_bar_next` after it; \
            `sigma` is noise per picture.
            """
        ],
        columns: .made,
        examples: [
            "model = load monsters; schedule ddim of=10 | table",
            "model = load monsters; schedule of=70 | first 3 | table",
        ],
        checks: checkOptions
    ) { invocation in
        let configuration = try configuration(try invocation.model(), invocation, kind: invocation[named])
        let rows = try ScheduleTable(configuration, steps: invocation[steps]).rows
        var table = Table(columns: [
            Column("timestep", numbers: rows.map { Double($0.timestep) }),
            Column("alpha_bar", numbers: rows.map(\.level.alphaBar)),
            Column("alpha_bar_next", numbers: rows.map(\.next.alphaBar)),
            Column("sigma", numbers: rows.map(\.level.sigma)),
            Column("sigma_next", numbers: rows.map(\.next.sigma)),
        ])
        table.set(
            recipes: rows.map { _ in Recipe(invocation.step(remark: remark(configuration.corrections))) })
        return .table(table)
    }
}
