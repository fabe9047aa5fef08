import Caching
import Files
import Interpreting
import Models
import Results
import SourceText
import Tensors
import Training

/// A part of a model that is being made: a configuration with its first weights still to be drawn, or a folder with trained ones.
final class ModelPart: ModelHandle {
    enum Kind: String, CaseIterable {
        case tokenizer, clip, vae, unet

        /// What a reader calls it.
        var phrase: String {
            switch self {
            case .tokenizer: "a tokenizer"
            case .clip: "a CLIP"
            case .vae: "a VAE"
            case .unet: "a UNet"
            }
        }

        /// The weights' file as the reference libraries call it.
        var weightsFile: String { self == .clip ? "model.safetensors" : "diffusion_pytorch_model.safetensors" }
    }

    let kind: Kind
    /// The part's config.json.
    let configuration: JSON
    /// For first weights.
    let seed: Int
    /// Where a part's weights or vocabulary are.
    enum Source: Sendable {
        /// In the folder of a model that was loaded.
        case opened(folder: String, PartDigests, PartDigests.Part)
        /// In a folder that was made here, whose name is the key of all that it depends on; with the digests of its files where it is kept.
        case made(folder: String, isSealed: Bool)
    }

    /// nil for a part that was not fitted yet.
    private let source: Source?
    /// Of a CLIP.
    let tokenizer: ModelPart?
    /// Names and shapes, in the network's order.
    let shapes: [(name: String, shape: [Int])]

    /// - Throws: what is wrong with the configuration, by the network's own checks.
    init(_ kind: Kind, _ configuration: JSON, seed: Int = 0, source: Source? = nil, tokenizer: ModelPart? = nil) throws {
        self.kind = kind
        self.configuration = configuration
        self.seed = seed
        self.source = source
        self.tokenizer = tokenizer
        let folder = Self.folder(source)
        let place = folder.map { FileSystem.join($0, "config.json") } ?? "new \(kind.rawValue)"
        shapes =
            switch kind {
            case .tokenizer: []
            case .clip: try CLIP.parameters(configuration, place: place)
            case .vae: try VAE.parameters(VAEConfiguration(configuration, place: place))
            case .unet: try UNet.parameters(UNetConfiguration(configuration, place: place))
            }
    }

    /// Where trained weights or a learnt vocabulary lie.
    var folder: String? { Self.folder(source) }

    private static func folder(_ source: Source?) -> String? {
        switch source {
        case .opened(let folder, _, _), .made(let folder, _): folder
        case nil: nil
        }
    }

    var name: String { kind.rawValue }
    var parameterCount: Int { shapes.reduce(0) { $0 + $1.shape.reduce(1, *) } }

    var summary: String {
        if kind == .tokenizer {
            let size = configuration["vocab_size"]?.int ?? 0
            return "a tokenizer of \(folder == nil ? "up to " : "")\(size) tokens, \(folder == nil ? "not fitted yet" : "fitted")"
        }
        return "\(kind.phrase) of \(LoadedModel.count(parameterCount)) parameters, \(folder == nil ? "not fitted yet" : "fitted")"
    }

    var fieldNames: [String] { kind == .tokenizer ? ["name", "tokens"] : ["name", "parameters", "bytes"] + (kind == .unet ? ["flops"] : []) + ["curve"] }

    func field(_ name: String) throws -> Value? {
        switch name {
        case "name": .text(self.name)
        case "tokens" where kind == .tokenizer: .number(Double(configuration["vocab_size"]?.int ?? 0))
        case "parameters" where kind != .tokenizer: .number(Double(parameterCount))
        case "bytes" where kind != .tokenizer: .number(Double(4 * parameterCount))
        case "flops" where kind == .unet:
            try {
                let unet = try UNetConfiguration(configuration, place: "unet")
                let size = unet.sampleSize ?? (64, 64)
                // A prompt of CLIP's usual length: a part knows no text encoder yet.
                return .number(unet.operations(height: size.height, width: size.width, tokens: 77))
            }()
        case "curve" where kind != .tokenizer: try folder.map(TrainingRecord.curve) ?? Value.none
        default: nil
        }
    }

