import Files
import TestSupport
import Testing

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// What a stranger's folder does when it is run, verified, rendered, planned, checked and looked at, as
/// others see it: by what it left outside, and by what it told. Rows A1 to A4 and A8 of the attack log.
extension ProcessTests {
    @Suite("A stranger's folder") struct StrangerTests {
        /// A home with a user's files, and the stranger's clone in it.
        private struct Home {
            let folder: TemporaryFolder
            static let secret = "hunter2"

            init() throws {
                folder = try TemporaryFolder()
                for name in [
                    "home/.config", "home/pictures", "home/clone/.git", "home/clone/n/res", "home/state",
                ] { try FileSystem.createFolder(path(name)) }
                for name in [
                    "home/.bashrc", "home/passwords.csv", "home/passwords.json",
                    "home/pictures/0123456789ab.png", "home/pictures/aaaaaaaaaaaa.csv",
                ] {
                    try AtomicFile.write("k\n\(Self.secret)\n", to: path(name))
                }
                try PNG.write(
                    Bitmap(width: 2, height: 2, red: 7, green: 77, blue: 177),
                    to: path("home/pictures/private.png"))
            }

            func path(_ name: String) -> String { folder.path(name) }
            /// In the notebook's folder.
            func own(_ name: String) -> String { folder.path("home/clone/n/" + name) }

            func notebook(_ cells: String..., name: String = "n.md") throws {
                try AtomicFile.write(
                    cells.map { "```noise\n\($0)\n```\n" }.joined(separator: "\n"), to: own(name))
            }

            /// `OUTSIDE` is the home.
            func link(_ name: String, to target: String) throws {
                try FileSystem.createFolder(FileSystem.folder(of: own(name)))
                try #require(
                    symlink(target.replacing("OUTSIDE", with: path("home")), own(name)) == 0, "\(name)")
            }

            /// A shell's line in the notebook's folder, `n` for the program.
            func run(_ line: String) throws -> ChildProcess.Ended {
                let set = """
                    cd \(own("")) && export HOME=\(path("home")) XDG_STATE_HOME=\(path("home/state")) && n() \
                    { \(Executable.path) "$@"; };\u{20}
                    """
                return try ChildProcess("/bin/sh", ["-c", set + line], output: folder.path("told")).wait()
            }

            /// All files outside of the clone with their contents, and all names.
            func outside() throws -> [String: [UInt8]] {
                var found: [String: [UInt8]] = [:]
                func look(_ folder: String) throws {
                    for name in try FileSystem.list(folder) where name != "clone" && name != "state" {
                        let inner = FileSystem.join(folder, name)
                        if FileSystem.isFolder(inner) {
                            found[inner] = []
                            try look(inner)
                        } else {
                            found[inner] = try FileSystem.readBytes(inner)
                        }
                    }
                }
                try look(path("home"))
                return found
            }
        }

        /// All that can be done with a folder that came from somewhere.
        private static let all =
            "for c in check status plan run 'run --write' verify accept; do n $c n.md < /dev/null; done; "
            + "for f in html ipynb noise; do n render n.md --to $f; n render n.md --to $f --force; done"

