import Caching
import Diffusion
import Files
import Interpreting
import ItemWork
import Kernels
import Models
import Networks
import Results
import SourceText
import Synchronization
import Tensors

/// A model folder as the language holds it: the engine's model with its name, and what has been computed of
/// texts and pictures before, which is asked for again and again.
package final class LoadedModel: ModelHandle {
    /// For verbs that work with one.
    package static let using = Slot("using", .model, "another model than the variable `model`")

    package let name: String
    package let model: DiffusionModel
    package let digests: PartDigests
    let texts = ItemMemory<String, TextEncoding.Value>(most: 512)
    let pooledTexts = ItemMemory<String, [Float]>(most: 20_000)
    /// The folder's own whole CLIP.
    package let clip: FeatureNetwork?
    /// The network in `scorer/`, with which scores are measured where there is one.
    package let scorer: FeatureNetwork?

    /// - Parameter open: opens the model in `folder`; what it reads is what the model's digests are of.
    package init(
        name: String, folder: String, precision: StoredPrecision = .float32,
        _ open: () throws -> DiffusionModel
    ) throws {
        let place = FileSystem.join(folder, PartDigests.Part.scorer.rawValue)
        let (opened, digests) = try PartDigests.opening(PartDigests.places(in: folder), precision: precision)
        {
            let model = try open()
            return (
                model,
                scorer: FileSystem.isFolder(place)
                    ? try ContrastiveModel(folder: place, tokenizer: model.tokenizer) : nil
            )
        } remarks: {
            Self.remarks($0.0)
        }
        self.name = name
        model = opened.0
        self.digests = digests
        clip = model.clip.map {
            FeatureNetwork(name: "\(name)/clip", .clip($0), digests, [.clip, .tokenizer])
        }
        scorer = opened.scorer.map {
            FeatureNetwork(name: "\(name)/scorer", .clip($0), digests, [.scorer, .tokenizer])
        }
    }

    /// A model that was made here.
    package convenience init(name: String, folder: String, isExact: Bool = false) throws {
        try self.init(name: name, folder: folder) { try DiffusionModel(folder: folder, isExact: isExact) }
    }

    /// Of parts that other versions of the engine computed in another way, so that nothing of theirs is taken
    /// from a cache.
    private static func remarks(_ model: DiffusionModel) -> [PartDigests.Part: String] {
        var remarks: [PartDigests.Part: String] = [:]
        let unet = model.unet.configuration
        if unet.midBlock == .cross, unet.onlyCrossAttention.last == true {
            remarks[.unet] = "the middle attends to itself"
        }
        if model.textEncoder.configuration.hidesPadding { remarks[.textEncoder] = "padding is hidden" }
        return remarks
    }

    /// The parts whose weights were reckoned: from then on they are in memory.
    private let reckoned = Mutex<Set<PartDigests.Part>>([])

    /// Before a part is first used: its weights are packed then. Of the text encoder the table of words stays
    /// in the file.
    package func reckonWeights(of part: PartDigests.Part) throws {
        let count: Int
        switch part {
        case .unet: count = model.unet.parameterCount
        case .vae: count = model.vae.parameterCount
        case .textEncoder:
            let words = model.textEncoder.configuration
            count = model.textEncoder.parameterCount - words.vocabularySize * words.width
        default: return
        }
        guard !reckoned.withLock({ $0.contains(part) }) else { return }
        try MemoryBudget.check(
            count * (model.precision == .float32 ? 4 : 2),
            for: "the \(LoadedModel.count(count)) weights of \(part.rawValue) in \(name)",
            cure: "`load NAME precision=float16` takes half of it")
        reckoned.withLock { _ = $0.insert(part) }
    }

    /// The folder's scheduler as it is read.
    package var scheduler: SchedulerFile {
        SchedulerFile(model.schedulerConfiguration, place: model.schedulerPath, isExact: model.isExact)
    }

    /// What the weight files hold that no part uses.
    package var unused: [UnusedWeights] { model.unused + (scorer?.unused ?? []) }

    /// The folder and the size of its weights stand for their content.
    package var identity: ModelIdentity {
        ModelIdentity(name: name, digest: "\(model.folder):\(model.byteCount)")
    }

    package var summary: String {
        let size = model.latentSize
        let factor = model.vae.configuration.factor
        var parts = [
            "UNet \(LoadedModel.count(model.unet.parameterCount))",
            "VAE \(LoadedModel.count(model.vae.parameterCount))",
            "text encoder \(LoadedModel.count(model.textEncoder.parameterCount))",
        ]
        if let clip = model.clip { parts.append("CLIP \(LoadedModel.count(clip.clip.parameterCount))") }
        if let scorer { parts.append("and a scorer of \(LoadedModel.count(scorer.parameterCount))") }
        return """
            \(name): \(LoadedModel.count(model.parameterCount)) parameters \
            (\(parts.joined(separator: ", "))),\u{20}
            """
                + """
                \(LoadedModel.bytes(model.byteCount)), pictures of \(size.width * factor) x \
                \(size.height * factor)
                """
                + (model.precision == .float32 ? "" : ", weights kept in \(model.precision.rawValue)")
                + reading
    }

    /// How the folder's files were taken, where there is something to say.
    private var reading: String {
        let kind = try? scheduler.ownKind()
        let corrections = (kind.map(scheduler.corrections) ?? []) + model.corrections
        return (model.isExact ? ", files taken exactly as they stand" : "")
            + (corrections.isEmpty
                ? "" : ", corrected as diffusers does: " + corrections.joined(separator: ", "))
            + (kind == nil
                ? """
                ; its own scheduler, \(scheduler.className ?? "of no class"), is not supported: `noise` \
                needs `scheduler=`
                """ : "")
    }

    /// "1.2 M", "846 M", "3,400".
    package static func count(_ number: Int) -> String {
        number >= 1_000_000
            ? "\(NumberFormat.fixed(decimals: number < 10_000_000 ? 2 : 1)(Double(number) / 1e6)) M"
            : "\(number)"
    }

    package static func bytes(_ number: Int) -> String {
        number >= 1_000_000_000
            ? "\(NumberFormat.fixed(decimals: 2)(Double(number) / 1e9)) GB"
            : "\(NumberFormat.fixed(decimals: 1)(Double(number) / 1e6)) MB"
    }

    package var fieldNames: [String] {
        ["name", "folder", "parameters", "bytes", "flops", "curve"] + Self.parts
    }

    /// Parts that can be trained on, or put into another model.
    private static let parts = ["unet", "vae", "clip", "scorer", "tokenizer"]

    /// nil where the model has no such part.
    private func part(_ name: String) throws -> ModelPart? {
        guard let inner = PartDigests.Part(rawValue: name) else { return nil }
        let folder = FileSystem.join(model.folder, name)
        let source = ModelPart.Source.opened(folder: folder, digests, inner)
        func configuration() throws -> JSON {
            try digests.again { try JSON.read(path: FileSystem.join(folder, "config.json")) }
        }
        switch name {
        case "tokenizer":
            let words = model.tokenizer
            return try ModelPart(
                .tokenizer,
                [
                    "vocab_size": .number(Double(words.tokenCount)),
                    "model_max_length": .number(Double(words.maximumLength)),
                ], source: source)
        case "clip", "scorer":
            guard FileSystem.exists(FileSystem.join(folder, "config.json")) else { return nil }
            return try ModelPart(.clip, configuration(), source: source, tokenizer: part("tokenizer"))
        default:
            guard let kind = ModelPart.Kind(rawValue: name) else { return nil }
            return try ModelPart(kind, configuration(), source: source)
        }
    }

    package func field(_ name: String) throws -> Value? {
        switch name {
        case "name": .text(self.name)
        case "folder": .text(model.folder)
        case "parameters": .number(Double(model.parameterCount))
        case "bytes": .number(Double(model.byteCount))
        case "flops":
            .number(
                model.unet.configuration.operations(
                    height: model.latentSize.height, width: model.latentSize.width,
                    tokens: model.maximumTokens))
        case "curve": try TrainingRecord.curve(FileSystem.join(model.folder, "unet"))
        case _ where Self.parts.contains(name): try part(name).map { .model($0) } ?? Value.none
        default: nil
        }
    }

    // MARK: Texts as numbers

    /// The text encoder's states of each text.
    /// - Parameter naming: how messages name a text's place.
    package func embeddings(of texts: [String], in session: Session, naming: ((Int) -> String)? = nil) throws
        -> [Embedding]
    {
        let work = try TextEncoding(texts, self, session, naming: naming)
        return try zip(texts.indices, work.results(in: session).whole("text")).map(work.embedding)
    }

    /// What retrieval compares texts by, [texts, width]: the projected embedding of the model's own CLIP,
    /// else the text encoder's pooled one.
    package func features(of texts: [String], in session: Session, naming: ((Int) -> String)? = nil) throws
        -> Tensor
    {
        if let clip { return try clip.features(of: texts, session, naming: naming) }
        let work = try PooledTexts(texts, self, session, naming: naming)
        return FeatureNetwork.rows(try work.results(in: session).whole("text"))
    }

    /// The time of one use of a part follows from its size and that of what it is given.
    package func work(_ verb: String, _ shape: [Int]) -> WorkKind {
        WorkKind(verb, parameters: model.parameterCount, shape: shape)
    }

    /// What the states of a text depend on, beside the encoder.
    package func add(_ text: String, to key: inout ItemKeyBuilder) {
        key.add("text", text)
        key.add("tokens", model.maximumTokens)
        if let ids = model.tokenizer.ownIDs(text, to: model.maximumTokens) { key.add("ids", ids) }
    }

    /// A text that is longer than the encoder takes is cut, with a warning.
    func warnOfCuts(_ texts: [String], _ session: Session) {
        for text in texts {
            guard let tail = model.tokenizer.truncatedTail(text, length: model.maximumTokens) else {
                continue
            }
            session.warn(
                """
                a prompt is longer than the \(model.maximumTokens) tokens that the text encoder takes; \
                cut off: "\(LoadedModel.shortened(tail))" (`help W001`)
                """
            )
        }
    }

    package static func shortened(_ text: String, to limit: Int = 60) -> String {
        text.count > limit ? text.prefix(limit) + "..." : text
    }
}

