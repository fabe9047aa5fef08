import Caching
import Files
import Interpreting
import Models
import Results
import SourceText
import Tensors
import Training

/// A part of a model that is being made: a configuration with its first weights still to be drawn, or a
/// folder with trained ones.
package final class ModelPart: ModelHandle {
    package enum Kind: String, CaseIterable, Sendable {
        case tokenizer, clip, vae, unet

        /// What a reader calls it.
        package var phrase: String {
            switch self {
            case .tokenizer: "a tokenizer"
            case .clip: "a CLIP"
            case .vae: "a VAE"
            case .unet: "a UNet"
            }
        }

        /// The weights' file as the reference libraries call it.
        var weightsFile: String {
            self == .clip ? "model.safetensors" : "diffusion_pytorch_model.safetensors"
        }
    }

    package let kind: Kind
    /// The part's config.json.
    package let configuration: JSON
    /// For first weights.
    package let seed: Int
    /// Where a part's weights or vocabulary are.
    package enum Source: Sendable {
        /// In the folder of a model that was loaded.
        case opened(folder: String, PartDigests, PartDigests.Part)
        /// In a folder that was made here, whose name is the key of all that it depends on; with the digests
        /// of its files where it is kept.
        case made(folder: String, isSealed: Bool)
    }

    /// nil for a part that was not fitted yet.
    private let source: Source?
    /// Of a CLIP.
    package let tokenizer: ModelPart?
    /// Names and shapes, in the network's order.
    package let shapes: [(name: String, shape: [Int])]

    /// - Throws: what is wrong with the configuration, by the network's own checks.
    package init(
        _ kind: Kind, _ configuration: JSON, seed: Int = 0, source: Source? = nil, tokenizer: ModelPart? = nil
    ) throws {
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
    package var folder: String? { Self.folder(source) }

    private static func folder(_ source: Source?) -> String? {
        switch source {
        case .opened(let folder, _, _), .made(let folder, _): folder
        case nil: nil
        }
    }

    package var name: String { kind.rawValue }
    package var parameterCount: Int { shapes.reduce(0) { $0 + $1.shape.reduce(1, *) } }

    package var summary: String {
        if kind == .tokenizer {
            let size = configuration["vocab_size"]?.int ?? 0
            return """
                a tokenizer of \(folder == nil ? "up to " : "")\(size) tokens, \
                \(folder == nil ? "not fitted yet" : "fitted")
                """
        }
        return """
            \(kind.phrase) of \(LoadedModel.count(parameterCount)) parameters, \
            \(folder == nil ? "not fitted yet" : "fitted")
            """
    }

    package var fieldNames: [String] {
        kind == .tokenizer
            ? ["name", "tokens"]
            : ["name", "parameters", "bytes"] + (kind == .unet ? ["flops"] : []) + ["curve"]
    }

    package func field(_ name: String) throws -> Value? {
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
    package var digest: String {
        get throws {
            switch source {
            case .opened(_, let digests, let part): return try digests.digest(of: part, FileDigests(path: ""))
            case .made(let folder, _): return FileSystem.name(of: folder)
            case nil: break
            }
            return try Digest.sha256(
                "\(kind.rawValue) \(seed) \(configuration.text) \(try tokenizer?.digest ?? "")")
        }
    }

    /// The weights: drawn anew from the seed, or read.
    package func weights() throws -> [(name: String, tensor: Tensor)] {
        guard let folder else {
            return WeightInitialisation.values(shapes, kind == .clip ? .clip : .torch, seed: seed)
        }
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
            if isSealed { try ModelStore.check(folder) }
            return try body()
        case nil: return try body()
        }
    }

    /// Writes the part's folder as the reference libraries lay it out.
    package func write(to path: String) throws {
        switch source {
        case .opened(let folder, let digests, _): try digests.copy(folder, to: path)
        case .made(let folder, let isSealed):
            if isSealed { try ModelStore.check(folder) }
            try AtomicFolder.copyFiles(of: folder, to: path)
        case nil: try ModelPart.write(kind, configuration, weights(), to: path)
        }
    }

    package static func write(
        _ kind: Kind, _ configuration: JSON, _ weights: [(name: String, tensor: Tensor)], to path: String
    ) throws {
        try FileSystem.createFolder(path)
        try AtomicFile.write(configuration.prettyText, to: FileSystem.join(path, "config.json"))
        try Safetensors.write(
            Dictionary(uniqueKeysWithValues: weights.map { ($0.name, $0.tensor) }),
            metadata: ["format": "pt"], to: FileSystem.join(path, kind.weightsFile))
    }

    /// A whole CLIP with its vocabulary and the preparation of its pictures.
    package func writeContrastive(to path: String) throws {
        try write(to: path)
        if let words = tokenizer, words.folder != nil { try words.write(to: path) }
        // The tokenizer's own config.json names no network.
        try AtomicFile.write(configuration.prettyText, to: FileSystem.join(path, "config.json"))
        let side = configuration["vision_config"]?["image_size"] ?? 32
        try AtomicFile.write(
            JSON.object([
                "image_processor_type": "CLIPImageProcessor", "do_resize": .bool(true),
                "size": ["height": side, "width": side], "resample": 0,
                "do_center_crop": .bool(false), "do_rescale": .bool(true),
                "rescale_factor": 0.00392156862745098, "do_normalize": .bool(true),
                "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5], "do_convert_rgb": .bool(true),
            ]).prettyText, to: FileSystem.join(path, "preprocessor_config.json"))
    }

    /// The learnt vocabulary.
    package func openedTokenizer() throws -> Tokenizer {
        guard kind == .tokenizer, let folder else {
            throw Complaint(
                .wrongInput, "the tokenizer has no vocabulary yet", label: "not fitted",
                help: "`new tokenizer size=3072 | fit tokenizer on=train`")
        }
        return try unchanged { try Tokenizer(folder: folder) }
    }
}
