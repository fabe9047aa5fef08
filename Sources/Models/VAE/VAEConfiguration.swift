import Files
import Tensors

/// What `vae/config.json` says of an `AutoencoderKL` (diffusers).
package struct VAEConfiguration: Sendable {
    package var inChannels: Int
    package var outChannels: Int
    package var latentChannels: Int
    package var blockOutChannels: [Int]
    package var layersPerBlock: Int
    package var normGroups: Int
    package var hasMidAttention: Bool
    package var hasQuantConv: Bool
    package var hasPostQuantConv: Bool
    /// Latents are multiplied by this after encoding and divided before decoding.
    package var scalingFactor: Float
    /// Height and width of the pictures it was trained on; nil if the file does not say.
    package var sampleSize: Int?

    /// Picture pixels per latent pixel along each axis.
    package var factor: Int { 1 << (blockOutChannels.count - 1) }

    /// `[channels, height, width]` of the latent of one picture of such a shape.
    package func latentShape(of picture: [Int]) -> [Int] {
        [latentChannels, picture[1] / factor, picture[2] / factor]
    }

    package init(path: String) throws { try self.init(ConfigurationReader(path: path)) }
    package init(_ json: JSON, place: String) throws {
        try self.init(ConfigurationReader(json, place: place))
    }

    init(_ file: ConfigurationReader) throws {
        if let name = file.value("_class_name")?.string, name != "AutoencoderKL" {
            throw EngineError(
                .unsupported,
                "an autoencoder of class \"\(name)\" is not supported; supported is AutoencoderKL",
                place: file.place)
        }
        try file.require("act_fn", oneOf: ["silu", "swish"], saying: "only \"silu\" is")
        try file.require("shift_factor", oneOf: [0], saying: "shifted latents are not supported")
        try file.require(
            "latents_mean", oneOf: [], saying: "latents normalised per channel are not supported")
        blockOutChannels = try file.ints("block_out_channels", in: ConfigurationLimit.widths, atMost: 8)
        for (key, supported) in [
            ("down_block_types", "DownEncoderBlock2D"), ("up_block_types", "UpDecoderBlock2D"),
        ] {
            let names = try file.strings(key)
            if let other = names.first(where: { $0 != supported }) {
                throw EngineError(
                    .unsupported,
                    "\(key): \(JSON.string(other).shortText) is not supported; supported is \(supported)",
                    place: file.place)
            }
            guard names.count == blockOutChannels.count else {
                throw EngineError(
                    .configuration,
                    """
                    \(key): expected \(blockOutChannels.count) entries, one for each of \
                    block_out_channels, found \(names.count)
                    """,
                    place: file.place)
            }
        }
        inChannels = try file.int("in_channels", default: 3, in: ConfigurationLimit.widths)
        outChannels = try file.int("out_channels", default: 3, in: ConfigurationLimit.widths)
        latentChannels = try file.int("latent_channels", default: 4, in: ConfigurationLimit.widths)
        layersPerBlock = try file.int("layers_per_block", default: 1, in: 1...256)
        normGroups = try file.int("norm_num_groups", default: 32, in: ConfigurationLimit.widths)
        hasMidAttention = try file.bool("mid_block_add_attention", default: true)
        hasQuantConv = try file.bool("use_quant_conv", default: true)
        hasPostQuantConv = try file.bool("use_post_quant_conv", default: true)
        // Beyond these, single precision would make zeros or infinities of latents.
        scalingFactor = Float(try file.double("scaling_factor", default: 0.18215, in: 1e-6...1e6))
        sampleSize = try file.size("sample_size", in: ConfigurationLimit.sides)?.height
        if let channels = blockOutChannels.first(where: { $0 % normGroups != 0 }) {
            throw EngineError(
                .configuration,
                "\(channels) channels do not split into norm_num_groups = \(normGroups) groups",
                place: file.place)
        }
    }
}
