import Files
import TestSupport
import Testing

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

extension ProcessTests {
    @Suite("The command line") struct CommandLineTests {
        private let folder: TemporaryFolder

        init() throws {
            folder = try TemporaryFolder()
            try AtomicFile.write(
                "param h = 1\nsave (items a=(h)) made.csv\n(h)\n", to: folder.path("make.noise"))
            try AtomicFile.write("read made.csv | table\n", to: folder.path("use.noise"))
            try AtomicFile.write("itms a=1\n", to: folder.path("wrong.noise"))
            try AtomicFile.write(
                "# N\n\n```noise\nparam g = 1\nitems g=(g) | table\n```\n", to: folder.path("n.md"))
        }

        private func run(_ arguments: String...) throws -> ChildProcess.Ended {
            try ChildProcess(
                "/bin/sh",
                ["-c", "cd \(folder.path) && \(Executable.path) " + arguments.joined(separator: " ")],
                output: folder.path("told")
            )
            .wait()
        }

        @Test("options can stand before the command") func early() throws {
            let ended = try run("--threads 1 --no-cache run make.noise h=4")
            #expect(ended.status == 0 && ended.told == "4\n", "\(ended.told)")
            #expect(try run("--threads run make.noise").status == 64)
        }

        @Test(
            "models are found where huggingface_hub keeps them, and a notebook may read them there",
            arguments: [
                ("HOME", "home", "home/.cache/huggingface/hub"),
                ("XDG_CACHE_HOME", "caches", "caches/huggingface/hub"), ("HF_HOME", "hf", "hf/hub"),
                ("HF_HUB_CACHE", "hub", "hub"), ("HUGGINGFACE_HUB_CACHE", "old", "old"),
            ])
        func huggingFace(_ variable: String, _ value: String, _ hub: String) throws {
            let repository = folder.path(hub + "/models--someone--monsters")
            // As there: names are links to blobs beside the snapshots.
            try ModelCopy.copy(Golden.topic("models").path("pipeline"), to: repository + "/snapshots/main")
            try FileSystem.createFolder(repository + "/blobs")
            try #require(
                rename(repository + "/snapshots/main/unet/config.json", repository + "/blobs/a1") == 0)
            try #require(symlink("../../../blobs/a1", repository + "/snapshots/main/unet/config.json") == 0)
            try AtomicFile.write(
                "```noise\nmodel = load someone/monsters\nmodel.folder\n```\n", to: folder.path("hub.md"))
            let line = """
                cd \(folder.path) && unset XDG_CACHE_HOME HF_HOME HF_HUB_CACHE HUGGINGFACE_HUB_CACHE && \
                HOME=\(folder.path("nobody"))\u{20}
                """
            let set = "\(variable)=\(folder.path(value)) \(Executable.path) run hub.md"
            let ended = try ChildProcess("/bin/sh", ["-c", line + set], output: folder.path("told")).wait()
            #expect(ended.status == 0 && ended.told.contains("snapshots/main"), "\(ended.told)")
        }

        @Test("wrong usage is JSON where JSON is asked for") func usage() throws {
            let ended = try run("run make.noise zoo=4 --json")
            #expect(ended.status == 64)
            let object = try JSON.parse(ended.told, place: "told")
            #expect(
                object["kind"]?.string == "error"
                    && object["message"]?.string?.contains("no param `zoo`") == true, "\(ended.told)")
            #expect(try run("run make.noise zoo=4").told.contains("Usage:"))
        }

        @Test("all files are checked before the first runs, but for files that the first may write")
        func several() throws {
            let ended = try run("run make.noise wrong.noise")
            #expect(ended.status == 2 && ended.told.contains("E020"), "\(ended.told)")
            #expect(!FileSystem.exists(folder.path("made.csv")))
            let good = try run("run make.noise use.noise")
            #expect(good.status == 0 && good.told.hasPrefix("1\n"), "\(good.told)")
            // Alone it lacks what the first makes, and says so before anything runs.
            try FileSystem.removeFile(folder.path("made.csv"))
            let alone = try run("run use.noise")
            #expect(
                alone.status == 2 && alone.told.contains("made.csv: there is no such file"), "\(alone.told)")
        }

        @Test("plan tells of each variant") func variants() throws {
            let told = try run("plan n.md g=2,3").told
            #expect(told.contains("n.md g=2: in all") && told.contains("n.md g=3: in all"), "\(told)")
        }

        @Test("the cache's limit is a size, from the command line or the environment") func limit() throws {
            for wrong in ["--cache-limit 5X run make.noise", "run make.noise --cache-limit -1"] {
                #expect(try run(wrong).status == 64)
            }
            let ended = try ChildProcess(
                "/bin/sh",
                ["-c", "cd \(folder.path) && NOISEBOOK_CACHE_LIMIT=much \(Executable.path) run make.noise"],
                output: folder.path("told")
            ).wait()
            #expect(
                ended.status == 64 && ended.told.contains("NOISEBOOK_CACHE_LIMIT takes a size"),
                "\(ended.told)")
            #expect(try run("--cache-limit 1.5G run make.noise").told == "1\n")
            // Nothing of a model's work finds room.
            try AtomicFile.write(
                "model = load monsters\nt = \"a bat\" | encode text\nlength(t.embedding)\n",
                to: folder.path("e.noise"))
            let small = try run("run e.noise --cache-limit 1K")
            #expect(
                small.status == 0
                    && small.told.contains(
                        "1 result is not kept in the cache: what this run uses takes the 1 KiB"),
                "\(small.told)")
            #expect(try !run("run e.noise --cache-limit 0").told.contains("kept"))
        }

        @Test(
            "a folder that may not be written: what cannot be kept is said once", .enabled(if: geteuid() != 0)
        ) func unwritable() throws {
            try AtomicFile.write(
                "model = load monsters\nt = \"a bat\" | encode text\nu = \"a cat\" | encode text\n",
                to: folder.path("e.noise"))
            try FileSystem.createFolder(folder.path(".noisebook"))
            #expect(chmod(folder.path(".noisebook"), 0o555) == 0)
            let told = try run("run e.noise").told
            #expect(
                told.contains(
                    "2 results are not kept in the cache: cannot make the folder: Permission denied"),
                "\(told)")
        }

        @Test("a file of bytes is no notebook") func binary() throws {
            try AtomicFile.write([0x23, 0x20, 0, 1, 2], to: folder.path("b.md"))
            let ended = try run("check b.md")
            #expect(ended.status == 2 && ended.told.contains("is no text"), "\(ended.told)")
        }
    }
}
