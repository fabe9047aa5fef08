/// One line of a source with a stretch marked in it, cut to a width that a terminal can show.
struct Excerpt {
    /// The number that stands before the line.
    var lineNumber: Int
    var line: String
    /// Terminal cells before the mark, and the mark's own; at least one.
    var indent: Int
    var width: Int

    private static let widest = 160
    private static let before = 60
    /// What of a longer line is looked at, before the mark and from it on: a program of one line can have
    /// thousands of errors.
    private static let mostBytes = 4_096

    /// The line on which the span begins. What of the span lies on further lines is not marked.
    init(_ span: Span, in source: SourceFile) {
        let position = source.position(of: span.lower)
        let line = source.lineSpan(position.line - 1)
        let lower = min(span.lower, line.upper)
        let upper = min(max(span.upper, lower), line.upper)
        var head = DisplayText.visible(
            source.text(of: Span(max(line.lower, lower - Excerpt.mostBytes), lower)))
        var marked = DisplayText.visible(source.text(of: Span(lower, min(upper, lower + Excerpt.mostBytes))))
        var tail = DisplayText.visible(
            source.text(of: Span(upper, min(line.upper, upper + Excerpt.mostBytes))))
        if DisplayText.width(head) + DisplayText.width(marked) + DisplayText.width(tail) > Excerpt.widest {
            if DisplayText.width(head) > Excerpt.before { head = "\u{2026}" + head.suffix(Excerpt.before) }
            let room = max(Excerpt.widest - DisplayText.width(head), 1)
            if DisplayText.width(marked) > room {
                marked = marked.prefix(room) + "\u{2026}"
                tail = ""
            }
            let rest = max(Excerpt.widest - DisplayText.width(head) - DisplayText.width(marked), 0)
            if DisplayText.width(tail) > rest { tail = tail.prefix(rest) + "\u{2026}" }
        }
        lineNumber = source.shownLine(position)
        self.line = head + marked + tail
        indent = DisplayText.width(head)
        width = max(DisplayText.width(marked), 1)
    }
}
