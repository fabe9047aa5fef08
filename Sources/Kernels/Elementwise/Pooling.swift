/// Pooling over windows of `[batch, height, width, channels]`.
package enum Pooling: Sendable {
    case maximum
    /// The mean of what lies inside the picture: padding is not counted.
    case mean
}

/// Square windows; out is `[batch, (height + 2 padding - window) / stride + 1, ... width alike, channels]`.
package func pooling(
    _ input: UnsafePointer<Float>, batch: Int, height: Int, width: Int, channels: Int, _ kind: Pooling,
    window: Int, stride: Int, padding: Int,
    into out: UnsafeMutablePointer<Float>
) {
    let outHeight = (height + 2 * padding - window) / stride + 1,
        outWidth = (width + 2 * padding - window) / stride + 1
    forEachBlock(batch * outHeight, size: max(1, 16_384 / (outWidth * channels))) { range in
        for row in range {
            let image = input + row / outHeight * height * width * channels
            let top = row % outHeight * stride - padding
            let rows = max(0, top)..<min(height, top + window)
            for x in 0..<outWidth {
                let left = x * stride - padding
                let columns = max(0, left)..<min(width, left + window)
                let to = out + (row * outWidth + x) * channels
                to.update(
                    from: image + (rows.lowerBound * width + columns.lowerBound) * channels, count: channels)
                for y in rows {
                    for column in columns where y > rows.lowerBound || column > columns.lowerBound {
                        let from = image + (y * width + column) * channels
                        switch kind {
                        case .maximum: for c in 0..<channels { to[c] = to[c] < from[c] ? from[c] : to[c] }
                        case .mean: for c in 0..<channels { to[c] += from[c] }
                        }
                    }
                }
                if kind == .mean {
                    let count = Float(rows.count * columns.count)
                    for c in 0..<channels { to[c] /= count }
                }
            }
        }
    }
}
