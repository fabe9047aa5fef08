import Files

/// What belongs to a notebook lies beside it: beside the file itself, where the notebook is reached by a
/// link.
package struct NotebookPlace: Sendable {
    /// The file behind links.
    package let file: String

    package init(_ path: String) { file = FileSystem.followingLinks(path) }

    private static let ending = ".md"

    /// Whether a file is a notebook, by its name. `NAME.md` is the usual one; others keep their ending in the
    /// names of what belongs to them.
    package static func isNotebook(_ path: String) -> Bool {
        let name = path.lowercased()
        return name.hasSuffix(ending) || name.hasSuffix(".markdown")
    }

    /// Endings under which other tools keep notebooks of text. No script is called so.
    package static func isForeign(_ path: String) -> Bool {
        let name = path.lowercased()
        return [".qmd", ".rmd", ".mdx", ".mkd", ".mkdn", ".mdown", ".ipynb"].contains { name.hasSuffix($0) }
    }

    /// The name without the ending of a notebook: what `render` gives another one.
    package static func stem(_ path: String) -> String {
        isNotebook(path) ? String(path[..<(path.lastIndex(of: ".") ?? path.endIndex)]) : path
    }

    /// `a.lock` of `a.md`, and `a.markdown.lock` of `a.markdown`, so that the two can lie beside each other.
    private var base: String { file.hasSuffix(Self.ending) ? String(file.dropLast(Self.ending.count)) : file }

    /// What the program reads, writes and removes beside the notebook by itself.
    package var own: [String] {
        [lock, outputs, outputs + ".corrected", correction, correctionLock]
            + NotebookExport.Form.allCases.map { Self.stem(file) + "." + $0.rawValue }
    }

    package var lock: String { base + ".lock" }
    package var outputs: String { base + ".out" }
    package var correction: String { file + ".corrected" }
    /// What the lock says of a correction, until it is accepted.
    var correctionLock: String { file + ".corrected.json" }
}
