import Files
import Results

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Compares a cell's stored output with a computed one, line by line: text exactly, whole numbers exactly,
/// other numbers within a relative tolerance, pictures one by one by their bytes, else by their
/// signal-to-noise ratio. A stored line `...` stands for any lines.
package struct OutputComparison {
    /// One place where the two differ; nil on the side that has no such line.
    package struct Difference: Equatable, Sendable {
        package var stored: String?
        package var computed: String?
        package var reason: String

        init(stored: String? = nil, computed: String? = nil, reason: String) {
            (self.stored, self.computed, self.reason) = (stored, computed, reason)
        }
    }

    /// Engines that sum in another order agree in about four digits after a full run of denoising.
    package static let relativeTolerance = 1e-3
    /// Decibels; at 40 the eye sees no difference.
    package static let leastPictureRatio = 40.0

    /// The largest difference allowed in a table's column, in its own units: the cell's `tol(fid=0.5)`.
    package var tolerances: [String: Double] = [:]
    /// The bytes of a file of the output folder by its name, on either side.
    package var storedFile: (String) throws -> [UInt8]
    package var computedFile: (String) throws -> [UInt8]

    package init(
        tolerances: [String: Double] = [:], storedFile: @escaping (String) throws -> [UInt8],
        computedFile: @escaping (String) throws -> [UInt8]
    ) {
        (self.tolerances, self.storedFile, self.computedFile) = (tolerances, storedFile, computedFile)
    }

    package func differences(stored: String, computed: String) -> [Difference] {
        let old = Self.lines(stored), new = Self.lines(computed)
        var found: [Difference] = []
        var header = TableHeader()
        var place = 0
        let columns = old.reduce(into: Set<String>()) { columns, line in
            header.read(line)
            columns.formUnion(header.names)
        }
        // A misspelt tolerance would otherwise do nothing, silently.
        for name in tolerances.keys.sorted() where !columns.contains(name) {
            found.append(
                Difference(
                    stored: nil, computed: nil,
                    reason: "`tol(\(name)=...)`: no table of this output has a column `\(name)`"))
        }
        header = TableHeader()
        for (index, line) in old.enumerated() {
            if line == "..." {
                // Up to the next line that fits, or to the end.
                guard index + 1 < old.count else { return found }
                let next = old[index + 1]
                while place < new.count, reason(next, new[place], header) != nil { place += 1 }
                continue
            }
            guard place < new.count else {
                found.append(Difference(stored: line, computed: nil, reason: "no such line was computed"))
                continue
            }
            header.read(line)
            if let reason = reason(line, new[place], header) {
                found.append(Difference(stored: line, computed: new[place], reason: reason))
            }
            place += 1
        }
        for line in new.dropFirst(place) {
            found.append(Difference(stored: nil, computed: line, reason: "no such line is stored"))
        }
        return found
    }

    /// Lines without the blank ones at both ends.
    private static func lines(_ text: String) -> [String] {
        let all = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        guard let first = all.firstIndex(where: { !$0.isEmpty }),
            let last = all.lastIndex(where: { !$0.isEmpty })
        else { return [] }
        return Array(all[first...last])
    }

    /// Why two lines differ; nil where they do not.
    private func reason(_ stored: String, _ computed: String, _ header: TableHeader) -> String? {
        let old = OutputToken.tokens(of: stored), new = OutputToken.tokens(of: computed)
        guard old.count == new.count else { return "the text differs" }
        var place = 0
        while place < old.count {
            if let a = Interval(old[place...]), let b = Interval(new[place...]),
                header.column(old[place].cell).map({ tolerances[$0] == nil }) ?? true
            {
                if let reason = reason(a, b) { return reason }
                // The bracket behind stays, with the text that follows.
                place += Interval.length
                continue
            }
            let (a, b) = (old[place], new[place])
            place += 1
            switch (a.kind, b.kind) {
            case (.number(let x, let wholeX), .number(let y, let wholeY)):
                if let reason = reason(x, y, areWhole: wholeX && wholeY, column: header.column(a.cell)) {
                    return reason
                }
            case (.file(let x), .file(let y)):
                if let reason = reason(file: x, y) { return reason }
            case (.text(let x), .text(let y)):
                if x != y { return "the text differs" }
            default: return "the text differs"
            }
        }
        return nil
    }

    /// A measure's value may be off by a quarter of its half width, its bounds by a half: replicates magnify
    /// what rounding moves.
    private func reason(_ stored: Interval, _ computed: Interval) -> String? {
        let half = (stored.high - stored.low) / 2
        func isFar(_ x: Double, _ y: Double, _ share: Double) -> Bool {
            abs(x - y) > max(share * half, Self.relativeTolerance * max(abs(x), abs(y)))
        }
        if isFar(stored.value, computed.value, 0.25) {
            return
                """
                \(NumberFormat.plain(computed.value)) against \(NumberFormat.plain(stored.value)): off \
                by more than a quarter of the half width \(NumberFormat.brief(half))
                """
        }
        guard isFar(stored.low, computed.low, 0.5) || isFar(stored.high, computed.high, 0.5) else {
            return nil
        }
        return
            """
            [\(NumberFormat.plain(computed.low)), \(NumberFormat.plain(computed.high))] against \
            [\(NumberFormat.plain(stored.low)), \(NumberFormat.plain(stored.high))]: off by more than \
            half of the half width \(NumberFormat.brief(half))
            """
    }

    private func reason(_ x: Double, _ y: Double, areWhole: Bool, column: String?) -> String? {
        if x == y { return nil }
        if let allowed = column.flatMap({ tolerances[$0] }) {
            return abs(x - y) <= allowed
                ? nil
                : """
                \(NumberFormat.plain(y)) against \(NumberFormat.plain(x)): off by more than the cell's \
                tolerance of \(allowed)
                """
        }
        if areWhole {
            return
                "\(NumberFormat.plain(y)) against \(NumberFormat.plain(x)): whole numbers are compared exactly"
        }
        let off = abs(x - y) / max(abs(x), abs(y))
        return off <= Self.relativeTolerance
            ? nil
            : """
            \(NumberFormat.plain(y)) against \(NumberFormat.plain(x)): off by \(NumberFormat.brief(off)) \
            of it, allowed is \(Self.relativeTolerance)
            """
    }

    private func reason(file stored: String, _ computed: String) -> String? {
        let old: [UInt8], new: [UInt8]
        do {
            old = try storedFile(stored)
            new = try computedFile(computed)
        } catch {
            return "\(error)"
        }
        if old == new { return nil }
        if stored.hasSuffix(".svg"), computed.hasSuffix(".svg"), let a = Self.plotted(old),
            let b = Self.plotted(new)
        {
            return differences(stored: a, computed: b).first.map { "in \(stored): \($0.reason)" }
        }
        guard stored.hasSuffix(".png"), computed.hasSuffix(".png") else {
            guard stored.hasSuffix(".csv"), computed.hasSuffix(".csv") else {
                return "the files \(stored) and \(computed) differ"
            }
            let inside = differences(
                stored: String(decoding: old, as: UTF8.self), computed: String(decoding: new, as: UTF8.self))
            return inside.first.map { "in \(stored): \($0.reason)" }
        }
        do {
            let a = try PNG.decode(old, place: stored), b = try PNG.decode(new, place: computed)
            guard a.width == b.width, a.height == b.height, a.channels == b.channels else {
                return "the picture is \(b.width) x \(b.height), stored is \(a.width) x \(a.height)"
            }
            let squares = zip(a.samples, b.samples).reduce(0) {
                $0 + (Int($1.0) - Int($1.1)) * (Int($1.0) - Int($1.1))
            }
            guard squares > 0 else { return nil }
            let ratio = 10 * log10(255 * 255 * Double(a.samples.count) / Double(squares))
            guard ratio < Self.leastPictureRatio else { return nil }
            return
                """
                the picture has \(NumberFormat.plain((10 * ratio).rounded() / 10)) dB against the stored \
                one, at least \(Self.leastPictureRatio) are asked for
                """
        } catch {
            return "\(error)"
        }
    }
}

