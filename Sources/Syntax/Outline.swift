// The outline of a text: which bracket closes which, and where strings end. One pass without recursion over
// the bytes, made before parsing, so that the parser can jump over a bracket, and so that a missing bracket
// spoils as little as possible.
//
// A `}` closes the nearest open `{` and gives up brackets that were opened inside it; a `)` or `]` never
// reaches out of the braces it stands in.

import SourceText

package struct Outline: Sendable {
    /// From the offset of an opening bracket (or of the bracket of `\(`) to the offset of its closing one.
    private(set) var partner: [Int: Int] = [:]
    /// From the offset of a string's first quote to the offset behind its last.
    private(set) var stringEnd: [Int: Int] = [:]
    /// Opening brackets that nothing closes, in the order of the text.
    private(set) var unclosed: [Int] = []
    /// Closing brackets that nothing opens.
    private(set) var unmatched: [Int] = []
    /// Strings without an end on their line, with the brackets of interpolations inside them given up.
    private(set) var unterminated: [Span] = []
    /// Whether the last thing before the end, comments apart, asks for more: `,`, `|`, or a backslash.
    private var endsOpen = false

    private enum Kind { case round, square, brace, string, interpolation }
    private struct Open {
        var kind: Kind
        var offset: Int
    }

    package init(_ source: SourceFile) {
        self.init(Scanner(bytes: source.bytes))
    }

    /// Whether a text typed at the prompt goes on in the next line: an open bracket, or a `,`, `|` or
    /// backslash at the end.
    package var isIncomplete: Bool { !unclosed.isEmpty || endsOpen }

    init(_ scanner: Scanner) {
        let bytes = scanner.bytes
        var stack: [Open] = []
        var strings = 0
        var last: UInt8 = 0
        var offset = 0
        while offset < bytes.count {
            let byte = bytes[offset]
            if byte == UInt8(ascii: "\n"), strings > 0 {
                // A string ends on its line: the outermost one takes all that was opened in it along.
                let first = stack.firstIndex { $0.kind == .string } ?? 0
                endString(stack[first].offset, at: offset, terminated: false)
                stack.removeSubrange(first...)
                strings = 0
            } else if stack.last?.kind == .string {
                if byte == UInt8(ascii: "\\") {
                    if offset + 1 < bytes.count, bytes[offset + 1] == UInt8(ascii: "(") {
                        stack.append(Open(kind: .interpolation, offset: offset + 1))
                        offset += 1
                    } else if offset + 1 < bytes.count, bytes[offset + 1] != UInt8(ascii: "\n") {
                        offset += 1
                    }
                } else if byte == UInt8(ascii: "\"") {
                    endString(stack.removeLast().offset, at: offset + 1, terminated: true)
                    strings -= 1
                }
                last = byte
            } else if byte == UInt8(ascii: "#"), scanner.beginsComment(at: offset) {
                offset = scanner.lineEnd(from: offset, limit: bytes.count)
                continue
            } else {
                switch byte {
                case UInt8(ascii: "\""):
                    stack.append(Open(kind: .string, offset: offset))
                    strings += 1
                case UInt8(ascii: "("): stack.append(Open(kind: .round, offset: offset))
                case UInt8(ascii: "["): stack.append(Open(kind: .square, offset: offset))
                case UInt8(ascii: "{"): stack.append(Open(kind: .brace, offset: offset))
                case UInt8(ascii: ")"): close(offset, &stack) { $0 == .round || $0 == .interpolation }
                case UInt8(ascii: "]"): close(offset, &stack) { $0 == .square }
                case UInt8(ascii: "}"): close(offset, &stack) { $0 == .brace }
                default: break
                }
                if !byte.isSpace, byte != UInt8(ascii: "\n") { last = byte }
            }
            offset += 1
        }
        if strings > 0, let first = stack.firstIndex(where: { $0.kind == .string }) {
            endString(stack[first].offset, at: bytes.count, terminated: false)
            stack.removeSubrange(first...)
        }
        for open in stack { unclosed.append(open.offset) }
        unclosed.sort()
        unterminated.sort { $0.lower < $1.lower }
        endsOpen = last == UInt8(ascii: ",") || last == UInt8(ascii: "|") || last == UInt8(ascii: "\\")
    }

    private mutating func endString(_ start: Int, at end: Int, terminated: Bool) {
        stringEnd[start] = end
        if !terminated { unterminated.append(Span(start, end)) }
    }

    private mutating func close(_ offset: Int, _ stack: inout [Open], where fits: (Kind) -> Bool) {
        let closesBrace = fits(.brace)
        var index = stack.count - 1
        while index >= 0 {
            let kind = stack[index].kind
            if fits(kind) {
                partner[stack[index].offset] = offset
                for open in stack[(index + 1)...] { unclosed.append(open.offset) }
                stack.removeSubrange(index...)
                return
            }
            if kind == .string || kind == .interpolation || (kind == .brace && !closesBrace) { break }
            index -= 1
        }
        unmatched.append(offset)
    }
}
