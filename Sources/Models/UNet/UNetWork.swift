import Tensors

/// How much a noise prediction computes: two operations for each multiplication with its addition,
/// convolutions counted as direct sums, attention included; normalisations, activations and additions are
/// left out, a thousandth of the rest.
extension UNetConfiguration {
    /// Of one item of `height` x `width` latents and a prompt of `tokens`.
    package func operations(height: Int, width: Int, tokens: Int) -> Double {
        var total = 0.0
        /// Half the size, rounded up, per level: what a convolution with stride 2 leaves.
        func pixels(_ level: Int) -> Double {
            var (h, w) = (height, width)
            for _ in 0..<level { (h, w) = ((h + 1) / 2, (w + 1) / 2) }
            return Double(h * w)
        }
        func convolution(_ level: Int, _ inputs: Int, _ outputs: Int, taps: Int = 9) {
            total += pixels(level) * Double(inputs * outputs * taps)
        }
        func resnet(_ level: Int, _ inputs: Int, _ outputs: Int) {
            convolution(level, inputs, outputs)
            convolution(level, outputs, outputs)
            if inputs != outputs { convolution(level, inputs, outputs, taps: 1) }
            total += Double(timeEmbeddingWidth * outputs)
        }
        func transformer(_ level: Int, isMiddle: Bool = false) {
            let count = pixels(level), width = Double(blockOutChannels[level]), text = Double(tokens)
            let context = Double(crossAttentionWidth[level])
            // proj_in and proj_out.
            total += 2 * count * width * width
            let cross = 2 * count * width * width + 2 * text * context * width + 2 * count * text * width
            let own =
                onlyCrossAttention[level] && !isMiddle
                ? cross : 4 * count * width * width + 2 * count * count * width
            total += Double(transformerLayersPerBlock[level]) * (own + cross + 12 * count * width * width)
        }
        let levels = blockOutChannels.count
        total += Double(blockOutChannels[0] * timeEmbeddingWidth + timeEmbeddingWidth * timeEmbeddingWidth)
        convolution(0, inChannels, blockOutChannels[0], taps: inputKernel * inputKernel)
        for level in 0..<levels {
            for layer in 0..<layersPerBlock[level] {
                resnet(
                    level, layer > 0 ? blockOutChannels[level] : blockOutChannels[max(0, level - 1)],
                    blockOutChannels[level])
                if downBlocks[level] == .cross { transformer(level) }
            }
            if level < levels - 1 { convolution(level + 1, blockOutChannels[level], blockOutChannels[level]) }
        }
        if let midBlock {
            let last = levels - 1
            resnet(last, blockOutChannels[last], blockOutChannels[last])
            if midBlock == .cross {
                transformer(last, isMiddle: true)
                resnet(last, blockOutChannels[last], blockOutChannels[last])
            }
        }
        for index in 0..<levels {
            let level = levels - 1 - index
            let channels = blockOutChannels[level]
            for layer in 0...layersPerBlock[level] {
                let skip = layer == layersPerBlock[level] ? blockOutChannels[max(0, level - 1)] : channels
                resnet(
                    level, (layer == 0 ? blockOutChannels[min(levels - 1, level + 1)] : channels) + skip,
                    channels)
                if upBlocks[index] == .cross { transformer(level) }
            }
            if level > 0 { convolution(level - 1, channels, channels) }
        }
        convolution(0, blockOutChannels[0], outChannels, taps: outputKernel * outputKernel)
        return 2 * total
    }
}

extension UNetConfiguration {
    /// Bytes that a prediction holds at once at least, for one item of `height` x `width` latents and one
    /// prompt: what the way down leaves for the way up.
    package func leastBytes(height: Int, width: Int) -> Int {
        var (h, w) = (height, width)
        var total = MemoryBudget.product([h, w, blockOutChannels[0]])
        for (level, channels) in blockOutChannels.enumerated() {
            total = MemoryBudget.sum(total, MemoryBudget.product([h, w, channels, layersPerBlock[level]]))
            guard level < blockOutChannels.count - 1 else { break }
            (h, w) = ((h + 1) / 2, (w + 1) / 2)
            total = MemoryBudget.sum(total, MemoryBudget.product([h, w, channels]))
        }
        return MemoryBudget.product([total, MemoryLayout<Float>.stride])
    }
}

extension VAEConfiguration {
    /// Bytes that a decoding or an encoding holds at once at least, of one picture: a residual block's input
    /// and two maps of its own, at full size.
    package func leastBytes(height: Int, width: Int) -> Int {
        MemoryBudget.product([
            height, width, 3 * blockOutChannels[0] + inChannels, MemoryLayout<Float>.stride,
        ])
    }
}
