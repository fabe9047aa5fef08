import Files
import TestSupport
import Testing

/// Results of the shipped model, to the byte.
@Suite("Results do not depend on how they are computed") struct DeterminismTests {
    /// Six prompts, two at a distance from the others; pictures, latents and numbers in files.
    private static func program(shuffled: Bool) -> String {
        let order = shuffled ? "| sample 6 seed=3 " : ""
        return """
            model = load monsters
            near = dataset monsters split=test | first 6 | retrieve (dataset monsters split=train | first 80) | encode near.image \(order)| noise 4 of=5 seed=9
            out = near | denoise guidance=3 | decode | sort item | select item near.item near.similarity latent generated
            save out results
            """
    }

    private func results(_ threads: Int, _ batch: Int, shuffled: Bool) throws -> [String: [UInt8]] {
        let folder = try TemporaryFolder()
        try AtomicFile.write(Self.program(shuffled: shuffled), to: folder.path("p.noise"))
        let arguments = ["run", folder.path("p.noise"), "--no-cache", "--threads", "\(threads)", "--batch", "\(batch)"]
        let ended = try ChildProcess(Executable.path, arguments, output: folder.path("told")).wait()
        try #require(ended.status == 0, "\(ended.told)")
        let names = try FileSystem.list(folder.path("results"))
        return Dictionary(uniqueKeysWithValues: try names.map { ($0, try FileSystem.readBytes(folder.path("results/" + $0))) })
    }

    @Test("threads, batches and order give the same bytes") func equal() throws {
        let expected = try results(1, 1, shuffled: false)
        #expect(expected.keys.contains("latent.safetensors") && expected.count == 8)
        for (threads, batch, shuffled) in [(2, 5, false), (1, 100, false), (2, 100, true), (1, 5, true), (2, 1, true)] {
            #expect(try results(threads, batch, shuffled: shuffled) == expected, "\(threads) threads, batches of \(batch)\(shuffled ? ", shuffled" : "")")
        }
    }
}