        /// True where nothing outside was changed and nothing of it told.
        @discardableResult private func expectNothing(
            _ home: Home, _ what: String, _ line: String = Self.all,
            sourceLocation: SourceLocation = #_sourceLocation
        ) throws -> Bool {
            let before = try home.outside()
            let ended = try home.run(line)
            let after = try home.outside()
            // What the notebook's folder shows is the stranger's to take along.
            let shown = try Self.texts(below: home.own("")).filter {
                String(decoding: (try? FileSystem.readBytes($0)) ?? [], as: UTF8.self).contains(Home.secret)
            }
            let isEnded = try #require(ended.status) < 128
            #expect(isEnded, "\(what): \(ended.told)", sourceLocation: sourceLocation)
            #expect(
                !ended.told.contains(Home.secret), "\(what): \(ended.told)", sourceLocation: sourceLocation)
            #expect(
                after == before, "\(what): \(after.differences(from: before))", sourceLocation: sourceLocation
            )
            #expect(shown.isEmpty, "\(what): in \(shown)", sourceLocation: sourceLocation)
            return isEnded && !ended.told.contains(Home.secret) && after == before && shown.isEmpty
        }

        /// Ordinary files, not those behind links.
        private static func texts(below folder: String) throws -> [String] {
            try FileSystem.list(folder).flatMap { name -> [String] in
                let inner = FileSystem.join(folder, name)
                var status = stat()
                guard lstat(inner, &status) == 0 else { return [] }
                switch status.st_mode & S_IFMT {
                case S_IFDIR: return try texts(below: inner)
                case S_IFREG: return [inner]
                default: return []
                }
            }
        }

        /// What the program reads, writes, renames and removes beside a notebook by itself.
        static let ownFiles = [
            ".noisebook", ".noisebook/log", ".noisebook/digests", ".noisebook/cache", ".noisebook/models",
            ".noisebook/training", "n.lock", "n.out",
            "n.md.corrected", "n.md.corrected.json", "n.out.corrected", "n.html", "n.ipynb", "n.noise",
        ]

        /// What may lie there instead.
        static let targets = [
            "OUTSIDE/.bashrc", "../../.bashrc", "OUTSIDE/pictures", "../../pictures", "OUTSIDE/new",
            "../../new", "OUTSIDE/new/newer", "/dev/null", "/dev/zero",
            "/proc/self/fd/1", "/proc/self/root", "res/../../../.bashrc", "l2", "self",
        ]

        @Test(
            "a link in the place of what the program keeps beside a notebook is followed by nothing",
            arguments: ownFiles)
        func ownFile(_ name: String) throws {
            var record = ReliabilityRecord(.files, "a link as \(name), by all commands")
            defer { try? record.write() }
            for target in Self.targets {
                let home = try Home()
                try home.notebook(
                    "items a=1..60,\"x \\$(touch PWNED)\" | table", "items x=1,2,3 y=1,2,4 | plot x=x y=y",
                    "1 + 1")
                try home.link("l2", to: "OUTSIDE/.bashrc")
                try home.link("self", to: "self")
                try home.link(name, to: target)
                record.note(
                    try expectNothing(home, "\(name) -> \(target)")
                        ? "nothing read or changed" : "NOT AS IT SHOULD BE")
            }
        }

        @Test(
            "such a link is told, and named",
            arguments: ["n.lock", "n.out", "n.md.corrected", "n.html", ".noisebook"])
        func told(_ name: String) throws {
            let home = try Home()
            try home.notebook(
                "items x=1,2,3 y=1,2,4 | plot x=x y=y",
                "model = load monsters; \"a\" | noise of=2 | denoise | decode")
            try home.link(name, to: "OUTSIDE/pictures")
            let line = [
                "n.lock": "n run n.md --write", "n.out": "n run n.md --write",
                "n.html": "n render n.md --to html", ".noisebook": "n run n.md",
            ][name]
            let ended = try home.run(
                line ?? """
                    n run n.md --write && sed -i 's/^1 .*/7/;s/<svg/<sv/' n.md && echo x >> n.out/*.svg; n \
                    verify n.md
                    """)
            #expect(ended.told.contains("is a link") && ended.told.contains(name), "\(name): \(ended.told)")
            // What cannot be kept in a cache is a remark; results that cannot be written are an error.
            #expect(ended.status == (name == ".noisebook" ? 0 : 2), "\(name): \(ended.status) \(ended.told)")
        }

        /// Ways to name what lies outside, in a program.
        static let paths = [
            "../../passwords", "../../../home/passwords", "OUTSIDE/passwords", "~/passwords", "l",
            "d/passwords", "res/../../../passwords",
            "new/../../../passwords",
            "newdir/../../../new/passwords", "d/../passwords", "./.././../passwords", "up/up/passwords",
        ]

        @Test("no verb reads or writes outside, however the path is written", arguments: paths)
        func argument(_ path: String) throws {
            let home = try Home()
            try home.link("l.csv", to: "OUTSIDE/passwords.csv")
            try home.link("l.json", to: "../../passwords.json")
            try home.link("l", to: "OUTSIDE/pictures")
            try home.link("d", to: "OUTSIDE")
            try home.link("up", to: "..")
            let path = path.replacing("OUTSIDE", with: home.path("home"))
            let folder = path.replacing("passwords", with: "pictures")
            let programs = [
                "read \"\(path).csv\" | table", "read \"\(path).json\"",
                "read \"\(folder)/private.png\" | save res/copy", "dataset \"\(path).csv\" | table",
                "dataset \"\(folder)\" | table", "load \"\(folder)\"", "load clip \"\(folder)\"",
                "load inception \"\(path).safetensors\"",
                "items text=\"owned\" | save \"\(path).csv\"", "items text=\"owned\" | save \"\(path).json\"",
                "items text=\"owned\" | save \"\(folder)/owned\"",
                "items text=\"owned\" | save \"\(folder)\"",
                "model = load monsters; model | save \"\(folder)/model\"",
                "model = load monsters; a = \"a\" | noise of=2 | denoise; a | save \"\(path).safetensors\"",
                """
                model = load monsters; a = "a" | noise of=2 | denoise | decode; a[0].image | save \
                "\(path).png\"
                """,
            ]
            // Cells that may raise: an error in one does not keep the others from running.
            let cells =
                programs.map { "```noise raises\n\($0)\n```\n" } + [
                    "```noise raises\nparam p = \"\(path).csv\"\nread (p) | table\n```\n"
                ]
            try AtomicFile.write(cells.joined(separator: "\n"), to: home.own("n.md"))
            try expectNothing(
                home, path,
                """
                n check n.md; n run n.md --write; n status n.md; n plan n.md; printf ':next \
                20\\n:status\\n:plan\\n' | n n.md
                """)
            let told = try home.run("n run n.md --no-cache").told
            // Nothing was refused for another reason than the place.
            #expect(
                told.split(separator: "error[").dropFirst().allSatisfy {
                    ["E061", "E062", "E050", "E055"].contains($0.prefix(4))
                }, "\(told)")
            // A script has the rights of a notebook, and so have lines at the prompt with a notebook open.
            var record = ReliabilityRecord(
                .files, "verbs with paths such as \(path.replacing(home.path("home"), with: "/home"))")
            defer { try? record.write() }
            for program in programs {
                try AtomicFile.write(program, to: home.own("s.noise"))
                record.note(
                    try expectNothing(home, program, "n run s.noise; cat s.noise | n n.md")
                        ? "nothing read or changed" : "NOT AS IT SHOULD BE", times: 2)
            }
        }

        @Test("what files of data name is read in the project alone")
        func data() throws {
            let home = try Home()
            try home.link("l.png", to: "OUTSIDE/pictures/private.png")
            try home.link("p", to: "OUTSIDE/pictures")
            for picture in [
                "../../../pictures/private.png", home.path("home/pictures/private.png"), "../l.png",
                "../p/private.png", "x/../../../../pictures/private.png",
            ] {
                for (file, text) in [
                    ("metadata.jsonl", "{\"file_name\":\"\(picture)\",\"text\":\"a\"}\n"),
                    ("metadata.csv", "file_name,text\n\(picture),a\n"),
                    ("test.json", "[{\"image\":\"\(picture)\",\"text\":\"a\"}]"),
                ] {
                    try AtomicFolder.remove(home.own("d"))
                    try FileSystem.createFolder(home.own("d"))
                    try AtomicFile.write(text, to: home.own("d/" + file))
                    try home.notebook("dataset \"d\" | save stolen", "dataset \"d/\(file)\" | save stolen2")
                    let ended = try home.run("n run n.md --write; n check n.md; n status n.md")
                    #expect(
                        !FileSystem.exists(home.own("stolen")) && !FileSystem.exists(home.own("stolen2")),
                        "\(file) \(picture)")
                    let says = picture.hasPrefix("x/") ? "is missing" : "E061"
                    #expect(ended.told.contains(says), "\(file) \(picture): \(ended.told)")
                }
            }
            // Lists that are links themselves.
            for file in ["metadata.jsonl", "metadata.csv", "train.json", "test.json"] {
                try AtomicFolder.remove(home.own("d"))
                try home.link("d/" + file, to: "OUTSIDE/passwords.csv")
                try home.notebook("dataset \"d\" | table")
                try expectNothing(home, file)
            }
        }

        @Test("a model's folder gives nothing away that its links lead to")
        func model() throws {
            for (link, target) in [
                ("m/notes.txt", "OUTSIDE/passwords.csv"), ("m/folder", "OUTSIDE"),
                ("m/unet/notes.txt", "../../../../passwords.csv"),
                ("m/scheduler/folder", "OUTSIDE/pictures"),
            ] {
                let home = try Home()
                try ModelCopy.copy(Golden.topic("models").path("pipeline"), to: home.own("m"))
                try home.link(link, to: target)
                try home.notebook("model = load ./m", "model | save out/copy", "model.unet | save out/unet")
                try expectNothing(
                    home, "\(link) -> \(target)",
                    "n check n.md; n run n.md --write; n status n.md; n -e 'load ./m' && n plan n.md")
                #expect(!FileSystem.exists(home.own("out/copy")), "\(link) -> \(target)")
            }
            for part in [
                "unet", "vae", "text_encoder", "tokenizer", "scheduler", "unet/config.json",
                "scheduler/scheduler_config.json", "model_index.json",
                "tokenizer/vocab.json",
            ] {
                let home = try Home()
                try ModelCopy.copy(Golden.topic("models").path("pipeline"), to: home.own("m"))
                try ModelCopy.copy(Golden.topic("models").path("pipeline"), to: home.path("home/model"))
                try AtomicFolder.remove(home.own("m/" + part))
                try home.link("m/" + part, to: "OUTSIDE/model/" + part)
                try home.notebook("model = load ./m; model.parameters")
                let ended = try home.run("n run n.md")
                #expect(ended.status == 2, "\(part): \(ended.told)")
                #expect(ended.told.contains("E061"), "\(part): \(ended.told)")
            }
        }

        @Test("what an output names is put into a page from the notebook's own folder alone")
        func page() throws {
            let home = try Home()
            try home.notebook("1")
            try home.link("n.out/aaaaaaaaaaaa.csv", to: "OUTSIDE/passwords.csv")
            try home.link("n.out/0123456789ab.png", to: "OUTSIDE/pictures/private.png")
            try AtomicFile.write(
                FileSystem.readText(home.own("n.md"))
                    + """
                    <!-- noise:output \
                    -->\n\n[see](n.out/aaaaaaaaaaaa.csv)\n\n![](n.out/0123456789ab.png)\n\n<!-- \
                    /noise:output -->\n
                    """, to: home.own("n.md"))
            try expectNothing(home, "page")
            let secret = Base64.text(Array("k\n\(Home.secret)\n".utf8))
            for name in ["n.html", "n.ipynb"] {
                #expect(try !FileSystem.readText(home.own(name)).contains(secret.prefix(8)), "\(name)")
            }
        }

        @Test("a pipe in the place of any file is an error at once")
        func pipes() throws {
            for name in [
                "p.csv", "p.json", "p.png", "p.safetensors", "n.lock", ".noisebook/log", ".noisebook/digests",
                "m/unet/config.json", "m/tokenizer/vocab.json",
                "n.md",
            ] {
                let home = try Home()
                if name.hasPrefix("m/") {
                    try ModelCopy.copy(Golden.topic("models").path("pipeline"), to: home.own("m"))
                }
                try FileSystem.createFolder(FileSystem.folder(of: home.own(name)))
                try home.notebook(
                    "1", name.hasPrefix("m/") ? "load ./m" : name.hasPrefix("p.") ? "read \(name)" : "2")
                try FileSystem.removeFile(home.own(name))
                try #require(mkfifo(home.own(name), 0o600) == 0)
                // A pipe that is waited for is waited for without end: the test would hang.
                try expectNothing(home, name)
            }
        }

        @Test("what was not made by the notebook is not removed from its folder of outputs")
        func removal() throws {
            let home = try Home()
            try home.notebook("items x=1,2,3 y=1,2,4 | plot x=x y=y")
            _ = try home.run("n run n.md --write")
            let first = try FileSystem.list(home.own("n.out"))
            #expect(first.count == 1)
            for name in ["0123456789ab.png", "aaaaaaaaaaaa.csv", "notes.txt"] {
                try AtomicFile.write("mine", to: home.own("n.out/" + name))
            }
            let text = try FileSystem.readText(home.own("n.md"))
            try AtomicFile.write(text.replacing("y=1,2,4", with: "y=1,2,5"), to: home.own("n.md"))
            try #require(try home.run("n verify n.md; n accept n.md; n run n.md --write").status == 0)
            let second = try FileSystem.list(home.own("n.out"))
            #expect(
                second.count == 4
                    && Set(second).isSuperset(of: ["0123456789ab.png", "aaaaaaaaaaaa.csv", "notes.txt"])
                    && !second.contains(first[0]),
                "\(second)")
        }

        @Test("without a descriptor left nothing is taken for not there")
        func descriptors() throws {
            let home = try Home()
            try home.notebook(
                "items x=1,2,3 y=1,2,4 | plot x=x y=y",
                "model = load monsters; \"a\" | noise of=2 | denoise | decode")
            try #require(try home.run("n run n.md --write").status == 0)
            let lock = try FileSystem.readText(home.own("n.lock")),
                text = try FileSystem.readText(home.own("n.md"))
            for most in 3..<24 {
                // Whatever the number leaves undone is told; what is done is what it would be.
                let ended = try home.run("ulimit -n \(most); \(Executable.path) run n.md --write; exit $?")
                #expect([0, 2, 127].contains(ended.status), "\(most): \(ended.status) \(ended.told)")
                #expect(
                    try FileSystem.readText(home.own("n.lock")) == lock
                        && FileSystem.readText(home.own("n.md")) == text, "\(most): \(ended.told)")
                #expect(try FileSystem.list(home.own("n.out")).count == 2, "\(most): \(ended.told)")
            }
        }

        @Test(
            """
            the prompt with a notebook has the notebook's rights until :allow widens them, and without one \
            the user's
            """)
        func prompt() throws {
            let home = try Home()
            try home.notebook(
                "read \"../../passwords.csv\" | table", "items a=1 | save \"../../pictures/a.csv\"")
            let refused = try home.run("printf ':next\\n:next\\n' | n n.md")
            #expect(
                refused.told.contains("E061") && refused.told.contains("E062")
                    && refused.told.contains(":allow"), "\(refused.told)")
            try home.link("l.csv", to: "OUTSIDE/passwords.csv")
            try AtomicFile.write("read l.csv", to: home.own("s.noise"))
            let linked = try home.run("n run s.noise")
            #expect(
                linked.told.contains("a link on the way leads elsewhere")
                    && !linked.told.contains(Home.secret), "\(linked.told)")
            #expect(
                !refused.told.contains(Home.secret) && !FileSystem.exists(home.path("home/pictures/a.csv")))
            let allowed = try home.run(
                "printf ':allow ../..\\n:next\\n:next\\n:allow none\\n:allow\\n' | n n.md")
            #expect(
                allowed.told.contains(Home.secret) && allowed.told.contains("may read and write below"),
                "\(allowed.told)")
            #expect(
                allowed.told.contains("there is no folder none") && allowed.told.contains("takes a folder"))
            #expect(FileSystem.exists(home.path("home/pictures/a.csv")))
            #expect(try home.run("n -e 'read \"../../passwords.csv\" | table'").told.contains(Home.secret))
            let allowedRead = try home.run("n run n.md --allow-read ../..")
            #expect(
                !allowedRead.told.contains("E061") && allowedRead.told.contains("E062"), "\(allowedRead.told)"
            )
            let both = try home.run("n run n.md --allow-read ../.. --allow-write ../../pictures")
            #expect(both.status == 0 && both.told.contains(Home.secret), "\(both.told)")
        }

        @Test(
            """
            a home folder under version control is no project, and links out of a folder are no notebooks of \
            it
            """)
        func project() throws {
            let home = try Home()
            try FileSystem.createFolder(home.path("home/.git"))
            try AtomicFolder.remove(home.path("home/clone/.git"))
            try home.notebook("read \"../../passwords.csv\" | table")
            try expectNothing(home, "home under version control")
            try AtomicFile.write(
                "```noise\nread passwords.csv | table\n```\n", to: home.path("home/other.md"))
            try home.link("linked.md", to: "OUTSIDE/other.md")
            let ended = try home.run("n check . && n status . ")
            #expect(!ended.told.contains("linked.md"), "\(ended.told)")
            // Named by the user it is theirs, and so is what it does.
            #expect(try home.run("n run linked.md").told.contains(Home.secret))
        }
    }
}
