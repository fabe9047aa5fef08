extension Tensor {
    /// Element `index` of the first axis, without that axis.
    package subscript(index: Int) -> Tensor {
        precondition(rank > 0 && index >= 0 && index < shape[0], "index \(index) is outside \(shape)")
        return self[rows: index..<(index + 1)].reshaped(Array(shape.dropFirst()))
    }

    /// A part of the first axis.
    package subscript(rows range: Range<Int>) -> Tensor {
        precondition(
            rank > 0 && range.lowerBound >= 0 && range.upperBound <= shape[0],
            "rows \(range) are outside \(shape)")
        let stride = shape.dropFirst().reduce(1, *)
        return withUnsafePointer { source in
            Tensor(shape: [range.count] + shape.dropFirst()) { out in
                out.update(from: source + range.lowerBound * stride, count: range.count * stride)
            }
        }
    }

    /// Tensors of equal shape as the rows of a new first axis.
    package static func stacked(_ parts: [Tensor]) -> Tensor {
        concatenated(parts.map { $0.reshaped([1] + $0.shape) })
    }

    /// Tensors joined along the first axis; the other axes must agree.
    package static func concatenated(_ parts: [Tensor]) -> Tensor {
        precondition(!parts.isEmpty, "nothing to concatenate")
        let rest = Array(parts[0].shape.dropFirst())
        for part in parts {
            precondition(
                part.rank > 0 && Array(part.shape.dropFirst()) == rest,
                "cannot concatenate \(parts[0].shape) and \(part.shape)")
        }
        let rows = parts.reduce(0) { $0 + $1.shape[0] }
        return Tensor(shape: [rows] + rest) { out in
            var place = out
            for part in parts {
                part.withUnsafePointer { place.update(from: $0, count: part.count) }
                place += part.count
            }
        }
    }

    /// So many times over, along the first axis.
    package func repeated(_ times: Int) -> Tensor {
        times == 1 ? self : Tensor.concatenated(Array(repeating: self, count: times))
    }

    /// `[batch, channels, height, width]` to `[batch, height, width, channels]`.
    package var channelsLast: Tensor {
        precondition(rank == 4, "expected [batch, channels, height, width], found \(shape)")
        return swappingInner(
            outer: shape[0], rows: shape[1], columns: shape[2] * shape[3],
            shape: [shape[0], shape[2], shape[3], shape[1]])
    }

    /// `[batch, height, width, channels]` to `[batch, channels, height, width]`.
    package var channelsFirst: Tensor {
        precondition(rank == 4, "expected [batch, height, width, channels], found \(shape)")
        return swappingInner(
            outer: shape[0], rows: shape[1] * shape[2], columns: shape[3],
            shape: [shape[0], shape[3], shape[1], shape[2]])
    }

    private func swappingInner(outer: Int, rows: Int, columns: Int, shape: [Int]) -> Tensor {
        withUnsafePointer { source in
            Tensor(shape: shape) { out in
                for o in 0..<outer {
                    let from = source + o * rows * columns
                    let to = out + o * rows * columns
                    for r in 0..<rows {
                        for c in 0..<columns { to[c * rows + r] = from[r * columns + c] }
                    }
                }
            }
        }
    }
}
