import Rendering
import SourceText
import Syntax

/// A cell's code as HTML with its verbs, options, strings, numbers and comments marked. Any text is taken:
/// what is no code stays as it is.
struct CodeMarkup {
    let verbs: VerbSet

    func html(_ code: String) -> String {
        let source = SourceFile(name: "code", text: code)
        var out = "", end = 0
        for token in CodeToken.all(in: source, verbs: verbs) {
            out += MarkupText.escaped(source.text(of: Span(end, token.span.lower)))
            let text = MarkupText.escaped(source.text(of: token.span))
            out += Self.mark(of: token.kind).map { "<span class=\"\($0)\">\(text)</span>" } ?? text
            end = token.span.upper
        }
        return out + MarkupText.escaped(source.text(of: Span(end, source.bytes.count)))
    }

    /// The class of the page's style.
    private static func mark(of kind: CodeToken.Kind) -> String? {
        switch kind {
        case .comment: "c"
        case .text: "s"
        case .number: "n"
        case .keyword: "k"
        case .option: "o"
        case .verb: "v"
        case .name, .sign: nil
        }
    }
}
