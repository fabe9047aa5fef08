import Files
import Retrieval
import Tensors
import TestSupport
import Testing

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// The counterpart of `peer.py retrieve`, run where NOISEBOOK_SPEED is set: 2 GB are written to the temporary
/// folder.
@Suite("Speed", .serialized, .enabled(if: getenv("NOISEBOOK_SPEED") != nil)) struct SpeedTests {
    @Test("top 1 of 1,000,000 x 512 for 36 queries, from a mapped file")
    func retrieve() throws {
        let folder = try TemporaryFolder()
        var generator = Generator(seed: 0)
        let rows = generator.normal(shape: [1_000_000, 512])
        try Safetensors.write(["rows": rows], to: folder.path("rows.safetensors"))
        let queries = rows[rows: 0..<36].map { $0 + 0.01 }
        let file = try SafetensorsFile(path: folder.path("rows.safetensors"))
        let clock = ContinuousClock()
        let start = clock.now
        let index = try EmbeddingIndex(EmbeddingRows(file: file, name: "rows"))
        let opened = clock.now - start
        let times = try (0..<6).map { _ in
            let start = clock.now
            let found = try index.nearest(queries, top: 1)
            let time = clock.now - start
            #expect(found.map { $0[0].row } == Array(0..<36))
            return time
        }
        print("opened in \(opened), searched in \(times.dropFirst().sorted())")
    }
}
