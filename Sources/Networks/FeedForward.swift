import Kernels
import Tensors

/// The feed-forward part of a transformer block: a layer normalisation, a linear layer to eight times the width, GEGLU, and a linear layer back
/// (diffusers' BasicTransformerBlock; Shazeer 2020).
package struct FeedForward: Sendable {
    private let width: Int
    private let norm: LayerNorm
    private let gate: Linear  // net.0.proj
    private let output: Linear  // net.2

    package init(_ scope: WeightScope, norm: WeightScope, width: Int) {
        self.width = width
        self.norm = LayerNorm(norm, width: width, epsilon: 1e-5)
        gate = Linear(scope["net"][0]["proj"], inputs: width, outputs: 8 * width)
        output = Linear(scope["net"][2], inputs: 4 * width, outputs: width)
    }

    /// `[..., width]` to the same.
    package func callAsFunction(_ x: Tensor) -> Tensor {
        let rows = x.count / width
        return x.withUnsafePointer { source in
            Tensor(shape: x.shape) { out in
                forEachBlock(rows, size: rowsTogether(of: rows)) { range in
                    apply(source + range.lowerBound * width, rows: range.count, into: out + range.lowerBound * width)
                }
            }
        }
    }

    /// Narrow layers go through all steps some rows at a time, whose eightfold width then stays in a core's own cache (384 KB of it); of wide
    /// layers the weights would have to be read again for each few rows.
    private func rowsTogether(of rows: Int) -> Int { width <= 192 ? max(12, 98_304 / (8 * width) / 12 * 12) : max(1, rows) }

    private func apply(_ x: UnsafePointer<Float>, rows: Int, into out: UnsafeMutablePointer<Float>) {
        let wide = BufferPool.take(rows * 8 * width), narrow = BufferPool.take(rows * 4 * width)
        defer {
            BufferPool.give(wide, rows * 8 * width)
            BufferPool.give(narrow, rows * 4 * width)
        }
        norm.apply(x, rows: rows, into: narrow)
        gate.apply(narrow, rows: rows, into: wide)
        geglu(wide, rows: rows, width: 4 * width, into: narrow)
        output.apply(narrow, rows: rows, into: out)
    }
}
