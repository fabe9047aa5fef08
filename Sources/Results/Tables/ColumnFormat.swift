#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// How the numbers of one column are printed: with as many decimals as they need, at most five significant
/// digits of the largest, the same number for all, so that a difference between two runs shows results and
/// not printing. Each is true to three significant digits: one that the column's decimals would leave with
/// fewer has digits of its own, whatever else stands in the column.
package struct ColumnFormat: Sendable, Equatable {
    /// Significant digits that every number is true to.
    private static let leastDigits = 3

    /// What most numbers of the column are printed in.
    package let usual: NumberFormat
    /// Whether two digits tell exactly what the usual decimals would make a zero, of all numbers of which
    /// they do.
    private let isShort: Bool

    package init(for numbers: some Sequence<Double>) { self.init(Array(numbers), usual: Self.usual(numbers)) }

    /// Of measures, and numbers beside them: two digits of the smallest half width. More would be noise.
    package init(for measures: [Measure], and numbers: [Double] = []) {
        let all = measures.flatMap { [$0.value, $0.low, $0.high] } + numbers
        let half = measures.map { ($0.high - $0.low) / 2 }.filter { $0 > 0 && $0.isFinite }.min() ?? 0
        var usual = Self.usual(all)
        if half > 1e-7, case .fixed(let most) = usual {
            usual = .fixed(decimals: min(most, max(0, 1 - Int(log10(half).rounded(.down)))))
        }
        self.init(all, usual: usual)
    }

    /// Decimals that were chosen beforehand.
    package static func fixed(decimals: Int) -> ColumnFormat {
        ColumnFormat([], usual: .fixed(decimals: decimals), isShort: false)
    }

    private init(_ numbers: [Double], usual: NumberFormat, isShort: Bool? = nil) {
        self.usual = usual
        self.isShort =
            isShort
            ?? numbers.allSatisfy { number in
                let text = usual(number)
                return Self.isTrue(text, number)
                    || (!Self.hasDigit(text)
                        && Self.isTrue(NumberFormat.scientific(decimals: 1)(number), number))
            }
    }

    package func callAsFunction(_ number: Double) -> String {
        let text = usual(number)
        if Self.isTrue(text, number) { return text }
        if isShort { return NumberFormat.scientific(decimals: 1)(number) }
        return NumberFormat.significant(Self.leastDigits, number)
    }

    private static func usual(_ numbers: some Sequence<Double>) -> NumberFormat {
        let finite = numbers.filter(\.isFinite)
        let largest = finite.map(abs).max() ?? 0
        guard largest > 0 else { return .fixed(decimals: 0) }
        guard largest >= 1e-4, largest < 1e12 else { return .scientific(decimals: 4) }
        let most = max(0, 4 - NumberFormat.magnitude(largest))
        // The fewest decimals that lose nothing, if that is less.
        for decimals in 0..<most {
            let scale = pow(10, Double(decimals))
            if finite.allSatisfy({ abs(($0 * scale).rounded() - $0 * scale) < 1e-9 * max(1, abs($0 * scale)) }
            ) {
                return .fixed(decimals: decimals)
            }
        }
        return .fixed(decimals: most)
    }

    private static func hasDigit(_ text: String) -> Bool { text.contains { ("1"..."9").contains($0) } }

    /// Whether what is printed is off by less than half a unit of the last digit that counts.
    private static func isTrue(_ text: String, _ number: Double) -> Bool {
        guard number.isFinite, number != 0 else { return true }
        guard let shown = Double(text) else { return false }
        return abs(shown - number) <= 0.5 * pow(10, Double(NumberFormat.magnitude(number) - leastDigits + 1))
            * (1 + 1e-9)
    }
}
