import SourceText

/// One text per value: keys sorted by their UTF-8 bytes, shortest numbers that read back the same.
extension JSON {
    /// On one line, without spaces.
    package var text: String {
        var out = ""
        write(to: &out, indent: nil)
        return out
    }

    /// For messages: the text, or its beginning where it is long.
    package var shortText: String {
        let text = text
        return text.utf8.count > 120 ? "\(kind), \(text.prefix(80))..." : text
    }

    /// Two spaces per level and a final line break.
    package var prettyText: String {
        var out = ""
        write(to: &out, indent: 0)
        return out + "\n"
    }

    private func write(to out: inout String, indent: Int?) {
        switch self {
        case .null: out += "null"
        case .bool(let value): out += value ? "true" : "false"
        case .number(let value): out += Self.number(value)
        case .string(let value): Self.quote(value, to: &out)
        case .array(let elements):
            // Lists of plain values stay on one line: long lists of numbers are the common case.
            let plain = elements.allSatisfy { $0.array == nil && $0.object == nil }
            Self.list(
                elements, brackets: ("[", "]"), to: &out, indent: plain ? nil : indent, spaced: indent != nil
            ) { element, out, inner in
                element.write(to: &out, indent: inner)
            }
        case .object(let members):
            let sorted = members.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
            Self.list(sorted, brackets: ("{", "}"), to: &out, indent: indent, spaced: indent != nil) {
                member, out, inner in
                Self.quote(member.key, to: &out)
                out += indent == nil ? ":" : ": "
                member.value.write(to: &out, indent: inner)
            }
        }
    }

    private static func list<T>(
        _ elements: [T], brackets: (String, String), to out: inout String, indent: Int?, spaced: Bool,
        _ body: (T, inout String, Int?) -> Void
    ) {
        out += brackets.0
        for (i, element) in elements.enumerated() {
            if i > 0 { out += indent == nil && spaced ? ", " : "," }
            if let indent { out += "\n" + String(repeating: "  ", count: indent + 1) }
            body(element, &out, indent.map { $0 + 1 })
        }
        if let indent, !elements.isEmpty { out += "\n" + String(repeating: "  ", count: indent) }
        out += brackets.1
    }

    /// JSON knows neither infinity nor NaN: they become null.
    private static func number(_ value: Double) -> String {
        guard value.isFinite else { return "null" }
        if abs(value) < 9_007_199_254_740_992, let whole = Int(exactly: value),
            !(value == 0 && value.sign == .minus)
        {
            return String(whole)
        }
        return value.description
    }

    static func quote(_ text: String, to out: inout String) { out += JSONString.quoted(text) }
}
