import Files
import Interpreting
import Notebooks
import Rendering
import Results
import SourceText
import Tensors
import TestSupport
import Testing

@Suite("Verifying a notebook")
struct VerificationTests {
    private static let black = try! PNG.encode(Bitmap(width: 8, height: 8, red: 0, green: 0, blue: 0))
    /// One level off everywhere: 48 dB.
    private static let nearlyBlack = try! PNG.encode(Bitmap(width: 8, height: 8, red: 1, green: 1, blue: 1))
    /// Four levels off everywhere: 36 dB.
    private static let dark = try! PNG.encode(Bitmap(width: 8, height: 8, red: 4, green: 4, blue: 4))

    private func reasons(_ stored: String, _ computed: String, tolerances: [String: Double] = [:]) -> [String]
    {
        let files = [
            "aaaaaaaaaaaa.png": Self.black, "bbbbbbbbbbbb.png": Self.nearlyBlack,
            "cccccccccccc.png": Self.dark,
        ]
        func file(_ name: String) throws -> [UInt8] {
            guard let bytes = files[name] else { throw EngineError(.file, "is not there", place: name) }
            return bytes
        }
        return OutputComparison(tolerances: tolerances, storedFile: file, computedFile: file).differences(
            stored: stored, computed: computed
        ).map(\.reason)
    }

    @Test("text is compared exactly, numbers within a thousandth, whole numbers exactly")
    func lines() {
        #expect(reasons("a 1.0000 b", "a 1.0009 b").isEmpty)
        #expect(reasons("a 1.0000 b", "a 1.0011 b").count == 1)
        #expect(reasons("-2e-05", "-2.001e-05").isEmpty)
        #expect(reasons("2.5", "-2.5").count == 1)
        #expect(reasons("1000 items", "1001 items").count == 1)
        #expect(reasons("a golem", "a golum").count == 1)
        #expect(reasons("model v1.5", "model v1.6").count == 1)
        #expect(reasons("one\ntwo", "one").count == 1)
        #expect(reasons("one", "one\ntwo").count == 1)
        #expect(reasons("", "").isEmpty)
    }

    @Test("a stored line of three points stands for any lines")
    func points() {
        #expect(reasons("a\n...\nd", "a\nb\nc\nd").isEmpty)
        #expect(reasons("a\n...", "a\nb\nc").isEmpty)
        #expect(reasons("a\n...\ne", "a\nb\nc\nd").count == 1)
        #expect(reasons("...\na", "a").isEmpty)
    }

