/// Text made safe to stand in Markdown: whatever it contains, it shows as it is.
package enum MarkdownText {
    /// For a cell of a table or a heading: on one line, with every character that could begin markup escaped.
    package static func inline(_ text: String) -> String {
        let line = oneLine(text)
        var result = ""
        for (index, character) in line.enumerated() {
            switch character {
            case "\\", "`", "*", "[", "]", "<", ">", "|", "~", "&", "$": result += "\\\(character)"
            // In a word GitHub leaves an underscore alone; escaping only at word borders keeps names
            // readable.
            case "_": result += isWordBorder(line, index) ? "\\_" : "_"
            default: result.append(character)
            }
        }
        return result
    }

    /// `text` with line breaks, tabs and control characters turned into single spaces.
    private static func oneLine(_ text: some StringProtocol) -> String {
        guard text.unicodeScalars.contains(where: isControl) else { return String(text) }
        return text.split { $0.unicodeScalars.contains(where: isControl) }.joined(separator: " ")
    }

    private static func withoutControls(_ line: Substring) -> String {
        var result = String.UnicodeScalarView()
        for scalar in line.unicodeScalars where !isControl(scalar) || scalar == "\t" { result.append(scalar) }
        return String(result)
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) || scalar.value == 0x2028
            || scalar.value == 0x2029
    }

    private static func isWordBorder(_ line: String, _ index: Int) -> Bool {
        let place = line.index(line.startIndex, offsetBy: index)
        func isWord(_ at: String.Index?) -> Bool {
            at.map { line[$0].isLetter || line[$0].isNumber } ?? false
        }
        let before = place > line.startIndex ? line.index(before: place) : nil
        let after = line.index(after: place)
        return !isWord(before) || !isWord(after < line.endIndex ? after : nil)
    }

    /// A fence around `text` that nothing in `text` closes.
    package static func fence(_ text: String) -> String {
        var longest = 0
        var run = 0
        for character in text {
            run = character == "`" ? run + 1 : 0
            longest = max(longest, run)
        }
        let fence = String(repeating: "`", count: max(3, longest + 1))
        let body = text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            // Trailing spaces would be noise in a diff.
            var line = withoutControls(line)
            while line.last?.isWhitespace == true { line.removeLast() }
            return line
        }
        return ([fence + "text"] + body + [fence]).joined(separator: "\n")
    }

    /// A path as destination of a link: everything that could end it or be taken for markup in percent form.
    package static func destination(_ path: String) -> String {
        var result = ""
        let hexadecimal = Array("0123456789ABCDEF")
        for byte in path.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "/"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"), 0x80...:
                result.unicodeScalars.append(Unicode.Scalar(byte))
            default: result += "%\(hexadecimal[Int(byte >> 4)])\(hexadecimal[Int(byte & 15)])"
            }
        }
        return String(
            decoding: result.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) }, as: UTF8.self)
    }

    /// Text inside a double-quoted HTML attribute.
    package static func attribute(_ text: String) -> String {
        MarkupText.escaped(oneLine(text)).replacing("|", with: "&#124;").replacing("`", with: "&#96;")
    }
}
