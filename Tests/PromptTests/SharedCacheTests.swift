import Files
import TestSupport
import Testing

extension ProcessTests {
    /// Row C6 of the attack log: `.noisebook` comes with a stranger's folder, and its results look like the
    /// notebook's own.
    @Suite("A cache that somebody else filled") struct SharedCacheTests {
        private let folder: TemporaryFolder

        init() throws {
            folder = try TemporaryFolder()
            try AtomicFile.write(
                """
                ```noise
                model = load monsters
                p = ["a red dragon", "a bat"] | noise of=4 seed=1 | denoise guidance=1 | decode
                t = dataset monsters split=train | first 4
                v = new vae channels=8,16 layers=1 attention=no | fit vae on=t batch=4 steps=2
                p | select text generated | describe
                ```

                """, to: folder.path("n.md"))
        }

        /// The warnings and the count of a run by one of several users.
        private func run(_ user: String, _ options: [String] = [], _ more: [String: String] = [:]) throws
            -> ChildProcess.Ended
        {
            let state = ["XDG_STATE_HOME": folder.path(user), "NOISEBOOK_CACHE_KEY": ""]
            return try ChildProcess(
                Executable.path, ["run", folder.path("n.md"), "--threads", "1"] + options,
                output: folder.path("told"),
                environment: state.merging(more) { $1 }
            ).wait()
        }

        @Test("is not believed, which is told in a line, until --trust-cache makes it the user's")
        func stranger() throws {
            #expect(try run("stranger").status == 0)
            let first = try run("user")
            #expect(first.status == 0)
            // Two texts' embeddings, latents and pictures, and the empty text.
            #expect(
                first.told.matches(of: /results in the cache are another user's and are computed anew/).count
                    == 1, "\(first.told)")
            #expect(first.told.matches(of: /is another user's and is made anew/).count == 1, "\(first.told)")
            let again = try run("user")
            #expect(
                again.status == 0 && !again.told.contains("results in the cache are another user's"),
                "\(again.told)")
            let trained = try FileSystem.list(folder.path(".noisebook/models"))
            #expect(trained.count == 2, "the stranger's model stays")
            let trusting = try run("third", ["--trust-cache"])
            #expect(trusting.status == 0 && !trusting.told.contains("another user's"), "\(trusting.told)")
            #expect(try !run("third").told.contains("another user's"))
            #expect(try FileSystem.list(folder.path(".noisebook/models")) == trained)
        }

        @Test("with other results under its own digests changes none") func forged() throws {
            let whole = try run("user", ["--no-cache"])
            #expect(try run("stranger").status == 0)
            // The stranger computes other values under the same keys: every float of every entry is another.
            let stranger = try Signer(
                secret: FileSystem.readBytes(folder.path("stranger/noisebook/cache-key")))
            let head = "noisebook item 2\n"
            for name in try Desk.entryNames(in: folder) {
                let path = folder.path(".noisebook/cache/" + name), key = name.replacing("/", with: "")
                var content = Array(
                    try FileSystem.readBytes(path).dropFirst(head.utf8.count + 64 + Signer.length))
                if content.count > 40 { content[content.count - 2] ^= 0x3f }
                let digest = try Digest.sha256(content)
                let signature = try stranger.signature(of: "item \(key) \(digest)")
                try AtomicFile.write(Array((head + digest + signature).utf8) + content, to: path)
            }
            var record = ReliabilityRecord(
                .files, "results that came in a stranger's `.noisebook`, changed and sealed anew")
            let fooled = try run("stranger")
            let told = try run("user")
            func results(_ text: String) -> [Substring] {
                text.split(separator: "\n").filter { $0.hasPrefix("generated") }
            }
            #expect(
                told.status == 0 && results(told.told) == results(whole.told), "\(told.told) \(whole.told)")
            let isRight = results(told.told) == results(whole.told)
            record.note(
                isRight ? "computed anew" : "NOT AS IT SHOULD BE",
                times: try Desk.entryNames(in: folder).count)
            try record.write()
            // To the stranger they are entries like others.
            #expect(
                fooled.status == 0 && results(fooled.told) != results(whole.told)
                    && results(whole.told).count == 1,
                "\(fooled.told)")
        }

        @Test(
            "is one cache for all who share a key, and a key that is not there is an error before anything runs"
        ) func shared() throws {
            let key = folder.path("key")
            try AtomicFile.write("a secret of several users\n", to: key)
            #expect(try run("one", [], ["NOISEBOOK_CACHE_KEY": key]).status == 0)
            let other = try run("other", [], ["NOISEBOOK_CACHE_KEY": key])
            #expect(other.status == 0 && !other.told.contains("another user's"), "\(other.told)")
            #expect(!FileSystem.exists(folder.path("other/noisebook/cache-key")))
            for content in [nil, "short"] as [String?] {
                if let content {
                    try AtomicFile.write(content, to: key)
                } else {
                    try FileSystem.removeFile(key)
                }
                let ended = try run("other", [], ["NOISEBOOK_CACHE_KEY": key])
                #expect(
                    ended.status == 64 && ended.told.contains("NOISEBOOK_CACHE_KEY")
                        && ended.told.contains(key), "\(ended.told)")
            }
            let both = try run("other", ["--trust-cache", "--no-cache"])
            #expect(
                both.status == 64 && both.told.contains("--trust-cache takes what is in the cache"),
                "\(both.told)")
        }

        @Test("where no key can be kept the results come, a line says it, and no model is left behind")
        func homeless() throws {
            let ended = try run("user", [], ["XDG_STATE_HOME": "/dev/null"])
            #expect(
                ended.status == 0 && ended.told.matches(of: /the key of the cache cannot be kept/).count == 1,
                "\(ended.told)")
            #expect(!FileSystem.exists(folder.path(".noisebook/models")))
        }

        @Test("processes that begin at once make one key") func together() throws {
            let processes = try (0..<6).map { turn in
                try ChildProcess(
                    Executable.path, ["run", folder.path("n.md"), "--threads", "1"],
                    output: folder.path("told-\(turn)"),
                    environment: ["XDG_STATE_HOME": folder.path("user"), "NOISEBOOK_CACHE_KEY": ""])
            }
            for process in processes {
                let ended = try process.wait()
                #expect(ended.status == 0 && !ended.told.contains("another user's"), "\(ended.told)")
            }
            #expect(try FileSystem.list(folder.path("user/noisebook")) == ["cache-key"])
            #expect(try !run("user").told.contains("another user's"))
        }
    }
}
