import Files
import Interpreting
import Models
import Results
import SourceText
import Tensors

/// From the options of `new` to a part's config.json: the file's own keys, or short names for the usual ones;
/// what is left out takes what the report's model has, scaled to fit.
package struct PartOptions {
    package let kind: ModelPart.Kind
    private var values: [String: JSON] = [:]

    /// Short names and the keys that they stand for.
    package static let shortNames: [ModelPart.Kind: [(short: String, key: String)]] = [
        .tokenizer: [("size", "vocab_size"), ("length", "model_max_length")],
        .vae: [
            ("channels", "block_out_channels"), ("layers", "layers_per_block"), ("groups", "norm_num_groups"),
            ("sample", "sample_size"),
            ("attention", "mid_block_add_attention"),
        ],
        .unet: [
            ("channels", "block_out_channels"), ("layers", "layers_per_block"), ("groups", "norm_num_groups"),
            ("sample", "sample_size"),
            ("context", "cross_attention_dim"), ("heads", "attention_head_dim"), ("down", "down_block_types"),
            ("up", "up_block_types"),
        ],
        .clip: [
            ("hidden", "hidden_size"), ("layers", "num_hidden_layers"), ("heads", "num_attention_heads"),
            ("inner", "intermediate_size"),
            ("projection", "projection_dim"), ("length", "max_position_embeddings"), ("image", "image_size"),
            ("patch", "patch_size"),
        ],
    ]

    /// The keys of config.json that the engine knows, beside those with short names. Of a CLIP each may begin
    /// with `text_` or `vision_`.
    package static let otherKeys: [ModelPart.Kind: [String]] = [
        .tokenizer: [],
        .vae: [
            "in_channels", "out_channels", "latent_channels", "use_quant_conv", "use_post_quant_conv",
            "scaling_factor",
        ],
        .unet: [
            "in_channels", "out_channels", "mid_block_type", "transformer_layers_per_block",
            "only_cross_attention", "use_linear_projection", "norm_eps",
            "flip_sin_to_cos", "freq_shift", "time_embedding_dim", "conv_in_kernel", "conv_out_kernel",
            "downsample_padding", "center_input_sample",
            "num_attention_heads",
        ],
        .clip: ["hidden_act", "layer_norm_eps"],
    ]

    package init(_ kind: ModelPart.Kind, _ options: [(name: String, values: [Value])]) throws {
        self.kind = kind
        let short = Self.shortNames[kind] ?? []
        let keys = short.map(\.key) + (Self.otherKeys[kind] ?? [])
        for (name, given) in options {
            var key = short.first { $0.short == name }?.key ?? name
            if kind == .clip, let tower = ["text_", "vision_"].first(where: name.hasPrefix) {
                let inner = String(name.dropFirst(tower.count))
                let known = short.first { $0.short == inner }?.key ?? inner
                guard keys.contains(known) else { throw Self.unknown(name, kind, keys) }
                key = tower + known
            } else if !keys.contains(key) {
                throw Self.unknown(name, kind, keys)
            }
            guard values[key] == nil else {
                throw Complaint(
                    .repeatedName, "`\(name)` is given twice", label: "once is enough", slot: name)
            }
            let list = try given.map { try Self.json($0, name) }
            values[key] = list.count == 1 ? list[0] : .array(list)
        }
    }

    private static func unknown(_ name: String, _ kind: ModelPart.Kind, _ keys: [String]) -> Complaint {
        let names = (shortNames[kind] ?? []).map(\.short) + keys
        return Complaint(
            .unknownOption, "`new \(kind.rawValue)` has no option `\(name)`",
            label: Suggestion.question(for: name, in: names) ?? "not known", slot: name,
            help: "it takes \(names.joined(separator: ", "))")
    }

    private static func json(_ value: Value, _ name: String) throws -> JSON {
        switch value {
        case .number(let number): .number(number)
        case .text(let text): .string(text)
        case .boolean(let truth): .bool(truth)
        case .none: .null
        default:
            throw Complaint(
                .wrongType, "`\(name)` takes numbers, texts, yes or no, and this is \(value.kind.phrase)",
                label: value.kind.phrase, slot: name)
        }
    }

    /// What a new CLIP has from its tokenizer.
    package struct Words {
        package var count: Int, length: Int, start: Int, end: Int, padding: Int

        /// CLIP's own, for a check of the options alone.
        package static let usual = Words(
            count: 49_408, length: 77, start: 49_406, end: 49_407, padding: 49_407)

        package init(_ tokenizer: Tokenizer) {
            self.init(
                count: tokenizer.tokenCount, length: tokenizer.maximumLength, start: tokenizer.startToken,
                end: tokenizer.endToken,
                padding: tokenizer.paddingToken)
        }

        private init(count: Int, length: Int, start: Int, end: Int, padding: Int) {
            (self.count, self.length, self.start, self.end, self.padding) = (
                count, length, start, end, padding
            )
        }
    }

    private func list(_ key: String) -> [JSON]? {
        guard let value = values[key] else { return nil }
        return value.array ?? [value]
    }

    /// The whole config.json.
    /// - Parameter words: of a CLIP.
    package func configuration(words: Words?) throws -> JSON {
        switch kind {
        case .tokenizer: try tokenizerConfiguration()
        case .vae: try autoencoderConfiguration()
        case .unet: try unetConfiguration()
        case .clip: try clipConfiguration(words)
        }
    }

    private func tokenizerConfiguration() throws -> JSON {
        func given(_ key: String, _ fallback: Int) -> JSON { values[key] ?? .number(Double(fallback)) }
        let size = given("vocab_size", 3072), length = given("model_max_length", 77)
        guard let count = size.int, count >= LearntVocabulary.smallest, count <= 1_000_000 else {
            throw Complaint(
                .outOfRange, "a vocabulary of \(size.shortText) tokens",
                label: "\(LearntVocabulary.smallest) to 1000000", slot: "size",
                help: """
                    bytes alone, inside a word and at its end, and the start and end token take \
                    \(LearntVocabulary.smallest)
                    """)
        }
        guard length.int.map((3...100_000).contains) ?? false else {
            throw Complaint(
                .outOfRange, "texts of \(length.shortText) tokens", label: "3 to 100000", slot: "length")
        }
        return .object(["vocab_size": size, "model_max_length": length])
    }

    /// The largest power of two up to 32 that divides all numbers of channels: 32, as in the reference,
    /// wherever it can be.
    private func groups(_ channels: [JSON]) -> Int {
        [32, 16, 8, 4, 2].first { size in channels.allSatisfy { ($0.int ?? 0) % size == 0 } } ?? 1
    }

    private func merged(_ standard: [String: JSON]) -> JSON { .object(standard.merging(values) { $1 }) }

    private func autoencoderConfiguration() throws -> JSON {
        let channels = list("block_out_channels") ?? [.number(32), .number(64)]
        let standard: [String: JSON] = [
            "_class_name": "AutoencoderKL", "act_fn": "silu", "block_out_channels": .array(channels),
            "in_channels": 3, "out_channels": 3,
            "latent_channels": 4, "layers_per_block": 2, "norm_num_groups": .number(Double(groups(channels))),
            "mid_block_add_attention": .bool(true),
            "down_block_types": .array(channels.map { _ in "DownEncoderBlock2D" }),
            "up_block_types": .array(channels.map { _ in "UpDecoderBlock2D" }),
            "scaling_factor": 1, "sample_size": 32, "force_upcast": .bool(false),
        ]
        var result = standard.merging(values) { $1 }
        result["block_out_channels"] = .array(channels)
        return .object(result)
    }

    private func unetConfiguration() throws -> JSON {
        let channels = list("block_out_channels") ?? [48, 96, 160].map { JSON.number($0) }
        let last = channels.count - 1
        let down =
            list("down_block_types")
            ?? channels.indices.map { $0 == last && last > 0 ? "DownBlock2D" : "CrossAttnDownBlock2D" }
        let up =
            list("up_block_types")
            ?? down.reversed().map { $0.string == "DownBlock2D" ? "UpBlock2D" : "CrossAttnUpBlock2D" }
        let standard: [String: JSON] = [
            "_class_name": "UNet2DConditionModel", "act_fn": "silu", "in_channels": 4, "out_channels": 4,
            "layers_per_block": 2, "sample_size": 16,
            "cross_attention_dim": 128, "attention_head_dim": 8,
            "norm_num_groups": .number(Double(groups(channels))), "norm_eps": 1e-5,
            "mid_block_type": "UNetMidBlock2DCrossAttn", "flip_sin_to_cos": .bool(true), "freq_shift": 0,
            "downsample_padding": 1,
            "center_input_sample": .bool(false), "use_linear_projection": .bool(false),
        ]
        var result = standard.merging(values) { $1 }
        result["block_out_channels"] = .array(channels)
        result["down_block_types"] = .array(down)
        result["up_block_types"] = .array(up)
        return .object(result)
    }

    private func clipConfiguration(_ words: Words?) throws -> JSON {
        guard let words else {
            throw Complaint(
                .missingArgument, "`new clip` needs `tokenizer=`", label: "no tokenizer",
                help: """
                    `words = new tokenizer size=3072 | fit tokenizer on=train`, then `new clip \
                    tokenizer=words`
                    """)
        }
        func value(_ tower: String, _ key: String) -> JSON? { values[tower + key] ?? values[key] }
        /// What is no number stays, for the network's own check to complain of.
        func number(_ tower: String, _ key: String, _ fallback: Int) -> JSON {
            value(tower, key) ?? .number(Double(fallback))
        }
        let projection =
            values["projection_dim"] ?? .number(Double(value("text_", "hidden_size")?.int ?? 128))
        func encoder(_ tower: String) -> [String: JSON] {
            // What others are taken from, where they are not given.
            let width = value(tower, "hidden_size")?.int ?? 128
            return [
                "hidden_size": number(tower, "hidden_size", 128),
                "num_hidden_layers": number(tower, "num_hidden_layers", 4),
                "num_attention_heads": number(tower, "num_attention_heads", max(1, width / 32)),
                "intermediate_size": number(tower, "intermediate_size", 4 * width),
                "hidden_act": value(tower, "hidden_act") ?? "quick_gelu",
                "layer_norm_eps": value(tower, "layer_norm_eps") ?? 1e-5, "projection_dim": projection,
                "attention_dropout": 0,
            ]
        }
        let text: [String: JSON] = encoder("text_").merging([
            "model_type": "clip_text_model", "vocab_size": .number(Double(words.count)),
            "max_position_embeddings": number("text_", "max_position_embeddings", words.length),
            "bos_token_id": .number(Double(words.start)), "eos_token_id": .number(Double(words.end)),
            "pad_token_id": .number(Double(words.padding)),
        ]) { $1 }
        let vision: [String: JSON] = encoder("vision_").merging([
            "model_type": "clip_vision_model", "image_size": number("vision_", "image_size", 32),
            "patch_size": number("vision_", "patch_size", 8), "num_channels": 3,
        ]) { $1 }
        return .object([
            "architectures": ["CLIPModel"], "model_type": "clip", "projection_dim": projection,
            "logit_scale_init_value": 2.6592,
            "text_config": .object(text), "vision_config": .object(vision),
        ])
    }
}
