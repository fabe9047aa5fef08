/// Random Markdown made of what can go wrong: fences of all kinds, output regions, comments, lists, quotes,
/// mixed line ends.
package struct RandomMarkdown {
    private var state: UInt64

    package init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }

    /// xorshift64* (Vigna 2016): the same cases in every run.
    package mutating func next(below bound: Int) -> Int {
        state ^= state >> 12
        state ^= state << 25
        state ^= state >> 27
        return Int((state &* 0x2545_F491_4F6C_DD1D) >> 33) % bound
    }

    private mutating func pick(_ choices: [String]) -> String { choices[next(below: choices.count)] }

    private static let pieces = [
        "# Heading", "Prose with `code` and *stress*.", "", "", "- item", "  - nested", "1. one", "> quote",
        "    indented code",
        "| a | b |", "|---|---|", "| 1 | 2 |", "Überschrift mit 猫 und 🐉", "<div>", "</div>", "<!-- a comment",
        "-->", "<!-- single -->",
        "```", "````", "~~~", "```swift", "~~~text", "  ```", "===", "---", "[link]: /url", "\\`\\`\\`",
        "\tTab", "&amp;", "***",
        "```noise", "```noise one hide", "~~~noise", "````noise volatile", "   ```noise", "- ```noise",
        "> ```noise", "    ```noise",
        "<!-- out -->", "<!-- /out -->", "  <!-- out -->", "<!-- out --> more", "x = 1", "x | table",
    ]

    package mutating func text() -> [UInt8] {
        var text = next(below: 8) == 0 ? "\u{FEFF}" : ""
        let style = next(below: 5)
        for line in 0..<next(below: 40) {
            switch next(below: 6) {
            case 0:
                let fence = pick(["```", "````", "~~~", "  ```", "`````"])
                let end = lineEnd(style)
                text +=
                    fence + "noise" + pick(["", " cell\(line)", " hide", " volatile tol(fid=0.5)"]) + end
                    + "x = \(line)" + end
                text += pick(["", "```" + end, "# \u{E9}" + end, " | table" + end]) + fence + end
                if next(below: 2) == 0 {
                    text +=
                        pick(["", end]) + "<!-- out -->" + end
                        + pick(["", "old" + end, end + "![](a.png)" + end]) + "<!-- /out -->" + end
                }
            default: text += pick(Self.pieces) + lineEnd(style)
            }
        }
        if next(below: 3) == 0 { while text.last?.isNewline == true { text.removeLast() } }
        return Array(text.utf8)
    }

    private mutating func lineEnd(_ style: Int) -> String {
        switch style {
        case 0, 1: "\n"
        case 2: "\r\n"
        case 3: pick(["\n", "\r\n", "\r"])
        default: "\n"
        }
    }

    /// What a cell may give, rendered as the runner renders it.
    package mutating func words() -> String {
        (0..<next(below: 6)).map { _ in
            pick([
                "a", "|", "```", "<!-- /out -->", "*", "_x_", "\n", "# h", "<b>", "````", "  ", "\\", "&lt;",
                "[x](y)", "~~~", "猫",
            ])
        }
        .joined(separator: " ")
    }
}
