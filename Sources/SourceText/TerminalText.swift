// The only kind of text that is written to standard output and standard error.

/// A text on its way to a terminal, in which nothing from outside can steer it. What stands in it as a
/// literal is the program's own and may hold sequences, such as those for colours; every `String` that comes
/// into it, a file's name, a caption, a message, goes through `DisplayText.visible`. So
/// `"\u{1B}[1m\(name)\u{1B}[0m"` is bold whatever the name holds, and who forgets the type on the way loses
/// the colours, not the safety: a `TerminalText` that was made a `String` in between shows its sequences as
/// signs.
package struct TerminalText: Sendable, Equatable, ExpressibleByStringInterpolation, CustomStringConvertible {
    /// With its sequences, for what writes it.
    package private(set) var written: String

    package init(stringLiteral literal: String) { written = literal }

    /// On one line: a line break in a name would begin a line that looks like the program's own.
    package init(_ text: some StringProtocol) { written = DisplayText.visible(text) }

    /// A text of several lines, which stay.
    package init(lines text: some StringProtocol) { written = DisplayText.visibleLines(text) }

    /// A picture drawn in sequences by the library for it, of pixels alone.
    package init(drawing: String) { written = drawing }

    fileprivate init(written: String) { self.written = written }

    package init(stringInterpolation: Interpolation) { written = stringInterpolation.written }

    package struct Interpolation: StringInterpolationProtocol {
        fileprivate var written = ""

        package init(literalCapacity: Int, interpolationCount: Int) {
            written.reserveCapacity(literalCapacity + 16 * interpolationCount)
        }

        package mutating func appendLiteral(_ literal: String) { written += literal }
        package mutating func appendInterpolation(_ text: TerminalText) { written += text.written }
        package mutating func appendInterpolation(_ value: some CustomStringConvertible) {
            written += DisplayText.visible(value.description)
        }
        package mutating func appendInterpolation(lines text: some StringProtocol) {
            written += DisplayText.visibleLines(text)
        }
    }

    package var description: String { written }
    package var isEmpty: Bool { written.isEmpty }

    package var lines: [TerminalText] {
        written.split(separator: "\n", omittingEmptySubsequences: false).map {
            TerminalText(written: String($0))
        }
    }

    /// Without such characters at its end.
    package func trimming(_ character: Character) -> TerminalText {
        var text = self
        while text.written.last == character { text.written.removeLast() }
        return text
    }

    package static func + (first: TerminalText, second: TerminalText) -> TerminalText {
        TerminalText(written: first.written + second.written)
    }
    package static func += (first: inout TerminalText, second: TerminalText) {
        first.written += second.written
    }
}

extension Sequence where Element == TerminalText {
    package func joined(separator: TerminalText = "") -> TerminalText {
        TerminalText(written: map(\.written).joined(separator: separator.written))
    }
}