extension Invocation {
    /// The model that the verb uses: `using=` if given, else the variable `model`.
    package func model() throws -> LoadedModel {
        let given = self[LoadedModel.using]
        guard let value = given.map({ .model($0) }) ?? variable("model") else {
            throw Complaint(
                .missingModel, "`\(verb.name)` needs a model, and there is no variable `model`",
                label: "no model is loaded",
                help: "put `model = load NAME` before it")
        }
        guard case .model(let handle) = value, let model = handle as? LoadedModel else {
            throw Complaint(
                .missingModel,
                """
                `\(verb.name)` needs a whole model, and `\(given == nil ? "model" : "using")` is \
                \(value.kind.phrase)
                """,
                label: value.kind.phrase,
                slot: given == nil ? nil : "using", help: "`load NAME` gives one")
        }
        return model
    }

    /// A latent or tensor column's values for `model`, checked against it.
    package func latents(_ table: Table, for model: LoadedModel, column name: String = "latent") throws
        -> [Latent]
    {
        let column = try column(name, of: table, cure: "put `encode COLUMN` or `noise of=N` before it")
        var hasOther = false
        let latents = try column.values.enumerated().map { row, value in
            let latent: Latent
            switch value {
            case .latent(let found): latent = found
            case .tensor(let tensor): latent = Latent(tensor: tensor, origin: .file)
            default:
                throw Complaint(
                    .wrongType,
                    "`\(verb.name)` needs latents, and row \(row) of `\(name)` is \(value.kind.phrase)",
                    label: value.kind.phrase)
            }
            let channels = model.model.unet.configuration.inChannels
            guard latent.tensor.rank == 3, latent.tensor.shape[0] == channels, latent.tensor.count > 0 else {
                throw Complaint(
                    .otherModel,
                    """
                    a latent of shape \(latent.tensor.shape.shapeText) does not fit \(model.name), which \
                    has \(channels) channels
                    """,
                    label: latent.model.map { "it was made for \($0.name)" }
                        ?? "expected channels x height x width")
            }
            hasOther = hasOther || (latent.model.map { $0 != model.identity } ?? false)
            return latent
        }
        if hasOther { session.warn("latents made for another model go into \(model.name) (`help W002`)") }
        return latents
    }

    /// Adds a column that must not be there yet.
    package func add(_ column: Column, to table: inout Table, slot: String = "as") throws {
        guard !table.has(column.name) else {
            throw Complaint.columnExists(
                column.name, of: verb, slot: arguments.given.contains(slot) ? slot : nil)
        }
        table.set(column)
    }
}
