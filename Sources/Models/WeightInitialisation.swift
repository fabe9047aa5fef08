import Tensors

/// First values of a network's parameters, as the reference libraries draw them: torch's defaults for
/// convolutions and linear layers (He et al. 2015 with a = sqrt(5): uniform within 1 / sqrt(inputs)), ones
/// and zeros for normalisations, and transformers' rules for CLIP. Each parameter draws from a generator of
/// its own, seeded by the seed and its name, so that no order matters.
package enum WeightInitialisation {
    package enum Rules: Sendable { case torch, clip }

    package static func values(_ parameters: [(name: String, shape: [Int])], _ rules: Rules, seed: Int) -> [(
        name: String, tensor: Tensor
    )] {
        let shapes = Dictionary(
            parameters.map { ($0.name, $0.shape) }, uniquingKeysWith: { first, _ in first })
        return parameters.map { name, shape in
            var generator = Generator(seed: self.seed(name, seed))
            return (
                name,
                rules == .clip
                    ? clip(name, shape, shapes, &generator) : torch(name, shape, shapes, &generator)
            )
        }
    }

    /// FNV-1a of the name, folded to the 32 bits that a generator's seed has.
    private static func seed(_ name: String, _ seed: Int) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325 ^ (UInt64(bitPattern: Int64(seed)) &* 0x9E37_79B9_7F4A_7C15)
        for byte in name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        return (hash ^ (hash >> 32)) & 0xFFFF_FFFF
    }

    private static func torch(
        _ name: String, _ shape: [Int], _ shapes: [String: [Int]], _ generator: inout Generator
    ) -> Tensor {
        let isBias = name.hasSuffix(".bias")
        let weight = isBias ? shapes[String(name.dropLast(4)) + "weight"] ?? shape : shape
        guard weight.count > 1 else { return Tensor(repeating: isBias ? 0 : 1, shape: shape) }
        let bound = 1 / Float(weight.dropFirst().reduce(1, *)).squareRoot()
        return generator.uniform(shape: shape).map { (2 * $0 - 1) * bound }
    }

    /// `CLIPPreTrainedModel._init_weights` with the factors at 1 and the range at 0.02.
    private static func clip(
        _ name: String, _ shape: [Int], _ shapes: [String: [Int]], _ generator: inout Generator
    ) -> Tensor {
        if name == "logit_scale" { return Tensor(repeating: 2.6592, shape: shape) }
        if name.hasSuffix(".bias") { return Tensor(zeros: shape) }
        if shape.count == 1, !name.hasSuffix("class_embedding") { return Tensor(repeating: 1, shape: shape) }
        func deviation() -> Float {
            if name.hasSuffix("_projection.weight") { return 1 / Float(shape[1]).squareRoot() }
            if name.hasSuffix("class_embedding") { return 1 / Float(shape[0]).squareRoot() }
            if name.contains("embedding") { return 0.02 }
            let tower = name.hasPrefix("text_model.") ? "text_model." : "vision_model."
            // A count has no order.
            let layers = shapes.keys.count { $0.hasPrefix(tower) && $0.hasSuffix("layer_norm1.weight") }
            let width = Float(name.hasSuffix("fc2.weight") ? shape[0] : shape[1])
            let deep = 1 / (width * 2 * Float(max(1, layers))).squareRoot()
            if name.hasSuffix("out_proj.weight") { return 1 / width.squareRoot() }
            return name.hasSuffix("fc1.weight") ? 1 / (2 * width).squareRoot() : deep
        }
        return generator.normal(shape: shape) * deviation()
    }
}
