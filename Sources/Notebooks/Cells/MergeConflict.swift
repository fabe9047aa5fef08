/// What `git merge` leaves in a file that it could not merge. A notebook with one does not run: the error
/// shows both sides.
package struct MergeConflict: Equatable, Sendable {
    /// Lines of the file from `<<<<<<<` to `>>>>>>>`, counting from 1.
    package var lines: ClosedRange<Int>
    /// The line of `=======`.
    package var middle: Int
    package var ourName: String
    package var ours: [String]
    package var theirName: String
    package var theirs: [String]

    /// Conflicts are found as lines, not as Markdown: they cut through fences and regions. A row of `=` alone
    /// is a heading's underline; only the three (or, with a common ancestor, four) markers in order make a
    /// conflict.
    /// - Parameter quoted: lines of closed fences in which text about conflicts can stand. A conflict within
    ///   one of them is none, nor are markers that all stand in some: only where one stands outside, a
    ///   conflict may have cut through the fence.
    package static func find(in text: [String], quoted: [ClosedRange<Int>] = []) -> [MergeConflict] {
        guard text.contains(where: { isMarker($0, "<") }) else { return [] }
        var text = text
        var inside: Set<Int> = []
        for lines in quoted where lines.upperBound <= text.count {
            inside.formUnion(lines)
            for conflict in all(in: Array(text[(lines.lowerBound - 1)...(lines.upperBound - 1)])) {
                for line in conflict.lines { text[lines.lowerBound + line - 2] = "" }
            }
        }
        return all(in: text).filter { conflict in
            ![conflict.lines.lowerBound, conflict.middle, conflict.lines.upperBound].allSatisfy(
                inside.contains)
        }
    }

    private static func all(in text: [String]) -> [MergeConflict] {
        var found: [MergeConflict] = []
        var open: (line: Int, ancestor: Int?, middle: Int?)?
        for (index, line) in text.enumerated() {
            if isMarker(line, "<") {
                open = (index, nil, nil)
            } else if let start = open, isMarker(line, "|"), start.middle == nil {
                open?.ancestor = index
            } else if let start = open, line == "=======", start.middle == nil {
                open?.middle = index
            } else if let start = open, let middle = start.middle, isMarker(line, ">") {
                found.append(
                    MergeConflict(
                        lines: (start.line + 1)...(index + 1), middle: middle + 1,
                        ourName: name(text[start.line]),
                        ours: Array(text[(start.line + 1)..<(start.ancestor ?? middle)]),
                        theirName: name(line), theirs: Array(text[(middle + 1)..<index])))
                open = nil
            }
        }
        return found
    }

    private static func isMarker(_ line: String, _ character: Character) -> Bool {
        let marker = String(repeating: character, count: 7)
        return line == marker || line.hasPrefix(marker + " ")
    }

    private static func name(_ marker: String) -> String {
        let name = String(marker.dropFirst(8))
        return name.isEmpty ? "unnamed" : name
    }

    /// Both sides, as an error message shows them.
    package var report: String {
        func side(_ title: String, _ lines: [String]) -> String {
            let shown =
                lines.prefix(12).map { "    " + $0 }
                + (lines.count > 12 ? ["    ... \(lines.count - 12) lines more"] : [])
            return ([title] + (lines.isEmpty ? ["    (nothing)"] : shown)).joined(separator: "\n")
        }
        return "unresolved merge conflict in lines \(lines.lowerBound) to \(lines.upperBound)\n"
            + side("  ours (\(ourName)):", ours) + "\n" + side("  theirs (\(theirName)):", theirs)
    }
}
