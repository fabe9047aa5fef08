import Files
import Kernels
import Networks
import Synchronization
import Tensors

/// The noise predictor of Stable Diffusion (diffusers' UNet2DConditionModel; Rombach et al. 2022), any number
/// of levels.
package struct UNet: Sendable {
    package let configuration: UNetConfiguration
    package let parameterCount: Int
    /// Bytes of its weight files.
    package let byteCount: Int
    /// What its weight files hold beyond that.
    package let unused: UnusedWeights?
    private let timeEmbedding: TimeEmbedding
    private let convIn: Convolution2D
    private let down: [DownBlock]
    private let mid: MidBlock?
    private let up: [UpBlock]
    private let normOut: GroupNorm  // conv_norm_out
    private let convOut: Convolution2D
    private let crossAttention: [MultiHeadAttention]

    /// Reads `config.json` and the headers of `diffusion_pytorch_model.safetensors`; weights are read when
    /// first used.
    package init(folder: String, precision: StoredPrecision = .float32) throws {
        let configuration = try UNetConfiguration(path: FileSystem.join(folder, "config.json"))
        try self.init(configuration, weights: WeightFiles.open(folder: folder), precision: precision)
    }

    package init(
        _ configuration: UNetConfiguration, weights: any TensorSource, precision: StoredPrecision = .float32
    ) throws {
        try self.init(configuration, WeightReader(weights, precision: precision))
    }

    /// Names and shapes of the parameters, in the network's order.
    package static func parameters(_ configuration: UNetConfiguration) throws -> [(
        name: String, shape: [Int]
    )] {
        let reader = WeightReader(listingFor: "unet")
        _ = try UNet(configuration, reader)
        // Here a 1 x 1 convolution is a linear layer; the reference stores its kernel's extents too.
        let convolutions =
            [".conv_shortcut.weight"]
            + (configuration.usesLinearProjection ? [] : [".proj_in.weight", ".proj_out.weight"])
        return reader.requests.map { request in
            (
                request.name,
                convolutions.contains(where: request.name.hasSuffix) ? request.shape + [1, 1] : request.shape
            )
        }
    }

    private init(_ configuration: UNetConfiguration, _ reader: WeightReader) throws {
        let c = configuration
        let root = reader.root
        var layers = CrossAttentionLayers()
        self.configuration = c
        timeEmbedding = TimeEmbedding(root, c)
        convIn = Convolution2D(
            root["conv_in"], inputs: c.inChannels, outputs: c.blockOutChannels[0], kernel: c.inputKernel,
            padding: (c.inputKernel - 1) / 2)
        var down: [DownBlock] = [], up: [UpBlock] = []
        for level in c.downBlocks.indices {
            down.append(DownBlock(root["down_blocks"][level], level: level, c, layers: &layers))
        }
        mid = c.midBlock.map { MidBlock(root["mid_block"], $0, c, layers: &layers) }
        for index in c.upBlocks.indices {
            up.append(UpBlock(root["up_blocks"][index], index: index, c, layers: &layers))
        }
        (self.down, self.up) = (down, up)
        normOut = GroupNorm(
            root["conv_norm_out"], groups: c.normGroups, channels: c.blockOutChannels[0],
            epsilon: c.normEpsilon)
        convOut = Convolution2D(
            root["conv_out"], inputs: c.blockOutChannels[0], outputs: c.outChannels, kernel: c.outputKernel,
            padding: (c.outputKernel - 1) / 2)
        crossAttention = layers.layers
        unused = try reader.finish()
        parameterCount = reader.parameterCount
        byteCount = reader.byteCount
    }

    /// Keys and values of encoder states `[prompts, length, width]` for every layer that looks at them.
    package func conditioning(_ states: Tensor) throws -> Conditioning {
        guard states.rank == 3, configuration.crossAttentionWidth.allSatisfy({ $0 == states.shape[2] }) else {
            throw EngineError(
                .shape,
                """
                encoder states of shape \(states.shape) do not fit: expected [prompts, length, \
                \(configuration.crossAttentionWidth[0])]
                """,
                cure: "the text encoder and the UNet must belong together")
        }
        return Conditioning(
            keysValues: crossAttention.map { $0.keysValues(of: states) }, count: states.shape[0])
    }

    /// The network's output for a batch.
    /// - Parameters:
    ///   - sample: `[items, inChannels, height, width]`.
    ///   - timesteps: one per item.
    ///   - contexts: which prompt of `conditioning` each item looks at; for guidance several times as many,
    ///     first one for each item, then another for each. What comes before the first cross-attention is
    ///     computed once per item.
    /// - Returns: `[contexts, outChannels, height, width]`.
    package func predict(
        _ sample: Tensor, timesteps: [Float], conditioning: Conditioning, contexts: [Int],
        trace: ActivationTrace? = nil
    ) throws -> Tensor {
        let c = configuration
        guard sample.rank == 4, sample.shape[1] == c.inChannels, sample.count > 0 else {
            throw EngineError(
                .shape,
                """
                a sample of shape \(sample.shape) does not fit: expected [batch, \(c.inChannels), height, \
                width]
                """)
        }
        let items = sample.shape[0], groups = contexts.count / items
        precondition(
            timesteps.count == items && groups > 0 && contexts.count == groups * items,
            "\(timesteps.count) timesteps and \(contexts.count) contexts for \(items) items")
        BufferPool.serve("unet")
        let parts = trace == nil ? partsApart(ofBatch: contexts.count) : 1
        guard parts > 1 else {
            return try output(
                sample, timesteps: timesteps, conditioning: conditioning, contexts: contexts, trace: trace)
        }
        // A part of the items with all of their contexts; too few items are split by contexts.
        let byItems = items >= parts
        let ranges = (0..<parts).map { part in
            let count = byItems ? items : contexts.count
            return part * count / parts..<(part + 1) * count / parts
        }
        let places = ranges.map { range in
            byItems ? (0..<groups).flatMap { group in range.map { group * items + $0 } } : Array(range)
        }
        let use = WeightUse.current
        let results = Mutex([Result<Tensor, any Error>?](repeating: nil, count: parts))
        ThreadPool.shared.runApart(parts) { part in
            let range = byItems ? Array(ranges[part]) : ranges[part].map { $0 % items }
            let result = WeightUse.$current.withValue(use) {
                Result {
                    try output(
                        Tensor.stacked(range.map { sample[$0] }), timesteps: range.map { timesteps[$0] },
                        conditioning: conditioning,
                        contexts: places[part].map { contexts[$0] }, trace: nil)
                }
            }
            results.withLock { $0[part] = result }
        }
        let outputs = try results.withLock { try $0.compactMap { try $0?.get() } }
        var ordered = [Tensor?](repeating: nil, count: contexts.count)
        for (output, places) in zip(outputs, places) {
            for (index, place) in places.enumerated() { ordered[place] = output[index] }
        }
        return Tensor.stacked(ordered.compactMap { $0 })
    }

    /// Into how many parts a batch is split that are computed side by side, each by one thread. A small
    /// network spends more time on handing out its layers, and on fetching activations that another core has
    /// made, than the threads save by reading its weights together.
    private func partsApart(ofBatch batch: Int) -> Int {
        let threads = ThreadPool.shared.threadCount
        return parameterCount <= Self.mostParametersApart && batch >= threads ? threads : 1
    }

    /// Items to predict together where nobody says how many: each layer's weights are read once for all of
    /// them, which for a small network is worth an eighth of the time; of a large one a user who stops should
    /// have some items finished.
    package var usualBatch: Int { parameterCount <= Self.mostParametersApart ? 36 : 8 }

    /// 64 MB: what a few cores can each read once a layer from the cache that they share.
    private static let mostParametersApart = 16 << 20

    private func output(
        _ sample: Tensor, timesteps: [Float], conditioning: Conditioning, contexts: [Int],
        trace: ActivationTrace?
    ) throws -> Tensor {
        let c = configuration
        let time = Activation.silu(timeEmbedding(timesteps, trace: trace))
        let predicting = Predicting(
            conditioning: conditioning, contexts: contexts, timeOfItems: time,
            timeOfContexts: time.repeated(contexts.count / timesteps.count), trace: trace)
        let centered = c.centersInput ? sample * 2 - 1 : sample
        var hidden = convIn(centered.channelsLast)
        trace?.record("conv_in", hidden)
        var skips = [hidden]
        for (level, block) in down.enumerated() {
            try EngineError.checkAbandoned()
            hidden = block(hidden, skips: &skips, predicting, name: "down_blocks.\(level)")
        }
        if let mid { hidden = mid(hidden, predicting) }
        for (index, block) in up.enumerated() {
            try EngineError.checkAbandoned()
            hidden = block(hidden, skips: &skips, predicting, name: "up_blocks.\(index)")
        }
        try EngineError.checkAbandoned()
        if let trace { trace.record("conv_norm_out", normOut(hidden)) }
        return predicting.forEachContext(convOut(normOut(hidden, activation: .silu))).channelsFirst
    }
}
