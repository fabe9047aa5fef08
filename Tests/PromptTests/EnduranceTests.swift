import Files
import TestSupport
import Testing

#if os(Linux)
extension ProcessTests {
    @Suite("A session that lasts") struct EnduranceTests {
        /// What the process holds of the machine.
        private struct Holding {
            /// Resident memory in kilobytes.
            var memory: Int
            var descriptors: Int
            var threads: Int

            init(_ process: Int32) throws {
                let status = try FileSystem.readText("/proc/\(process)/status")
                memory = try #require(status.firstMatch(of: /VmRSS:\s+(\d+) kB/).flatMap { Int($0.1) })
                descriptors = try FileSystem.list("/proc/\(process)/fd").count
                threads = try FileSystem.list("/proc/\(process)/task").count
            }
        }

        @Test(
            "makes thousands of pictures and holds no more memory, files or threads than after the first ones"
        ) func soak() throws {
            let (early, late) = Faults.tryMany ? (200, 2_000) : (100, 500)
            let place = try Workplace()
            try place.write("n.md", "# Nothing yet\n")
            let prompt = "noise> "
            let terminal = try PseudoTerminal(
                Executable.path, [place.at("n.md"), "--threads", "1", "--allow-read", Workplace.model],
                environment: [
                    "TERM": "dumb", "HOME": place.folder.path, "XDG_STATE_HOME": place.folder.path("state"),
                    "INPUTRC": "/dev/null",
                ])
            func enter(_ line: String) throws -> String {
                terminal.type(line + "\r")
                return try terminal.expect(prompt)
            }
            try terminal.expect(prompt)
            _ = try enter("model = load \"\(Workplace.model)\"")
            _ = try enter(
                """
                def one s { "a bat" | noise of=2 seed=(s) | denoise guidance=1 | decode | select calls \
                generated | describe }
                """)
            var holding: Holding?
            for turn in 1...late {
                let shown = try enter("one \(turn)")
                #expect(shown.contains("1 row") && !shown.lowercased().contains("error"), "\(shown)")
                if turn == early { holding = try Holding(terminal.process) }
            }
            let (before, after) = (try #require(holding), try Holding(terminal.process))
            #expect(
                Double(after.memory) < 1.05 * Double(before.memory),
                "\(before) after \(early), \(after) after \(late)")
            #expect(
                after.descriptors == before.descriptors, "\(before) after \(early), \(after) after \(late)")
            #expect(after.threads == before.threads, "\(before) after \(early), \(after) after \(late)")
            terminal.type("\u{4}")
            #expect(try terminal.end() == 0)
            var record = ReliabilityRecord(.duration, "pictures one after the other at one prompt")
            let grown = (after.memory - before.memory) * 1_000 / before.memory
            record.note(
                """
                a picture; from the \(early)th on \(grown) thousandths more memory and no more files or \
                threads;
                """, times: late)
            try record.write()
        }
    }
}
#endif
