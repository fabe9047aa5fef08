/// A stretch of a source text in UTF-8 offsets, half open. Both ends lie on the border of a Unicode scalar.
package struct Span: Hashable, Sendable, CustomStringConvertible {
    package var lower: Int
    package var upper: Int

    package init(_ lower: Int, _ upper: Int) {
        self.lower = lower
        self.upper = max(lower, upper)
    }

    package var length: Int { upper - lower }
    package var isEmpty: Bool { upper == lower }

    /// From the first of the two to the last.
    package func joined(with other: Span) -> Span { Span(min(lower, other.lower), max(upper, other.upper)) }

    /// The place just behind this span.
    package var end: Span { Span(upper, upper) }

    package func contains(_ offset: Int) -> Bool { lower <= offset && offset < upper }

    package var description: String { "\(lower)..<\(upper)" }
}
