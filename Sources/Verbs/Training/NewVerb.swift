import Caching
import Diffusion
import Files
import Interpreting
import Models
import OpenedModels
import Results
import SourceText
import Tensors

/// `new`: a part of a model with its first weights, or a model of parts.
enum NewVerb {
    private static let kinds = ModelPart.Kind.allCases.map(\.rawValue) + ["model"]

    private static let part = Slot("part", .choice(kinds), required: .positional, "what to make")
    private static let tokenizer = Slot("tokenizer", .model, "for `clip` and `model`: a fitted tokenizer")
    private static let clip = Slot(
        "clip", .model, "for `model`: its text tower conditions the UNet, and `retrieve` compares by it")
    private static let vae = Slot("vae", .model, "for `model`")
    private static let unet = Slot("unet", .model, "for `model`")
    private static let scorer = Slot("scorer", .model, "for `model`: another CLIP, by which `score` measures")
    private static let scheduler = Slot(
        "scheduler", .choice(SchedulerKind.self), default: .pndm, "for `model`")
    private static let prediction = Slot(
        "prediction", .choice(["epsilon", "v_prediction"]), default: "epsilon",
        "for `model`: what the UNet tells")
    private static let seed = Slot(
        "seed", .whole, default: 0, in: 0...4_294_967_295,
        "of the first weights; each parameter draws for itself")
    private static let options = Slot(
        open: "options", .lists, "the keys of the part's config.json, or their short names below")

    static let new = VerbDeclaration(
        "new", .training,
        "Makes a tokenizer, a CLIP, a VAE or a UNet to be trained, or puts a model together from them.",
        input: .none,
        slots: [part, tokenizer, clip, vae, unet, scorer, scheduler, prediction, seed, options],
        notes: ModelPart.Kind.allCases.map { kind in
            let short = (PartOptions.shortNames[kind] ?? []).map { "`\($0.short)` (\($0.key))" }
            let keys = (PartOptions.otherKeys[kind] ?? []).map { "`\($0)`" }
            return "`new \(kind.rawValue)` takes " + (short + keys).joined(separator: ", ") + "."
        } + [
            """
            A number for all levels or a list of one for each. For `clip` each name can begin with \
            `text_` or `vision_`.
            """,
            """
            First weights are those of the reference libraries: torch's for the UNet and the VAE, \
            transformers' for CLIP. `new` counts the parameters before it takes memory.
            """,
        ],
        columns: .other(.model),
        examples: [
            "vae = new vae channels=16,32 latent_channels=4 layers=1; vae.parameters",
            "new unet channels=160,320,640,1280,1280 context=512 sample=32",
        ], checks: check
    ) { invocation in
        let name = invocation[part]
        guard let kind = ModelPart.Kind(rawValue: name) else { return try model(invocation) }
        let others: [any DeclaresSlot] =
            [clip, vae, unet, scorer, scheduler, prediction] + (kind == .clip ? [] : [tokenizer])
        for slot in others.map(\.declaration) where invocation.gives(slot) {
            throw Complaint(
                .unknownOption, "`new \(name)` has no option `\(slot.name)`", label: "for a model",
                slot: slot.name)
        }
        let options = try PartOptions(kind, invocation[options])
        let tokenizer = try part(tokenizer, .tokenizer, invocation)
        let configuration = try options.configuration(
            words: tokenizer.map { try PartOptions.Words($0.openedTokenizer()) })
        let part = try ModelPart(kind, configuration, seed: invocation[seed], tokenizer: tokenizer)
        try MemoryBudget.check(
            4 * part.parameterCount, for: "\(part.parameterCount) parameters",
            cure: "make the network smaller")
        return .model(part)
    }

    /// What is wrong with the options alone.
    private static func check(_ use: VerbUse) throws {
        guard let name = use[part], let options = use.open else { return }
        guard let kind = ModelPart.Kind(rawValue: name) else {
            if let option = options.first { throw unknownOption(option.name) }
            for (slot, kind) in [(unet, ModelPart.Kind.unet), (vae, .vae), (clip, .clip)]
            where !use.gives(slot) { throw missing(slot, kind) }
            return
        }
        let checked = try PartOptions(kind, options)
        // The keys that a CLIP takes from its tokenizer are known when that is.
        _ = try ModelPart(kind, checked.configuration(words: kind == .clip ? .usual : nil))
    }

    private static func unknownOption(_ name: String) -> Complaint {
        Complaint(.unknownOption, "`new model` has no option `\(name)`", label: "not known", slot: name)
    }

    private static func missing(_ slot: Slot<(any ModelHandle)?>, _ kind: ModelPart.Kind) -> Complaint {
        Complaint(
            .missingArgument, "`new model` needs `\(slot.name)=`", label: "\(kind.phrase) is missing",
            help: "`new \(kind.rawValue)` makes one")
    }

