internal import Files
internal import Models
internal import Tensors

/// A model folder that opens in a millisecond: the golden pipeline with a vocabulary of 530 tokens and one
/// added, and a small CLIP in two shards.
package enum SmallModel {
    package static func folder() throws -> ModelCopy {
        let copy = try ModelCopy()
        for name in ["vocab.json", "merges.txt", "tokenizer_config.json", "special_tokens_map.json"] {
            try FileSystem.removeFile(copy.at("tokenizer/" + name))
        }
        let words = LearntVocabulary(of: ["a cat on a mat", "a dragon"], size: 530)
        try words.write(to: copy.at("tokenizer"), maximumLength: 20)
        try copy.write("tokenizer/added_tokens.json", ["<new>": .number(Double(words.tokens.count))])
        let tower: [String: JSON] = [
            "hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2,
            "layer_norm_eps": 1e-5, "projection_dim": 8,
            "hidden_act": "quick_gelu",
        ]
        let text: [String: JSON] = [
            "vocab_size": 600, "max_position_embeddings": 20,
            "eos_token_id": .number(Double(words.tokens.count - 1)),
        ]
        let vision: [String: JSON] = ["image_size": 16, "patch_size": 4, "num_channels": 3]
        let configuration = JSON.object([
            "projection_dim": 8, "text_config": .object(tower.merging(text) { $1 }),
            "vision_config": .object(tower.merging(vision) { $1 }),
        ])
        try FileSystem.createFolder(copy.at("clip"))
        try copy.write("clip/config.json", configuration)
        try copy.write(
            "clip/preprocessor_config.json",
            [
                "size": ["height": 16, "width": 16], "do_center_crop": .bool(false), "do_resize": .bool(true),
                "do_rescale": .bool(true),
                "do_normalize": .bool(true), "rescale_factor": 0.00392156862745098, "resample": 3,
                "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5],
            ])
        let values = WeightInitialisation.values(
            try CLIP.parameters(configuration, place: "clip"), .clip, seed: 1)
        var shards: [[String: Tensor]] = [[:], [:]]
        var map: [String: JSON] = [:]
        for (number, value) in values.enumerated() {
            shards[number % 2][value.name] = value.tensor
            map[value.name] = .string("part\(number % 2).safetensors")
        }
        for (number, shard) in shards.enumerated() {
            try Safetensors.write(shard, to: copy.at("clip/part\(number).safetensors"))
        }
        try copy.write(
            "clip/model.safetensors.index.json",
            ["metadata": ["total_size": 1_000], "weight_map": .object(map)])
        return copy
    }
}
