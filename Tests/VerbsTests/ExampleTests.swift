import Files
import Interpreting
import Results
import SourceText
import Tensors
import TestSupport
import Testing
import Verbs

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Runs every example of every declaration, in a folder with the files that the examples name and with the
/// model that ships with the program.
@Suite("Examples of verbs run") struct ExampleTests {
    /// The model that ships with the program.
    static let monsters: String = {
        let tests = FileSystem.folder(of: FileSystem.folder(of: #filePath))
        return FileSystem.join(FileSystem.folder(of: tests), "examples/models/monsters")
    }()

    /// What a reader who tries the examples would have at hand.
    static func desk() throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        try AtomicFile.write("k,fid\n20,317.4\n30,283.0\n", to: folder.path("results.csv"))
        try Safetensors.write(
            ["latent": Tensor(shape: [2, 4, 8, 8], values: Array(repeating: 0.5, count: 512))],
            to: folder.path("latents.safetensors"))
        try FileSystem.createFolder(folder.path("pictures/mine"))
        try PNG.write(
            Bitmap(width: 8, height: 8, red: 255, green: 0, blue: 0), to: folder.path("pictures/mine/a.png"))
        try AtomicFile.write(
            "{\"file_name\": \"a.png\", \"text\": \"a red field\"}\n",
            to: folder.path("pictures/mine/metadata.jsonl"))
        // Stands for a model that a reader has downloaded.
        try FileSystem.createFolder(folder.path("runwayml"))
        try #require(symlink(monsters, folder.path("runwayml/stable-diffusion-v1-5")) == 0)
        return folder
    }

    static let examples = Verbs.registry.all.flatMap { verb in
        verb.examples.map { Example(verb: verb.name, text: $0) }
    }

    struct Example: Sendable, CustomTestStringConvertible {
        var verb: String
        var text: String
        var testDescription: String { "\(verb): \(text)" }
    }

    @Test("an example runs without an error or a warning and gives a value", arguments: examples) func run(
        _ example: Example
    ) throws {
        let desk = try ExampleTests.desk()
        let session = Session(verbs: Verbs.registry, access: FileAccess(base: desk.path))
        let result = session.run(SourceFile(name: "example", text: example.text))
        #expect(result.diagnostics.map { "\($0.code.rawValue): \($0.title)" } == [])
        #expect(result.outputs.flatMap(\.warnings) == [])
        // Pictures are lazy: drawing them is part of running. Only `expect` and `save` are silent.
        for output in result.outputs { _ = try PlainText.forced(output.value.view) }
        let isSilent = ["expect", "save"].contains(example.verb)
        #expect(isSilent || !result.outputs.isEmpty || !session.globals.ownNames.isEmpty)
    }
}

extension PlainText {
    /// The lines of a view, all its pictures computed.
    static func forced(_ view: View) throws -> [String] {
        switch view {
        case .table(let table):
            for case .picture(let picture) in table.rows.joined() { _ = try picture.bitmap() }
        case .grid(let grid):
            for case let cell? in grid.rows.joined() { _ = try cell.picture.bitmap() }
        case .stack(let views): for view in views { _ = try forced(view) }
        case .text, .plot: break
        }
        return lines(view)
    }
}
