import Files
import TestSupport
import Testing

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

extension ProcessTests {
    /// Results of the shipped model, to the byte.
    @Suite("Results do not depend on how they are computed") struct DeterminismTests {
        /// A way to compute them.
        struct Way: CustomStringConvertible {
            var threads: Int
            var batch: Int
            var isShuffled: Bool

            static let all = [1, 2].flatMap { threads in
                [1, 5, 100].flatMap { batch in
                    [false, true].map { Way(threads: threads, batch: batch, isShuffled: $0) }
                }
            }

            var description: String {
                "\(threads) threads, batches of \(batch)\(isShuffled ? ", shuffled" : "")"
            }
        }

        /// Six prompts; pictures, latents and numbers in files. Ancestral sampling draws in every step.
        private static func program(_ way: Way) -> String {
            """
            model = load monsters
            near = dataset monsters split=test | first 6 | retrieve (dataset monsters split=train | first 30) | encode near.image \(way.isShuffled ? "| sample 6 seed=3 " : "")| noise 2 of=3 seed=9 scheduler=euler_a
            out = near | denoise guidance=3 | decode | sort item | select item near.item near.similarity latent generated
            save out results
            """
        }

        private func start(_ way: Way, in folder: TemporaryFolder, _ options: [String] = []) throws
            -> ChildProcess
        {
            try AtomicFile.write(Self.program(way), to: folder.path("p.noise"))
            let arguments =
                ["run", folder.path("p.noise"), "--threads", "\(way.threads)", "--batch", "\(way.batch)"]
                + options
            return try ChildProcess(Executable.path, arguments, output: folder.path("told"))
        }

        private func results(in folder: TemporaryFolder) throws -> [String: [UInt8]] {
            let names = try FileSystem.list(folder.path("results"))
            return Dictionary(
                uniqueKeysWithValues: try names.map {
                    ($0, try FileSystem.readBytes(folder.path("results/" + $0)))
                })
        }

        private func results(_ way: Way) throws -> [String: [UInt8]] {
            let folder = try TemporaryFolder()
            let ended = try start(way, in: folder, ["--no-cache"]).wait()
            try #require(ended.status == 0, "\(ended.told)")
            return try results(in: folder)
        }

        @Test("threads, batches and order give the same bytes") func equal() throws {
            let expected = try results(Way.all[0])
            #expect(expected.keys.contains("latent.safetensors") && expected.pictures == 6)
            for way in Way.all.dropFirst() {
                #expect(try results(way).differences(from: expected) == [], "\(way)")
            }
        }

        @Test("what one way has stored or was interrupted at serves every other") func shared() throws {
            let expected = try results(Way.all[0])
            let folder = try TemporaryFolder()
            // Each goes on from where the one before was interrupted: after the first two entries of its own,
            // or at its end.
            for way in Way.all.reversed().prefix(5) {
                let before = try Desk.entryNames(in: folder).count
                let process = try start(way, in: folder)
                if try process.stop(when: { try Desk.entryNames(in: folder).count >= before + 2 }) {
                    process.signal(SIGINT)
                }
                _ = try process.wait()
            }
            #expect(try start(Way.all[0], in: folder).wait().status == 0)
            #expect(try results(in: folder).differences(from: expected) == [])
            for way in [Way.all[3], Way.all[8], Way.all[11]] {
                try AtomicFolder.remove(folder.path("results"))
                let ended = try start(way, in: folder).wait()
                #expect(ended.status == 0)
                #expect(
                    ended.told.contains("cached") && ended.told.firstRange(of: #/computed [1-9]/#) == nil,
                    "\(way): \(ended.told)")
                #expect(try results(in: folder).differences(from: expected) == [], "\(way)")
            }
        }
    }
}
