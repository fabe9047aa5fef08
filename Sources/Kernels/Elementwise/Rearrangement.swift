// Moves values without changing them, in parallel.

/// Copies `columns` values of each row from one place to another, rows `fromStride` and `toStride` floats
/// apart.
package func copyColumns(
    _ source: UnsafePointer<Float>, fromStride: Int, to out: UnsafeMutablePointer<Float>, toStride: Int,
    rows: Int, columns: Int
) {
    forEachBlock(rows, size: max(1, 65_536 / max(columns, 1))) { range in
        for row in range { (out + row * toStride).update(from: source + row * fromStride, count: columns) }
    }
}

/// `[channels, outputs, taps]` from `[outputs, channels, taps]`, the taps in reverse order: the kernel of a
/// convolution's gradient.
package func turnedKernel(
    _ weights: UnsafePointer<Float>, outputs: Int, channels: Int, taps: Int,
    into out: UnsafeMutablePointer<Float>
) {
    // Tiles of channels, so that both sides stay in cache lines that are used up.
    let tile = 16
    let tiles = (channels + tile - 1) / tile
    ThreadPool.shared.run(tiles) { index in
        let range = index * tile..<min(channels, (index + 1) * tile)
        for output in 0..<outputs {
            for channel in range {
                let from = weights + (output * channels + channel) * taps,
                    to = out + (channel * outputs + output) * taps
                for tap in 0..<taps { to[tap] = from[taps - 1 - tap] }
            }
        }
    }
}

/// `[batch, height, width, channels]` with `stride - 1` zeros between pixels: `[batch, (height - 1) stride +
/// 1, ..., channels]`.
package func spread(
    _ source: UnsafePointer<Float>, batch: Int, height: Int, width: Int, channels: Int, stride: Int,
    into out: UnsafeMutablePointer<Float>
) {
    let tall = (height - 1) * stride + 1, wide = (width - 1) * stride + 1
    ThreadPool.shared.run(batch * tall) { line in
        let item = line / tall, y = line % tall
        let to = out + line * wide * channels
        to.update(repeating: 0, count: wide * channels)
        guard y % stride == 0 else { return }
        let from = source + (item * height + y / stride) * width * channels
        for x in 0..<width { (to + x * stride * channels).update(from: from + x * channels, count: channels) }
    }
}

/// Enlarges `[batch, height, width, channels]` by nearest neighbour.
package func enlarged(
    _ source: UnsafePointer<Float>, batch: Int, height: Int, width: Int, channels: Int, toHeight: Int,
    toWidth: Int, into out: UnsafeMutablePointer<Float>
) {
    ThreadPool.shared.run(batch * toHeight) { line in
        let item = line / toHeight, y = line % toHeight * height / toHeight
        let from = source + (item * height + y) * width * channels, to = out + line * toWidth * channels
        for x in 0..<toWidth {
            (to + x * channels).update(from: from + x * width / toWidth * channels, count: channels)
        }
    }
}

/// The gradient of `enlarged`: each pixel's copies summed, in the order of their rows.
package func enlargedBackward(
    _ dOutput: UnsafePointer<Float>, batch: Int, height: Int, width: Int, channels: Int, toHeight: Int,
    toWidth: Int, into dInput: UnsafeMutablePointer<Float>
) {
    ThreadPool.shared.run(batch) { item in
        let to = dInput + item * height * width * channels
        to.update(repeating: 0, count: height * width * channels)
        for y in 0..<toHeight {
            for x in 0..<toWidth {
                let d = dOutput + ((item * toHeight + y) * toWidth + x) * channels
                let sum = to + (y * height / toHeight * width + x * width / toWidth) * channels
                var c = 0
                while c &+ 8 <= channels { store8(sum, c, load8(sum, c) + load8(d, c)); c &+= 8 }
                while c < channels { sum[c] += d[c]; c &+= 1 }
            }
        }
    }
}

/// Sets a share of the values to zero and scales the others up, as the numbers of a counter say (Srivastava
/// et al. 2014); the same call on a gradient is its backward pass. Input and output may be the same memory.
package func dropout(
    _ input: UnsafePointer<Float>, count: Int, rate: Float, seed: UInt64,
    into out: UnsafeMutablePointer<Float>
) {
    let bound = UInt64(Double(rate) * 0x1p32)
    let scale = 1 / (1 - rate)
    forEachBlock(count, size: 32_768) { range in
        for i in range {
            // splitmix64 (Steele, Lea and Flood 2014) of seed and place.
            var z = seed &+ UInt64(truncatingIfNeeded: i) &* 0x9E37_79B9_7F4A_7C15
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            out[i] = (z ^ (z >> 31)) >> 32 < bound ? 0 : input[i] * scale
        }
    }
}
