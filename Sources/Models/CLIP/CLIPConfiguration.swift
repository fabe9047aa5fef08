import Files
import Networks
import Tensors

/// What a transformers `config.json` says of a CLIP text encoder, alone or inside a whole CLIP
/// (`text_config`).
package struct CLIPTextConfiguration: Sendable {
    package var vocabularySize: Int
    package var width: Int
    package var hiddenWidth: Int
    package var layers: Int
    package var heads: Int
    package var maximumLength: Int
    package var activation: Activation
    package var epsilon: Float
    package var endOfText: Int
    /// Width of the projected embedding; used only where the folder has a projection.
    package var projectionWidth: Int
    /// Whether the pipelines hide the padding behind a prompt from it (`use_attention_mask`).
    package var hidesPadding: Bool

    init(_ file: ConfigurationReader, projectionWidth outer: Int? = nil) throws {
        vocabularySize = try file.int("vocab_size", default: 49_408, in: ConfigurationLimit.vocabularies)
        width = try file.int("hidden_size", default: 512, in: ConfigurationLimit.widths)
        hiddenWidth = try file.int("intermediate_size", default: 2_048, in: ConfigurationLimit.innerWidths)
        layers = try file.int("num_hidden_layers", default: 12, in: ConfigurationLimit.layers)
        heads = try file.int("num_attention_heads", default: 8, in: ConfigurationLimit.widths)
        maximumLength = try file.int(
            "max_position_embeddings", default: 77, in: ConfigurationLimit.textLengths)
        activation = try file.choice("hidden_act", default: Activation.quickGelu.rawValue)
        epsilon = Float(try file.double("layer_norm_eps", default: 1e-5, in: ConfigurationLimit.epsilons))
        endOfText = try file.int("eos_token_id", default: 49_407, in: 0...10_000_000)
        projectionWidth = try outer ?? file.int("projection_dim", default: 512, in: ConfigurationLimit.widths)
        hidesPadding = try file.bool("use_attention_mask", default: false)
        guard width % heads == 0 else {
            throw EngineError(
                .configuration, "hidden_size = \(width) does not split into \(heads) heads", place: file.place
            )
        }
    }

    /// Where the pooled state of a row of ids is read. Folders from before transformers 4.30 all say
    /// eos_token_id = 2, which is wrong; for them it is the first place of the largest id, otherwise the
    /// first end of text.
    package func pooledPosition(_ ids: [Int]) -> Int {
        if endOfText == 2, let largest = ids.max() { return ids.firstIndex(of: largest) ?? 0 }
        return ids.firstIndex(of: endOfText) ?? 0
    }
}

/// The picture tower's part of a CLIP configuration (`vision_config`).
package struct CLIPVisionConfiguration: Sendable {
    package var width: Int
    package var hiddenWidth: Int
    package var layers: Int
    package var heads: Int
    package var channels: Int
    package var imageSize: Int
    package var patchSize: Int
    package var activation: Activation
    package var epsilon: Float
    package var projectionWidth: Int

    init(_ file: ConfigurationReader, projectionWidth outer: Int? = nil) throws {
        width = try file.int("hidden_size", default: 768, in: ConfigurationLimit.widths)
        hiddenWidth = try file.int("intermediate_size", default: 3_072, in: ConfigurationLimit.innerWidths)
        layers = try file.int("num_hidden_layers", default: 12, in: ConfigurationLimit.layers)
        heads = try file.int("num_attention_heads", default: 12, in: ConfigurationLimit.widths)
        channels = try file.int("num_channels", default: 3, in: ConfigurationLimit.widths)
        imageSize = try file.int("image_size", default: 224, in: ConfigurationLimit.sides)
        patchSize = try file.int("patch_size", default: 32, in: ConfigurationLimit.sides)
        activation = try file.choice("hidden_act", default: Activation.quickGelu.rawValue)
        epsilon = Float(try file.double("layer_norm_eps", default: 1e-5, in: ConfigurationLimit.epsilons))
        projectionWidth = try outer ?? file.int("projection_dim", default: 512, in: ConfigurationLimit.widths)
        guard width % heads == 0 else {
            throw EngineError(
                .configuration, "hidden_size = \(width) does not split into \(heads) heads", place: file.place
            )
        }
        guard patchSize <= imageSize else {
            throw EngineError(
                .configuration, "patch_size = \(patchSize) is larger than image_size = \(imageSize)",
                place: file.place)
        }
    }
}
