internal import CMarkdown
import Files
import Interpreting
import Notebooks
import Rendering
import Results
import Syntax
import TestSupport
import Testing
import Verbs

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Pages of strangers' notebooks, without a browser: whatever a notebook holds, its page has no element,
/// attribute or address but those of a fixed set. `.ci/pages` opens the same cases in a browser.
@Suite("Pages of strangers' notebooks") struct HostilePageTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var files: [String: String]
        var testDescription: String { name }
    }

    static let cases: [Case] = {
        let path = FileSystem.join(
            FileSystem.folder(of: FileSystem.folder(of: #filePath)), "Data/hostile-notebooks.txt")
        var cases: [Case] = []
        var file = ""
        for line in ((try? FileSystem.readText(path)) ?? "").split(
            separator: "\n", omittingEmptySubsequences: false)
        {
            if line.hasPrefix("=== ") {
                cases.append(Case(name: String(line.dropFirst(4)), files: [:]))
                file = "n.md"
            } else if line.hasPrefix("--- file ") {
                file = String(line.dropFirst(9))
            } else if !cases.isEmpty {
                let text = line.replacing("{js}", with: "document.title=/scr/.source+/ipt-ran/.source")
                    .replacing("{url}", with: "http://payload.invalid")
                cases[cases.count - 1].files[file, default: ""] += text + "\n"
            }
        }
        return cases
    }()

    /// Folders are there until the test is over.
    private final class Kept: @unchecked Sendable { var folders: [TemporaryFolder] = [] }
    private let kept = Kept()

    private func exports(_ files: [String: String]) throws -> [NotebookExport] {
        let folder = try TemporaryFolder()
        kept.folders.append(folder)
        for (name, text) in files {
            let above = FileSystem.folder(of: folder.path(name))
            if !FileSystem.isFolder(above) { try FileSystem.createFolder(above) }
            try AtomicFile.write(text, to: folder.path(name))
        }
        let verbs = Session(verbs: Verbs.registry, access: FileAccess(base: folder.path)).verbSet
        return try files.keys.filter { $0.hasSuffix(".md") }.sorted().map {
            try NotebookExport(NotebookFile(folder.path($0)), verbs: verbs, version: "1")
        }
    }

    private func made(_ text: String, _ form: NotebookExport.Form = .html, files: [String: String] = [:])
        throws -> NotebookExport.Made
    {
        try #require(exports(files.merging(["n.md": text]) { $1 }).first).make(form)
    }

    @Test("there are many cases") func many() {
        #expect(Self.cases.count > 60 && Self.cases.allSatisfy { !$0.files.isEmpty })
    }

    @Test("a page holds what it may hold and nothing else", arguments: cases) func page(_ hostile: Case)
        throws
    {
        let harmless = try PageReader(made("Text.\n").text)
        for export in try exports(hostile.files) {
            let text = try export.text(.html)
            let page = try PageReader(text)
            #expect(page.problems.isEmpty, "\(page.problems)")
            #expect(page.frame == harmless.frame)
            #expect(
                page.elements["script"] == 1 && page.elements["style"] == 1 && page.elements["main"] == 1
                    && page.elements["footer"] == 1)
        }
    }

    @Test("a Jupyter notebook has no raw HTML in its texts, and outputs as pages have them", arguments: cases)
    func jupyter(_ hostile: Case) throws {
        for export in try exports(hostile.files) {
            for cell in try #require(JSON.parse(export.text(.ipynb), place: "n.ipynb")["cells"]?.array) {
                if cell["cell_type"]?.string == "markdown" {
                    let source = try #require(cell["source"]?.strings).joined()
                    let reader = try PageReader(fragment: rendered(source), loadsPictures: true)
                    #expect(reader.problems.isEmpty, "\(reader.problems) in \(source)")
                }
                for output in cell["outputs"]?.array ?? [] {
                    let data = output["data"]?.object ?? [:]
                    #expect(Set(data.keys).isSubset(of: ["text/html", "text/plain"]))
                    let reader = try PageReader(fragment: (data["text/html"]?.strings ?? []).joined())
                    #expect(reader.problems.isEmpty, "\(reader.problems)")
                }
            }
        }
    }

    @Test("raw HTML in a Jupyter notebook's texts is written in entities, which are text to every program")
    func entities() throws {
        let made = try made(
            "Text <b onclick=x>bold</b> and `<b>` ![a < b](https://example.org/a.png).\n\n<div>\n*x*\n</div>\n",
            .ipynb)
        let source = try JSON.parse(made.text, place: "n")["cells"]?.array?.first?["source"]?.strings?
            .joined()
        let text = """
            Text &lt;b onclick=x&gt;bold&lt;/b&gt; and `<b>` ![a &lt; b](https://example.org/a.png).\n\n``` \
            html\n<div>\n*x*\n</div>\n```
            """
        #expect(source == text, "\(source ?? "")")
        #expect(made.leftOut.count == 1)
        // Where the library would not read what it writes, the source is shown.
        let nested = try self.made("- -     <b>\n\n<b>\n", .ipynb)
        let shown =
            try JSON.parse(nested.text, place: "n")["cells"]?.array?.first?["source"]?.strings?.joined() ?? ""
        #expect(try PageReader(fragment: rendered(shown), loadsPictures: true).problems.isEmpty, "\(shown)")
    }

    @Test("what stands in these cases in any order, in lists, quotes, tables and outputs, cut anywhere")
    func mixtures() throws {
        var small = SmallGenerator(seed: 22)
        let lines = Self.cases.flatMap {
            $0.files["n.md", default: ""].split(separator: "\n").map(String.init)
        }
        let starts = [
            "", "", "", "> ", "- ", "1. ", "    ", "# ", "| ", "[^a]: ", "**", "`", "<!-- ", "\\", "![",
            "[x](", "<", "&", "~~",
        ]
        var read = 0
        for _ in 0..<300 {
            var text = ""
            for _ in 0..<2 + small.next(below: 12) {
                let line = lines[small.next(below: lines.count)]
                let whole = small.next(below: 3) > 0
                text +=
                    starts[small.next(below: starts.count)]
                    + (whole ? line : String(line.prefix(small.next(below: line.count + 1))))
                text += small.next(below: 4) == 0 ? "" : small.next(below: 3) == 0 ? "\n\n" : "\n"
            }
            // Damaged notebooks are refused when they are read.
            guard let export = try? exports(["n.md": text]).first else { continue }
            read += 1
            let page = try PageReader(export.text(.html))
            #expect(page.problems.isEmpty, "\(page.problems) in \(text)")
            for cell in try JSON.parse(export.text(.ipynb), place: "n.ipynb")["cells"]?.array ?? []
            where cell["cell_type"]?.string == "markdown" {
                let source = (cell["source"]?.strings ?? []).joined()
                let reader = try PageReader(fragment: rendered(source), loadsPictures: true)
                #expect(reader.problems.isEmpty, "\(reader.problems) in \(source)")
            }
        }
        #expect(read > 100)
    }

    /// As a program renders it that lets raw HTML pass.
    private func rendered(_ markdown: String) -> String {
        guard let html = cmark_markdown_to_html(markdown, markdown.utf8.count, CMARK_OPT_UNSAFE) else {
            return ""
        }
        defer { free(html) }
        return String(cString: html)
    }

    @Test("the reader of pages finds what should not be there")
    func reader() throws {
        let bad = [
            "<script>x</script>", "<img src=x>", "<p onclick=\"x\">", "<a href=\"javascript:x\">",
            "<a href=\" javascript:x\">", "<iframe>", "a < b", "<p",
            "<img src=\"http://payload.invalid/\" alt=\"\">", "<a href=\"//x\">", "<!-- x -->",
            "<p style=\"x\">", "<svg>", "<a href=\"data:text/html,x\">",
            "<p class=\"x\"onclick=\"y\">", "<base href=\"x\">", "<meta charset=\"x\">",
        ]
        for text in bad { #expect(try !PageReader(fragment: text).problems.isEmpty, "\(text)") }
        let good = """
            <p class="doubt" role="note">x &lt; y</p><a href="https://a.example/b">x</a><img \
            src="data:image/png;base64,AA==" alt=\"\">
            """
        #expect(try PageReader(fragment: good).problems.isEmpty)
    }

    @Test("raw HTML is shown as text and told, comments are neither; what is no HTML is no news")
    func leftOut() throws {
        let made = try made(
            """
            Text <b>bold</b>.<br>\n\n<!-- a comment -->\n\n<div>\n*x*\n</div>\n\n[a](javascript:x) \
            [b](https://example.org)\n
            """)
        #expect(
            made.leftOut.map { $0.contains("3 pieces of raw HTML shown as text") } == [true, false],
            "\(made.leftOut)")
        #expect(made.leftOut.last?.contains("1 link shown as text") == true)
        #expect(
            made.text.contains("Text &lt;b&gt;bold&lt;/b&gt;.<br>")
                && made.text.contains("<pre><code>&lt;div&gt;\n*x*\n&lt;/div&gt;\n</code></pre>"))
        #expect(!made.text.contains("a comment"))
        #expect(
            try self.made("# T\n\nText, `<b>`, https://example.org and 1 < 2.\n\n<!-- a comment -->\n")
                .leftOut.isEmpty)
    }

    @Test("files of the notebook's folder that are missing, or not what their names say, are told by name")
    func files() throws {
        let text = "![a](n.out/0123456789ab.png) ![b](n.out/ffffffffffff.svg)\n"
        let made = try made(text, files: ["n.out/0123456789ab.png": "<html>"])
        #expect(made.leftOut.count == 2)
        #expect(made.leftOut.first?.contains("n.out/ffffffffffff.svg is missing") == true)
        #expect(
            made.leftOut.last?.contains("n.out/0123456789ab.png is left out: it is not what its name says")
                == true)
        #expect(made.text.contains("<span class=\"missing\">[a]</span>") && !made.text.contains("n.out/"))
    }

    @Test(
        "a cell behind raw HTML without an end is shown",
        arguments: ["<!-- never closed", "<plaintext>\n", "<script>", "<style>\nx", "<textarea>", "<?x"])
    func swallowed(_ html: String) throws {
        let cells = (0..<3).map { "```noise c\($0)\n\($0)\n```\n" }.joined(separator: "\ntext\n\n")
        let page = try made("\(html)\n\n\(cells)\nThe end.\n").text
        let places = (0..<3).map {
            page.firstRange(of: "<section class=\"cell\" id=\"cell-c\($0)\">")?.lowerBound
        }
        // What the Markdown library takes for text inside of such HTML is no cell.
        #expect(places.allSatisfy { $0 != nil } || places.allSatisfy { $0 == nil }, "\(page)")
        #expect(page.contains("The end."))
    }

    @Test("a page's own links work: to the web, to mail, to a place beside it and within it")
    func links() throws {
        let addresses = [
            "https://example.org/a?b=c:d#e", "HTTP://example.org", "mailto:a@example.org", "beside.md",
            "../above/x.html", "#cell-1", "/rooted", "a/b:c",
            "?q=a:b",
        ]
        let page = try made(addresses.map { "[x](\($0))\n" }.joined(separator: "\n"))
        for address in addresses { #expect(page.text.contains("<a href=\"\(address)\">x</a>"), "\(address)") }
        #expect(page.leftOut.isEmpty)
        let pictures = try made("![a dragon](https://example.org/a.png) ![](b.png)\n").text
        #expect(
            pictures.contains(#"<a href="https://example.org/a.png">a dragon</a> <a href="b.png">b.png</a>"#))
    }

    @Test("every plot that this program draws is in the page as a picture, with its numbers")
    func plots() throws {
        for mark in PlotView.Mark.allCases {
            for series in [1, 3, 12] {
                let plot = PlotView.sample(mark, name: "a <b> & \"c\"", series: series)
                let made = try made(
                    "![words](n.out/0123456789ab.svg)\n",
                    files: ["n.out/0123456789ab.svg": PlotSVG.text(plot)])
                #expect(made.leftOut.isEmpty, "\(made.leftOut)")
                #expect(
                    made.text.contains(
                        "<figure class=\"plot\"><img class=\"plot\" src=\"data:image/svg+xml;base64,"))
                let numbers = CSVText.of(plot.table).dropLast().replacing("&", with: "&amp;").replacing(
                    "<", with: "&lt;"
                ).replacing(">", with: "&gt;")
                #expect(numbers.contains("a &lt;b&gt; &amp;"))
                #expect(
                    made.text.contains(
                        "<details><summary>Numbers</summary><pre>\(numbers.replacing("\"", with: "&quot;"))</pre></details>"
                    ))
            }
        }
        // Those of the repository's notebooks, some of which older versions drew.
        let notebooks = FileSystem.join(
            FileSystem.folder(of: FileSystem.folder(of: FileSystem.folder(of: #filePath))), "notebooks")
        var count = 0
        for folder in [notebooks, FileSystem.join(notebooks, "report")] {
            for name in try FileSystem.list(folder) where name.hasSuffix(".md") {
                let export = try NotebookExport(
                    NotebookFile(FileSystem.join(folder, name)), verbs: VerbSet(plain: [], withBlock: []),
                    version: "1")
                let made = try export.make(.html)
                #expect(made.leftOut.isEmpty, "\(made.leftOut)")
                let page = try PageReader(made.text)
                #expect(page.problems.isEmpty, "\(page.problems)")
                count += made.text.matches(of: /<figure class="plot">/).count
            }
        }
        #expect(count > 5)
    }

    @Test("text that holds no HTML goes into a Jupyter notebook as it stands")
    func verbatim() throws {
        let prose = """
            # T\n\nText with *stress*, $a < b$, `<b>` and <https://example.org>.\n\n<!-- a comment -->\n\n| \
            a |\n|---|\n| 1 |\n\n- x\n* y
            """
        let made = try made(prose + "\n", .ipynb)
        #expect(
            try JSON.parse(made.text, place: "n")["cells"]?.array?.first?["source"]?.strings?.joined()
                == prose)
        #expect(made.leftOut.isEmpty)
    }
}

/// Reads a page as strictly as it is written: every `<` begins a tag of one form, every tag is known and so
/// are its attributes, addresses lead where they may.
struct PageReader {
    private(set) var problems: [String] = []
    private(set) var elements: [String: Int] = [:]
    /// What every page has alike: the beginning of its head, its style and its script.
    private(set) var frame: [String] = []

    private static let known: [String: Set<String>] = [
        "section": ["class", "id", "data-footnotes"], "div": ["class"], "span": ["class"], "pre": [],
        "code": ["class"], "p": ["class", "role"], "h1": [],
        "h2": [],
        "h3": [], "h4": [], "h5": [], "h6": [], "img": ["class", "src", "width", "alt"], "figure": ["class"],
        "details": [], "summary": [], "table": [],
        "a": [
            "href", "title", "download", "id", "class", "data-footnote-ref", "data-footnote-backref",
            "data-footnote-backref-idx", "aria-label",
        ],
        "thead": [], "tbody": [], "tr": [], "th": ["align"], "td": ["align"], "ul": [], "ol": ["start"],
        "li": ["id"], "blockquote": [], "em": [], "strong": [],
        "del": [], "br": [], "hr": [], "sup": ["class"], "input": ["type", "checked", "disabled"], "dl": [],
        "dt": [], "dd": [], "title": [],
    ]
    private static let frames: Set<String> = [
        "html", "head", "body", "main", "footer", "meta", "style", "script",
    ]

    init(_ page: String) throws { try self.init(page, isWhole: true, loadsPictures: false) }

    init(fragment: String, loadsPictures: Bool = false) throws {
        try self.init(fragment, isWhole: false, loadsPictures: loadsPictures)
    }

    private init(_ page: String, isWhole: Bool, loadsPictures: Bool) throws {
        var rest = Substring(page)
        if isWhole, rest.hasPrefix("<!doctype html>\n") { rest = rest.dropFirst(16) }
        while let start = rest.firstIndex(of: "<") {
            rest = rest[start...]
            // A program that shows Markdown may keep comments; these are none to a browser only if they are
            // of the plain form.
            if loadsPictures, let comment = rest.prefixMatch(of: /<!--[^<>-]*(-[^<>-]+)*-->/) {
                rest = rest[comment.range.upperBound...]
                continue
            }
            guard let tag = rest.prefixMatch(of: /<(\/?)([a-z][a-z0-9]*)((?: [a-z-]+(?:="[^"<>]*")?)*) ?\/?>/)
            else {
                problems.append("no tag: \(rest.prefix(60))")
                rest = rest.dropFirst()
                continue
            }
            rest = rest[tag.range.upperBound...]
            let name = String(tag.2)
            if tag.1.isEmpty { elements[name, default: 0] += 1 }
            if isWhole, Self.frames.contains(name) {
                if !tag.1.isEmpty || name == "main" || name == "footer" { continue }
                // The digest in the mark is the page's own.
                frame.append(String(tag.0).replacing(/[0-9a-f]{16}/, with: "DIGEST"))
                if name == "style" || name == "script", let end = rest.firstRange(of: "</\(name)>") {
                    frame.append(String(rest[..<end.lowerBound]))
                    rest = rest[end.lowerBound...]
                }
                continue
            }
            guard let attributes = Self.known[name] else {
                problems.append("element: \(tag.0)")
                continue
            }
            for attribute in tag.3.matches(of: /[ ]([a-z-]+)(?:="([^"]*)")?/) {
                if !attributes.contains(String(attribute.1)) {
                    problems.append("attribute: \(tag.0.prefix(200))")
                }
                let value = String(attribute.2 ?? "").replacing("&amp;", with: "&")
                let isPicture =
                    value.wholeMatch(of: /data:image\/(png|svg\+xml);base64,[A-Za-z0-9+\/]*=*/) != nil
                let isTable = value.wholeMatch(of: /data:text\/csv;base64,[A-Za-z0-9+\/]*=*/) != nil
                if attribute.1 == "src", !isPicture, !loadsPictures || !Self.leads(value) {
                    problems.append("picture: \(value.prefix(100))")
                }
                if attribute.1 == "href", !isPicture, !isTable, !Self.leads(value) {
                    problems.append("address: \(value.prefix(100))")
                }
            }
        }
    }

    private static func leads(_ address: String) -> Bool {
        address.wholeMatch(of: /(https?:\/\/|mailto:).*/.ignoresCase()) != nil
            || address.wholeMatch(of: /(?![\/\\]{2})[^:\\\s\/?#]*([\/?#].*)?/) != nil
    }
}
