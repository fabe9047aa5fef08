import Files
import Interpreting
import Models
import Results
import SourceText
import Synchronization
import Tensors

/// A model folder as the language holds it: the engine's model with its name, and what has been computed of texts and pictures
/// before, which is asked for again and again.
package final class LoadedModel: ModelHandle {
    package let name: String
    package let model: DiffusionModel
    private let encodings = Mutex<[String: Embedding]>([:])
    private let pooled = Mutex<[String: [Float]]>([:])
    private let textFeatures = Mutex<[String: [Float]]>([:])
    private let imageFeatures = Mutex<[ObjectIdentifier: (picture: Picture, features: [Float])]>([:])
    /// So many texts are remembered at most.
    private static let most = 20_000

    init(name: String, model: DiffusionModel) {
        self.name = name
        self.model = model
    }

    /// The folder and the size of its weights stand for their content.
    package var identity: ModelIdentity { ModelIdentity(name: name, digest: "\(model.folder):\(model.byteCount)") }

    package var summary: String {
        let size = model.latentSize
        let factor = model.vae.configuration.factor
        var parts = [
            "UNet \(LoadedModel.count(model.unet.parameterCount))", "VAE \(LoadedModel.count(model.vae.parameterCount))",
            "text encoder \(LoadedModel.count(model.textEncoder.parameterCount))",
        ]
        if let clip = model.clip { parts.append("CLIP \(LoadedModel.count(clip.clip.parameterCount))") }
        return "\(name): \(LoadedModel.count(model.parameterCount)) parameters (\(parts.joined(separator: ", "))), "
            + "\(LoadedModel.bytes(model.byteCount)), pictures of \(size.width * factor) x \(size.height * factor)"
    }

    /// "1.2 M", "846 M", "3,400".
    private static func count(_ number: Int) -> String {
        number >= 1_000_000 ? "\(NumberFormat.fixed(decimals: number < 10_000_000 ? 2 : 1)(Double(number) / 1e6)) M" : "\(number)"
    }

    private static func bytes(_ number: Int) -> String {
        number >= 1_000_000_000 ? "\(NumberFormat.fixed(decimals: 2)(Double(number) / 1e9)) GB" : "\(NumberFormat.fixed(decimals: 1)(Double(number) / 1e6)) MB"
    }

    package var fieldNames: [String] { ["name", "folder", "parameters", "bytes"] }

    package func field(_ name: String) -> Value? {
        switch name {
        case "name": .text(self.name)
        case "folder": .text(model.folder)
        case "parameters": .number(Double(model.parameterCount))
        case "bytes": .number(Double(model.byteCount))
        default: nil
        }
    }

    // MARK: Texts and pictures as numbers

    /// Forgets what was computed of texts and pictures; the weights stay.
    func forget() {
        encodings.withLock { $0 = [:] }
        pooled.withLock { $0 = [:] }
        textFeatures.withLock { $0 = [:] }
        imageFeatures.withLock { $0 = [:] }
    }

    /// The text encoder's states of each text. A text that is longer than the encoder takes is cut; `warn` is told.
    func embeddings(of texts: [String], warn: (String) -> Void) throws -> [Embedding] {
        let known = encodings.withLock { $0 }
        let missing = Array(Set(texts.filter { known[$0] == nil })).sorted()
        for text in texts {
            if let tail = model.tokenizer.truncatedTail(text, length: model.maximumTokens) {
                warn("a prompt is longer than the \(model.maximumTokens) tokens that the text encoder takes; cut off: \"\(LoadedModel.shortened(tail))\"")
            }
        }
        for start in stride(from: 0, to: missing.count, by: 16) {
            let part = Array(missing[start..<min(start + 16, missing.count)])
            let output = try model.encode(part)
            encodings.withLock { known in
                if known.count > 512 { known = known.filter { texts.contains($0.key) } }
                for (index, text) in part.enumerated() { known[text] = Embedding(states: output.states[index], text: text, model: identity) }
            }
            pooled.withLock { known in
                if known.count > LoadedModel.most { known = [:] }
                for (index, text) in part.enumerated() { known[text] = output.pooled[index].values }
            }
        }
        let all = encodings.withLock { $0 }
        return texts.compactMap { all[$0] }
    }

    /// What retrieval compares texts by, [texts, width]: the projected embedding of the model's own CLIP, else the text encoder's pooled one.
    func features(of texts: [String], warn: (String) -> Void) throws -> Tensor {
        guard let clip = model.clip else {
            let known = pooled.withLock { $0 }
            _ = try embeddings(of: texts.filter { known[$0] == nil }, warn: warn)
            let all = pooled.withLock { $0 }
            return LoadedModel.rows(texts.compactMap { all[$0] })
        }
        let known = textFeatures.withLock { $0 }
        let missing = Array(Set(texts.filter { known[$0] == nil })).sorted()
        for start in stride(from: 0, to: missing.count, by: 32) {
            let part = Array(missing[start..<min(start + 32, missing.count)])
            let features = try clip.textFeatures(part)
            textFeatures.withLock { known in
                if known.count > LoadedModel.most { known = [:] }
                for (index, text) in part.enumerated() { known[text] = features[index].values }
            }
        }
        var all = textFeatures.withLock { $0 }
        for text in texts where all[text] == nil { all[text] = try clip.textFeatures([text])[0].values }
        return LoadedModel.rows(texts.compactMap { all[$0] })
    }

    /// The projected embeddings of pictures, [pictures, width]; nil where the model has no whole CLIP.
    func features(of pictures: [Picture]) throws -> Tensor? {
        guard let clip = model.clip else { return nil }
        let known = imageFeatures.withLock { $0 }
        let missing = pictures.filter { known[ObjectIdentifier($0)] == nil }
        var found = known
        for start in stride(from: 0, to: missing.count, by: 32) {
            let part = Array(missing[start..<min(start + 32, missing.count)])
            let features = try clip.imageFeatures(try part.map { try $0.bitmap().onWhite })
            for (index, picture) in part.enumerated() { found[ObjectIdentifier(picture)] = (picture, features[index].values) }
        }
        imageFeatures.withLock { $0 = found.count > LoadedModel.most ? [:] : found }
        return LoadedModel.rows(pictures.compactMap { found[ObjectIdentifier($0)]?.features })
    }

    private static func rows(_ rows: [[Float]]) -> Tensor {
        Tensor(shape: [rows.count, rows.first?.count ?? 0], values: rows.flatMap { $0 })
    }

    static func shortened(_ text: String, to limit: Int = 60) -> String {
        text.count > limit ? text.prefix(limit) + "..." : text
    }
}

