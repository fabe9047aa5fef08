/// How many columns a text takes in a terminal: combining marks none, East Asian wide characters and emoji two, others one.
package enum TextWidth {
    package static func of(_ text: some StringProtocol) -> Int {
        text.reduce(0) { $0 + of($1) }
    }

    private static func of(_ character: Character) -> Int {
        guard let first = character.unicodeScalars.first else { return 0 }
        if first.value < 0x20 || first.value == 0x7F { return 0 }
        if first.value < 0x300 { return 1 }
        switch first.properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .format, .control: return 0
        default: break
        }
        return wide.contains { $0.contains(first.value) } || first.properties.isEmojiPresentation ? 2 : 1
    }

    /// The blocks that Unicode's East Asian Width calls wide or full-width, coarsely.
    private static let wide: [ClosedRange<UInt32>] = [
        0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF00...0xFF60,
        0xFFE0...0xFFE6, 0x1F300...0x1F64F, 0x1F900...0x1F9FF, 0x20000...0x3FFFD,
    ]

    /// `text` on one line, cut with an ellipsis to at most `width` columns. Control characters, which could steer the terminal, become spaces.
    package static func fitting(_ text: some StringProtocol, width: Int) -> String {
        let line = oneLine(text)
        guard of(line) > width else { return line }
        var result = ""
        var used = 0
        for character in line {
            let next = of(character)
            if used + next > width - 1 { break }
            result.append(character)
            used += next
        }
        return result + (width > 0 ? "…" : "")
    }

    /// `text` with line breaks, tabs and control characters turned into single spaces.
    package static func oneLine(_ text: some StringProtocol) -> String {
        guard text.unicodeScalars.contains(where: { isControl($0) }) else { return String(text) }
        var result = ""
        var pending = false
        for character in text {
            if character.unicodeScalars.contains(where: isControl) {
                pending = true
                continue
            }
            if pending, !result.isEmpty { result.append(" ") }
            pending = false
            result.append(character)
        }
        return result
    }

    /// `text` as it may go to a terminal: line breaks and tabs stay, other control characters are left out.
    package static func printable(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: { isControl($0) && $0 != "\n" && $0 != "\t" }) else { return text }
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars where !isControl(scalar) || scalar == "\n" || scalar == "\t" { result.append(scalar) }
        return String(result)
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) || scalar.value == 0x2028 || scalar.value == 0x2029
    }

    package static func padded(_ text: String, to width: Int, right: Bool = false) -> String {
        let space = String(repeating: " ", count: max(0, width - of(text)))
        return right ? space + text : text + space
    }

    /// `text` broken at spaces into at most `lines` lines of `width` columns; what does not fit ends in an ellipsis.
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
                result.append(fitting(line + (line.isEmpty ? "" : " ") + words.joined(separator: " "), width: width))
                return result
            } else if line.isEmpty {
                // A word wider than a line is cut where the line ends.
                var head = ""
                for character in word {
                    if of(head) + of(character) > width { break }
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
