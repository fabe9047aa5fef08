internal import WideKernels

/// Winograd's minimal filtering F(m x m, 3 x 3) (Lavin and Gray 2015), by the Cook-Toom construction: with
/// points α and infinity, y = Aᵀ[(G g) ⊙ (Bᵀ d)], where row j of Bᵀ holds the coefficients of the product of
/// (x - α_l) over l ≠ j, row j of G the powers of α_j over the product of (α_j - α_l), and column j of Aᵀ the
/// powers of α_j.
package enum WinogradSize: String, Sendable, CaseIterable {
    /// F(2 x 2, 3 x 3), points 0, ±1: 2.25 times fewer products, about 1.6 times the rounding error of the
    /// direct sum.
    case two = "F(2)"
    /// F(4 x 4, 3 x 3), points 0, ±√2/2, ±√2: 4 times fewer products, about 5 times the error (with 0, ±1, ±2
    /// it would be 10).
    case four = "F(4)"
    /// F(2 x 2, 3 x 3) for a picture enlarged to twice its size by nearest neighbour: a row of its tiles is
    /// x₀ x₁ x₁ x₂, of its four products the one with x₁ - x₁ is left out, and the half of s cancels against
    /// x₁ + x₁. What remains is s x₁ - w₀ (x₁ - x₀) and s x₁ + w₂ (x₂ - x₁) with s = w₀ + w₁ + w₂. 4 times
    /// fewer products than the direct sum; equal to F(2) to the bit.
    case doubled = "doubled"

    /// Side of an output tile.
    var output: Int { self == .four ? 4 : 2 }
    /// Side of an input tile, in pixels of the input where it is doubled, else of the picture that the kernel
    /// sees.
    var input: Int { self == .doubled ? 3 : output + 2 }
    /// From tile to tile, in the same pixels.
    var step: Int { self == .doubled ? 1 : output }
    var planes: Int { input * input }

    /// G, `[input][3]`.
    var filterTransform: [[Double]] {
        switch self {
        case .two: Self.filterTransform(points: [0, 1, -1])
        case .four:
            Self.filterTransform(points: [
                0, 0.5.squareRoot(), -0.5.squareRoot(), 2.0.squareRoot(), -2.0.squareRoot(),
            ])
        case .doubled: [[-1, 0, 0], [1, 1, 1], [0, 0, 1]]
        }
    }

    private static func filterTransform(points: [Double]) -> [[Double]] {
        return points.indices.map { j in
            let scale = points.indices.reduce(1.0) { $1 == j ? $0 : $0 * (points[j] - points[$1]) }
            return [1 / scale, points[j] / scale, points[j] * points[j] / scale]
        } + [[0, 0, 1]]
    }
}

