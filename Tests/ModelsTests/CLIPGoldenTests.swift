import Files
import Kernels
import Models
import Tensors
import TestSupport
import Testing

@Suite("CLIP against transformers")
struct CLIPGoldenTests {
    @Test("every golden text encoder gives the reference's states, under both kinds of names")
    func textEncoders() throws {
        for model in try GoldenModel.all(["CLIPTextModel", "CLIPTextModelWithProjection"]) {
            let configuration = try CLIPText(folder: model.folder.path).configuration
            for file in try model.folder.files(ending: ".safetensors") where file.hasPrefix("model") {
                let encoder = try CLIPText(configuration, weights: model.folder.tensors(file))
                try model.forEachCase { golden in try check(encoder, golden) }
            }
        }
    }

    private func check(_ encoder: CLIPText, _ golden: GoldenCase) throws {
        let ids = try golden.rows("input_ids")
        let present =
            golden.has("attention_mask") ? try golden.rows("attention_mask").map { $0.map { $0 != 0 } } : nil
        var states: [Tensor] = []
        let output = try encoder.encode(ids, present: present) { states.append($0) }
        if let positions = golden.json["pooled_positions"]?.ints {
            #expect(ids.map(encoder.configuration.pooledPosition) == positions)
        }
        for key in golden.outputs {
            switch key {
            case "last_hidden_state": try golden.check(key, output.states)
            case "pooler_output": try golden.check(key, output.pooled)
            case "text_embeds": try golden.check(key, try #require(output.embeddings))
            default:
                let index = try #require(Int(key.dropFirst("hidden_states.".count)), "unknown output \(key)")
                try golden.check(key, states[index])
            }
        }
    }

    @Test(
        "texts that begin alike, or are alike, have the bits that each has alone",
        .enabled(if: KernelChoice.current.isBlindToPlaces))
    func sharedBeginnings() throws {
        for model in try GoldenModel.all(["CLIPTextModel", "CLIPTextModelWithProjection"]) {
            let encoder = try CLIPText(folder: model.folder.path),
                length = encoder.configuration.maximumLength
            func text(_ seed: Int, sharing count: Int) -> [Int] {
                (0..<length).map { ($0 * ($0 < count ? 1 : seed) + 3) % encoder.configuration.vocabularySize }
            }
            for count in Set([1, 2, 5, length - 1, length]) where (1...length).contains(count) {
                let texts = [7, 11, 13].map { text($0, sharing: count) }
                let alone = try texts.map { try encoder.encode([$0]) }
                var layers: [Tensor] = [], layersAlone: [Tensor] = []
                let together = try encoder.encode(texts) { layers.append($0) }
                _ = try encoder.encode([texts[1]]) { layersAlone.append($0) }
                for (item, own) in alone.enumerated() {
                    #expect(
                        together.states[item].values == own.states.values
                            && together.pooled[item].values == own.pooled.values, "\(count) shared")
                }
                #expect(layers.map { $0[1].values } == layersAlone.map(\.values), "\(count) shared")
            }
        }
    }

    @Test("every golden CLIP gives the reference's features and logits")
    func wholeModels() throws {
        for model in try GoldenModel.all(["CLIPModel"]) {
            let clip = try CLIP(folder: model.folder.path)
            try model.forEachCase { golden in
                let ids = try golden.rows("input_ids")
                let present =
                    golden.has("attention_mask")
                    ? try golden.rows("attention_mask").map { $0.map { $0 != 0 } } : nil
                var states: [Tensor] = []
                let text = try clip.text.encode(ids, present: present)
                let vision = try clip.vision.encode(golden.tensor("pixel_values")) { states.append($0) }
                let textFeatures = try clip.textFeatures(ids, present: present)
                let imageFeatures = clip.projected(vision)
                let (texts, images) = (unit(textFeatures), unit(imageFeatures))
                let logits = products(images, texts) * clip.logitScale
                for key in golden.outputs {
                    switch key {
                    case "text.last_hidden_state": try golden.check(key, text.states)
                    case "text.pooler_output": try golden.check(key, text.pooled)
                    case "text_features": try golden.check(key, textFeatures)
                    case "image_features": try golden.check(key, imageFeatures)
                    case "text_embeds": try golden.check(key, texts)
                    case "image_embeds": try golden.check(key, images)
                    case "logits_per_image": try golden.check(key, logits)
                    case "logits_per_text": try golden.check(key, products(texts, images) * clip.logitScale)
                    case "vision.last_hidden_state": try golden.check(key, vision.states)
                    case "vision.pooler_output": try golden.check(key, vision.pooled)
                    default:
                        let index = try #require(
                            Int(key.dropFirst("vision.hidden_states.".count)), "unknown output \(key)")
                        try golden.check(key, states[index])
                    }
                }
            }
        }
    }

    private func unit(_ x: Tensor) -> Tensor {
        Tensor.stacked(
            (0..<x.shape[0]).map { row in
                let length = x[row].values.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
                return x[row] * Float(1 / length)
            })
    }

    private func products(_ a: Tensor, _ b: Tensor) -> Tensor {
        Tensor(
            shape: [a.shape[0], b.shape[0]],
            values: (0..<a.shape[0]).flatMap { i in
                (0..<b.shape[0]).map { j in
                    Float(zip(a[i].values, b[j].values).reduce(0.0) { $0 + Double($1.0) * Double($1.1) })
                }
            })
    }
}
