// Reading a text byte by byte: which scalars are white space and which make names, decoded from UTF-8 in
// place.

import SourceText

extension UInt8 {
    var isDigit: Bool { self >= 48 && self <= 57 }
    var isSpace: Bool { self == 32 || self == 9 || self == 13 || self == 11 || self == 12 }
}

/// Looks into valid UTF-8 at any offset below an end. All functions are total: beyond the end they answer
/// nothing.
struct Scanner: Sendable {
    let bytes: [UInt8]

    /// The scalar that begins at an offset, and its length in bytes; nothing in the middle of a scalar.
    func scalar(at offset: Int) -> (scalar: Unicode.Scalar, length: Int)? {
        guard offset < bytes.count else { return nil }
        let first = bytes[offset]
        if first < 0x80 { return (Unicode.Scalar(first), 1) }
        guard first >= 0xC0 else { return nil }
        let length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2
        guard offset + length <= bytes.count else { return nil }
        var value = UInt32(first) & (length == 4 ? 0x07 : length == 3 ? 0x0F : 0x1F)
        for index in 1..<length { value = value << 6 | UInt32(bytes[offset + index] & 0x3F) }
        return Unicode.Scalar(value).map { ($0, length) }
    }

    /// The length of white space at an offset, 0 if there is none. A line feed is none: it is for the caller
    /// to judge.
    func space(at offset: Int) -> Int {
        guard offset < bytes.count else { return 0 }
        let byte = bytes[offset]
        if byte < 0x80 { return byte.isSpace ? 1 : 0 }
        guard let (scalar, length) = scalar(at: offset) else { return 0 }
        return scalar.properties.isWhitespace || scalar.value == 0xFEFF ? length : 0
    }

    /// The length of a backslash with the line end it joins, 0 if there is none.
    func joint(at offset: Int) -> Int {
        guard offset < bytes.count, bytes[offset] == UInt8(ascii: "\\") else { return 0 }
        var end = offset + 1
        while end < bytes.count, bytes[end].isSpace { end += 1 }
        if end == bytes.count { return end - offset }
        return bytes[end] == UInt8(ascii: "\n") ? end + 1 - offset : 0
    }

    /// Whether the `#` at an offset begins a comment: only at the start of a line or after white space.
    func beginsComment(at offset: Int) -> Bool {
        guard offset < bytes.count, bytes[offset] == UInt8(ascii: "#") else { return false }
        guard offset > 0 else { return true }
        let before = bytes[offset - 1]
        if before < 0x80 { return before == UInt8(ascii: "\n") || before.isSpace }
        var start = offset - 1
        while start > 0, bytes[start] & 0xC0 == 0x80 { start -= 1 }
        return space(at: start) > 0
    }

    /// The end of the line that holds an offset: its line feed, or the limit.
    func lineEnd(from offset: Int, limit: Int) -> Int {
        var end = offset
        while end < limit, bytes[end] != UInt8(ascii: "\n") { end += 1 }
        return end
    }

    /// The end of the name that begins at an offset, or nothing: letters of any script, marks, digits, `_`,
    /// no digit first.
    func nameEnd(at offset: Int, limit: Int) -> Int? {
        guard let length = nameStart(at: offset) else { return nil }
        var end = offset + length
        while end < limit, let more = namePart(at: end) { end += more }
        return min(end, limit)
    }

    private func nameStart(at offset: Int) -> Int? {
        guard offset < bytes.count else { return nil }
        let byte = bytes[offset]
        if byte < 0x80 { return byte == UInt8(ascii: "_") || (byte | 32 >= 97 && byte | 32 <= 122) ? 1 : nil }
        guard let (scalar, length) = scalar(at: offset) else { return nil }
        return scalar.properties.isAlphabetic ? length : nil
    }

    func namePart(at offset: Int) -> Int? {
        if let length = nameStart(at: offset) { return length }
        guard offset < bytes.count else { return nil }
        if bytes[offset] < 0x80 { return bytes[offset].isDigit ? 1 : nil }
        guard let (scalar, length) = scalar(at: offset) else { return nil }
        switch scalar.properties.generalCategory {
        case .decimalNumber, .nonspacingMark, .spacingMark: return length
        default: return nil
        }
    }
}