    @Test("a measure may be off by a quarter of its half width, its bounds by a half")
    func measures() {
        let stored = "| 20 | 261 (251 to 271) |"
        #expect(reasons(stored, "| 20 | 263 (256 to 266) |").isEmpty)
        #expect(reasons(stored, "| 20 | 264 (251 to 271) |").count == 1)
        #expect(reasons(stored, "| 20 | 261 (245 to 271) |").count == 1)
        #expect(reasons(stored, "| 21 | 261 (251 to 271) |").count == 1)
        #expect(reasons("0.5 (0.4 to 0.6); 3 of 4", "0.5 (0.4 to 0.6); 2 of 4").count == 1)
        #expect(
            reasons(
                "| k | fid |\n" + stored, "| k | fid |\n| 20 | 269 (251 to 271) |", tolerances: ["fid": 10]
            ).isEmpty)
    }

    @Test("a cell's tolerance holds for its column alone")
    func tolerances() {
        let stored = "| k | fid | clip |\n| --: | --: | --: |\n| 20 | 317.4 | 0.243 |"
        #expect(reasons(stored, stored.replacing("317.4", with: "317.8"), tolerances: ["fid": 0.5]).isEmpty)
        #expect(
            reasons(stored, stored.replacing("317.4", with: "318.0"), tolerances: ["fid": 0.5]).count == 1)
        #expect(
            reasons(stored, stored.replacing("0.243", with: "0.343"), tolerances: ["fid": 0.5]).count == 1)
        #expect(reasons(stored, stored, tolerances: ["fidd": 0.5]).count == 1)
        #expect(reasons(stored, stored.replacing("20 ", with: "21 "), tolerances: ["fid": 0.5]).count == 1)
    }

    @Test("pictures are compared by their content: at least 40 dB")
    func pictures() {
        func image(_ name: String) -> String { "<img src=\"x.out/\(name).png\" width=\"96\" alt=\"\">" }
        let black = image("aaaaaaaaaaaa")
        #expect(reasons(black, black).isEmpty)
        #expect(reasons(black, image("bbbbbbbbbbbb")).isEmpty)
        #expect(reasons(black, image("cccccccccccc")).count == 1)
        #expect(reasons(image("dddddddddddd"), image("dddddddddddd")).count == 1)
    }

    private func verification(_ path: String) throws -> Verification {
        let session = Session.ofTests()
        return try Verification(NotebookFile(path), session: session) {
            LayoutRenderer(usesColour: false).text($0)
        }
    }

    @Test(
        """
        an edited output differs; accepting the computed one makes the notebook good again and keeps prose \
        written meanwhile
        """)
    func roundTrip() throws {
        let folder = try TemporaryFolder()
        let path = folder.path("a.md")
        let good = """
            # Title\r\n```noise sums\n2 + 3\n```\n<!-- out -->\n\n```text\n5\n```\n\n<!-- /out -->\n```noise \
            volatile\n1\n```\n
            """
        try AtomicFile.write(Array(good.utf8), to: path)
        #expect(try verification(path).cells.map(\.state) == [.same, .volatile])

        try AtomicFile.write(Array(good.replacing("\n5\n", with: "\n6\n").utf8), to: path)
        let found = try verification(path)
        #expect(found.cells.map(\.state) == [.differs, .volatile])
        #expect(
            found.cells[0].differences.map(\.stored) == ["6"]
                && found.cells[0].differences.map(\.computed) == ["5"])
        try found.writeCorrection()
        #expect(try FileSystem.readText(path + ".corrected") == good)

        try AtomicFile.write(
            Array(good.replacing("\n5\n", with: "\n6\n").replacing("Title", with: "Other").utf8), to: path)
        try Verification.accept(path)
        #expect(try FileSystem.readText(path) == good.replacing("Title", with: "Other"))
        #expect(!FileSystem.exists(path + ".corrected"))
        #expect(throws: EngineError.self) { try Verification.accept(path) }
    }

    @Test(
        """
        a picture that somebody changed differs, stays as it is until the computed one is accepted, and is \
        whole again then
        """)
    func changedPicture() throws {
        let folder = try TemporaryFolder()
        let path = folder.path("a.md")
        try AtomicFile.write(Array("```noise\nink 9 | show\n```\n".utf8), to: path)
        let file = try NotebookFile(path)
        let run = NotebookRunner(file.notebook, session: .ofTests(), folder: file.folder) {
            LayoutRenderer(usesColour: false).text($0)
        }.run()
        try file.write(run.outputs)
        #expect(try verification(path).cells.map(\.state) == [.same])

        let picture = folder.path("a.out/" + (try #require(try FileSystem.list(folder.path("a.out")).first)))
        let whole = try FileSystem.readBytes(picture)
        try AtomicFile.write(Self.black, to: picture)
        let found = try verification(path)
        #expect(found.cells.map(\.state) == [.differs])
        try found.writeCorrection()
        #expect(try FileSystem.readBytes(picture) == Self.black)
        #expect(try verification(path).differs)

        try Verification.accept(path)
        #expect(try FileSystem.readBytes(picture) == whole)
        #expect(try verification(path).cells.map(\.state) == [.same])
        #expect(try FileSystem.list(folder.path(".")).sorted() == ["a.lock", "a.md", "a.out"])
    }

    @Test("a correction is refused where cells were changed after it, and goes when nothing differs any more")
    func stale() throws {
        let folder = try TemporaryFolder()
        let path = folder.path("a.md")
        try AtomicFile.write(Array("```noise\n1\n```\n".utf8), to: path)
        try verification(path).writeCorrection()
        #expect(FileSystem.exists(path + ".corrected"))
        try AtomicFile.write(Array("```noise\n2\n```\n".utf8), to: path)
        #expect(throws: EngineError.self) { try Verification.accept(path) }
        try AtomicFile.write(
            Array("```noise\n2\n```\n<!-- out -->\n\n```text\n2\n```\n\n<!-- /out -->\n".utf8), to: path)
        try verification(path).writeCorrection()
        #expect(!FileSystem.exists(path + ".corrected"))
    }

    @Test("verify compares what plots show: a little rounding is none, another number is one")
    func comparison() {
        func differences(_ change: Double) -> Int {
            var other = PlotView.sample(.lines)
            other.panels[0].series[0].points[3].value += change
            let files = [
                "000000000000.svg": PlotSVG.text(PlotView.sample(.lines)),
                "111111111111.svg": PlotSVG.text(other),
            ].mapValues { Array($0.utf8) }
            let comparison = OutputComparison(
                storedFile: { files[$0] ?? [] }, computedFile: { files[$0] ?? [] })
            return comparison.differences(
                stored: "![a](x.out/000000000000.svg)", computed: "![a](x.out/111111111111.svg)"
            ).count
        }
        #expect(differences(0) == 0)
        #expect(differences(0.004) == 0)
        #expect(differences(0.4) == 1)
    }
}
