import Files
import TestSupport
import Testing

extension ProcessTests {
    @Suite("The command line") struct CommandLineTests {
        private let folder: TemporaryFolder

        init() throws {
            folder = try TemporaryFolder()
            try AtomicFile.write("param h = 1\nsave (items a=(h)) made.csv\n(h)\n", to: folder.path("make.noise"))
            try AtomicFile.write("read made.csv | table\n", to: folder.path("use.noise"))
            try AtomicFile.write("itms a=1\n", to: folder.path("wrong.noise"))
            try AtomicFile.write("# N\n\n```noise\nparam g = 1\nitems g=(g) | table\n```\n", to: folder.path("n.md"))
        }

        private func run(_ arguments: String...) throws -> ChildProcess.Ended {
            try ChildProcess("/bin/sh", ["-c", "cd \(folder.path) && \(Executable.path) " + arguments.joined(separator: " ")], output: folder.path("told"))
                .wait()
        }

        @Test("options can stand before the command") func early() throws {
            let ended = try run("--threads 1 --no-cache run make.noise h=4")
            #expect(ended.status == 0 && ended.told == "4\n", "\(ended.told)")
            #expect(try run("--threads run make.noise").status == 64)
        }

        @Test("wrong usage is JSON where JSON is asked for") func usage() throws {
            let ended = try run("run make.noise zoo=4 --json")
            #expect(ended.status == 64)
            let object = try JSON.parse(ended.told, place: "told")
            #expect(object["kind"]?.string == "error" && object["message"]?.string?.contains("no param `zoo`") == true, "\(ended.told)")
            #expect(try run("run make.noise zoo=4").told.contains("Usage:"))
        }

        @Test("all files are checked before the first runs, but for files that the first may write") func several() throws {
            let ended = try run("run make.noise wrong.noise")
            #expect(ended.status == 2 && ended.told.contains("E020"), "\(ended.told)")
            #expect(!FileSystem.exists(folder.path("made.csv")))
            let good = try run("run make.noise use.noise")
            #expect(good.status == 0 && good.told.hasPrefix("1\n"), "\(good.told)")
            // Alone it lacks what the first makes, and says so before anything runs.
            try FileSystem.removeFile(folder.path("made.csv"))
            let alone = try run("run use.noise")
            #expect(alone.status == 2 && alone.told.contains("made.csv: there is no such file"), "\(alone.told)")
        }

        @Test("plan tells of each variant") func variants() throws {
            let told = try run("plan n.md g=2,3").told
            #expect(told.contains("n.md g=2: in all") && told.contains("n.md g=3: in all"), "\(told)")
        }

        @Test("a file of bytes is no notebook") func binary() throws {
            try AtomicFile.write([0x23, 0x20, 0, 1, 2], to: folder.path("b.md"))
            let ended = try run("check b.md")
            #expect(ended.status == 2 && ended.told.contains("is no text"), "\(ended.told)")
        }
    }
}