    /// The part in a slot, which must be of that kind.
    static func part(_ slot: Slot<(any ModelHandle)?>, _ kind: ModelPart.Kind, _ invocation: Invocation)
        throws -> ModelPart?
    {
        guard let handle = invocation[slot] else { return nil }
        guard let part = handle as? ModelPart, part.kind == kind else {
            throw Complaint(
                .wrongInput,
                """
                `\(slot.name)` takes \(kind.phrase), and this is \
                \((handle as? ModelPart)?.kind.phrase ?? "a whole model")
                """,
                label: "another part",
                slot: slot.name, help: "`new \(kind.rawValue)` makes one")
        }
        return part
    }

    // MARK: A whole model

    private static func model(_ invocation: Invocation) throws -> Value {
        if let option = invocation[options].first { throw unknownOption(option.name) }
        func needed(_ slot: Slot<(any ModelHandle)?>, _ kind: ModelPart.Kind) throws -> ModelPart {
            if let part = try part(slot, kind, invocation) { return part }
            throw missing(slot, kind)
        }
        let unet = try needed(Self.unet, .unet), vae = try needed(Self.vae, .vae),
            clip = try needed(Self.clip, .clip)
        let scorer = try part(Self.scorer, .clip, invocation)
        guard let tokenizer = try part(Self.tokenizer, .tokenizer, invocation) ?? clip.tokenizer else {
            _ = try needed(Self.tokenizer, .tokenizer); return .none
        }
        let scheduler = try schedulerConfiguration(invocation)
        var builder = ItemKeyBuilder(verb: "new model", version: 1)
        for part in [unet, vae, clip, tokenizer] + (scorer.map { [$0] } ?? []) {
            builder.add(part.kind.rawValue, try part.digest)
        }
        builder.add("scheduler", scheduler.text)
        let key = try builder.key(), modelStore = try ModelStore(invocation.session)
        if invocation.session.plan != nil, try !modelStore.has(key) {
            throw Complaint(
                .partialValue, "it needs a model whose parts are not made yet",
                label: "`new model` writes one")
        }
        let folder = try modelStore.folder(key) { path in
            func place(_ name: String) -> String { FileSystem.join(path, name) }
            try unet.write(to: place("unet"))
            try vae.write(to: place("vae"))
            try tokenizer.write(to: place("tokenizer"))
            try clip.writeContrastive(to: place("clip"))
            try writeTextEncoder(clip, to: place("text_encoder"))
            if let scorer { try scorer.writeContrastive(to: place("scorer")) }
            try FileSystem.createFolder(place("scheduler"))
            try AtomicFile.write(scheduler.prettyText, to: place("scheduler/scheduler_config.json"))
            try AtomicFile.write(index(scheduler).prettyText, to: place("model_index.json"))
            // Parts that do not go together leave no folder behind.
            _ = try DiffusionModel(folder: path)
        }
        return .model(try LoadedModel(name: "model", folder: folder))
    }

    /// As Stable Diffusion's; the schedulers differ in what they add.
    private static func schedulerConfiguration(_ invocation: Invocation) throws -> JSON {
        let kind = invocation[scheduler]
        var settings: [String: JSON] = [
            "_class_name": .string(kind.className), "beta_start": 0.00085, "beta_end": 0.012,
            "beta_schedule": "scaled_linear", "num_train_timesteps": 1000,
            "steps_offset": 1, "timestep_spacing": "leading",
            "prediction_type": .string(invocation[prediction]),
        ]
        if kind == .pndm { settings["skip_prk_steps"] = .bool(true) }
        if kind == .pndm || kind == .ddim { settings["set_alpha_to_one"] = .bool(false) }
        if kind == .ddim || kind == .ddpm { settings["clip_sample"] = .bool(false) }
        return .object(settings)
    }

    private static func index(_ scheduler: JSON) -> JSON {
        .object([
            "_class_name": "StableDiffusionPipeline",
            "scheduler": ["diffusers", scheduler["_class_name"] ?? .null],
            "text_encoder": ["transformers", "CLIPTextModel"],
            "tokenizer": ["transformers", "CLIPTokenizer"], "unet": ["diffusers", "UNet2DConditionModel"],
            "vae": ["diffusers", "AutoencoderKL"], "safety_checker": [.null, .null],
            "feature_extractor": [.null, .null], "image_encoder": [.null, .null],
            "requires_safety_checker": .bool(false),
        ])
    }

    /// The text tower alone, as a CLIPTextModel: what conditions the UNet.
    private static func writeTextEncoder(_ clip: ModelPart, to path: String) throws {
        guard var members = clip.configuration["text_config"]?.object else { return }
        members["architectures"] = ["CLIPTextModel"]
        let weights = try clip.weights().filter { $0.name.hasPrefix("text_model.") }
        try FileSystem.createFolder(path)
        try AtomicFile.write(JSON.object(members).prettyText, to: FileSystem.join(path, "config.json"))
        try Safetensors.write(
            Dictionary(uniqueKeysWithValues: weights.map { ($0.name, $0.tensor) }),
            metadata: ["format": "pt"], to: FileSystem.join(path, "model.safetensors"))
    }
}
