import Rendering

/// Markdown as HTML in which nothing of a stranger is markup. Elements and attributes are those of the
/// Markdown library's safe mode and our own pictures; raw HTML is shown as the text that it is, and of links
/// only those that lead to pages, to mail or to a place beside the notebook are links. The pictures and
/// tables of outputs are read into values (an address, a width, words) and written from these.
struct MarkdownHTML {
    /// What did not become what its author meant.
    struct LeftOut {
        /// Pieces of raw HTML that are shown as text.
        var pieces = 0
        /// Links that are text now.
        var links = 0
        /// Files of the notebook's folder that are not there, and those that are not what their names say.
        var missing: Set<String> = []
        var others: Set<String> = []
    }

    enum Piece {
        case prose(String)
        /// HTML of ours that stands between.
        case block(String)
    }

    let files: PageFiles
    private(set) var leftOut = LeftOut()

    init(_ files: PageFiles) { self.files = files }

    // MARK: Prose and outputs

    /// Prose in one piece, so that links and footnotes find their definitions.
    mutating func prose(_ pieces: [Piece]) -> String {
        var marks = Marks()
        let texts = pieces.map { piece in
            switch piece {
            case .prose(let text): text
            case .block(let html): "\n\n\(marks.add("", alone: html))\n\n"
            }
        }
        return render(texts.joined(separator: "\n"), isOutput: false, &marks)
    }

    mutating func output(_ text: String) -> String {
        var marks = Marks()
        return render(text, isOutput: true, &marks)
    }

    private mutating func render(_ text: String, isOutput: Bool, _ marks: inout Marks) -> String {
        guard let tree = MarkdownTree(text, isOutput: isOutput, hasFootnotes: !isOutput) else { return "" }
        for (kind, node) in tree.nodes {
            switch kind {
            case .text: break
            case .html:
                let html = tree.literal(node)
                if Self.isComment(html) {
                    tree.remove(node)
                } else if html.wholeMatch(of: /<br ?\/?>/) != nil {
                    tree.replace(node, withText: marks.add("<br>"))
                } else if let picture = picture(html) {
                    tree.replace(node, withText: marks.add(picture.inline, alone: picture.alone))
                } else {
                    leftOut.pieces += 1
                    tree.replace(node, withText: html)
                }
            case .htmlBlock:
                let html = tree.literal(node)
                // One without an end holds the cells behind it.
                if !marks.areIn(html), Self.isComment(html) {
                    tree.remove(node)
                } else if let picture = picture(html.trimmedLine) {
                    tree.replace(node, withParagraph: marks.add(picture.inline, alone: picture.alone))
                } else {
                    leftOut.pieces += 1
                    let shown = marks.put(into: html) {
                        $0.contains { !$0.isWhitespace }
                            ? "<pre><code>\(MarkupText.escaped($0))</code></pre>\n" : ""
                    }
                    tree.replace(node, withParagraph: marks.add("", alone: shown))
                }
            case .image:
                let address = tree.address(node)
                let words = tree.words(node)
                if let name = files.name(address) {
                    let picture = picture(name, words: words, width: nil)
                    tree.replace(node, withText: marks.add(picture.inline, alone: picture.alone))
                } else if !isOutput, Self.isLink(address) {
                    // The page fetches nothing: a picture from elsewhere is a link to it.
                    tree.replace(
                        node,
                        withText: marks.add(
                            """
                            <a \
                            href="\(MarkupText.escaped(address))">\(MarkupText.escaped(words.isEmpty ? address : words))</a>
                            """))
                } else {
                    leftOut.links += 1
                    tree.replace(node, withText: words)
                }
            case .link:
                let address = tree.address(node)
                if let name = files.name(address), let found = files.find(name) {
                    switch found {
                    case .picture(let data), .drawing(let data, _), .table(let data):
                        tree.setAddress(node, marks.add("\(data)\" download=\"\(name)"))
                    case .other:
                        leftOut.others.insert(name)
                        tree.dissolve(node)
                    }
                } else if isOutput || !Self.isLink(address) {
                    leftOut.links += 1
                    tree.dissolve(node)
                }
            }
        }
        return marks.put(into: tree.html) { String($0) }
    }

