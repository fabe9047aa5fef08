import Results

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// The range of an axis and where its ticks stand: at multiples of 1, 2 or 5 times a power of ten, or at the
/// values themselves where these are few. On a logarithmic axis at powers of ten and, where these are few, at
/// 2 and 5 times them.
struct PlotAxis {
    /// As it is drawn: of a logarithmic axis the powers of ten.
    private let range: ClosedRange<Double>
    private let isLogarithmic: Bool
    let ticks: [Double]
    let labels: [String]

    /// - Parameters:
    ///   - count: ticks at most.
    ///   - fromZero: whether zero must be on it, as for bars.
    ///   - log: whether it is logarithmic; all values must be above zero then.
    init(_ values: [Double], ticks count: Int, fromZero: Bool = false, log: Bool = false) {
        guard !log else {
            self.init(logarithmic: values, ticks: count)
            return
        }
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
        let ticks = (0...Int(max(last, first + 1) - first)).map { (first + Double($0)) * step }
        self.init(
            first * step...max(last, first + 1) * step, ticks: ticks, labels: Self.labels(ticks, step: step))
    }

    /// The x axis of given values: ticks at these where they are few, with room on both sides.
    /// - Parameter bars: whether bars stand at the values, which need half of the way to their neighbours on
    ///   both sides.
    init(x values: [Double], ticks count: Int, bars: Bool = false, log: Bool = false) {
        let distinct = Array(Set(values)).sorted()
        guard let low = distinct.first, let high = distinct.last, distinct.count > 1 else {
            self.init(values, ticks: count, log: log)
            return
        }
        func drawn(_ value: Double) -> Double { log ? log10(value) : value }
        let size = drawn(high) - drawn(low)
        let closest = zip(distinct, distinct.dropFirst()).map { drawn($1) - drawn($0) }.min() ?? size
        let room = bars ? max(closest / 2, size * 0.01) : size * 0.04
        if distinct.count <= count, closest >= 0.6 * size / Double(count) {
            let format = ColumnFormat(for: distinct)
            self.init(
                drawn(low) - room...drawn(high) + room, ticks: distinct, labels: distinct.map { format($0) },
                log: log)
            return
        }
        let axis = PlotAxis(values, ticks: count, log: log)
        let least = min(axis.range.lowerBound, drawn(low) - room),
            most = max(axis.range.upperBound, drawn(high) + room)
        self.init(bars ? least...most : axis.range, ticks: axis.ticks, labels: axis.labels, log: log)
    }

    /// Categories at 0, 1, 2, ...
    init(categories: [String]) {
        self.init(
            -0.5...Double(max(1, categories.count)) - 0.5, ticks: categories.indices.map(Double.init),
            labels: categories)
    }

    private init(_ range: ClosedRange<Double>, ticks: [Double], labels: [String], log: Bool = false) {
        (self.range, self.ticks, self.labels, isLogarithmic) = (range, ticks, labels, log)
    }

    private init(logarithmic values: [Double], ticks count: Int) {
        let powers = values.filter { $0 > 0 }.map { log10($0) }
        var low = powers.min() ?? 0, high = powers.max() ?? 1
        if high - low < 0.02 { (low, high) = (low - 0.1, high + 0.1) }
        let first = Int(low.rounded(.down)), last = Int(high.rounded(.up))
        // All powers of ten, or every second, fifth, ...; between few of them the numbers that people count
        // by.
        let stride = max(1, (last - first + count - 1) / max(1, count))
        let factors: [Double] = (last - first) * 3 <= count + 2 ? [1, 2, 5] : [1]
        let all = (first...last).filter { $0 % stride == 0 }.flatMap { power in
            factors.map { $0 * pow(10, Double(power)) }
        }.filter { $0 > 0 && $0.isFinite }
        func isInside(_ tick: Double) -> Bool { log10(tick) >= low - 1e-9 && log10(tick) <= high + 1e-9 }
        // The axis ends at the ticks around the values.
        let below = all.last { log10($0) < low - 1e-9 }, above = all.first { log10($0) > high + 1e-9 }
        let ticks = [below].compactMap { $0 } + all.filter(isInside) + [above].compactMap { $0 }
        let ends = ticks.map { log10($0) }
        self.init(
            min(low, ends.first ?? low)...max(high, ends.last ?? high), ticks: ticks,
            labels: ticks.map {
                1e-4 <= $0 && $0 < 1e7 ? NumberFormat.plain($0) : NumberFormat.scientific(decimals: 0)($0)
            }, log: true)
    }

    /// Where on the axis, 0...1. What has no place on a logarithmic axis stands at its lower end.
    func place(_ value: Double) -> Double {
        let drawn = isLogarithmic ? (value > 0 ? log10(value) : range.lowerBound) : value
        return (max(drawn, isLogarithmic ? range.lowerBound : drawn) - range.lowerBound)
            / (range.upperBound - range.lowerBound)
    }

    /// Where bars begin: zero, or the end that is nearest to it.
    var base: Double { isLogarithmic ? 0 : place(max(range.lowerBound, min(0, range.upperBound))) }

    /// Where zero stands among numbers below it; nil where it is the axis itself or not there.
    var zero: Double? { !isLogarithmic && range.lowerBound < 0 && range.upperBound >= 0 ? place(0) : nil }

    /// The least distance between two different values, as a share of the axis; the whole axis where there is
    /// one.
    func closest(_ values: [Double]) -> Double {
        let places = Set(values).sorted().map(place)
        return zip(places, places.dropFirst()).map { $1 - $0 }.min() ?? 1
    }

    private static func step(_ wanted: Double) -> Double {
        let power = pow(10, log10(wanted).rounded(.down))
        let ratio = wanted / power
        return (ratio <= 1.000_001 ? 1 : ratio <= 2.000_001 ? 2 : ratio <= 5.000_001 ? 5 : 10) * power
    }

    /// As the numbers of a column, with as many decimals more as it takes to tell two ticks apart.
    private static func labels(_ ticks: [Double], step: Double) -> [String] {
        let usual = ColumnFormat(for: ticks + [step])
        let labels = ticks.map { usual($0) }
        guard Set(labels).count < labels.count else { return labels }
        let decimals = -log10(step).rounded(.down)
        guard decimals > 0, decimals < 15 else { return ticks.map(NumberFormat.plain) }
        return ticks.map { NumberFormat.fixed(decimals: Int(decimals))($0) }
    }
}
