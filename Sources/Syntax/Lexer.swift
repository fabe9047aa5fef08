// Cuts expressions into tokens, one at a time and from any offset, since commands read their arguments as raw
// text first. Commands, blocks and interpolations move the parser's position themselves; the lexer keeps no
// state of its own.

import SourceText

struct Lexer: Sendable {
    let scanner: Scanner
    let outline: Outline

    /// Skips white space, joined lines and comments; line ends too where they mean nothing.
    func skipTrivia(from offset: Int, limit: Int, newlines: Bool) -> Int {
        var offset = offset
        while offset < limit {
            let byte = scanner.bytes[offset]
            if byte == UInt8(ascii: "\n") {
                guard newlines else { return offset }
                offset += 1
            } else if byte == UInt8(ascii: "#"), scanner.beginsComment(at: offset) {
                offset = scanner.lineEnd(from: offset, limit: limit)
            } else if byte == UInt8(ascii: "\\") {
                let length = scanner.joint(at: offset)
                guard length > 0 else { return offset }
                offset += length
            } else {
                let length = scanner.space(at: offset)
                guard length > 0 else { return offset }
                offset += length
            }
        }
        return min(offset, limit)
    }

    /// The token at or after an offset; `.end` at the limit.
    func token(from offset: Int, limit: Int, newlines: Bool) -> Token {
        let start = skipTrivia(from: offset, limit: limit, newlines: newlines)
        guard start < limit else {
            return Token(kind: .end, span: Span(limit, limit), hasSpaceBefore: start > offset)
        }
        let (kind, end) = read(at: start, limit: limit)
        return Token(kind: kind, span: Span(start, min(end, limit)), hasSpaceBefore: start > offset)
    }

    private func read(at start: Int, limit: Int) -> (Token.Kind, Int) {
        let bytes = scanner.bytes
        let byte = bytes[start]
        let next = start + 1 < limit ? bytes[start + 1] : 0
        if byte.isDigit { return number(at: start, limit: limit) }
        if let end = scanner.nameEnd(at: start, limit: limit) {
            switch end - start {
            case 2 where byte == UInt8(ascii: "o") && next == UInt8(ascii: "r"): return (.operation(.or), end)
            case 3
            where byte == UInt8(ascii: "a") && next == UInt8(ascii: "n")
                && bytes[start + 2] == UInt8(ascii: "d"):
                return (.operation(.and), end)
            default: return (.name, end)
            }
        }
        switch byte {
        case UInt8(ascii: "."):
            if next == UInt8(ascii: ".") {
                // `1...3` is no range to .3.
                return start + 2 < limit && bytes[start + 2] == byte
                    ? (.unexpected, start + 3) : (.range, start + 2)
            }
            if next.isDigit { return number(at: start, limit: limit) }
            return (.dot, start + 1)
        case UInt8(ascii: "\""):
            return (.string, outline.stringEnd[start] ?? scanner.lineEnd(from: start, limit: limit))
        case UInt8(ascii: "\n"): return (.newline, start + 1)
        case UInt8(ascii: ","): return (.comma, start + 1)
        case UInt8(ascii: ":"): return (.colon, start + 1)
        case UInt8(ascii: ";"): return (.semicolon, start + 1)
        case UInt8(ascii: "|"):
            return next == UInt8(ascii: "|") ? (.unexpected, start + 2) : (.bar, start + 1)
        case UInt8(ascii: "("): return (.openRound, start + 1)
        case UInt8(ascii: "["): return (.openSquare, start + 1)
        case UInt8(ascii: "{"): return (.openBrace, start + 1)
        case UInt8(ascii: ")"), UInt8(ascii: "]"), UInt8(ascii: "}"): return (.closing, start + 1)
        case UInt8(ascii: "+"): return (.operation(.plus), start + 1)
        case UInt8(ascii: "-"): return (.operation(.minus), start + 1)
        case UInt8(ascii: "*"):
            return next == UInt8(ascii: "*") ? (.unexpected, start + 2) : (.operation(.times), start + 1)
        case UInt8(ascii: "/"): return (.operation(.divided), start + 1)
        case UInt8(ascii: "%"): return (.operation(.remainder), start + 1)
        case UInt8(ascii: "^"): return (.operation(.power), start + 1)
        case UInt8(ascii: "="): return next == byte ? (.operation(.equal), start + 2) : (.equals, start + 1)
        case UInt8(ascii: "<"):
            return next == UInt8(ascii: "=")
                ? (.operation(.lessOrEqual), start + 2) : (.operation(.less), start + 1)
        case UInt8(ascii: ">"):
            return next == UInt8(ascii: "=")
                ? (.operation(.greaterOrEqual), start + 2) : (.operation(.greater), start + 1)
        case UInt8(ascii: "!"):
            return next == UInt8(ascii: "=") ? (.operation(.notEqual), start + 2) : (.unexpected, start + 1)
        case UInt8(ascii: "&"): return (.unexpected, next == byte ? start + 2 : start + 1)
        default: return (.unexpected, start + (scanner.scalar(at: start)?.length ?? 1))
        }
    }

    /// digits [. digits] [e [+-] digits]. What hangs on directly makes it a bad number: `70steps`, `1_000`.
    private func number(at start: Int, limit: Int) -> (Token.Kind, Int) {
        let bytes = scanner.bytes
        func digits(_ from: Int) -> Int {
            var end = from
            while end < limit, bytes[end].isDigit { end += 1 }
            return end
        }
        var end = digits(start)
        if end + 1 < limit, bytes[end] == UInt8(ascii: "."), bytes[end + 1].isDigit { end = digits(end + 1) }
        if end < limit, bytes[end] | 32 == UInt8(ascii: "e") {
            let sign =
                end + 1 < limit
                    && (bytes[end + 1] == UInt8(ascii: "+") || bytes[end + 1] == UInt8(ascii: "-")) ? 1 : 0
            if end + 1 + sign < limit, bytes[end + 1 + sign].isDigit { end = digits(end + 1 + sign) }
        }
        if end < limit, scanner.namePart(at: end) != nil {
            while end < limit, let more = scanner.namePart(at: end) { end += more }
            return (.badNumber, min(end, limit))
        }
        var text = String(decoding: bytes[start..<end], as: UTF8.self)
        if text.hasPrefix(".") { text = "0" + text }
        guard let value = Double(text), value.isFinite else { return (.badNumber, end) }
        return (.number(value), end)
    }
}
