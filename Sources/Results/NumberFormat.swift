#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// How the numbers of one column are printed: with as many decimals as they need, at most five significant digits of the largest,
/// the same number for all, so that a difference between two runs shows results and not printing.
package enum NumberFormat: Sendable, Equatable {
    case fixed(decimals: Int)
    case scientific(decimals: Int)

    package init(for numbers: some Sequence<Double>) {
        let finite = numbers.filter(\.isFinite)
        let largest = finite.map(abs).max() ?? 0
        guard largest > 0 else {
            self = .fixed(decimals: 0)
            return
        }
        guard largest >= 1e-4, largest < 1e12 else {
            self = .scientific(decimals: 4)
            return
        }
        let magnitude = Int(log10(largest).rounded(.down))
        let most = max(0, 4 - magnitude)
        // The fewest decimals that lose nothing, if that is less.
        for decimals in 0..<most {
            let scale = pow(10, Double(decimals))
            if finite.allSatisfy({ abs(($0 * scale).rounded() - $0 * scale) < 1e-9 * max(1, abs($0 * scale)) }) {
                self = .fixed(decimals: decimals)
                return
            }
        }
        self = .fixed(decimals: most)
    }

    /// Of measures, and numbers beside them: two digits of the smallest half width. More would be noise.
    package init(for measures: [Measure], and numbers: [Double] = []) {
        let all = measures.flatMap { [$0.value, $0.low, $0.high] } + numbers
        let half = measures.map { ($0.high - $0.low) / 2 }.filter { $0 > 0 && $0.isFinite }.min() ?? 0
        let usual = NumberFormat(for: all)
        guard half > 1e-7, case .fixed(let most) = usual else {
            self = usual
            return
        }
        self = .fixed(decimals: min(most, max(0, 1 - Int(log10(half).rounded(.down)))))
    }

    package func callAsFunction(_ number: Double) -> String {
        if number.isNaN { return "nan" }
        if number.isInfinite { return number < 0 ? "-inf" : "inf" }
        let text =
            switch self {
            case .fixed(let decimals): NumberFormat.print("%.*f", decimals, number)
            case .scientific(let decimals): NumberFormat.print("%.*e", decimals, number)
            }
        // "-0.00" says nothing that "0.00" does not.
        return text.hasPrefix("-") && text.allSatisfy { "-0.".contains($0) } ? String(text.dropFirst()) : text
    }

    /// A number that is exact: where the column's decimals would make it a zero, it takes digits of its own.
    package func exact(_ number: Double) -> String {
        let text = self(number)
        guard case .fixed = self, number != 0, !text.contains(where: { ("1"..."9").contains($0) }), number.isFinite else { return text }
        return NumberFormat.scientific(decimals: 1)(number)
    }

    /// One number on its own: whole numbers as such, others with the fewest digits that read back as the same number.
    package static func plain(_ number: Double) -> String {
        if number.isNaN { return "nan" }
        if number.isInfinite { return number < 0 ? "-inf" : "inf" }
        if number == number.rounded(), abs(number) < 1e15 { return String(Int64(number)) }
        return "\(number)"
    }

    private static func print(_ format: String, _ decimals: Int, _ number: Double) -> String {
        withVaList([Int32(decimals), number]) { arguments in
            var buffer = [CChar](repeating: 0, count: 400)
            let length = vsnprintf(&buffer, buffer.count, format, arguments)
            return String(decoding: buffer.prefix(max(0, min(Int(length), buffer.count - 1))).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
    }
}
