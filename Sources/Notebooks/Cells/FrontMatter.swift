/// What other tools keep in front of a Markdown text: lines of YAML between `---` and `---` or `...`. No part
/// of the prose.
struct FrontMatter {
    /// Lines of the file, from 1 to the closing one.
    let lines: ClosedRange<Int>
    let title: String?

    /// - Parameter text: the lines of the file.
    init?(_ text: [String]) {
        func bare(_ line: String) -> String { String(line.reversed().drop(while: \.isWhitespace).reversed()) }
        guard let first = text.first,
            bare(first.unicodeScalars.first == "\u{FEFF}" ? String(first.unicodeScalars.dropFirst()) : first)
                == "---",
            let end = text.dropFirst().firstIndex(where: { ["---", "..."].contains(bare($0)) })
        else { return nil }
        // A line across the page is `---` too; what follows it is no name with a colon.
        let inside = text[1..<end]
        guard
            let start = inside.first(where: { !bare($0).isEmpty && !$0.hasPrefix("#") })
                ?? (end == 1 ? "a:" : nil),
            text[1].contains(where: { !$0.isWhitespace }),
            start.prefix(while: { $0 != ":" }).allSatisfy({
                $0.isLetter || $0.isNumber || "_-.\"' ".contains($0)
            }), start.contains(":")
        else { return nil }
        lines = 1...(end + 1)
        title = inside.firstIndex { $0.hasPrefix("title:") }.flatMap { Self.value(Array(text[$0..<end])) }
    }

    /// The text behind a name: plain, in quotes, or on the indented lines that follow.
    private static func value(_ lines: [String]) -> String? {
        func trimmed(_ text: some StringProtocol) -> String {
            String(text.drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
        }
        var text = trimmed(lines[0].drop { $0 != ":" }.dropFirst())
        let further = lines.dropFirst().prefix { $0.first?.isWhitespace == true }.map { trimmed($0) }
        if let mark = text.first, mark == "\"" || mark == "'" {
            text = trimmed(([text] + further).joined(separator: " "))
            var inner = ""
            var rest = text.dropFirst()
            while let character = rest.popFirst() {
                if character == "\\", mark == "\"", let next = rest.popFirst() {
                    inner.append(next)
                } else if character == mark {
                    // In single quotes a doubled one stands for itself.
                    guard mark == "'", rest.first == "'" else { break }
                    inner.append("'")
                    rest.removeFirst()
                } else {
                    inner.append(character)
                }
            }
            return inner.isEmpty ? nil : inner
        }
        if let mark = text.first, mark == "|" || mark == ">" { text = "" }
        if let comment = text.firstRange(of: " #") { text = trimmed(text[..<comment.lowerBound]) }
        text = trimmed(([text] + further).joined(separator: " "))
        return text.isEmpty || text.hasPrefix("#") ? nil : text
    }
}
