import Caching
import Files
import Interpreting
import OpenedModels
import Results
import Retrieval
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

@Suite("Features of large tables") struct FeatureNetworkTests {
    static let clip = FileSystem.join(
        FileSystem.folder(of: FileSystem.folder(of: FileSystem.folder(of: #filePath))),
        "examples/models/monsters/clip")

    @Test(
        """
        a table of more texts than are remembered is searched in a mapped file, with the same result, also \
        the next time
        """)
    func large() throws {
        let folder = try TemporaryFolder()
        let plain = Session(verbs: Verbs.registry, access: FileAccess(base: "."))
        let cached = Session(verbs: Verbs.registry, access: FileAccess(base: "."))
        cached.cache = ItemCache(folder: folder.path, signer: Signer.test)
        let texts = (0..<100).map { "a monster with \($0) heads" }
        let small = try FeatureNetwork(name: "small", clip: Self.clip)
        let queries = try small.features(of: Array(texts[20..<40]), plain)
        let expected = try EmbeddingIndex(small.searchable(texts, plain)).nearest(queries, top: 3)
        for _ in 0..<2 {
            let large = try FeatureNetwork(name: "large", clip: Self.clip, most: 32)
            let rows = try large.searchable(texts, cached)
            #expect(rows.count == 100)
            #expect(try EmbeddingIndex(rows).nearest(queries, top: 3) == expected)
        }
        // Four blocks, the file that they are laid into and its digest.
        let entries = try FileSystem.list(folder.path("cache")).flatMap {
            try FileSystem.list(folder.path("cache/" + $0))
        }
        #expect(entries.count == 6)
        // One of them is the last word on nothing: without it the rest gives the same.
        let file = try #require(
            try FileSystem.list(folder.path("cache")).flatMap { inner in
                try FileSystem.list(folder.path("cache/" + inner)).map { folder.path("cache/\(inner)/\($0)") }
            }.first { (try? SafetensorsFile(path: $0)) != nil })
        try FileSystem.removeFile(file)
        let again = try FeatureNetwork(name: "again", clip: Self.clip, most: 32)
        #expect(try EmbeddingIndex(again.searchable(texts, cached)).nearest(queries, top: 3) == expected)
    }

    @Test(
        """
        a linear start's picture tower gives what its targets were made of: centred, and without \
        correlations, over the pictures it was made of
        """)
    func linearStart() throws {
        let desk = try TemporaryFolder()
        let session = Session(verbs: Verbs.registry, access: FileAccess(base: desk.path))
        let result = session.run(
            SourceFile(
                name: "start",
                text: """
                    train = dataset monsters split=train | first 80
                    words = new tokenizer size=600 | fit tokenizer on=train
                    clip = new clip tokenizer=words hidden=96 text_layers=1 vision_layers=2 heads=4 text_inner=96 vision_inner=512 projection=24 patch=32
                      | fit clip on=train steps=0 start=linear flip=no
                    save clip clip
                    """))
        try #require(result.ending == .finished, "\(result.diagnostics.map(\.title))")
        guard case .table(let table)? = session.globals["train"], let column = table.column("image") else {
            Issue.record("no pictures")
            return
        }
        let pictures = column.values.compactMap {
            if case .picture(let picture) = $0 { picture } else { nil }
        }
        let features = try FeatureNetwork(name: "clip", clip: desk.path("clip")).features(
            of: pictures, session)
        let columns = (0..<24).map { column in (0..<80).map { Double(features.values[$0 * 24 + column]) } }
        let lengths = columns.map { $0.reduce(0) { $0 + $1 * $1 }.squareRoot() }
        #expect(lengths.allSatisfy { $0 > 0.1 })
        for (index, column) in columns.enumerated() {
            // The means were taken away in the simulation of the tower, to the rounding of float sums.
            #expect(abs(column.reduce(0, +)) / 80 < 1e-3 * lengths[index], "\(index)")
            for other in 0..<index {
                let product = zip(column, columns[other]).reduce(0) { $0 + $1.0 * $1.1 }
                // Twelve rounds of the iteration leave neighbouring directions of nearly equal variance
                // mixed, by 0.07 at most here.
                #expect(abs(product) < 0.1 * lengths[index] * lengths[other], "\(index) \(other)")
            }
        }
    }

    @Test("a folder's scorer measures scores, its own CLIP finds neighbours")
    func scorer() throws {
        let desk = try TemporaryFolder()
        try FileSystem.createFolder(desk.path("m"))
        let shipped = FileSystem.folder(of: Self.clip)
        for name in try FileSystem.list(shipped) where name != "scorer" {
            try #require(symlink(FileSystem.join(shipped, name), desk.path("m/" + name)) == 0)
        }
        try #require(symlink(Self.clip, desk.path("m/scorer")) == 0)
        let session = Session(verbs: Verbs.registry, access: FileAccess(base: desk.path))
        let result = session.run(
            SourceFile(
                name: "scorer",
                text: """
                    model = load ./m; t = dataset monsters split=test | first 3; t | score clip column=image \
                    | table\nt | retrieve t | first | table
                    """))
        #expect(result.diagnostics.map(\.title) == [])
        let shown = result.outputs.flatMap { PlainText.lines($0.value.view) }
        #expect(
            shown.contains {
                $0.hasPrefix("measured with ./m/scorer: a whole CLIP")
                    && $0.contains("of the 3 real pictures")
            })
    }
}