extension Invocation {
    /// The model that the verb uses: `using=` if given, else the variable `model`.
    func model() throws -> LoadedModel {
        let given = arguments.value("using")
        guard let value = given ?? variable("model") else {
            throw Complaint(
                .missingModel, "`\(verb.name)` needs a model, and there is no variable `model`", label: "no model is loaded",
                help: "put `model = load NAME` before it")
        }
        guard case .model(let handle) = value, let model = handle as? LoadedModel else {
            throw Complaint(
                .missingModel, "`\(verb.name)` needs a whole model, and `\(given == nil ? "model" : "using")` is \(value.kind.phrase)", label: value.kind.phrase,
                slot: given == nil ? nil : "using", help: "`load NAME` gives one")
        }
        return model
    }

    /// A latent or tensor column's values for `model`, checked against it.
    func latents(_ table: Table, for model: LoadedModel, column name: String = "latent") throws -> [Latent] {
        let column = try column(name, of: table, cure: "put `encode COLUMN` or `noise of=N` before it")
        var hasOther = false
        let latents = try column.values.enumerated().map { row, value in
            let latent: Latent
            switch value {
            case .latent(let found): latent = found
            case .tensor(let tensor): latent = Latent(tensor: tensor, origin: .file)
            default:
                throw Complaint(.wrongType, "`\(verb.name)` needs latents, and row \(row) of `\(name)` is \(value.kind.phrase)", label: value.kind.phrase)
            }
            let channels = model.model.unet.configuration.inChannels
            guard latent.tensor.rank == 3, latent.tensor.shape[0] == channels, latent.tensor.count > 0 else {
                throw Complaint(
                    .otherModel, "a latent of shape \(latent.tensor.shape.shapeText) does not fit \(model.name), which has \(channels) channels",
                    label: latent.model.map { "it was made for \($0.name)" } ?? "expected channels x height x width")
            }
            hasOther = hasOther || (latent.model.map { $0 != model.identity } ?? false)
            return latent
        }
        if hasOther { session.warn("latents made for another model go into \(model.name)") }
        return latents
    }

    /// Adds a column that must not be there yet.
    func add(_ column: Column, to table: inout Table, slot: String = "as") throws {
        guard !table.has(column.name) else {
            throw Complaint(
                .columnExists, "the table has a column `\(column.name)` already", label: "`\(verb.name)` would add it again", slot: arguments.given.contains(slot) ? slot : nil,
                help: verb.slot("as") == nil ? "remove or rename it first: `select` keeps the columns it names" : "choose another name: as=NAME")
        }
        table.set(column)
    }
}
