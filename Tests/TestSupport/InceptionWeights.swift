internal import Files
package import Tensors

/// Weights for Inception V3 by the rule of the golden README: one generator, normal draws in the order of
/// `inception_keys.json`.
package enum InceptionWeights {
    package static func make(seed: Int, topic: GoldenFolder) throws -> [String: Tensor] {
        let keys = try topic.json("inception_keys.json")
        // The order of a JSON object's keys is that of the text.
        let text = String(decoding: try topic.bytes("inception_keys.json"), as: UTF8.self)
        let order = text.split(separator: "\"").enumerated().filter { $0.offset % 2 == 1 }.map {
            String($0.element)
        }
        var generator = Generator(seed: UInt64(seed))
        var weights: [String: Tensor] = [:]
        for name in order {
            guard let shape = keys[name]?.ints else {
                throw EngineError(.format, "no shape for \(name)", place: topic.path)
            }
            if name.hasSuffix("num_batches_tracked") { continue }
            let draw = generator.normal(shape: shape)
            if name.hasSuffix("conv.weight") {
                let scale = Float((2 / Double(shape.dropFirst().reduce(1, *))).squareRoot())
                weights[name] = draw * scale
            } else if name.hasSuffix("bn.weight") {
                weights[name] = draw.map { 1 + 0.1 * $0 }
            } else if name.hasSuffix("running_var") {
                weights[name] = draw.map { 1 + 0.2 * abs($0) }
            } else {
                weights[name] = draw * (name == "fc.weight" ? 0.01 : 0.1)
            }
        }
        return weights
    }
}
