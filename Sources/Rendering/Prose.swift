import SourceText

/// Pages of help fitted to a width: lines broken between words. What stands behind a gap of two spaces or
/// more, as the second column of a list does, goes on below itself; the rest below the beginning of its line.
/// A line of code is broken before a `|` only, where the language goes on.
enum Prose {
    static func wrapped(_ text: String, to width: Int) -> String {
        // Narrower than this nothing is a column any more.
        let width = max(20, width)
        var isCode = false
        return text.split(separator: "\n", omittingEmptySubsequences: false).map { line -> String in
            if !line.hasPrefix(" ") { isCode = line == "examples:" || line == "An example that gives it:" }
            guard DisplayText.width(String(line)) > width else { return String(line) }
            return (isCode ? code(line, width) : words(line, width)).joined(separator: "\n")
        }.joined(separator: "\n")
    }

    private static func words(_ line: Substring, _ width: Int) -> [String] {
        let first = line.prefix { $0 == " " }
        var indent = first.count
        // The last gap that leaves half of the width: behind it stands the last column. A first column that
        // leaves less has a line of its own.
        var place = line.index(line.startIndex, offsetBy: first.count)
        var start = first
        while let gap = line[place...].firstRange(of: "  ") {
            let next = line[gap.upperBound...].firstIndex { $0 != " " } ?? line.endIndex
            let columns = DisplayText.width(String(line[..<next]))
            guard next < line.endIndex else { break }
            guard columns <= width / 2 else {
                guard indent == first.count else { break }
                return broken(
                    [String(line[place..<gap.lowerBound])], from: String(first), indent: indent + 4, width)
                    + broken(
                        words(line[next...]), from: String(repeating: " ", count: indent + 4),
                        indent: indent + 4, width)
            }
            (place, start, indent) = (next, line[..<next], columns)
        }
        if line.hasPrefix("usage: ") { indent = min(7, width / 4) }
        return broken(words(line[start.endIndex...]), from: String(start), indent: indent, width)
    }

    private static func words(_ text: Substring) -> [String] { text.split(separator: " ").map(String.init) }

    private static func code(_ line: Substring, _ width: Int) -> [String] {
        let indent = line.prefix { $0 == " " }.count
        var parts: [String] = []
        var isInString = false
        var part = ""
        var rest = line.dropFirst(indent)
        while let character = rest.first {
            if !isInString, rest.hasPrefix(" | ") {
                parts.append(part)
                part = "|"
                rest = rest.dropFirst(2)
                continue
            }
            if character == "\"" { isInString.toggle() }
            part.append(character)
            rest = rest.dropFirst()
        }
        return broken(parts + [part], from: String(repeating: " ", count: indent), indent: indent + 2, width)
    }

    /// Pieces with spaces between them, a new line where the next one has no room.
    private static func broken(_ pieces: [String], from start: String, indent: Int, _ width: Int) -> [String]
    {
        var lines: [String] = []
        var line = start
        var isEmpty = true
        for piece in pieces {
            if !isEmpty, DisplayText.width(line) + 1 + DisplayText.width(piece) > width {
                lines.append(line)
                (line, isEmpty) = (String(repeating: " ", count: indent), true)
            }
            line += (isEmpty ? "" : " ") + piece
            isEmpty = false
        }
        return lines + [line]
    }
}
