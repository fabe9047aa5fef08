/// A figure with its uncertainty: the value, of how many items it is, and the same figure under each
/// bootstrap replicate of these items.
package struct Measure: Sendable, Equatable {
    /// Bootstrap replicates of each measure.
    package static let replicateCount = 1_000

    /// In the unit of what was measured; so are the replicates and the bounds.
    package let value: Double
    /// How many items it is of.
    package let n: Int
    /// Empty where there was nothing to resample: one item, a constant.
    package let replicates: [Double]
    /// The middle 95 % of the replicates; the value itself where there are none.
    package let low: Double
    package let high: Double

    /// Bounds are the quantiles 0.025 and 0.975 of the replicates, interpolated as NumPy does.
    package init(value: Double, n: Int, replicates: [Double]) {
        (self.value, self.n, self.replicates) = (value, n, replicates)
        let sorted = replicates.sorted()
        guard let first = sorted.first, sorted.allSatisfy(\.isFinite) else {
            (low, high) = (value, value)
            return
        }
        func quantile(_ share: Double) -> Double {
            let place = share * Double(sorted.count - 1)
            let lower = Int(place)
            guard lower + 1 < sorted.count else { return sorted.last ?? first }
            return sorted[lower] + (place - Double(lower)) * (sorted[lower + 1] - sorted[lower])
        }
        (low, high) = (quantile(0.025), quantile(0.975))
    }

    /// With an interval that was found elsewhere.
    init(value: Double, n: Int, low: Double, high: Double) {
        (self.value, self.n, self.low, self.high, replicates) = (value, n, low, high, [])
    }

    package var hasInterval: Bool { !replicates.isEmpty }

    package static let fieldNames = ["value", "low", "high", "n"]

    package func field(_ name: String) -> Double? {
        switch name {
        case "value": value
        case "low": low
        case "high": high
        case "n": Double(n)
        default: nil
        }
    }

    /// The figure and every replicate through `body`.
    package func map(_ body: (Double) -> Double) -> Measure {
        Measure(value: body(value), n: n, replicates: replicates.map(body))
    }

    /// Both figures, replicate by replicate: where they are of the same items, their common luck cancels.
    package func combined(with other: Measure, _ body: (Double, Double) -> Double) -> Measure {
        let count = max(replicates.count, other.replicates.count)
        func at(_ measure: Measure, _ index: Int) -> Double {
            index < measure.replicates.count ? measure.replicates[index] : measure.value
        }
        return Measure(
            value: body(value, other.value), n: min(n, other.n),
            replicates: (0..<count).map { body(at(self, $0), at(other, $0)) })
    }

    /// "261 (251 to 270)".
    package func text(_ format: ColumnFormat) -> String {
        hasInterval ? Measure.text(value, low, high, format) : format(value)
    }

    static func text(_ value: Double, _ low: Double, _ high: Double, _ format: ColumnFormat) -> String {
        // What rounding leaves of differences that cancel is a zero beside an interval.
        let least = 1e-12 * max(abs(value), abs(low), abs(high))
        let parts = [value, low, high].map { format(abs($0) < least ? 0 : $0) }
        return "\(parts[0]) (\(parts[1]) to \(parts[2]))"
    }
}
