import Kernels
import Tensors

/// Elementwise operations of networks that have no parameters, on the kernels.
package enum Activation: String, Sendable, CaseIterable {
    case silu, gelu
    case quickGelu = "quick_gelu"

    package func callAsFunction(_ x: Tensor) -> Tensor {
        x.withUnsafePointer { source in
            Tensor(shape: x.shape) { apply(source, count: x.count, into: $0) }
        }
    }

    func apply(_ x: UnsafePointer<Float>, count: Int, into out: UnsafeMutablePointer<Float>) {
        switch self {
        case .silu: Kernels.silu(x, count: count, into: out)
        case .gelu: Kernels.gelu(x, count: count, into: out)
        case .quickGelu: Kernels.quickGelu(x, count: count, into: out)
        }
    }
}

/// A tensor's elements, nil without one.
func withPointer<R>(_ tensor: Tensor?, _ body: (UnsafePointer<Float>?) -> R) -> R {
    tensor.map { $0.withUnsafePointer(body) } ?? body(nil)
}

/// The sum of two tensors of equal count, in the first one's shape.
package func added(_ a: Tensor, _ b: Tensor) -> Tensor {
    precondition(a.count == b.count, "cannot add \(a.shape) and \(b.shape)")
    return a.withUnsafePointer { x in
        b.withUnsafePointer { y in
            Tensor(shape: a.shape) { sum(x, y, count: a.count, into: $0) }
        }
    }
}

/// Adds `[batch, channels]` to every pixel of `[batch, height, width, channels]`.
package func add(_ values: Tensor, toEachPixelOf x: inout Tensor) {
    let batch = x.shape[0], channels = x.shape[x.rank - 1]
    precondition(
        values.shape == [batch, channels], "expected [\(batch), \(channels)], found \(values.shape)")
    let pixels = x.count / batch / channels
    values.withUnsafePointer { from in
        x.withUnsafeMutablePointer {
            addPerItem(from, batch: batch, pixels: pixels, channels: channels, to: $0)
        }
    }
}

/// `[batch, height, width, ...]` with different numbers of channels to one with all of them.
package func joinedChannels(_ parts: Tensor...) -> Tensor {
    let leading = parts[0].shape.dropLast()
    precondition(
        parts.allSatisfy { $0.shape.dropLast() == leading }, "cannot join channels of \(parts.map(\.shape))")
    let widths = parts.map { $0.shape[$0.rank - 1] }
    let total = widths.reduce(0, +), pixels = leading.reduce(1, *)
    return Tensor(shape: leading + [total]) { out in
        var offset = 0
        for (part, width) in zip(parts, widths) {
            part.withUnsafePointer { from in
                let to = out + offset
                forEachBlock(pixels, size: max(1, 65_536 / width)) { range in
                    for pixel in range {
                        (to + pixel * total).update(from: from + pixel * width, count: width)
                    }
                }
            }
            offset += width
        }
    }
}

/// Pools `[batch, height, width, channels]` over square windows.
package func pooled(_ x: Tensor, _ kind: Pooling, window: Int, stride: Int, padding: Int = 0) -> Tensor {
    let (batch, height, width, channels) = (x.shape[0], x.shape[1], x.shape[2], x.shape[3])
    func extent(_ side: Int) -> Int { (side + 2 * padding - window) / stride + 1 }
    return x.withUnsafePointer { from in
        Tensor(shape: [batch, extent(height), extent(width), channels]) {
            pooling(
                from, batch: batch, height: height, width: width, channels: channels, kind, window: window,
                stride: stride, padding: padding, into: $0)
        }
    }
}
