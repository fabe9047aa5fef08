internal import Tensors

/// The control to retrieval by similarity: rows drawn without looking.
package enum RandomNeighbours {
    /// `top` different rows of `count`, in the order drawn: the start of the reference generator's `randperm`
    /// for this item's seed.
    package static func rows(of count: Int, top: Int, seed: UInt64) throws -> [Int] {
        guard count > 0 else {
            throw EngineError(.data, "there is nothing to retrieve from: the table is empty")
        }
        guard top > 0 else { throw EngineError(.data, "top is \(top); expected at least 1") }
        var generator = Generator(seed: seed)
        return Array(generator.permutation(count).prefix(top))
    }
}
