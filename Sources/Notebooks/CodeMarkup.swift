import Syntax

/// A cell's code as HTML with its verbs, options, strings, numbers and comments marked. Any text is taken: what is no code stays as it is.
struct CodeMarkup {
    let verbs: VerbSet

    func html(_ code: String) -> String {
        var out = ""
        var rest = Substring(code)
        var before: Character = "\n"
        func take(_ count: Int, as kind: String?) {
            let text = rest.prefix(count)
            out += kind.map { "<span class=\"\($0)\">\(MarkdownHTML.escaped(text))</span>" } ?? MarkdownHTML.escaped(text)
            before = text.last ?? before
            rest = rest.dropFirst(count)
        }
        while let first = rest.first {
            if first == "#", before.isWhitespace {
                take(rest.prefix { !$0.isNewline }.count, as: "c")
            } else if first == "\"" {
                var length = 1
                var isEscaped = false
                for character in rest.dropFirst() {
                    if character.isNewline { break }
                    length += 1
                    if character == "\"", !isEscaped { break }
                    isEscaped = character == "\\" && !isEscaped
                }
                take(length, as: "s")
            } else if first.isNumber {
                take(Self.numberLength(rest), as: "n")
            } else if first.isLetter || first == "_" {
                let word = rest.prefix { $0.isLetter || $0.isNumber || $0 == "_" }
                let behind = rest.dropFirst(word.count).first
                let isOption = behind == "=" && rest.dropFirst(word.count + 1).first != "="
                let isKeyword = ["param", "def", "in", "and", "or", "not"].contains(String(word))
                take(word.count, as: isKeyword ? "k" : isOption ? "o" : before != "." && verbs.contains(String(word)) ? "v" : nil)
            } else {
                take(1, as: nil)
            }
        }
        return out
    }

    /// Digits, a point before digits, an exponent; the points of a range are none of it.
    private static func numberLength(_ text: Substring) -> Int {
        let characters = Array(text.prefix(40))
        var end = 0
        while end < characters.count {
            let next = end + 1 < characters.count ? characters[end + 1] : " "
            let isSign = (characters[end] == "-" || characters[end] == "+") && end > 0 && characters[end - 1] == "e"
            guard characters[end].isNumber || characters[end] == "." && next.isNumber || characters[end] == "e" && (next.isNumber || next == "-") || isSign
            else {
                break
            }
            end += 1
        }
        return max(1, end)
    }
}
