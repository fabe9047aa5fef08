internal import Tensors

/// The order in which a training sees its rows: a new permutation per epoch, cut into batches, the last of an
/// epoch smaller where they do not divide; and which captions are replaced by the empty text. All of it
/// follows from the seed alone.
package struct BatchOrder: Sendable {
    package struct Row: Sendable, Hashable {
        package var row: Int
        /// Whether the caption is dropped (Ho and Salimans 2022: what makes classifier-free guidance
        /// possible).
        package var isEmpty: Bool
    }

    package let rowCount: Int
    package let batch: Int
    package let emptyShare: Double
    package let seed: Int

    /// - Parameter rowCount: at least one; the batch is at most that.
    package init(rowCount: Int, batch: Int, emptyShare: Double = 0, seed: Int = 0) {
        precondition(rowCount > 0 && batch > 0, "\(rowCount) rows in batches of \(batch)")
        self.rowCount = rowCount
        self.batch = min(batch, rowCount)
        self.emptyShare = emptyShare
        self.seed = seed
    }

    package var stepsPerEpoch: Int { (rowCount + batch - 1) / batch }

    /// The rows of optimiser step `step`, counted from 0.
    package func rows(step: Int) -> [Row] {
        let epoch = step / stepsPerEpoch, start = step % stepsPerEpoch * batch
        let range = start..<min(start + batch, rowCount)
        var generator = Generator(seed: UInt64(truncatingIfNeeded: seed &* 1_000_003 &+ epoch))
        let order = generator.permutation(rowCount)
        let draws = generator.uniformDoubles(count: rowCount)
        return range.map { Row(row: order[$0], isEmpty: draws[$0] < emptyShare) }
    }
}
