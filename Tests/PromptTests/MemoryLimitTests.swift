import Files
import TestSupport
import Testing

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

#if os(Linux)
extension ProcessTests {
    /// `ulimit -v`, as a scheduler sets it: allocations fail, and threads find no room for their stacks.
    @Suite("A process with little memory") struct MemoryLimitTests {
        private static let text = """
            # Small

            ```noise
            model = load monsters
            t = items k=1..300 | with x=1
            t | join t on=x as=o | group k n=(length(o.k)) | first 3 | table
            "a red dragon","a blue dragon" | noise of=3 seed=1 | denoise guidance=2 | decode | grid generated
            ```

            """

        private struct Desk {
            let folder: TemporaryFolder

            init() throws {
                folder = try TemporaryFolder()
                try AtomicFile.write(MemoryLimitTests.text, to: folder.path("n.md"))
            }

            func ended(_ limit: Int?, _ words: String) throws -> ChildProcess.Ended {
                let before = limit.map { "ulimit -v \($0) && " } ?? ""
                let command = """
                    cd \(ShellWord.quoted(folder.path)) && \(before)exec \
                    \(ShellWord.quoted(Executable.path)) \(words)
                    """
                return try ChildProcess("/bin/sh", ["-c", command], output: folder.path("told")).wait()
            }

            func run(_ limit: Int? = nil) throws -> ChildProcess.Ended {
                try ended(limit, "run n.md --write --threads 8")
            }

            /// The text, the lock and the pictures.
            func results() throws -> [String: [UInt8]] {
                var found: [String: [UInt8]] = [:]
                for name in ["n.md", "n.lock"] where FileSystem.exists(folder.path(name)) {
                    found[name] = try FileSystem.readBytes(folder.path(name))
                }
                for name in (try? FileSystem.list(folder.path("n.out"))) ?? [] {
                    found[name] = try FileSystem.readBytes(folder.path("n.out/" + name))
                }
                return found
            }
        }

        @Test(
            """
            at twenty limits it ends with the right result or says why, and the next run without a limit is \
            right
            """) func levels() throws
        {
            let plain = try Desk()
            let whole = try plain.run()
            try #require(whole.status == 0, "\(whole.told)")
            let expected = try plain.results()
            // Below this the system does not even start the program: what it says then is the loader's.
            var (below, starts) = (10_000, 4_000_000)
            while starts - below > starts / 50 {
                let middle = (below + starts) / 2
                if try plain.ended(middle, "--version").status == 0 {
                    starts = middle
                } else {
                    below = middle
                }
            }
            var finished = 0, refused = 0
            for level in 0..<20 {
                // From just enough to start with to four times that and a gigabyte.
                let limit = starts + (3 * starts + 1_000_000) * level * level / (19 * 19)
                let desk = try Desk()
                let ended = try desk.run(limit)
                switch ended.status {
                case 0:
                    finished += 1
                    #expect(try desk.results() == expected, "with \(limit) KB")
                case 2:
                    refused += 1
                    #expect(ended.told.contains("error"), "with \(limit) KB: \(ended.told)")
                    #expect(
                        try desk.results()["n.md"] == Array(Self.text.utf8)
                            || desk.results()["n.md"] == expected["n.md"], "with \(limit) KB")
                default:
                    Issue.record(
                        "with \(limit) KB: \(ended.status.map { "status \($0)" } ?? "a signal"): \(ended.told)"
                    )
                }
                let again = try desk.run()
                #expect(again.status == 0, "after \(limit) KB: \(again.told)")
                #expect(try desk.results() == expected, "after \(limit) KB")
            }
            #expect(finished > 0 && refused > 0, "\(finished) finished, \(refused) refused")
        }

        @Test(
            "what cannot fit is refused with both numbers",
            arguments: [
                "a = items k=1..3000 | with x=1; a | join a on=x as=b | first 1 | table",
                "x = items k=1..10 | loop (items t=1..40) { stack it it }",
                """
                model = load monsters; items n=1..20000 | with text="a" | noise of=2 size=512x512 | \
                first 1 | describe
                """,
                "model = load monsters; \"a\" | noise of=2 size=8192x8192 | decode",
                "model = load monsters; \"a\" | noise of=2 size=16384x16384 | denoise",
                "new unet channels=1280,1280,1280 context=512",
            ])
        func refused(_ program: String) throws {
            let desk = try Desk()
            let ended = try desk.ended(900_000, "-e \(ShellWord.quoted(program))")
            #expect(
                ended.status == 2 && ended.told.contains("E059") && ended.told.contains("would take")
                    && ended.told.contains("are free"), "\(ended)")
        }
    }
}
#endif
