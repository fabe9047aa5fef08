import Caching
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
        try PNG.write(
            Bitmap(width: 2, height: 2, red: 255, green: 0, blue: 0),
            to: folder.path("n.out/0123456789ab.png"))
        try AtomicFile.write(
            "<svg xmlns=\"http://www.w3.org/2000/svg\"><title>t</title></svg>",
            to: folder.path("n.out/0123456789ab.svg"))
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

    @Test(
        """
        numbers with their intervals stay on one line, and what is missing is sorted behind the rest, up and \
        down
        """)
    func tables() throws {
        let page = try export(Self.text).text(.html)
        #expect(page.contains("td[align=right] { white-space: nowrap; }"))
        // The order of what is there is turned round before what is missing comes behind it.
        let turned = try #require(page.firstRange(of: "order(a, b) * (down ? -1 : 1)"))
        let behind = try #require(page.firstRange(of: "...present, ...rows.filter(missing)"))
        #expect(turned.upperBound < behind.lowerBound)
    }

    private final class Kept: @unchecked Sendable {
        var folders: [TemporaryFolder] = []
        func append(_ folder: TemporaryFolder) { folders.append(folder) }
    }
    private let kept = Kept()

    @Test(
        """
        the page stands alone: pictures, drawings and tables are in it, scripts in prose are not run, links \
        find their ends
        """)
    func page() throws {
        let html = try export(Self.text).text(.html)
        #expect(html.contains("<title>A title with &lt;b&gt;</title>"))
        #expect(html.contains("src=\"data:image/png;base64,iVBORw0KGgo"))
        #expect(
            html.contains("<img class=\"plot\" src=\"data:image/svg+xml;base64,")
                && html.contains("alt=\"a plot\">") && !html.contains("<svg"))
        #expect(
            html.contains(
                "href=\"data:text/csv;base64,YSxiCjEsMgo=\" download=\"0123456789ab.csv\">All 100 rows</a>"))
        #expect(!html.contains("n.out/"))
        #expect(!html.contains("<script>alert") && html.contains("&lt;script&gt;alert(1)&lt;/script&gt;"))
        #expect(html.contains("<a href=\"https://example.org\">link</a>"))
        #expect(html.contains("<span class=\"s\">&quot;a &lt; b&quot;</span> <span class=\"c\"># why</span>"))
        #expect(
            html.contains(
                """
                <span class="v">sweep</span> <span class="o">k</span>=<span class="n">20</span>..<span \
                class="n">60</span>:<span class="n">10</span>
                """
            ))
        #expect(html.contains("<th align=\"right\">k</th>"))
    }

    @Test(
        "files of a notebook whose name has spaces and signs are in the page; what is not its own stays a link"
    )
    func names() throws {
        let folder = try TemporaryFolder()
        try FileSystem.createFolder(folder.path("a & ü.out"))
        try PNG.write(
            Bitmap(width: 2, height: 2, red: 255, green: 0, blue: 0),
            to: folder.path("a & ü.out/0123456789ab.png"))
        try AtomicFile.write("secret", to: folder.path("secret"))
        try AtomicFile.write(
            """
            ![p](<a & ü.out/0123456789ab.png>)\n\n[up](<a & ü.out/../secret>) [gone](<a & \
            ü.out/ffffffffffff.png>)\n
            """, to: folder.path("a & ü.md"))
        let page = try NotebookExport(
            NotebookFile(folder.path("a & ü.md")),
            verbs: Session(verbs: Verbs.registry, access: FileAccess(base: "/")).verbSet, version: "1"
        )
        .text(.html)
        #expect(page.contains("src=\"data:image/png;base64,"))
        #expect(!page.contains("c2VjcmV0"))
        #expect(page.contains("secret\"") && page.contains("ffffffffffff.png\""))
    }

    @Test("the script holds the cells that run, and is a program")
    func script() throws {
        let script = try export(Self.text).text(.noise)
        let mark = try #require(script.prefixMatch(of: /# made by noisebook, [0-9a-f]{16}\n\n/)?.output)
        #expect(
            script.dropFirst(mark.count) == """
                # first\nx = "a < b" # why\nx | sweep k=20..60:10 { it }\n\n# wrong\n# this cell shows an \
                error:\n# 1 +\n
                """)
        let session = Session(verbs: Verbs.registry, access: FileAccess(base: "."))
        #expect(session.check(SourceFile(name: "s", text: script)).isEmpty)
    }

    @Test("the Jupyter notebook has the cells, their outputs and the form that nbformat 4.5 asks for")
    func jupyter() throws {
        let json = try JSON.parse(export(Self.text).text(.ipynb), place: "n.ipynb")
        #expect(json["nbformat"]?.int == 4 && json["nbformat_minor"]?.int == 5)
        let cells = try #require(json["cells"]?.array)
        #expect(
            cells.compactMap { $0["cell_type"]?.string } == ["markdown", "code", "code", "code", "markdown"])
        #expect(Set(cells.compactMap { $0["id"]?.string }).count == cells.count)
        #expect(cells[1]["source"]?.strings == ["x = \"a < b\" # why\n", "x | sweep k=20..60:10 { it }"])
        let output = try #require(cells[1]["outputs"]?.array?.first)
        #expect(output["output_type"]?.string == "display_data")
        #expect(output["data"]?["text/html"]?.strings?.joined().contains("data:image/png;base64,") == true)
        #expect(cells[3]["metadata"]?["tags"]?.strings == ["skip"])
    }

    private func written(_ text: String) throws -> (folder: TemporaryFolder, file: NotebookFile) {
        let folder = try TemporaryFolder()
        kept.append(folder)
        try AtomicFile.write(text, to: folder.path("n.md"))
        return (folder, try NotebookFile(folder.path("n.md")))
    }

    @Test(
        """
        outputs that are not of their cells as they stand are marked in the page and in the Jupyter \
        notebook, and told
        """)
    func stale() throws {
        let text = "# T\n\n```noise a\nx = 3\nx\n```\n\n```noise b\n1\n```\n\n```noise c hide\n2\n```\n"
        let (folder, first) = try written(text)
        let session = Session(verbs: Verbs.registry, access: FileAccess(base: folder.path))
        let run = NotebookRunner(first.notebook, session: session, folder: first.folder) { _ in "" }.run()
        try first.write(run.outputs)
        try first.writeLock(session, written: run.outputs.keys, made: run.made)
        func export() throws -> NotebookExport {
            let file = try NotebookFile(folder.path("n.md"))
            let session = Session(verbs: Verbs.registry, access: FileAccess(base: folder.path))
            let status = try NotebookStatus(
                file, session: session, files: FileDigests(path: folder.path("digests")),
                lock: Lock(notebook: file.path))
            return NotebookExport(file, verbs: session.verbSet, version: "1", status: status)
        }
        let fresh = try export()
        #expect(fresh.warnings.isEmpty)
        #expect(
            try !fresh.text(.html).contains("<p class=\"doubt\"") && !fresh.text(.ipynb).contains("stderr"))
        try AtomicFile.write(
            FileSystem.readText(folder.path("n.md")).replacing("x = 3", with: "x = 4")
                + "\nA sentence.\n\n<!-- out -->\n\n```text\n77\n```\n\n<!-- /out -->\n",
            to: folder.path("n.md"))
        let stale = try export()
        #expect(
            stale.warnings.count == 2 && stale.warnings[0].contains("cell a, line 3: stale")
                && stale.warnings[1].contains("without a cell"),
            "\(stale.warnings)")
        let page = try stale.text(.html)
        #expect(page.matches(of: /<p class="doubt"/).count == 2)
        let cell = try #require(page.firstRange(of: "id=\"cell-a\""))
        #expect(
            page[cell.upperBound...].firstRange(of: "<p class=\"doubt\" role=\"note\">stale")?.lowerBound
                ?? page.endIndex < page.firstRange(
                    of: "id=\"cell-b\"")?.lowerBound ?? page.startIndex)
        #expect(page.contains("1 of which is not of the cell as it stands"))
        let cells = try #require(JSON.parse(stale.text(.ipynb), place: "n.ipynb")["cells"]?.array)
        #expect(
            cells[1]["outputs"]?.array?.compactMap { $0["name"]?.string } == ["stderr"]
                && cells[1]["metadata"]?["tags"]?.strings == ["stale"])
        #expect(cells.last?["source"]?.strings?.joined().contains("without a cell") == true)
    }

    @Test(
        "lines of YAML in front are not shown, and their title is the page's",
        arguments: [
            ("---\ntitle: \"A \\\"test\\\"\"\nnoise: yes\n---\n", "A &quot;test&quot;"),
            ("\u{FEFF}---\r\ntitle: A test # no\r\n...\r\n", "A test"),
            ("---\n# c\nauthor: me\ntitle: >\n  two\n  lines\n---\n", "two lines"),
            ("---\ntitle: 'it''s'\n---\n", "it&#39;s"),
            ("---\nnoise: yes\n---\n", "Heading"),
        ])
    func frontMatter(_ sample: (String, String)) throws {
        let export = NotebookExport(
            try written(sample.0 + "\n# Heading\n\n```noise\n1\n```\n").file,
            verbs: VerbSet(plain: [], withBlock: []), version: "1")
        let page = try export.text(.html)
        #expect(
            page.contains("<title>\(sample.1.replacing("&#39;", with: "'"))</title>"),
            "\(page.firstMatch(of: /<title>.*/)?.output ?? "")")
        #expect(
            !page.contains("<h2>title") && !page.contains("<h2>noise") && !page.contains("<hr />")
                && !page.contains("author")
                && page.contains("<h1>Heading</h1>"))
        let cells = try #require(JSON.parse(export.text(.ipynb), place: "n.ipynb")["cells"]?.array)
        #expect(cells[0]["source"]?.strings == ["# Heading"])
    }

    @Test(
        "a line across the page is no front matter",
        arguments: ["---\n\nprose\n\n---\n", "---\nprose here\n---\n", "text\n---\ntitle: a\n---\n"])
    func noFrontMatter(_ text: String) throws {
        let export = NotebookExport(
            try written(text).file, verbs: VerbSet(plain: [], withBlock: []), version: "1")
        #expect(try export.text(.html).contains(/prose|title: a/))
    }

    @Test(
        "what render wrote is known by its mark, until somebody changes it",
        arguments: NotebookExport.Form.allCases)
    func seal(_ form: NotebookExport.Form) throws {
        // Words of the mark in the text itself make no difference.
        let text = try export(
            Self.text
                + "\nmade by noisebook, 0000000000000000\n\n```noise\n\"made by noisebook, 1111111111111111\"\n```\n"
        ).text(form)
        #expect(RenderMark.isSealed(Array(text.utf8), form))
        var changed = Array(text.utf8)
        changed[changed.count - 2] ^= 1
        #expect(
            !RenderMark.isSealed(changed, form) && !RenderMark.isSealed(Array("mine\n".utf8), form)
                && !RenderMark.isSealed([], form))
    }

    @Test("base 64 as in RFC 4648, section 10")
    func base64() {
        let cases = [
            "": "", "f": "Zg==", "fo": "Zm8=", "foo": "Zm9v", "foob": "Zm9vYg==", "fooba": "Zm9vYmE=",
            "foobar": "Zm9vYmFy",
        ]
        for (plain, coded) in cases { #expect(Base64.text(Array(plain.utf8)) == coded) }
    }

    @Test("any Markdown becomes a page without a trap")
    func random() throws {
        for seed in 0..<60 {
            var random = RandomMarkdown(seed: UInt64(seed + 1))
            // Damaged notebooks are refused when they are read.
            guard let export = try? export(String(decoding: random.text(), as: UTF8.self)) else { continue }
            for form in NotebookExport.Form.allCases {
                #expect(try !export.text(form).isEmpty || form == .noise)
            }
            let page = try PageReader(export.text(.html))
            #expect(page.problems.isEmpty, "\(page.problems)")
        }
    }
}
