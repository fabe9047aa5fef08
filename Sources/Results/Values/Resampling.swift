import Tensors

/// Bootstrap draws over items (Efron 1979): a replicate draws as many items as there are, with replacement,
/// and all rows of a drawn item come with it. Groups of the same items get the same draws, so that
/// differences between them are paired.
package struct Resampling: Sendable {
    private let places: [Int: Int]
    /// For each replicate how often each item was drawn.
    private let counts: [[Double]]

    /// - Parameter items: the item of each row. The draws depend on the set of items alone, not on rows or
    ///   their order.
    package init(items: [Int]) {
        let distinct = Set(items).sorted()
        places = Dictionary(uniqueKeysWithValues: distinct.enumerated().map { ($1, $0) })
        guard distinct.count > 1 else {
            counts = []
            return
        }
        var generator = Generator(seed: 0)
        let count = UInt32(distinct.count)
        counts = (0..<Measure.replicateCount).map { _ in
            var drawn = [Double](repeating: 0, count: distinct.count)
            for _ in distinct { drawn[Int(generator.nextWord() % count)] += 1 }
            return drawn
        }
    }

    /// The mean of a number per row; `items[i]` is the item of row i.
    package func mean(_ values: [Double], items: [Int]) -> Measure {
        // Rows of one item always come together.
        var sums = [Double](repeating: 0, count: places.count), rows = sums
        for (value, item) in zip(values, items) {
            guard let place = places[item] else { continue }
            sums[place] += value
            rows[place] += 1
        }
        let value = sums.reduce(0, +) / rows.reduce(0, +)
        // Among infinities there is nothing to draw an interval from.
        guard value.isFinite else { return Measure(value: value, n: values.count, replicates: []) }
        let replicates = counts.map { drawn -> Double in
            var sum = 0.0, count = 0.0
            for place in drawn.indices {
                sum += drawn[place] * sums[place]
                count += drawn[place] * rows[place]
            }
            return sum / count
        }
        return Measure(value: value, n: values.count, replicates: replicates)
    }
}
