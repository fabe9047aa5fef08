import Files
import TestSupport
import Testing

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

extension ProcessTests {
    /// SIGKILL, which no program can do anything about.
    @Suite("A run that is killed") struct KillTests {
        @Test(
            """
            at fifty moments loses no finished item, serves nothing damaged and ends with the bytes of a run \
            that nobody disturbed
            """) func fifty() throws
        {
            let plain = try Desk(), desk = try Desk()
            try #require(plain.run().status == 0)
            let whole = try plain.progress()
            let expected = try plain.results(), before = try desk.results()
            try #require(expected.pictures == 6)
            var generator = SmallGenerator(seed: 7)
            var kills = 0, rounds = 0, killsOfRound = 0
            var kept: [String: [UInt8]] = [:]
            while kills < 50 {
                let process = try desk.start()
                // While it starts, computes, stores and writes.
                try desk.advance(process, of: whole, &generator)
                process.signal(SIGKILL)
                let ended = try process.wait()
                if let status = ended.status {
                    // It was faster than the kill: its results count, and the next round begins, every other
                    // time over results that are there.
                    #expect(status == 0, "\(ended.told)")
                    #expect(try desk.results().differences(from: expected) == [])
                    rounds += 1
                    if rounds.isMultiple(of: 2) { try desk.forgetResults() }
                    try desk.forgetCache()
                    kept = [:]
                    killsOfRound = 0
                    continue
                }
                kills += 1
                killsOfRound += 1
                let entries = try desk.entries()
                #expect(try entries.values.allSatisfy(Desk.isWhole))
                // Unfinished latents of a batch of two go with their last step, or make place for later ones;
                // all else stays as it was.
                #expect(kept.filter { entries[$0.key] != $0.value }.count <= 2, "kill \(kills)")
                kept = entries
                let found = try desk.results()
                #expect(found[".md"] == before[".md"] || found[".md"] == expected[".md"])
                #expect(found[".lock"] == nil || found[".lock"] == expected[".lock"])
                if found[".md"] == expected[".md"] {
                    #expect(found.pictures >= 6, "a text that is there shows pictures that are there")
                }
                #expect(
                    found.filter { $0.key.hasSuffix(".png") }.allSatisfy {
                        expected[$0.key] == nil || expected[$0.key] == $0.value
                    })
                // One that was being written at each kill; it goes with the next write into its folder.
                #expect(try desk.leftovers().count <= killsOfRound)
            }
            // The kills came in all of its phases only if some runs got through between them.
            #expect(rounds > 0)
            let last = try desk.run()
            #expect(last.status == 0, "\(last.told)")
            #expect(try desk.results().differences(from: expected) == [])
            #expect(try desk.leftovers() == [])
            // What is damaged would be computed again: nothing is, so all that the kills left is whole.
            let again = try desk.run()
            #expect(again.told.contains("cached 6, computed 0"), "\(again.told)")
            #expect(try desk.results().differences(from: expected) == [])
        }

        @Test("in the middle of an item goes on from the last steps that were saved") func inside() throws {
            // Larger pictures take longer: until there are two savings, a second apart, before the end.
            var side = 64
            while try !isResumed(side: side) { side *= 2 }
        }

        /// False where the item was finished before it was saved twice.
        private func isResumed(side: Int) throws -> Bool {
            let all = 400
            func start(_ folder: TemporaryFolder, steps: Int = all) throws -> ChildProcess {
                let program = """
                    model = load monsters
                    "a bat" | noise of=\(steps) size=\(side)x\(side) seed=1 scheduler=ddim | denoise guidance=1 | select calls
                    """
                try AtomicFile.write(program, to: folder.path("p.noise"))
                return try ChildProcess(
                    Executable.path, ["run", folder.path("p.noise"), "--threads", "1"],
                    output: folder.path("told"))
            }
            let desk = try Desk(), copy = try Desk()
            // The texts, which are no steps of it.
            try #require(start(desk.folder, steps: 1).wait().status == 0)
            let others = try Desk.entryNames(in: desk.folder)
            func saved(_ desk: Desk) throws -> [String: [UInt8]] {
                try desk.entries().filter { try !others.contains($0.key) && Desk.isWhole($0.value) }
            }
            let process = try start(desk.folder)
            guard try process.stop(when: { try !saved(desk).isEmpty }) else { return false }
            let first = try saved(desk)
            // What a kill at this moment would leave.
            let entries = copy.folder.path(".noisebook/cache")
            for name in try Desk.entryNames(in: desk.folder) {
                try FileSystem.createFolder(FileSystem.folder(of: FileSystem.join(entries, name)))
                try AtomicFile.write(
                    FileSystem.readBytes(desk.folder.path(".noisebook/cache/" + name)),
                    to: FileSystem.join(entries, name))
            }
            guard try process.stop(when: { try saved(desk) != first }) else { return false }
            process.signal(SIGKILL)
            #expect(try process.wait().status == nil)
            guard try saved(desk).keys.sorted() == first.keys.sorted() else { return false }
            var rest: [Int] = []
            for desk in [copy, desk] {
                let ended = try start(desk.folder).wait()
                #expect(ended.status == 0, "\(ended.told)")
                rest.append(try calls(desk))
            }
            // The later of the two had more of its steps behind it, and neither began anew.
            #expect(0 < rest[1] && rest[1] < rest[0] && rest[0] < all, "\(rest)")
            return true
        }

        /// Calls of the UNet, as the last line of the log of runs has them: what no killed run has written.
        private func calls(_ desk: Desk) throws -> Int {
            let line = try #require(
                FileSystem.readText(desk.folder.path(".noisebook/log")).split(separator: "\n").last)
            return try #require(line.firstMatch(of: /"unet [^"]*":\[(\d+),/).flatMap { Int($0.1) })
        }

        @Test("and what it had begun to write goes with the next run") func leftovers() throws {
            let desk = try Desk()
            try #require(desk.run().status == 0)
            let expected = try desk.results()
            // As a kill in the middle of a write leaves them, beside the notebook, its pictures, the digests
            // and each entry.
            var places = [desk.folder.path, desk.folder.path("n.out"), desk.folder.path(".noisebook")]
            let cache = desk.folder.path(".noisebook/cache")
            places += try FileSystem.list(cache).map { FileSystem.join(cache, $0) }
            for place in places {
                try AtomicFile.write("half", to: FileSystem.join(place, ".noisebook-3w5e11264sgsf.partial"))
            }
            #expect(try desk.leftovers().count == places.count)
            try desk.forgetResults()
            for name in try Desk.entryNames(in: desk.folder) {
                try FileSystem.removeFile(FileSystem.join(cache, name))
            }
            try FileSystem.removeFile(desk.folder.path(".noisebook/digests"))
            try #require(desk.run().status == 0)
            #expect(try desk.results().differences(from: expected) == [])
            #expect(try desk.leftovers() == [])
        }
    }
}
