import Files
import TestSupport
import Testing

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

extension ProcessTests {
    /// SIGINT, as `kill -INT`, a batch system or a build tool sends it: nobody sits at a terminal.
    @Suite("SIGINT without a terminal") struct InterruptTests {
        /// Enough steps that it comes while the sweep runs.
        private static let steps = 20

        /// A run that stands still after its first batch, with more to come: at least so many entries are
        /// there, and fewer than `all`. Where it ran through before anybody looked, it is begun again. Beside
        /// four texts, the empty one among them, and two latents that are saved before their end, as a slow
        /// machine has them, the seventh entry is one that is finished.
        private func atWork(_ desk: Desk, least: Int = 7, all: Int, _ start: () throws -> ChildProcess) throws
            -> ChildProcess
        {
            for _ in 0..<20 {
                let process = try start()
                var count = 0
                let isStopped = try process.stop {
                    count = try Desk.entryNames(in: desk.folder).count
                    return count >= least
                }
                if isStopped, count < all { return process }
                if isStopped { process.signal(SIGKILL) }
                _ = try process.wait()
                try desk.forgetCache()
            }
            throw ChildProcess.Failure(description: "twenty runs were over before they could be stopped")
        }

        /// Entries of a whole run: four texts, six latents, six pictures.
        private static let entries = 16

        @Test(
            """
            keeps what is finished: status 3, outputs of the cells before it, and the same command goes on \
            to the same bytes
            """) func once() throws
        {
            let plain = try Desk(steps: Self.steps), desk = try Desk(steps: Self.steps)
            try #require(plain.run().status == 0)
            #expect(try Desk.entryNames(in: plain.folder).count == Self.entries)
            let process = try atWork(desk, all: Self.entries) {
                try desk.forgetResults()
                return try desk.start()
            }
            process.signal(SIGINT)
            let ended = try process.wait()
            #expect(ended.status == 3, "\(ended.told)")
            #expect(ended.told.contains("run the same line to continue"), "\(ended.told)")
            #expect(
                ended.told.contains(
                    "outputs of 1 of 2 cells written; interrupted, the others are as they were"),
                "\(ended.told)")
            #expect(
                !ended.told.contains("\u{1B}") && !ended.told.contains("\r"),
                "no progress bar where no terminal is")
            let left = String(decoding: try desk.results()[".md"] ?? [], as: UTF8.self)
            #expect(left.contains("<!-- out -->") && !left.contains("| calls |"))
            #expect(try desk.results().pictures == 0)
            let again = try desk.run()
            #expect(again.status == 0, "\(again.told)")
            #expect(again.told.contains("cached "), "\(again.told)")
            #expect(try desk.results().differences(from: plain.results()) == [])
        }

        @Test("over earlier results leaves those of the cell that it stops") func earlier() throws {
            let desk = try Desk(steps: Self.steps)
            try #require(desk.run().status == 0)
            let before = try desk.results()
            try desk.forgetCache()
            let process = try atWork(desk, all: Self.entries) { try desk.start() }
            process.signal(SIGINT)
            #expect(try process.wait().status == 3)
            #expect(try desk.results().differences(from: before) == [])
        }

        @Test("shows of a script what is finished, and says how much that is") func script() throws {
            let desk = try Desk()
            try AtomicFile.write(
                """
                model = load monsters
                sweep k=12,13,14 { ["a red dragon", "a blue worm"] | noise of=k seed=1 | denoise guidance=1 } | select k text calls
                """, to: desk.folder.path("p.noise"))
            func start() throws -> ChildProcess {
                try ChildProcess(
                    Executable.path, ["run", desk.folder.path("p.noise"), "--threads", "1", "--batch", "1"],
                    output: desk.folder.path("told"))
            }
            // Three texts and six latents, of which one at a time is under way.
            let process = try atWork(desk, least: 6, all: 9, start)
            process.signal(SIGINT)
            let ended = try process.wait()
            #expect(ended.status == 3, "\(ended.told)")
            let message = try #require(
                ended.told.firstMatch(
                    of:
                        /stopped at k=\d+(?:, item \d of 2; (\d) of 6 kept| after \d+ of \d+ steps \(kept\)); run the same line to continue/
                ))
            let again = try start().wait()
            #expect(again.status == 0)
            // What it showed are the first rows of the whole table.
            let rows = { (told: String) in
                told.split(separator: "\n").filter {
                    $0.contains("a red dragon") || $0.contains("a blue worm")
                }
            }
            #expect(rows(again.told).count == 6)
            #expect(rows(ended.told) == Array(rows(again.told).prefix(message.1.flatMap { Int($0) } ?? 0)))
            #expect(
                message.1 == nil || again.told.contains("cached \(message.1 ?? ""), computed"),
                "\(again.told)")
        }

        @Test("twice gives the step up, three times ends at once: status 3, and the cache is whole")
        func often() throws {
            for presses in 2...3 {
                let desk = try Desk(steps: Self.steps)
                let process = try atWork(desk, all: Self.entries) { try desk.start() }
                for _ in 0..<presses { process.deliver(SIGINT) }
                let ended = try process.wait()
                #expect(ended.status == 3, "\(ended.told)")
                #expect(try desk.entries().values.allSatisfy(Desk.isWhole))
            }
        }

        @Test("at any moment ends with status 3, and in the end the bytes are the same") func anywhere()
            throws
        {
            let plain = try Desk(), desk = try Desk()
            try #require(plain.run().status == 0)
            let whole = try plain.progress(), expected = try plain.results()
            var generator = SmallGenerator(seed: 5)
            for _ in 0..<10 {
                let process = try desk.start()
                try desk.advance(process, of: whole, &generator)
                process.signal(SIGINT)
                let ended = try process.wait()
                // Before the program has set its handlers up, the signal has its ordinary effect.
                #expect(
                    ended.status == 3 || ended.status == 0 || (ended.status == nil && ended.told.isEmpty),
                    "\(ended.told)")
                #expect(try desk.entries().values.allSatisfy(Desk.isWhole))
                if ended.status == 0 {
                    #expect(try desk.results().differences(from: expected) == [])
                    try desk.forgetResults()
                    try desk.forgetCache()
                }
            }
            #expect(try desk.run().status == 0)
            #expect(try desk.results().differences(from: expected) == [])
            #expect(try desk.leftovers() == [])
        }
    }
}
