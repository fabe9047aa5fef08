/// A number of bytes as users write it: 500M, 20G, 1.5G, 0. Units are powers of 1,024.
package struct ByteSize: Sendable, CustomStringConvertible {
    package let bytes: Int

    package init(_ bytes: Int) { self.bytes = bytes }

    private static let units: [(letter: Character, factor: Int)] = [
        ("T", 1 << 40), ("G", 1 << 30), ("M", 1 << 20), ("K", 1 << 10),
    ]

    /// nil where the text is no size.
    package init?(_ text: String) {
        var number = Substring(text.uppercased())
        for suffix in ["IB", "B"] where number.hasSuffix(suffix) {
            number = number.dropLast(suffix.count)
            break
        }
        var factor = 1
        if let unit = Self.units.first(where: { number.last == $0.letter }) {
            factor = unit.factor
            number = number.dropLast()
        }
        guard !number.isEmpty, number.allSatisfy({ $0.isASCII && ($0.isNumber || $0 == ".") }),
            let value = Double(number), value.isFinite
        else { return nil }
        let bytes = value * Double(factor)
        // A thousandth of an exabyte is more than any disk has.
        guard bytes < 1e15, factor > 1 || bytes == bytes.rounded() else { return nil }
        self.bytes = Int(bytes)
    }

    /// "16 GiB", "1.5 MiB", "300 bytes".
    package var description: String {
        guard let unit = Self.units.first(where: { bytes >= $0.factor }) else {
            return "\(bytes) \(bytes == 1 ? "byte" : "bytes")"
        }
        let tenths = (bytes * 10 + unit.factor / 2) / unit.factor
        return (tenths % 10 == 0 ? "\(tenths / 10)" : "\(tenths / 10).\(tenths % 10)") + " \(unit.letter)iB"
    }
}
