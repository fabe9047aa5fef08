import Files
import Kernels
import Networks
import Tensors

/// A latent diffusion model in the diffusers folder layout: `model_index.json`, `unet/`, `vae/`,
/// `text_encoder/`, `tokenizer/`, `scheduler/`, and beside them, where it is, a whole CLIP under `clip/` for
/// retrieval and scores.
///
/// Opening reads configurations and the headers of the weight files only; every name and shape is checked
/// then. Weights are read from the mapped files and packed when a layer is first used.
package final class DiffusionModel: Sendable {
    package let folder: String
    /// The folder's own name.
    package let name: String
    package let unet: UNet
    package let vae: VAE
    package let textEncoder: CLIPText
    package let tokenizer: Tokenizer
    /// The whole CLIP and how pictures are prepared for it; nil where the folder has none.
    package let clip: ContrastiveModel?
    /// `scheduler/scheduler_config.json`.
    package let schedulerConfiguration: JSON
    package let schedulerPath: String
    /// Bytes of all weight files.
    package let byteCount: Int

    /// How the weights of UNet, autoencoder and text encoder are kept in memory.
    package let precision: StoredPrecision
    /// Whether the files are taken exactly as they stand, without what diffusers' pipelines correct in them.
    package let isExact: Bool

    package init(folder: String, precision: StoredPrecision = .float32, isExact: Bool = false) throws {
        self.precision = precision
        self.isExact = isExact
        guard FileSystem.isFolder(folder) else {
            throw EngineError(.file, "no such model folder", place: folder)
        }
        let parts = ["unet", "vae", "text_encoder", "tokenizer", "scheduler"]
        for name in [""] + parts { try FileSystem.checkReach(below: FileSystem.join(folder, name)) }
        try Self.checkIndex(folder)
        let missing = parts.filter { !FileSystem.isFolder(FileSystem.join(folder, $0)) }
        guard missing.isEmpty else {
            throw EngineError(
                .file,
                """
                not a model folder in the diffusers layout: \
                \(missing.map { $0 + "/" }.joined(separator: ", ")) \(missing.count == 1 ? "is" : "are") \
                missing
                """,
                place: folder, cure: "a model folder holds \(parts.map { $0 + "/" }.joined(separator: ", "))")
        }
        func part(_ name: String) -> String { FileSystem.join(folder, name) }
        self.folder = folder
        name = FileSystem.name(of: folder)
        // The tokenizer's lists take as long to read as all the rest.
        // Workers do not inherit what is bound to the caller's task.
        let witness = FileReading.witness, gate = FileGate.current
        let (networks, tokenizer) = try ThreadPool.shared.both {
            try gate.during {
                try FileReading.$witness.withValue(witness) {
                    (
                        try UNet(folder: part("unet"), precision: precision),
                        try VAE(folder: part("vae"), precision: precision),
                        try CLIPText(folder: part("text_encoder"), precision: precision)
                    )
                }
            }
        } and: {
            try gate.during {
                try FileReading.$witness.withValue(witness) { try Tokenizer(folder: part("tokenizer")) }
            }
        }
        (unet, vae, textEncoder) = networks
        self.tokenizer = tokenizer
        schedulerPath = FileSystem.join(part("scheduler"), "scheduler_config.json")
        schedulerConfiguration = try ConfigurationReader(path: schedulerPath).json
        clip =
            FileSystem.isFolder(part("clip"))
            ? try ContrastiveModel(folder: part("clip"), tokenizer: tokenizer) : nil
        byteCount = unet.byteCount + vae.byteCount + textEncoder.byteCount + (clip?.clip.byteCount ?? 0)
        try checkThatPartsFit()
    }

    /// Values in all networks, the whole CLIP included.
    package var parameterCount: Int {
        unet.parameterCount + vae.parameterCount + textEncoder.parameterCount
            + (clip?.clip.parameterCount ?? 0)
    }

    private static func checkIndex(_ folder: String) throws {
        let path = FileSystem.join(folder, "model_index.json")
        guard FileSystem.exists(path) else { return }
        let index = try ConfigurationReader(path: path)
        guard index.value("_class_name") != nil else { return }
        let name = try index.string("_class_name")
        let supported = ["StableDiffusionPipeline", "StableDiffusionImg2ImgPipeline"]
        guard supported.contains(name) else {
            throw EngineError(
                .unsupported,
                """
                a pipeline of class \(JSON.string(name).shortText) is not supported; supported is \
                \(supported.joined(separator: ", "))
                """,
                place: path)
        }
    }

    private func checkThatPartsFit() throws {
        let latent = vae.configuration.latentChannels, wanted = unet.configuration.inChannels
        guard latent == wanted else {
            throw EngineError(
                .configuration, "the VAE gives latents of \(latent) channels, the UNet takes \(wanted)",
                place: folder)
        }
        guard unet.configuration.outChannels == wanted else {
            throw EngineError(
                .unsupported,
                """
                out_channels = \(unet.configuration.outChannels) is not in_channels = \(wanted): a UNet \
                that predicts its variance is not supported
                """,
                place: folder)
        }
        for (key, channels) in [
            ("in_channels", vae.configuration.inChannels), ("out_channels", vae.configuration.outChannels),
        ] where channels != 3 {
            throw EngineError(
                .unsupported, "the VAE's \(key) = \(channels): only pictures of 3 channels are supported",
                place: folder)
        }
        let width = textEncoder.configuration.width
        if let other = unet.configuration.crossAttentionWidth.first(where: { $0 != width }) {
            throw EngineError(
                .configuration,
                "the text encoder's states are \(width) wide, the UNet's cross_attention_dim is \(other)",
                place: folder)
        }
        guard tokenizer.tokenCount <= textEncoder.configuration.vocabularySize else {
            let last = tokenizer.tokenCount - 1
            throw EngineError(
                .configuration,
                """
                the tokenizer has \(tokenizer.tokenCount) tokens, the text encoder's vocab_size is \
                \(textEncoder.configuration.vocabularySize): \
                \(tokenizer.decode([last], keepingSpecialTokens: true)) has the id \(last)
                """,
                place: folder, cure: "the text encoder of the tokenizer with these added tokens belongs here")
        }
    }

    /// Tokens that a prompt may have, the start and the end included.
    package var maximumTokens: Int { min(tokenizer.maximumLength, textEncoder.configuration.maximumLength) }

    /// Encoder states `[prompts, length, width]` of prompts, padded and cut as the reference's pipelines do.
    package func encode(_ prompts: [String]) throws -> CLIPText.Output {
        let tokens = prompts.map { tokenizer.padded($0, to: maximumTokens) }
        return try textEncoder.encode(
            tokens.map(\.ids),
            present: textEncoder.configuration.hidesPadding ? tokens.map { $0.mask.map { $0 != 0 } } : nil)
    }

    /// Height and width of latents that the UNet was trained on, as the pipelines read them.
    package var latentSize: (height: Int, width: Int) {
        correctsSize ? (64, 64) : unet.configuration.sampleSize ?? (64, 64)
    }

    /// Whether `sample_size` is taken as 64 whatever the file has.
    package var correctsSize: Bool { !isExact && unet.configuration.hasMistakenSize }

    /// What is corrected, in words.
    package var corrections: [String] {
        guard correctsSize, let found = unet.configuration.sampleSize else { return [] }
        return ["sample_size 64 (the folder has \(found.width))"]
    }

    /// What the weight files hold that no part uses.
    package var unused: [UnusedWeights] {
        [unet.unused, vae.unused, textEncoder.unused, clip?.clip.unused].compactMap { $0 }
    }
}
