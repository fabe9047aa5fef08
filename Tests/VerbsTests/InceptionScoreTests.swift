import Files
import Interpreting
import Results
import SourceText
import TestSupport
import Testing
import Verbs

/// `score fid` and `score kid` with weights filled by the golden rule: the language around the network, which
/// has its own golden tests.
@Suite("Scores by Inception", .serialized) struct InceptionScoreTests {
    @Test(
        "fid and kid of pictures; statistics kept in a file give the same distance; a foreign file is refused"
    )
    func scores() throws {
        let folder = try TemporaryFolder()
        let topic = try Golden.topic("metrics")
        let seed = try #require(topic.json("inception.json")["weight_seed"]?.int)
        try Safetensors.write(
            InceptionWeights.make(seed: seed, topic: topic), to: folder.path("inception.safetensors"))
        try AtomicFile.write(
            FileSystem.readBytes(FileSystem.join(Self.data, "statistics.npz")), to: folder.path("narrow.npz"))
        let session = Session(verbs: Verbs.registry, access: FileAccess(base: folder.path))
        let result = session.run(
            SourceFile(
                name: "fid",
                text: """
                    inception = load inception inception.safetensors
                    t = dataset monsters split=test | first 5 | with generated=(image)
                    r = dataset monsters split=train | first 4
                    a = t | score fid kid n against=r using=inception statistics=reference.npz
                    b = t | score fid using=inception statistics=reference.npz
                    expect (abs(a[0].fid.value - b[0].fid.value) < 1e-3 * a[0].fid.value)
                    same = t | score fid column=image against=t using=inception
                    expect (same[0].fid.value < 1e-6 * a[0].fid.value)
                    expect (a[0].fid.low < a[0].fid.value and a[0].kid.n == 5)
                    a
                    """))
        #expect(result.diagnostics.map(\.title) == [])
        let shown = PlainText.lines(try #require(result.outputs.last).value.view)
        #expect(
            shown.last
                == """
                measured with inception.safetensors: Inception V3 of pytorch-fid, pictures as 2048 \
                numbers, 21.8 M parameters, pictures resized to 299 pixels (bilinear, not antialiased)
                """
        )
        for (program, message) in [
            ("t | score fid using=inception statistics=narrow.npz", "statistics of 2 features"),
            ("t | score clip using=inception", "needs a whole CLIP"),
            ("r | retrieve r using=inception", "compares by a CLIP"),
        ] {
            let wrong = session.run(SourceFile(name: "wrong", text: program))
            #expect(
                wrong.diagnostics.contains { $0.title.contains(message) }, "\(wrong.diagnostics.map(\.title))"
            )
        }
    }

    private static let data = FileSystem.join(FileSystem.folder(of: FileSystem.folder(of: #filePath)), "Data")
}
