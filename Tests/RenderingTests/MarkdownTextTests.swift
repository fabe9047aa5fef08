internal import CMarkdown
import Rendering
import TestSupport
import Testing

@Suite("Text in Markdown")
struct MarkdownTextTests {
    /// What a reader of the Markdown sees, by cmark: the text of one paragraph, nil where the text made
    /// anything else.
    private func shown(_ markdown: String) -> String? {
        guard let root = cmark_parse_document(markdown, markdown.utf8.count, CMARK_OPT_DEFAULT) else {
            return nil
        }
        defer { cmark_node_free(root) }
        guard let paragraph = cmark_node_first_child(root),
            cmark_node_get_type(paragraph) == CMARK_NODE_PARAGRAPH, cmark_node_next(paragraph) == nil
        else { return nil }
        var result = ""
        var node = cmark_node_first_child(paragraph)
        while let current = node {
            guard cmark_node_get_type(current) == CMARK_NODE_TEXT else { return nil }
            result += String(cString: cmark_node_get_literal(current))
            node = cmark_node_next(current)
        }
        return result
    }

    @Test("escaped text shows as it is, whatever it contains")
    func inline() {
        var random = RandomMarkdown(seed: 7)
        for text in [
            "a | b", "<script>", "*x* _y_ `z`", "[a](b) ![c](d)", "a_b_c _d_", "&amp; &lt;", "\\* \\",
            "~~no~~ $x$", "1 < 2 > 0",
        ] {
            #expect(shown("x " + MarkdownText.inline(text)) == "x " + text)
        }
        for _ in 0..<2000 {
            let text = random.words()
            let line = "x " + TextWidth.oneLine(text) + " y"
            #expect(shown("x " + MarkdownText.inline(TextWidth.oneLine(text)) + " y") == line)
        }
    }

    @Test("a fence is longer than any run of backquotes inside")
    func fence() {
        #expect(MarkdownText.fence("a\nb  ") == "```text\na\nb\n```")
        #expect(MarkdownText.fence("````") == "`````text\n````\n`````")
    }

    @Test("control characters do not reach the text")
    func controls() {
        #expect(MarkdownText.inline("a\u{1B}[31m\nb") == "a \\[31m b")
        #expect(MarkdownText.fence("\u{1B}]0;title\u{7}x") == "```text\n]0;titlex\n```")
    }

    @Test("a path with spaces and brackets is a destination")
    func destination() {
        #expect(MarkdownText.destination("my notes (2).out/ü.png") == "my%20notes%20%282%29.out/ü.png")
    }
}
