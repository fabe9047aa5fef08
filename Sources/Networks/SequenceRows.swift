import Tensors

/// Where the rows of a batch of equally long sequences lie: what all of them begin with once, then what
/// follows it, item by item. Where nobody looks ahead (a causal mask), a beginning that is the same in all
/// items has the same states in all of them.
package struct SequenceRows: Sendable {
    package let batch: Int
    package let length: Int
    /// Positions that stand once for all items.
    package let shared: Int

    package init(batch: Int, length: Int, shared: Int = 0) {
        precondition(
            batch > 0 && shared >= 0 && shared < length,
            "\(shared) of \(length) positions shared by \(batch) sequences")
        (self.batch, self.length, self.shared) = (batch, length, shared)
    }

    /// Positions of each item after the shared ones.
    package var own: Int { length - shared }
    package var count: Int { shared + batch * own }

    /// `[count, width]` to `[batch, length, width]`.
    package func spread(_ x: Tensor) -> Tensor {
        let width = x.count / count
        guard shared > 0 else { return x.reshaped([batch, length, width]) }
        return x.withUnsafePointer { from in
            Tensor(shape: [batch, length, width]) { out in
                for item in 0..<batch {
                    let to = out + item * length * width
                    to.update(from: from, count: shared * width)
                    (to + shared * width).update(
                        from: from + (shared + item * own) * width, count: own * width)
                }
            }
        }
    }
}
