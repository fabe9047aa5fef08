import Files
import Tensors

/// The mark by which `render` knows a file that it wrote and that nobody changed since: the digest of all
/// that stands around it.
package enum RenderMark {
    private static let words = "made by noisebook, "
    private static let blank = String(repeating: "0", count: 16)

    /// The mark as it stands in a text that is not finished.
    static let open = words + blank

    /// The text with its digest in place of the open mark. Cells come behind the mark in a page and a script,
    /// and before it in a Jupyter notebook.
    static func sealed(_ text: String, _ form: NotebookExport.Form) throws -> String {
        guard let place = place(in: Array(text.utf8), form) else { return text }
        var bytes = Array(text.utf8)
        bytes.replaceSubrange(place, with: try Digest.sha256(bytes).utf8.prefix(blank.utf8.count))
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Whether `bytes` are what `render` wrote.
    package static func isSealed(_ bytes: [UInt8], _ form: NotebookExport.Form) -> Bool {
        guard let place = place(in: bytes, form) else { return false }
        var open = bytes
        open.replaceSubrange(place, with: blank.utf8)
        return (try? Digest.sha256(open))?.utf8.prefix(blank.utf8.count).elementsEqual(bytes[place]) ?? false
    }

    /// Where the digest stands.
    private static func place(in bytes: [UInt8], _ form: NotebookExport.Form) -> Range<Int>? {
        let words = Array(words.utf8)
        let starts = 0..<max(0, bytes.count - words.count - blank.utf8.count + 1)
        func fits(_ start: Int) -> Bool {
            bytes[start] == words[0] && bytes[start..<start + words.count].elementsEqual(words)
        }
        guard let start = form == .ipynb ? starts.last(where: fits) : starts.first(where: fits) else {
            return nil
        }
        return start + words.count..<start + words.count + blank.utf8.count
    }
}