extension OutputComparison {
    /// The numbers that a plot shows, as its description holds them; where lines run on the paper follows
    /// from these.
    fileprivate static func plotted(_ bytes: [UInt8]) -> String? {
        let text = String(decoding: bytes, as: UTF8.self)
        guard let start = text.firstRange(of: "<desc id=\"d\">\n"), let end = text.firstRange(of: "</desc>"),
            start.upperBound <= end.lowerBound
        else {
            return nil
        }
        return String(text[start.upperBound..<end.lowerBound])
    }
}

/// A measure as it is printed: `261 (251 to 270)`.
private struct Interval {
    /// Tokens up to the closing bracket.
    static let length = 5

    let value, low, high: Double

    init?(_ tokens: ArraySlice<OutputToken>) {
        let kinds = tokens.prefix(Interval.length + 1).map(\.kind)
        guard kinds.count > Interval.length, case .number(let value, _) = kinds[0], kinds[1] == .text("("),
            case .number(let low, _) = kinds[2],
            kinds[3] == .text("to"), case .number(let high, _) = kinds[4], case .text(let end) = kinds[5],
            end.hasPrefix(")")
        else { return nil }
        (self.value, self.low, self.high) = (value, low, high)
    }
}

/// The names of a Markdown table's columns, read from its first line.
private struct TableHeader {
    private(set) var names: [String] = []
    private var isInTable = false

    mutating func read(_ line: String) {
        guard line.hasPrefix("|") else {
            isInTable = false
            names = []
            return
        }
        if !isInTable {
            names = line.split(separator: "|", omittingEmptySubsequences: false).map {
                $0.split(separator: " ").joined(separator: " ")
            }
        }
        isInTable = true
    }

    func column(_ cell: Int) -> String? { names.indices.contains(cell) ? names[cell] : nil }
}