    // MARK: Markdown for others

    /// Prose for a program that renders Markdown with its raw HTML: as it stands where it has none, else
    /// written anew with that HTML as text.
    mutating func inert(_ text: String) -> String {
        guard let tree = MarkdownTree(text, isOutput: false, hasFootnotes: false) else { return "" }
        let active = Self.active(tree)
        guard !active.isEmpty else { return text }
        for (kind, node) in active {
            switch kind {
            case .html, .htmlBlock:
                let html = tree.literal(node)
                if Self.isComment(html) {
                    tree.remove(node)
                } else {
                    leftOut.pieces += 1
                    if kind == .html {
                        tree.replace(node, withText: html)
                    } else {
                        tree.replace(node, withCode: html)
                    }
                }
            case .link:
                leftOut.links += 1
                tree.dissolve(node)
            case .image:
                leftOut.links += 1
                tree.replace(node, withText: tree.words(node))
            case .text: break
            }
        }
        // The library would write `\<`, which is a tag to those that know no such sign.
        let (less, greater) = (Marks.secretWord(), Marks.secretWord())
        for (kind, node) in tree.nodes where kind == .text {
            tree.setText(node, tree.literal(node).replacing("<", with: less).replacing(">", with: greater))
        }
        let markdown = tree.markdown.replacing(less, with: "&lt;").replacing(greater, with: "&gt;")
        // Not all that it reads it writes so that it reads the same, code at the beginning of a list in a
        // list, say: then the source is shown.
        guard let again = MarkdownTree(markdown, isOutput: false, hasFootnotes: false),
            Self.active(again).allSatisfy({ $0.kind == .text })
        else {
            return MarkdownText.fence(text)
        }
        return markdown.hasSuffix("\n") ? String(markdown.dropLast()) : markdown
    }

    /// Raw HTML but for comments of the plainest form, links that lead where none may, and texts that another
    /// program may take for a tag.
    private static func active(_ tree: MarkdownTree) -> [(kind: MarkdownTree.Kind, node: MarkdownTree.Node)] {
        tree.nodes.filter { kind, node in
            switch kind {
            case .text: tree.literal(node).contains(/<[A-Za-z\/!?]/)
            case .html, .htmlBlock:
                tree.literal(node).wholeMatch(of: /\s*<!--[^<>-]*(-[^<>-]+)*-->\s*/) == nil
            case .link, .image: !isLink(tree.address(node))
            }
        }
    }

    // MARK: Values

    private static func isComment(_ html: String) -> Bool {
        var rest = Substring(html.trimmedLine)
        guard rest.hasPrefix("<!--") else { return false }
        while rest.hasPrefix("<!--"), let end = rest.firstRange(of: "-->") {
            rest = rest[end.upperBound...].drop(while: \.isWhitespace)
        }
        return rest.isEmpty
    }

