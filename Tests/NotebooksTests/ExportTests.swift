import Files
import Interpreting
import Notebooks
import SourceText
import Syntax
import TestSupport
import Testing
import Verbs

@Suite("A notebook in other forms") struct ExportTests {
    private func export(_ text: String) throws -> NotebookExport {
        let folder = try TemporaryFolder()
        try AtomicFile.write(text, to: folder.path("n.md"))
        try FileSystem.createFolder(folder.path("n.out"))
        try PNG.write(Bitmap(width: 2, height: 2, red: 255, green: 0, blue: 0), to: folder.path("n.out/0123456789ab.png"))
        try AtomicFile.write("<svg xmlns=\"http://www.w3.org/2000/svg\"><title>t</title></svg>", to: folder.path("n.out/0123456789ab.svg"))
        try AtomicFile.write("a,b\n1,2\n", to: folder.path("n.out/0123456789ab.csv"))
        let file = try NotebookFile(folder.path("n.md"))
        let session = Session(verbs: Verbs.registry, access: FileAccess(base: folder.path("")))
        kept.append(folder)
        return NotebookExport(file, verbs: session.verbSet, version: "1")
    }

    private static let text = """
        # A title with <b>

        Prose with `code`, a [link][l] and <script>alert(1)</script>.

        ```noise first
        x = "a < b" # why
        x | sweep k=20..60:10 { it }
        ```
        <!-- out -->

        | k | fid |
        | --: | --- |
        | 1 | 2 |

        ![a red field](n.out/0123456789ab.png) ![a plot](n.out/0123456789ab.svg)

        [All 100 rows](n.out/0123456789ab.csv)

        <!-- /out -->

        ```noise wrong raises
        1 +
        ```

        ```noise never skip
        gone
        ```

        [l]: https://example.org
        """

    private final class Kept: @unchecked Sendable {
        var folders: [TemporaryFolder] = []
        func append(_ folder: TemporaryFolder) { folders.append(folder) }
    }
    private let kept = Kept()

    @Test("the page stands alone: pictures, drawings and tables are in it, scripts in prose are not run, links find their ends")
    func page() throws {
        let html = try export(Self.text).text(.html)
        #expect(html.contains("<title>A title with &lt;b&gt;</title>"))
        #expect(html.contains("src=\"data:image/png;base64,iVBORw0KGgo"))
        #expect(html.contains("<figure class=\"plot\" role=\"img\" aria-label=\"a plot\"><svg"))
        #expect(html.contains("href=\"data:text/csv;base64,YSxiCjEsMgo=\""))
        #expect(!html.contains("n.out/"))
        #expect(!html.contains("<script>alert"))
        #expect(html.contains("<a href=\"https://example.org\">link</a>"))
        #expect(html.contains("<span class=\"s\">&quot;a &lt; b&quot;</span> <span class=\"c\"># why</span>"))
        #expect(
            html.contains(
                "<span class=\"v\">sweep</span> <span class=\"o\">k</span>=<span class=\"n\">20</span>..<span class=\"n\">60</span>:<span class=\"n\">10</span>"
            ))
        #expect(html.contains("<th align=\"right\">k</th>"))
    }

    @Test("files of a notebook whose name has spaces and signs are in the page; what is not its own stays a link")
    func names() throws {
        let folder = try TemporaryFolder()
        try FileSystem.createFolder(folder.path("a & ü.out"))
        try PNG.write(Bitmap(width: 2, height: 2, red: 255, green: 0, blue: 0), to: folder.path("a & ü.out/0123456789ab.png"))
        try AtomicFile.write("secret", to: folder.path("secret"))
        try AtomicFile.write(
            "![p](<a & ü.out/0123456789ab.png>)\n\n[up](<a & ü.out/../secret>) [gone](<a & ü.out/ffffffffffff.png>)\n", to: folder.path("a & ü.md"))
        let page = try NotebookExport(
            NotebookFile(folder.path("a & ü.md")), verbs: Session(verbs: Verbs.registry, access: FileAccess(base: "/")).verbSet, version: "1"
        )
        .text(.html)
        #expect(page.contains("src=\"data:image/png;base64,"))
        #expect(!page.contains("c2VjcmV0"))
        #expect(page.contains("secret\"") && page.contains("ffffffffffff.png\""))
    }

    @Test("the script holds the cells that run, and is a program")
    func script() throws {
        let script = try export(Self.text).text(.noise)
        #expect(script == "# first\nx = \"a < b\" # why\nx | sweep k=20..60:10 { it }\n\n# wrong\n# this cell shows an error:\n# 1 +\n")
        let session = Session(verbs: Verbs.registry, access: FileAccess(base: "."))
        #expect(session.check(SourceFile(name: "s", text: script)).isEmpty)
    }

    @Test("the Jupyter notebook has the cells, their outputs and the form that nbformat 4.5 asks for")
    func jupyter() throws {
        let json = try JSON.parse(export(Self.text).text(.ipynb), place: "n.ipynb")
        #expect(json["nbformat"]?.int == 4 && json["nbformat_minor"]?.int == 5)
        let cells = try #require(json["cells"]?.array)
        #expect(cells.compactMap { $0["cell_type"]?.string } == ["markdown", "code", "code", "code", "markdown"])
        #expect(Set(cells.compactMap { $0["id"]?.string }).count == cells.count)
        #expect(cells[1]["source"]?.strings == ["x = \"a < b\" # why\n", "x | sweep k=20..60:10 { it }"])
        let output = try #require(cells[1]["outputs"]?.array?.first)
        #expect(output["output_type"]?.string == "display_data")
        #expect(output["data"]?["text/html"]?.strings?.joined().contains("data:image/png;base64,") == true)
        #expect(cells[3]["metadata"]?["tags"]?.strings == ["skip"])
    }

    @Test("base 64 as in RFC 4648, section 10")
    func base64() {
        let cases = ["": "", "f": "Zg==", "fo": "Zm8=", "foo": "Zm9v", "foob": "Zm9vYg==", "fooba": "Zm9vYmE=", "foobar": "Zm9vYmFy"]
        for (plain, coded) in cases { #expect(Base64.text(Array(plain.utf8)) == coded) }
    }

    @Test("any Markdown becomes a page without a trap")
    func random() throws {
        for seed in 0..<60 {
            var random = RandomMarkdown(seed: UInt64(seed + 1))
            // Damaged notebooks are refused when they are read.
            guard let export = try? export(String(decoding: random.text(), as: UTF8.self)) else { continue }
            for form in NotebookExport.Form.allCases { #expect(try !export.text(form).isEmpty || form == .noise) }
        }
    }
}
