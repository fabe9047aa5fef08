import SourceText

/// Text fitted to the columns of a terminal.
package enum TextWidth {
    package static func of(_ text: some StringProtocol) -> Int {
        text.reduce(0) { $0 + DisplayText.width($1) }
    }

    /// `text` on one line, cut with an ellipsis to at most `width` columns.
    package static func fitting(_ text: some StringProtocol, width: Int) -> String {
        let line = oneLine(text)
        guard of(line) > width else { return line }
        var result = ""
        var used = 0
        for character in line {
            let next = DisplayText.width(character)
            if used + next > width - 1 { break }
            result.append(character)
            used += next
        }
        return result + (width > 0 ? "…" : "")
    }

    /// `text` as it takes part in a layout: line breaks and tabs turned into single spaces, what steers
    /// terminals into signs that have a width.
    package static func oneLine(_ text: some StringProtocol) -> String {
        guard text.unicodeScalars.contains(where: \.isSteering) else { return String(text) }
        func isSpace(_ scalar: Unicode.Scalar) -> Bool {
            ["\n", "\r", "\t", "\u{2028}", "\u{2029}"].contains(scalar)
        }
        let words = text.unicodeScalars.split(whereSeparator: isSpace).map {
            String(String.UnicodeScalarView($0))
        }
        return DisplayText.visible(words.joined(separator: " "))
    }

    package static func padded(_ text: String, to width: Int, right: Bool = false) -> String {
        let space = String(repeating: " ", count: max(0, width - of(text)))
        return right ? space + text : text + space
    }

    /// `text` broken at spaces into at most `lines` lines of `width` columns; what does not fit ends in an
    /// ellipsis.
    package static func wrapped(_ text: String, width: Int, lines: Int) -> [String] {
        guard width > 0, lines > 0 else { return [] }
        var result: [String] = []
        var line = ""
        var words = oneLine(text).split(separator: " ")[...]
        while let word = words.first {
            let joined = line.isEmpty ? String(word) : line + " " + word
            if of(joined) <= width {
                line = joined
                words = words.dropFirst()
            } else if result.count == lines - 1 {
                result.append(
                    fitting(line + (line.isEmpty ? "" : " ") + words.joined(separator: " "), width: width))
                return result
            } else if line.isEmpty {
                // A word wider than a line is cut where the line ends.
                var head = ""
                for character in word {
                    if of(head) + DisplayText.width(character) > width { break }
                    head.append(character)
                }
                if head.isEmpty { return result }
                result.append(head)
                words[words.startIndex] = word.dropFirst(head.count)
            } else {
                result.append(line)
                line = ""
            }
        }
        if !line.isEmpty { result.append(line) }
        return result
    }
}
