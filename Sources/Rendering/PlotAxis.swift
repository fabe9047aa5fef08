import Results

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// The range of an axis and where its ticks stand: at multiples of 1, 2 or 5 times a power of ten, or at the values themselves where
/// these are few.
struct PlotAxis {
    let range: ClosedRange<Double>
    let ticks: [Double]
    let labels: [String]

    /// - Parameters:
    ///   - count: ticks at most.
    ///   - fromZero: whether zero must be on it, as for bars.
    init(_ values: [Double], ticks count: Int, fromZero: Bool = false) {
        let all = values + (fromZero ? [0] : [])
        var low = all.min() ?? 0, high = all.max() ?? 1
        if high - low <= max(1e-12 * max(abs(low), abs(high)), 1e-290) {
            let size = max(abs(low), abs(high))
            let pad = size > 1e-280 ? size * 0.1 : 1
            if !fromZero || low != 0 { low -= pad }
            high += pad
        }
        let step = Self.step((high - low) / Double(max(1, count - 1)))
        let first = (low / step + 1e-9).rounded(.down), last = (high / step - 1e-9).rounded(.up)
        range = first * step...max(last, first + 1) * step
        ticks = (0...Int(max(last, first + 1) - first)).map { (first + Double($0)) * step }
        let format = NumberFormat(for: ticks + [step])
        labels = ticks.map { format($0) }
    }

    /// The x axis of given values: ticks at these where they are few, with room on both sides.
    init(x values: [Double], ticks count: Int) {
        let distinct = Array(Set(values)).sorted()
        guard let low = distinct.first, let high = distinct.last, distinct.count <= count, distinct.count > 1,
            zip(distinct, distinct.dropFirst()).allSatisfy({ $1 - $0 >= 0.6 * (high - low) / Double(count) })
        else {
            self.init(values, ticks: count)
            return
        }
        let room = (high - low) * 0.04
        let format = NumberFormat(for: distinct)
        self.init(range: low - room...high + room, ticks: distinct, labels: distinct.map { format($0) })
    }

    private init(range: ClosedRange<Double>, ticks: [Double], labels: [String]) { (self.range, self.ticks, self.labels) = (range, ticks, labels) }

    /// Categories at 0, 1, 2, ...
    init(categories: [String]) {
        range = -0.5...Double(max(1, categories.count)) - 0.5
        ticks = categories.indices.map(Double.init)
        labels = categories
    }

    /// Where on the axis, 0...1.
    func place(_ value: Double) -> Double { (value - range.lowerBound) / (range.upperBound - range.lowerBound) }

    private static func step(_ wanted: Double) -> Double {
        let power = pow(10, log10(wanted).rounded(.down))
        let ratio = wanted / power
        return (ratio <= 1.000_001 ? 1 : ratio <= 2.000_001 ? 2 : ratio <= 5.000_001 ? 5 : 10) * power
    }
}
