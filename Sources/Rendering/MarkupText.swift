/// Text inside of HTML and XML.
package enum MarkupText {
    /// With entities for what would begin markup, and for the quotes around an attribute.
    package static func escaped(_ text: some StringProtocol, quotes: Bool = true) -> String {
        var out = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": out += "&amp;"
            case "<": out += "&lt;"
            case ">": out += "&gt;"
            case "\"" where quotes: out += "&quot;"
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out
    }
}
