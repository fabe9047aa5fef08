import Kernels
import Tensors

/// The feed-forward part of a transformer block: a layer normalisation, a linear layer to a greater width, an
/// activation, and a linear layer back.
package struct FeedForward: Sendable {
    /// What stands between the two layers.
    package enum Middle: Sendable {
        case activation(Activation)
        /// GEGLU (Shazeer 2020): the first layer gives twice the width.
        case gatedGelu
    }

    private let norm: LayerNorm
    private let first, second: Linear
    private let middle: Middle

    package init(norm: LayerNorm, first: Linear, _ middle: Middle, second: Linear) {
        (self.norm, self.first, self.middle, self.second) = (norm, first, middle, second)
    }

    /// `[..., width]` to the same.
    /// - Parameter residual: of the same shape, added to the output.
    package func callAsFunction(_ x: Tensor, adding residual: Tensor? = nil) -> Tensor {
        let width = first.inputs, rows = x.count / width
        return x.withUnsafePointer { source in
            Tensor(shape: x.shape) { out in
                withPointer(residual) { residual in
                    forEachBlock(rows, size: rowsTogether(of: rows)) { range in
                        let start = range.lowerBound * width
                        apply(
                            source + start, rows: range.count, adding: residual.map { $0 + start },
                            into: out + start)
                    }
                }
            }
        }
    }

    /// Many rows go through all steps some at a time, so that the greater width stays in a core's own cache:
    /// 768 KB of it. Not of the widest layers: their weights would have to be read from memory again for each
    /// few rows.
    private func rowsTogether(of rows: Int) -> Int {
        let together = 196_608 / first.outputs / 12 * 12
        return together >= 72 && rows >= 2 * together * ThreadPool.shared.threadCount
            ? evenShare(of: rows, atMost: together) : max(1, rows)
    }

    private func apply(
        _ x: UnsafePointer<Float>, rows: Int, adding residual: UnsafePointer<Float>?,
        into out: UnsafeMutablePointer<Float>
    ) {
        // One cache line beside each row, as rows of whole powers of two would share cache sets.
        let wide = first.outputs + 16, narrow = max(first.inputs, second.inputs) + 16
        let hidden = BufferPool.take(rows * wide), other = BufferPool.take(rows * narrow)
        defer {
            BufferPool.give(hidden, rows * wide)
            BufferPool.give(other, rows * narrow)
        }
        norm.apply(x, rows: rows, into: other)
        first.apply(other, rows: rows, into: hidden, outputStride: wide)
        switch middle {
        case .gatedGelu:
            geglu(
                hidden, rows: rows, inputStride: wide, width: second.inputs, into: other, outputStride: narrow
            )
            second.apply(other, rows: rows, inputStride: narrow, adding: residual, into: out)
        case .activation(let activation):
            forEachBlock(rows, size: max(1, 32_768 / wide)) { range in
                for row in range {
                    activation.apply(hidden + row * wide, count: first.outputs, into: hidden + row * wide)
                }
            }
            second.apply(hidden, rows: rows, inputStride: wide, adding: residual, into: out)
        }
    }
}
