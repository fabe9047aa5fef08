import Files
import TestSupport
import Testing

extension ProcessTests {
    /// What becomes of a command whose output or input is closed, full or gone. The shell tells each status
    /// in a file, since output may be nowhere.
    @Suite("Standard input and output") struct OutputTests {
        private let folder: TemporaryFolder

        init() throws {
            folder = try TemporaryFolder()
            let cells = (0..<400).map { "```noise\nfoo\($0)\n```\n" }
            try AtomicFile.write(cells.joined(separator: "\n"), to: folder.path("bad.md"))
            // Every stored output is wrong, so that there is much to tell.
            let stored = (0..<400).map {
                "```noise\n\($0)\n```\n\n<!-- out -->\n```text\nother\n```\n<!-- /out -->\n"
            }
            try AtomicFile.write(stored.joined(separator: "\n"), to: folder.path("n.md"))
            try AtomicFile.write("```noise\n1 + 1\n```\n", to: folder.path("good.md"))
        }

        /// Runs a shell command in the folder; gives what it told and the status of the program in it.
        private func shell(_ command: String) throws -> (told: String, status: String) {
            let script =
                "cd \(folder.path); nb() { \(Executable.path) \"$@\"; echo $? > status; }; \(command)"
            let ended = try ChildProcess("/bin/sh", ["-c", script], output: folder.path("told")).wait()
            return (ended.told, try FileSystem.readText(folder.path("status")).filter { $0 != "\n" })
        }

        @Test(
            "a reader that goes away leaves a command its own status",
            arguments: [("check bad.md", "2"), ("verify n.md", "1"), ("check bad.md n.md --json", "2")])
        func closedPipe(_ command: String, _ status: String) throws {
            #expect(try shell("nb \(command) 2>&1 | head -1").status == status)
            #expect(try shell("nb \(command) 2> /dev/null | true").status == status)
        }

        @Test("verify writes what it found although nobody reads it") func verify() throws {
            _ = try shell("nb verify n.md | true")
            #expect(FileSystem.exists(folder.path("n.md.corrected")))
        }

        @Test("a program that is only shown ends with its reader, with the status of SIGPIPE") func filter()
            throws
        {
            try AtomicFile.write("sweep k=1..400 { items x=1..100 } | table\n", to: folder.path("long.noise"))
            #expect(try shell("nb run long.noise | true").status == "141")
        }

        @Test("a run that writes its notebook writes it although nobody reads what it tells") func writing()
            throws
        {
            let ended = try shell("nb run good.md --write --json | true")
            #expect(ended.status == "0")
            #expect(try FileSystem.readText(folder.path("good.md")).contains("<!-- out -->"))
        }

        @Test(
            "output that cannot be written is told of, with status 2",
            arguments: [
                "run good.md", "run good.md --json", "-e 1", "help", "help noise", "help --markdown",
                "--help", "run --help", "--version", "check good.md",
                "check good.md --json", "status good.md", "plan good.md", "verify good.md",
                "render good.md --to html -o -",
            ])
        func full(_ command: String) throws {
            for place in ["> /dev/full", ">&-"] {
                let ended = try shell("nb \(command) \(place)")
                #expect(ended.status == "2", "\(command) \(place)")
                #expect(
                    ended.told.contains("standard output cannot be written"),
                    "\(command) \(place): \(ended.told)")
            }
        }

        @Test(
            "where standard error takes nothing either, the status still tells",
            arguments: ["-e 1", "check bad.md", "--help", "run"])
        func nothing(_ command: String) throws {
            #expect(
                try shell("nb \(command) > /dev/full 2> /dev/full").status == (command == "run" ? "64" : "2"))
            #expect(try shell("nb \(command) >&- 2>&-").status == (command == "run" ? "64" : "2"))
        }

        @Test("a closed standard input is an empty one") func input() throws {
            for command in ["-", "run -", "", "-e 1"] {
                #expect(try shell("nb \(command) <&-").status == "0", "\(command)")
            }
            #expect(try shell("nb - <&- >&-").status == "0", "nothing is to be written")
        }

        @Test("SIGQUIT ends a run as it ends other programs, without a back trace") func quit() throws {
            let process = try ChildProcess(
                Executable.path, ["-e", "sweep k=1..400 { sweep j=1..400 { items x=1..400 } } | last 1"],
                output: folder.path("told"))
            // A signal before the program has begun would say nothing of it; when it comes later does not
            // matter.
            while try FileSystem.readText("/proc/\(process.id)/status").contains("SigIgn:\t0000000000000000")
            { continue }
            process.signal(3)
            let ended = try process.wait()
            #expect(ended.status == nil && !ended.told.contains("crash"), "\(ended.told)")
        }

        @Test(
            "a command without its file says what to name",
            arguments: ["run", "check", "verify", "status", "plan", "accept", "render --to html"])
        func unnamed(_ command: String) throws {
            let ended = try shell("nb \(command)")
            #expect(
                ended.status == "64" && ended.told.contains("Error: name ")
                    && !ended.told.contains("Missing expected"), "\(ended.told)")
        }
    }
}
