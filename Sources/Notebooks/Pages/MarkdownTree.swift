internal import CMarkdown

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// A Markdown text as GitHub's own library reads it. What is rendered of it is rendered by that library in
/// its safe mode.
final class MarkdownTree {
    typealias Node = OpaquePointer

    private let root: Node
    private let parser: OpaquePointer
    private let options: CInt

    /// - Parameter isOutput: of a cell, where only what this program writes has a meaning: no footnotes, and
    ///   an address in a caption is a text.
    init?(_ text: String, isOutput: Bool, hasFootnotes: Bool) {
        cmark_gfm_core_extensions_ensure_registered()
        options = hasFootnotes ? CMARK_OPT_FOOTNOTES : CMARK_OPT_DEFAULT
        guard let parser = cmark_parser_new(options) else { return nil }
        for name in isOutput ? ["table"] : ["table", "strikethrough", "autolink", "tasklist"] {
            if let found = cmark_find_syntax_extension(name) {
                cmark_parser_attach_syntax_extension(parser, found)
            }
        }
        let bytes = Array(text.utf8)
        bytes.withUnsafeBufferPointer { buffer in
            buffer.withMemoryRebound(to: CChar.self) { cmark_parser_feed(parser, $0.baseAddress, $0.count) }
        }
        guard let root = cmark_parser_finish(parser) else {
            cmark_parser_free(parser)
            return nil
        }
        (self.parser, self.root) = (parser, root)
    }

    deinit {
        cmark_node_free(root)
        cmark_parser_free(parser)
    }

    // MARK: Looking

    enum Kind { case htmlBlock, html, image, link, text }

    /// All nodes of these kinds in the order of the text. Of what stands in a picture's words the texts
    /// alone.
    var nodes: [(kind: Kind, node: Node)] {
        guard let walk = cmark_iter_new(root) else { return [] }
        defer { cmark_iter_free(walk) }
        var found: [(Kind, Node)] = []
        var images = 0
        while true {
            let event = cmark_iter_next(walk)
            guard event != CMARK_EVENT_DONE, let node = cmark_iter_get_node(walk) else { return found }
            let type = cmark_node_get_type(node)
            if type == CMARK_NODE_IMAGE { images += event == CMARK_EVENT_ENTER ? 1 : -1 }
            guard event == CMARK_EVENT_ENTER,
                type == CMARK_NODE_TEXT || images == (type == CMARK_NODE_IMAGE ? 1 : 0)
            else { continue }
            switch type {
            case CMARK_NODE_HTML_BLOCK: found.append((.htmlBlock, node))
            case CMARK_NODE_HTML_INLINE: found.append((.html, node))
            case CMARK_NODE_IMAGE: found.append((.image, node))
            case CMARK_NODE_LINK: found.append((.link, node))
            case CMARK_NODE_TEXT: found.append((.text, node))
            default: break
            }
        }
    }

    func literal(_ node: Node) -> String { cmark_node_get_literal(node).map { String(cString: $0) } ?? "" }
    func address(_ node: Node) -> String { cmark_node_get_url(node).map { String(cString: $0) } ?? "" }

    /// The text below a node, without its markup.
    func words(_ node: Node) -> String {
        guard let walk = cmark_iter_new(node) else { return "" }
        defer { cmark_iter_free(walk) }
        var words = ""
        while true {
            let event = cmark_iter_next(walk)
            guard event != CMARK_EVENT_DONE, let inner = cmark_iter_get_node(walk) else { return words }
            guard event == CMARK_EVENT_ENTER else { continue }
            switch cmark_node_get_type(inner) {
            case CMARK_NODE_TEXT, CMARK_NODE_CODE: words += literal(inner)
            case CMARK_NODE_SOFTBREAK, CMARK_NODE_LINEBREAK: words += " "
            default: break
            }
        }
    }

    // MARK: Changing

    /// Puts a text in a node's place.
    func replace(_ node: Node, withText text: String) {
        guard let new = cmark_node_new(CMARK_NODE_TEXT) else { return }
        cmark_node_set_literal(new, text)
        exchange(node, new)
    }

    /// Puts a paragraph of one text in a block's place.
    func replace(_ node: Node, withParagraph text: String) {
        guard let paragraph = cmark_node_new(CMARK_NODE_PARAGRAPH),
            let inner = cmark_node_new(CMARK_NODE_TEXT)
        else { return }
        cmark_node_set_literal(inner, text)
        cmark_node_append_child(paragraph, inner)
        exchange(node, paragraph)
    }

    /// Puts a fence of HTML in a block's place.
    func replace(_ node: Node, withCode text: String) {
        guard let code = cmark_node_new(CMARK_NODE_CODE_BLOCK) else { return }
        cmark_node_set_literal(code, text)
        cmark_node_set_fence_info(code, "html")
        exchange(node, code)
    }

    /// Where the library would not have the new one there, the old one goes all the same.
    private func exchange(_ node: Node, _ new: Node) {
        if cmark_node_replace(node, new) == 0 {
            cmark_node_free(new)
            cmark_node_unlink(node)
        }
        cmark_node_free(node)
    }

    func remove(_ node: Node) {
        cmark_node_unlink(node)
        cmark_node_free(node)
    }

    func setText(_ node: Node, _ text: String) { cmark_node_set_literal(node, text) }

    func setAddress(_ node: Node, _ address: String) { cmark_node_set_url(node, address) }

    /// Puts what stands in a link in its place. What the library would not have there goes, and is not freed:
    /// it may be looked at yet.
    func dissolve(_ node: Node) {
        while let child = cmark_node_first_child(node) {
            if cmark_node_insert_before(node, child) == 0 { cmark_node_unlink(child) }
        }
        remove(node)
    }

    // MARK: Rendering

    /// Without CMARK_OPT_UNSAFE: raw HTML and dangerous addresses are left out, should any be there still.
    var html: String {
        rendered(cmark_render_html(root, options, cmark_parser_get_syntax_extensions(parser)))
    }

    var markdown: String { rendered(cmark_render_commonmark(root, options, 0)) }

    private func rendered(_ text: UnsafeMutablePointer<CChar>?) -> String {
        guard let text else { return "" }
        defer { free(text) }
        return String(cString: text)
    }
}
