import Kernels
import Tensors

/// Elementwise operations of networks that have no parameters, on the kernels.
package enum Activation: String, Sendable, CaseIterable {
    case silu, gelu
    case quickGelu = "quick_gelu"

    package func callAsFunction(_ x: Tensor) -> Tensor {
        x.withUnsafePointer { source in
            Tensor(shape: x.shape) { out in
                switch self {
                case .silu: Kernels.silu(source, count: x.count, into: out)
                case .gelu: Kernels.gelu(source, count: x.count, into: out)
                case .quickGelu: Kernels.quickGelu(source, count: x.count, into: out)
                }
            }
        }
    }
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
    precondition(values.shape == [batch, channels], "expected [\(batch), \(channels)], found \(values.shape)")
    let pixels = x.count / batch / channels
    values.withUnsafePointer { from in
        x.withUnsafeMutablePointer { addPerItem(from, batch: batch, pixels: pixels, channels: channels, to: $0) }
    }
}

/// GEGLU: `[..., 2 * width]` to `[..., width]`.
package func gatedGelu(_ x: Tensor) -> Tensor {
    let width = x.shape[x.rank - 1] / 2
    return x.withUnsafePointer { source in
        Tensor(shape: x.shape.dropLast() + [width]) { geglu(source, rows: x.count / width / 2, width: width, into: $0) }
    }
}

/// `[batch, height, width, a]` and `[batch, height, width, b]` to `[batch, height, width, a + b]`.
package func joinedChannels(_ a: Tensor, _ b: Tensor) -> Tensor {
    precondition(a.shape.dropLast() == b.shape.dropLast(), "cannot join channels of \(a.shape) and \(b.shape)")
    let first = a.shape[3], second = b.shape[3]
    let pixels = a.count / first
    return a.withUnsafePointer { x in
        b.withUnsafePointer { y in
            Tensor(shape: a.shape.dropLast() + [first + second]) { out in
                forEachBlock(pixels, size: max(1, 65_536 / (first + second))) { range in
                    for pixel in range {
                        (out + pixel * (first + second)).update(from: x + pixel * first, count: first)
                        (out + pixel * (first + second) + first).update(from: y + pixel * second, count: second)
                    }
                }
            }
        }
    }
}