/// The kernel of a 3 x 3 convolution, transformed in Double and packed: one `[channels, outputs]` matrix per
/// plane of the tile.
package final class WinogradWeights: Sendable {
    package let size: WinogradSize
    package let channels: Int
    package let outputs: Int
    let planes: [PackedMatrix]
    /// The same, or none.
    private let cached: [CachedMatrix]
    /// One value per output.
    let bias: [Float]

    /// - Parameter weights: `[outputs, channels, 3, 3]`.
    package init(
        _ size: WinogradSize, weights: UnsafePointer<Float>, outputs: Int, channels: Int, bias: [Float]?,
        precision: StoredPrecision = .float32
    ) {
        self.size = size
        (self.channels, self.outputs) = (channels, outputs)
        self.bias = bias ?? Array(repeating: 0, count: outputs)
        let g = size.filterTransform.flatMap { $0 }
        let n = size.input
        let planes = (0..<size.planes).map { _ in
            PackedMatrix(roomFor: channels, outputs: outputs, precision: precision)
        }
        self.planes = planes
        cached = planes.compactMap { $0.cached(rows: CachedMatrix.fewestRows) }
        // Straight into the panels.
        if RowTiles.wide, precision == .float32, outputs % PackedMatrix.width == 0 {
            let panels = planes.map { $0.writablePanels }
            ThreadPool.shared.run(outputs / PackedMatrix.width) { panel in
                Self.transform(
                    weights + panel * PackedMatrix.width * channels * 9, channels: channels, g, n,
                    into: panels, offset: panel * PackedMatrix.width * channels)
            }
            return
        }
        // Eight kernels at a time, each in its own lane.
        ThreadPool.shared.run(planes[0].panels * 2) { index in
            let panel = index / 2, first = index % 2 * 8
            let output = panel * PackedMatrix.width + first
            let lanes = max(0, min(8, outputs - output))
            withUnsafeTemporaryAllocation(of: SIMD8<Double>.self, capacity: 9 + n * 3) { scratch in
                guard let kernel = scratch.baseAddress else { return }
                let half = kernel + 9
                let from = weights + output * channels * 9
                withUnsafeTemporaryAllocation(of: Float.self, capacity: 9 * 8 * 8) { taps in
                    guard let taps = taps.baseAddress else { return }
                    for channel in 0..<channels {
                        // Nine taps of eight channels come together.
                        if channel % 8 == 0 {
                            gather(
                                from + channel * 9, count: min(8, channels - channel) * 9,
                                stride: channels * 9, lanes: lanes, into: taps, step: 8)
                        }
                        for tap in 0..<9 {
                            kernel[tap] = SIMD8<Double>(load8(taps, (channel % 8 * 9 + tap) * 8))
                        }
                        for i in 0..<n {
                            for x in 0..<3 {
                                half[i * 3 + x] =
                                    g[i * 3] * kernel[x] + g[i * 3 + 1] * kernel[3 + x] + g[i * 3 + 2]
                                    * kernel[6 + x]
                            }
                        }
                        for i in 0..<n {
                            for j in 0..<n {
                                let value = F8(
                                    g[j * 3] * half[i * 3] + g[j * 3 + 1] * half[i * 3 + 1] + g[j * 3 + 2]
                                        * half[i * 3 + 2])
                                planes[i * n + j].set(value, row: channel, panel: panel, first: first)
                            }
                        }
                    }
                }
            }
        }
    }

    /// One panel of each plane, of 16 kernels.
    private static func transform(
        _ kernels: UnsafePointer<Float>, channels: Int, _ g: [Double], _ side: Int,
        into planes: [UnsafeMutablePointer<Float>], offset: Int
    ) {
        var memory = Scratch()
        defer { memory.release() }
        let together = 8
        let taps = memory.floats(together * 9 * 16), half = memory.take(side * 3 * 16, of: Double.self)
        for first in stride(from: 0, to: channels, by: together) {
            let count = min(together, channels - first)
            for lane in [0, 8] {
                gather(
                    kernels + (lane * channels + first) * 9, count: count * 9, stride: channels * 9, lanes: 8,
                    into: taps + lane, step: 16)
            }
            wideFilterTransform(
                taps, channels: count, g, side: side, half: half, into: planes, offset: offset + first * 16)
        }
    }

    /// The planes where `CachedMatrix` serves them and so many rows.
    func cached(rows: Int) -> [CachedMatrix]? {
        rows >= CachedMatrix.fewestRows && !cached.isEmpty ? cached : nil
    }

    package var byteCount: Int { planes.reduce(0) { $0 + $1.byteCount } }
}

/// Value i of each of `lanes` rows, side by side in `out + step * i`; zeros beyond them.
private func gather(
    _ rows: UnsafePointer<Float>, count: Int, stride: Int, lanes: Int, into out: UnsafeMutablePointer<Float>,
    step: Int
) {
    var i = 0
    while lanes == 8, i &+ 8 <= count {
        let columns = transposed8(rows + i, stride: stride)
        let to = out + step &* i
        store8(to, 0, columns.0); store8(to, step, columns.1); store8(to, 2 &* step, columns.2);
        store8(to, 3 &* step, columns.3)
        store8(to, 4 &* step, columns.4); store8(to, 5 &* step, columns.5); store8(to, 6 &* step, columns.6);
        store8(to, 7 &* step, columns.7)
        i &+= 8
    }
    while i < count {
        for lane in 0..<8 { out[step &* i &+ lane] = lane < lanes ? rows[lane &* stride &+ i] : 0 }
        i &+= 1
    }
}
