import Files
import Foundation
import TestSupport
import Testing

extension ProcessTests {
    /// SIGKILL, which no program can do anything about.
    @Suite("A run that is killed") struct KillTests {
        @Test("at fifty moments loses no finished item, serves nothing damaged and ends with the bytes of a run that nobody disturbed") func fifty() throws {
            let plain = try Desk(), desk = try Desk()
            let began = ContinuousClock.now
            try #require(plain.run().status == 0)
            let whole = (ContinuousClock.now - began) / .seconds(1)
            let expected = try plain.results(), before = try desk.results()
            try #require(expected.pictures == 6)
            var generator = SmallGenerator(seed: 7)
            var kills = 0, rounds = 0, attempts = 0
            var kept: [String: [UInt8]] = [:]
            while kills < 50, attempts < 500 {
                attempts += 1
                let process = try desk.start()
                // Up to the time that all of it takes: while it starts, computes, stores and writes.
                Thread.sleep(forTimeInterval: whole * Double(generator.next(below: 1_000)) / 1_000)
                process.signal(SIGKILL)
                let ended = try process.wait()
                if let status = ended.status {
                    // It was faster than the kill: its results count, and the next round begins, every other time over results that are there.
                    #expect(status == 0, "\(ended.told)")
                    #expect(try desk.results().differences(from: expected) == [])
                    rounds += 1
                    if rounds.isMultiple(of: 2) { try desk.forgetResults() }
                    try desk.forgetCache()
                    kept = [:]
                    continue
                }
                kills += 1
                let entries = try desk.entries()
                #expect(try entries.values.allSatisfy(Desk.isWhole))
                // Unfinished latents of a batch of two go with their last step, or make place for later ones; all else stays as it was.
                #expect(kept.filter { entries[$0.key] != $0.value }.count <= 2, "kill \(kills)")
                kept = entries
                let found = try desk.results()
                #expect(found[".md"] == before[".md"] || found[".md"] == expected[".md"])
                #expect(found[".lock"] == nil || found[".lock"] == expected[".lock"])
                if found[".md"] == expected[".md"] { #expect(found.pictures >= 6, "a text that is there shows pictures that are there") }
                #expect(found.filter { $0.key.hasSuffix(".png") }.allSatisfy { expected[$0.key] == nil || expected[$0.key] == $0.value })
                // One that was being written now, and those in folders where nothing was written since; each goes with the next write there.
                #expect(try desk.leftovers().count <= 3)
            }
            #expect(kills == 50)
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

        @Test("in the middle of an item goes on from steps that were saved at most a second before") func inside() throws {
            let desk = try Desk()
            func start(_ steps: Int) throws -> ChildProcess {
                let program = "model = load monsters\n\"a bat\" | noise of=\(steps) seed=1 scheduler=ddim | denoise guidance=1 | select calls\n"
                try AtomicFile.write(program, to: desk.folder.path("p.noise"))
                return try ChildProcess(Executable.path, ["run", desk.folder.path("p.noise"), "--threads", "1"], output: desk.folder.path("told"))
            }
            // As many steps as take four seconds here.
            try #require(start(20).wait().status == 0)
            let speed = try work(desk)
            let steps = min(900, Int(4 * Double(speed.units) / speed.seconds))
            let process = try start(steps)
            let before = try Desk.entryNames(in: desk.folder).count, began = ContinuousClock.now
            while try Desk.entryNames(in: desk.folder).count == before, ContinuousClock.now - began < .seconds(20) {
                Thread.sleep(forTimeInterval: 0.002)
            }
            // A second of steps, however long the program took to begin on a busy machine.
            #expect(ContinuousClock.now - began < .seconds(5))
            Thread.sleep(forTimeInterval: 0.4)
            process.signal(SIGKILL)
            #expect(try process.wait().status == nil)
            #expect(try start(steps).wait().status == 0)
            // What it took after the kill is what it had not taken in its first second; a fifth of that, where other work made it slower.
            let rest = try work(desk)
            let saved = Double(steps - rest.units)
            #expect(saved >= 0.2 * min(Double(rest.units) / rest.seconds, Double(speed.units) / speed.seconds), "\(steps) steps, \(rest), before \(speed)")
        }

        /// Calls of the UNet, and how long they took, as the last line of the log of runs has it: what no killed run has written.
        private func work(_ desk: Desk) throws -> (units: Int, seconds: Double) {
            let line = try #require(FileSystem.readText(desk.folder.path(".noisebook/log")).split(separator: "\n").last)
            let match = try #require(line.firstMatch(of: /"unet [^"]*":\[(\d+),([0-9.]+)\]/))
            return (try #require(Int(match.1)), try #require(Double(match.2)))
        }

        @Test("and what it had begun to write goes with the next run") func leftovers() throws {
            let desk = try Desk()
            try #require(desk.run().status == 0)
            let expected = try desk.results()
            // As a kill in the middle of a write leaves them, beside the notebook, its pictures, the digests and each entry.
            var places = [desk.folder.path, desk.folder.path("n.out"), desk.folder.path(".noisebook")]
            let cache = desk.folder.path(".noisebook/cache")
            places += try FileSystem.list(cache).map { FileSystem.join(cache, $0) }
            for place in places { try AtomicFile.write("half", to: FileSystem.join(place, ".noisebook-3w5e11264sgsf.partial")) }
            #expect(try desk.leftovers().count == places.count)
            try desk.forgetResults()
            for name in try Desk.entryNames(in: desk.folder) { try FileSystem.removeFile(FileSystem.join(cache, name)) }
            try FileSystem.removeFile(desk.folder.path(".noisebook/digests"))
            try #require(desk.run().status == 0)
            #expect(try desk.results().differences(from: expected) == [])
            #expect(try desk.leftovers() == [])
        }
    }
}
