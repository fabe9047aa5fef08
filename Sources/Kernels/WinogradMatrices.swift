/// Winograd's minimal filtering F(m x m, 3 x 3) (Lavin and Gray 2015), by the Cook-Toom construction: with points α and
/// infinity, y = Aᵀ[(G g) ⊙ (Bᵀ d)], where row j of Bᵀ holds the coefficients of the product of (x - α_l) over l ≠ j,
/// row j of G the powers of α_j over the product of (α_j - α_l), and column j of Aᵀ the powers of α_j.
package enum WinogradSize: Int, Sendable, CaseIterable {
    /// F(2 x 2, 3 x 3), points 0, ±1: 2.25 times fewer products, about 1.6 times the rounding error of the direct sum.
    case two = 2
    /// F(4 x 4, 3 x 3), points 0, ±√2/2, ±√2: 4 times fewer products, about 5 times the error (with 0, ±1, ±2 it would be 10).
    case four = 4

    /// Side of an output tile.
    var output: Int { rawValue }
    /// Side of an input tile.
    var input: Int { rawValue + 2 }
    var planes: Int { input * input }

    private var points: [Double] {
        switch self {
        case .two: [0, 1, -1]
        case .four: [0, 0.5.squareRoot(), -0.5.squareRoot(), 2.0.squareRoot(), -2.0.squareRoot()]
        }
    }

    /// G, `[input][3]`.
    var filterTransform: [[Double]] {
        let points = points
        return points.indices.map { j in
            let scale = points.indices.reduce(1.0) { $1 == j ? $0 : $0 * (points[j] - points[$1]) }
            return [1 / scale, points[j] / scale, points[j] * points[j] / scale]
        } + [[0, 0, 1]]
    }
}

/// The kernel of a 3 x 3 convolution, transformed in Double and packed: one `[channels, outputs]` matrix per plane of the tile.
package final class WinogradWeights: Sendable {
    package let size: WinogradSize
    package let channels: Int
    package let outputs: Int
    let planes: [PackedMatrix]
    /// One value per output.
    let bias: [Float]

    /// - Parameter weights: `[outputs, channels, 3, 3]`.
    package init(_ size: WinogradSize, weights: UnsafePointer<Float>, outputs: Int, channels: Int, bias: [Float]?, precision: StoredPrecision = .float32) {
        self.size = size
        (self.channels, self.outputs) = (channels, outputs)
        self.bias = bias ?? Array(repeating: 0, count: outputs)
        let g = size.filterTransform.flatMap { $0 }
        let n = size.input
        let count = outputs * channels
        let transformed = BufferPool.take(size.planes * count)
        defer { BufferPool.give(transformed, size.planes * count) }
        // Eight kernels at a time, each in its own lane.
        let groups = (count + 7) / 8
        forEachBlock(groups, size: 32) { range in
            withUnsafeTemporaryAllocation(of: SIMD8<Double>.self, capacity: 9 + n * 3) { scratch in
                guard let kernel = scratch.baseAddress else { return }
                let half = kernel + 9
                for group in range {
                    let first = group * 8
                    let lanes = min(8, count - first)
                    for tap in 0..<9 {
                        var values = SIMD8<Double>.zero
                        for lane in 0..<lanes { values[lane] = Double(weights[(first + lane) * 9 + tap]) }
                        kernel[tap] = values
                    }
                    for i in 0..<n {
                        for x in 0..<3 { half[i * 3 + x] = g[i * 3] * kernel[x] + g[i * 3 + 1] * kernel[3 + x] + g[i * 3 + 2] * kernel[6 + x] }
                    }
                    for i in 0..<n {
                        for j in 0..<n {
                            let value = F8(g[j * 3] * half[i * 3] + g[j * 3 + 1] * half[i * 3 + 1] + g[j * 3 + 2] * half[i * 3 + 2])
                            let to = transformed + (i * n + j) * count + first
                            if lanes == 8 {
                                store8(to, 0, value)
                            } else {
                                for lane in 0..<lanes { to[lane] = value[lane] }
                            }
                        }
                    }
                }
            }
        }
        // Planes side by side: packing one of them is too little work to share.
        planes = [PackedMatrix](unsafeUninitializedCapacity: size.planes) { buffer, made in
            guard let planes = buffer.baseAddress else { return }
            ThreadPool.shared.run(size.planes) { plane in
                (planes + plane).initialize(
                    to: PackedMatrix(weights: transformed + plane * count, outputs: outputs, channels: channels, taps: 1, bias: nil, precision: precision))
            }
            made = size.planes
        }
    }

    package var byteCount: Int { planes.reduce(0) { $0 + $1.byteCount } }
}