    /// What results depend on: configuration and seed, or the trained files' own key.
    var digest: String {
        get throws {
            switch source {
            case .opened(_, let digests, let part): return try digests.digest(of: part, FileDigests(path: ""))
            case .made(let folder, _): return FileSystem.name(of: folder)
            case nil: break
            }
            return try Digest.sha256("\(kind.rawValue) \(seed) \(configuration.text) \(try tokenizer?.digest ?? "")")
        }
    }

    /// The weights: drawn anew from the seed, or read.
    func weights() throws -> [(name: String, tensor: Tensor)] {
        guard let folder else { return WeightInitialisation.values(shapes, kind == .clip ? .clip : .torch, seed: seed) }
        return try unchanged {
            let source = try WeightFiles.open(folder: folder)
            return try shapes.map { ($0.name, try source.tensor($0.name).reshaped($0.shape)) }
        }
    }

    /// What `body` reads of the part's folder, which must be as it was when the part was opened or made.
    private func unchanged<R>(_ body: () throws -> R) throws -> R {
        switch source {
        case .opened(_, let digests, _): return try digests.again(body)
        case .made(let folder, let isSealed):
            if isSealed { try Workshop.check(folder) }
            return try body()
        case nil: return try body()
        }
    }

    /// Writes the part's folder as the reference libraries lay it out.
    func write(to path: String) throws {
        switch source {
        case .opened(let folder, let digests, _): try digests.copy(folder, to: path)
        case .made(let folder, let isSealed):
            if isSealed { try Workshop.check(folder) }
            try AtomicFolder.copyFiles(of: folder, to: path)
        case nil: try ModelPart.write(kind, configuration, weights(), to: path)
        }
    }

    static func write(_ kind: Kind, _ configuration: JSON, _ weights: [(name: String, tensor: Tensor)], to path: String) throws {
        try FileSystem.createFolder(path)
        try AtomicFile.write(configuration.prettyText, to: FileSystem.join(path, "config.json"))
        try Safetensors.write(
            Dictionary(uniqueKeysWithValues: weights.map { ($0.name, $0.tensor) }), metadata: ["format": "pt"], to: FileSystem.join(path, kind.weightsFile))
    }

    /// The learnt vocabulary.
    func openedTokenizer() throws -> Tokenizer {
        guard kind == .tokenizer, let folder else {
            throw Complaint(.wrongInput, "the tokenizer has no vocabulary yet", label: "not fitted", help: "`new tokenizer size=3072 | fit tokenizer on=train`")
        }
        return try unchanged { try Tokenizer(folder: folder) }
    }
}

/// What a training leaves beside the weights: `training.json`, with the loss curve and how it came about.
enum TrainingRecord {
    static let file = "training.json"

    static func write(_ curve: TrainingCurve, _ facts: [String: JSON], to folder: String) throws {
        let points = curve.points.map { point -> JSON in
            .object([
                "step": .number(Double(point.step)), "epoch": .number(point.epoch), "loss": .number(point.loss),
                "validation": point.validation.map { .number($0) } ?? .null, "rate": .number(point.rate),
            ])
        }
        try AtomicFile.write(JSON.object(facts.merging(["curve": .array(points)]) { $1 }).text + "\n", to: FileSystem.join(folder, file))
    }

    /// A table with the columns `step`, `epoch`, `loss`, `validation`, `rate`; nothing for weights that were not trained here.
    static func curve(_ folder: String) throws -> Value {
        let path = FileSystem.join(folder, file)
        guard FileSystem.exists(path) else { return .none }
        let points = try JSON.read(path: path)["curve"]?.array ?? []
        return .table(
            Table(
                columns: ["step", "epoch", "loss", "validation", "rate"].map { name in
                    Column(name, points.map { point in point[name]?.double.map { .number($0) } ?? .none })
                }, rowCount: points.count))
    }
}
