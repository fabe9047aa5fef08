import Files
import Tensors

/// What `unet/config.json` says of a `UNet2DConditionModel` (diffusers). Names follow the file.
package struct UNetConfiguration: Sendable {
    package enum DownBlock: String, CaseIterable, Sendable {
        case cross = "CrossAttnDownBlock2D", plain = "DownBlock2D"
    }
    package enum UpBlock: String, CaseIterable, Sendable {
        case cross = "CrossAttnUpBlock2D", plain = "UpBlock2D"
    }
    package enum MidBlock: String, CaseIterable, Sendable {
        case cross = "UNetMidBlock2DCrossAttn", plain = "UNetMidBlock2D"
    }

    /// Height and width of the latents it was trained on; nil if the file does not say.
    package var sampleSize: (height: Int, width: Int)?
    /// Whether diffusers' pipelines take `sampleSize` for the mistake that it was in early files: written
    /// before version 0.9, one number below 64.
    package let hasMistakenSize: Bool
    package var inChannels: Int
    package var outChannels: Int
    package var blockOutChannels: [Int]
    package var downBlocks: [DownBlock]
    package var upBlocks: [UpBlock]
    /// Nil: no block between the way down and the way up.
    package var midBlock: MidBlock?
    /// Residual layers per level of the way down; the way up has one more.
    package var layersPerBlock: [Int]
    package var transformerLayersPerBlock: [Int]
    /// Number of heads per level. The reference's key `attention_head_dim` means this, despite its name.
    package var heads: [Int]
    package var crossAttentionWidth: [Int]
    /// By level, whether its first attention looks at the prompt too. The middle block is left alone: it
    /// always attends to itself.
    package var onlyCrossAttention: [Bool]
    package var usesLinearProjection: Bool
    package var normGroups: Int
    package var normEpsilon: Float
    package var flipsSineToCosine: Bool
    package var frequencyShift: Double
    package var timeEmbeddingWidth: Int
    package var inputKernel: Int
    package var outputKernel: Int
    package var downsamplePadding: Int
    package var centersInput: Bool

    package init(path: String) throws { try self.init(ConfigurationReader(path: path)) }
    package init(_ json: JSON, place: String) throws {
        try self.init(ConfigurationReader(json, place: place))
    }

    init(_ file: ConfigurationReader) throws {
        try Self.rejectUnsupported(file)
        blockOutChannels = try file.ints(
            "block_out_channels", in: ConfigurationLimit.widths, atMost: ConfigurationLimit.levels)
        let levels = blockOutChannels.count
        downBlocks = try Self.blocks(file, "down_block_types", count: levels)
        upBlocks = try Self.blocks(file, "up_block_types", count: levels)
        midBlock =
            file.json["mid_block_type"]?.isNull == true
            ? nil : try file.choice("mid_block_type", default: MidBlock.cross.rawValue)
        inChannels = try file.int("in_channels", default: 4, in: ConfigurationLimit.widths)
        outChannels = try file.int("out_channels", default: 4, in: ConfigurationLimit.widths)
        layersPerBlock = try file.intPerLevel(
            "layers_per_block", count: levels, default: 2, in: ConfigurationLimit.layers)
        transformerLayersPerBlock = try file.intPerLevel(
            "transformer_layers_per_block", count: levels, default: 1, in: ConfigurationLimit.layers)
        let headKey = file.value("num_attention_heads") == nil ? "attention_head_dim" : "num_attention_heads"
        heads = try file.intPerLevel(headKey, count: levels, default: 8, in: ConfigurationLimit.widths)
        crossAttentionWidth = try file.intPerLevel(
            "cross_attention_dim", count: levels, default: 1280, in: ConfigurationLimit.widths)
        if let list = file.value("only_cross_attention")?.array {
            onlyCrossAttention = list.compactMap(\.bool)
            guard list.count == levels, onlyCrossAttention.count == levels else {
                throw EngineError(
                    .configuration,
                    """
                    only_cross_attention: expected true or false, or a list of \(levels), found \
                    \(JSON.array(list).shortText)
                    """,
                    place: file.place)
            }
        } else {
            onlyCrossAttention = Array(
                repeating: try file.bool("only_cross_attention", default: false), count: levels)
        }
        usesLinearProjection = try file.bool("use_linear_projection", default: false)
        normGroups = try file.int("norm_num_groups", default: 32, in: ConfigurationLimit.widths)
        normEpsilon = Float(try file.double("norm_eps", default: 1e-5, in: ConfigurationLimit.epsilons))
        flipsSineToCosine = try file.bool("flip_sin_to_cos", default: true)
        frequencyShift = try file.double("freq_shift", default: 0, in: -1e6...1e6)
        timeEmbeddingWidth = try file.int(
            "time_embedding_dim", default: blockOutChannels[0] * 4, in: ConfigurationLimit.innerWidths)
        inputKernel = try file.oddInt("conv_in_kernel", default: 3, in: 1...15)
        outputKernel = try file.oddInt("conv_out_kernel", default: 3, in: 1...15)
        downsamplePadding = try file.int("downsample_padding", default: 1, in: 0...1)
        centersInput = try file.bool("center_input_sample", default: false)
        sampleSize = try file.size("sample_size", in: 1...4096)
        hasMistakenSize =
            Self.isBefore09(file.value("_diffusers_version")?.string)
            && file.value("sample_size")?.int.map { $0 < 64 } ?? false
        try checkShapes(file)
        try checkDepth(file)
    }

    /// Each count alone may be in its range, and their product be more than anybody can wait for.
    private func checkDepth(_ file: ConfigurationReader) throws {
        let blocks = blockOutChannels.indices.reduce(0) { total, level in
            func depth(_ isCross: Bool) -> Int { 1 + (isCross ? transformerLayersPerBlock[level] : 0) }
            let up = upBlocks[blockOutChannels.count - 1 - level]
            return total + layersPerBlock[level] * depth(downBlocks[level] == .cross)
                + (layersPerBlock[level] + 1) * depth(up == .cross)
        }
        guard blocks <= ConfigurationLimit.blocks else {
            throw EngineError(
                .configuration,
                """
                layers_per_block and transformer_layers_per_block give \(blocks) residual and \
                transformer blocks; at most \(ConfigurationLimit.blocks) are supported
                """,
                place: file.place)
        }
    }

    /// "0.8.1" is before 0.9, "0.9.0.dev0" is not; of other texts nothing is known.
    private static func isBefore09(_ version: String?) -> Bool {
        let numbers = (version ?? "").drop { $0 == "v" }.split(
            separator: ".", maxSplits: 2, omittingEmptySubsequences: false
        ).prefix(2).map { part in
            Int(part.prefix { $0.isASCII && $0.isNumber })
        }
        guard numbers.first == 0 else { return false }
        return numbers.count < 2 || numbers[1].map { $0 < 9 } ?? false
    }

    private static func blocks<Block: CaseIterable & RawRepresentable>(
        _ file: ConfigurationReader, _ key: String, count: Int
    ) throws -> [Block]
    where Block.RawValue == String {
        let names = try file.strings(key)
        guard names.count == count else {
            throw EngineError(
                .configuration,
                "\(key): expected \(count) entries, one for each of block_out_channels, found \(names.count)",
                place: file.place)
        }
        let unknown = Set(names.filter { Block(rawValue: $0) == nil }).sorted()
        guard unknown.isEmpty else {
            throw EngineError(
                .unsupported,
                """
                \(key): \(unknown.prefix(4).map { JSON.string($0).shortText }.joined(separator: ", ")) \
                is not supported; supported are \(Block.allCases.map(\.rawValue).joined(separator: ", "))
                """,
                place: file.place)
        }
        return names.compactMap(Block.init(rawValue:))
    }

    private static func rejectUnsupported(_ file: ConfigurationReader) throws {
        if let name = file.value("_class_name")?.string, name != "UNet2DConditionModel" {
            throw EngineError(
                .unsupported,
                "a network of class \"\(name)\" is not supported; supported is UNet2DConditionModel",
                place: file.place)
        }
        try file.require(
            "addition_embed_type", oneOf: [],
            saying: "that is Stable Diffusion XL's; 1.x and 2.x shapes are supported")
        try file.require(
            "class_embed_type", oneOf: [], saying: "class-conditional networks are not supported")
        try file.require(
            "num_class_embeds", oneOf: [], saying: "class-conditional networks are not supported")
        try file.require("encoder_hid_dim", oneOf: [], saying: "projected encoder states are not supported")
        try file.require(
            "encoder_hid_dim_type", oneOf: [], saying: "projected encoder states are not supported")
        try file.require(
            "time_cond_proj_dim", oneOf: [], saying: "guidance embedded in the time step is not supported")
        try file.require(
            "dual_cross_attention", oneOf: [false], saying: "dual cross-attention is not supported")
        try file.require("resnet_time_scale_shift", oneOf: ["default"], saying: "only \"default\" is")
        try file.require("time_embedding_type", oneOf: ["positional"], saying: "only \"positional\" is")
        try file.require(
            "time_embedding_act_fn", oneOf: [],
            saying: "an activation after the time embedding is not supported")
        try file.require(
            "timestep_post_act", oneOf: [], saying: "an activation after the time embedding is not supported")
        try file.require("act_fn", oneOf: ["silu", "swish"], saying: "only \"silu\" is")
        try file.require("mid_block_scale_factor", oneOf: [1], saying: "only 1 is")
        try file.require("resnet_out_scale_factor", oneOf: [1], saying: "only 1 is")
        try file.require("resnet_skip_time_act", oneOf: [false], saying: "only false is")
        try file.require("attention_type", oneOf: ["default"], saying: "only \"default\" is")
        // `mid_block_only_cross_attention` is read by none of the middle blocks that are here, in the
        // reference neither.
        try file.require(
            "cross_attention_norm", oneOf: [], saying: "normalised encoder states are not supported")
        try file.require(
            "reverse_transformer_layers_per_block", oneOf: [],
            saying: "asymmetric transformer depths are not supported")
    }

    private func checkShapes(_ file: ConfigurationReader) throws {
        for (level, channels) in blockOutChannels.enumerated() {
            guard channels % normGroups == 0 else {
                throw EngineError(
                    .configuration,
                    """
                    block_out_channels[\(level)] = \(channels) does not split into norm_num_groups = \
                    \(normGroups) groups
                    """, place: file.place)
            }
            guard channels % heads[level] == 0 else {
                throw EngineError(
                    .configuration,
                    "block_out_channels[\(level)] = \(channels) does not split into \(heads[level]) heads",
                    place: file.place)
            }
        }
        guard blockOutChannels[0] % 2 == 0, Double(blockOutChannels[0] / 2) != frequencyShift else {
            throw EngineError(
                .configuration,
                """
                block_out_channels[0] = \(blockOutChannels[0]) cannot carry a time embedding with \
                freq_shift = \(frequencyShift)
                """,
                place: file.place)
        }
    }
}
