/// A drawing that is nothing but a drawing: shapes, texts and a style sheet, as `PlotSVG` writes them. A file
/// of that name in a stranger's folder may hold anything else that SVG knows (scripts, links, pictures from
/// elsewhere, pages within the drawing); it is none.
struct SVGDrawing {
    /// What it shows, in numbers: its description.
    private(set) var numbers = ""

    private static let elements: Set<String> = [
        "svg", "title", "desc", "style", "rect", "g", "text", "line", "circle", "path", "polygon", "polyline",
    ]
    private static let attributes: Set<String> = [
        "viewBox", "width", "height", "role", "aria-labelledby", "id", "class", "transform", "x", "y", "x1",
        "x2", "y1", "y2", "cx", "cy", "r", "d", "points",
        "fill", "fill-opacity", "stroke", "stroke-width", "stroke-linejoin", "stroke-dasharray",
        "text-anchor",
    ]

    init?(_ bytes: [UInt8]) {
        guard let text = String(validating: bytes, as: UTF8.self) else { return nil }
        var rest = Substring(text)
        var open: [String] = []
        var isOver = false
        while let first = rest.first {
            guard first == "<" else {
                let words = rest.prefix { $0 != "<" }
                rest = rest[words.endIndex...]
                guard take(words, in: open.last) else { return nil }
                continue
            }
            guard let end = rest.firstIndex(of: ">"), !isOver else { return nil }
            var tag = rest[rest.index(after: rest.startIndex)..<end]
            rest = rest[rest.index(after: end)...]
            if tag.first == "/" {
                guard open.popLast() == String(tag.dropFirst()) else { return nil }
            } else {
                let isEmpty = tag.last == "/"
                if isEmpty { tag = tag.dropLast() }
                let name = String(tag.prefix { $0 != " " })
                guard Self.elements.contains(name), open.isEmpty == (name == "svg"),
                    Self.areAttributes(tag.dropFirst(name.count))
                else { return nil }
                // Nothing stands inside of texts.
                guard !["title", "desc", "style", "text"].contains(open.last ?? "") else { return nil }
                if !isEmpty { open.append(name) }
            }
            isOver = open.isEmpty
        }
        guard isOver else { return nil }
    }

    /// Takes text between tags; false where it cannot stand there.
    private mutating func take(_ text: Substring, in element: String?) -> Bool {
        switch element {
        case "title", "text": return true
        case "desc":
            numbers += text.replacing("&lt;", with: "<").replacing("&gt;", with: ">").replacing(
                "&amp;", with: "&")
            return true
        case "style":
            // Rules for the drawing itself: nothing that fetches, and no escape by which that could be
            // written otherwise.
            let lower = text.lowercased()
            return !["url", "import", "\\", "expression", "&", "image", "src"].contains { lower.contains($0) }
        default: return text.allSatisfy(\.isWhitespace)
        }
    }

    /// ` name="value"` any number of times.
    private static func areAttributes(_ text: Substring) -> Bool {
        var rest = text
        while !rest.isEmpty {
            guard rest.first == " " else { return false }
            let name = rest.dropFirst().prefix { $0 != "=" }
            let quoted = rest.dropFirst(name.count + 1)
            guard quoted.hasPrefix("=\"") else { return false }
            let value = quoted.dropFirst(2).prefix { $0 != "\"" }
            guard quoted.dropFirst(2 + value.count).first == "\"" else { return false }
            let isKnown =
                name == "xmlns"
                ? value == "http://www.w3.org/2000/svg"
                : attributes.contains(String(name)) && value.allSatisfy(isPlain)
            guard isKnown else { return false }
            rest = quoted.dropFirst(3 + value.count)
        }
        return true
    }

    /// Numbers, names, colours, and the brackets of `translate(1 2)`: no colon, so no address.
    private static func isPlain(_ character: Character) -> Bool {
        character.isASCII && (character.isLetter || character.isNumber || " .,#()+-%".contains(character))
    }
}
