#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// How one number is printed.
package enum NumberFormat: Sendable, Equatable {
    case fixed(decimals: Int)
    case scientific(decimals: Int)

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

    /// One number on its own: whole numbers as such, others with the fewest digits that read back as the same
    /// number.
    package static func plain(_ number: Double) -> String {
        if number.isNaN { return "nan" }
        if number.isInfinite { return number < 0 ? "-inf" : "inf" }
        if number == number.rounded(), abs(number) < 1e15 { return String(Int64(number)) }
        return "\(number)"
    }

    /// One number without an exponent, with the fewest decimals that read back as the same number: as people
    /// write it in a program.
    package static func decimal(_ number: Double) -> String {
        let text = plain(number)
        guard text.contains("e"),
            let decimals = (0...40).first(where: { Double(fixed(decimals: $0)(number)) == number })
        else { return text }
        return fixed(decimals: decimals)(number)
    }

    /// One number that was computed, to be read in a sentence: rounded to three significant digits, whole
    /// ones as they are.
    package static func brief(_ number: Double) -> String {
        guard number.isFinite, number != number.rounded() else { return plain(number) }
        let text = significant(3, number)
        guard text.contains("."), !text.contains("e") else { return text }
        var digits = Substring(text)
        while digits.last == "0" { digits.removeLast() }
        return String(digits.last == "." ? digits.dropLast() : digits)
    }

    /// So many significant digits, of whole numbers all.
    static func significant(_ digits: Int, _ number: Double) -> String {
        let magnitude = magnitude(number)
        guard magnitude >= -4, magnitude < 12 else {
            return NumberFormat.scientific(decimals: digits - 1)(number)
        }
        return NumberFormat.fixed(decimals: max(0, digits - 1 - magnitude))(number)
    }

    /// The power of ten of the first digit.
    static func magnitude(_ number: Double) -> Int {
        number == 0 || !number.isFinite ? 0 : Int(log10(abs(number)).rounded(.down))
    }

    private static func print(_ format: String, _ decimals: Int, _ number: Double) -> String {
        withVaList([Int32(decimals), number]) { arguments in
            var buffer = [CChar](repeating: 0, count: 400)
            let length = vsnprintf(&buffer, buffer.count, format, arguments)
            return String(
                decoding: buffer.prefix(max(0, min(Int(length), buffer.count - 1))).map {
                    UInt8(bitPattern: $0)
                }, as: UTF8.self)
        }
    }
}