    /// Whether an address is one that a page may lead to: of the web, of mail, or of a place beside it.
    static func isLink(_ address: String) -> Bool {
        // As browsers read it: they drop what steers or is blank at the beginning, and line ends and tabs
        // anywhere.
        let plain = String(
            String.UnicodeScalarView(
                address.unicodeScalars.filter { $0.value > 0x20 && !$0.isSteering && $0.value != 0xAD }))
        // Two slashes, either way, begin the name of another machine.
        guard !plain.contains(/^[\/\\]{2}/) else { return false }
        guard let scheme = plain.prefixMatch(of: /[^\/?#]*?:/)?.output.lowercased() else { return true }
        return ["http:", "https:", "mailto:"].contains(scheme)
    }

    /// A picture as `MarkdownRenderer` writes it where it stands enlarged.
    private mutating func picture(_ html: String) -> Picture? {
        let parts = html.split(separator: "\"", omittingEmptySubsequences: false)
        guard parts.count == 7, parts[0] == "<img src=", parts[2] == " width=", parts[4] == " alt=",
            parts[6] == ">",
            let width = Int(parts[3]), (1...99_999).contains(width)
        else { return nil }
        func plain(_ text: Substring) -> String {
            guard text.contains("&") else { return String(text) }
            let entities = ["&quot;": "\"", "&lt;": "<", "&gt;": ">", "&#124;": "|", "&#96;": "`"]
            return entities.reduce(String(text)) { $0.replacing($1.key, with: $1.value) }.replacing(
                "&amp;", with: "&")
        }
        return files.name(plain(parts[1])).map { picture($0, words: plain(parts[5]), width: width) }
    }

    private struct Picture {
        var inline: String
        /// As a paragraph of its own.
        var alone: String?
    }

    private mutating func picture(_ name: String, words: String, width: Int?) -> Picture {
        let words = MarkupText.escaped(words)
        let found = files.find(name)
        switch found {
        case .picture(let data):
            return Picture(
                inline: "<img src=\"\(data)\"\(width.map { " width=\"\($0)\"" } ?? "") alt=\"\(words)\">")
        case .drawing(let data, let numbers):
            let image = "<img class=\"plot\" src=\"\(data)\" alt=\"\(words)\">"
            let table =
                numbers.trimmedLine.isEmpty
                ? ""
                : "<details><summary>Numbers</summary><pre>\(MarkupText.escaped(numbers.trimmedLine))</pre></details>"
            return Picture(inline: image, alone: "<figure class=\"plot\">\(image)\(table)</figure>\n")
        case .table, .other, nil:
            if found == nil { leftOut.missing.insert(name) } else { leftOut.others.insert(name) }
            return Picture(inline: "<span class=\"missing\">[\(words.isEmpty ? name : words)]</span>")
        }
    }
}

/// Words in a text that the library renders, and the HTML of ours that they stand for: it would not let that
/// pass. Nobody who wrote the text can know the words.
private struct Marks {
    private struct Value {
        var inline: String
        /// In place of a paragraph that holds nothing else.
        var alone: String?
    }

    private let secret: String
    private var values: [Value] = []

    init() { secret = Self.secretWord() }

    /// A word that no text holds.
    static func secretWord() -> String {
        var generator = SystemRandomNumberGenerator()
        return "noisebook" + (0..<2).map { _ in String(generator.next() as UInt64, radix: 36) }.joined() + "x"
    }

    /// The word for it.
    mutating func add(_ inline: String, alone: String? = nil) -> String {
        values.append(Value(inline: inline, alone: alone))
        return "\(secret)\(values.count - 1)z"
    }

    func areIn(_ text: String) -> Bool { text.contains(secret) }

    /// The text with what the words stand for; `between` makes HTML of what stands between them.
    func put(into text: String, between: (Substring) -> String) -> String {
        var out = ""
        var rest = Substring(text)
        while let start = rest.firstRange(of: secret),
            let end = rest[start.upperBound...].firstIndex(of: "z"),
            let number = Int(rest[start.upperBound..<end]), values.indices.contains(number)
        {
            var before = rest[..<start.lowerBound]
            let value = values[number]
            rest = rest[rest.index(after: end)...]
            if value.alone != nil, before.hasSuffix("<p>"), rest.hasPrefix("</p>\n") {
                before = before.dropLast(3)
                rest = rest.dropFirst(5)
                out += between(before) + (value.alone ?? "")
            } else {
                out += between(before) + (value.inline.isEmpty ? value.alone ?? "" : value.inline)
            }
        }
        return out + between(rest)
    }
}

extension String {
    fileprivate var trimmedLine: String {
        var text = Substring(self)
        while text.first?.isWhitespace == true { text.removeFirst() }
        while text.last?.isWhitespace == true { text.removeLast() }
        return String(text)
    }
}
