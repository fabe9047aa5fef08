import Files
import TestSupport
import Testing

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

extension ProcessTests {
    /// What a notebook says of itself when the program has written, checked, shown or copied it, as others
    /// see it: by its files, output and exit status.
    @Suite("The record of a notebook") struct RecordTests {
        private let folder: TemporaryFolder

        init() throws {
            folder = try TemporaryFolder()
            try FileSystem.createFolder(folder.path("w"))
        }

        private func path(_ name: String) -> String { folder.path("w/" + name) }
        private func write(_ name: String, _ text: String) throws {
            try AtomicFile.write(text, to: path(name))
        }
        private func read(_ name: String) throws -> String { try FileSystem.readText(path(name)) }

        /// A shell's line in the folder, `n` for the program.
        private func run(_ line: String) throws -> ChildProcess.Ended {
            try ChildProcess(
                "/bin/sh", ["-c", "cd \(folder.path)/w && n() { \(Executable.path) \"$@\"; }; \(line)"],
                output: folder.path("told")
            ).wait()
        }

        private func expect(
            _ line: String, _ status: Int32, _ words: String...,
            sourceLocation: SourceLocation = #_sourceLocation
        ) throws {
            let ended = try run(line)
            #expect(ended.status == status, "\(line): \(ended.told)", sourceLocation: sourceLocation)
            for word in words {
                #expect(
                    ended.told.contains(word), "\(line): `\(word)` in: \(ended.told)",
                    sourceLocation: sourceLocation)
            }
        }

        private func objects(_ line: String, status: Int32) throws -> [JSON] {
            let ended = try run(line)
            #expect(ended.status == status, "\(line): \(ended.told)")
            return try ended.told.split(separator: "\n").map { try JSON.parse(String($0), place: line) }
        }

        // MARK: Params

        @Test("a copy with other values says them, is fresh and verifies") func copy() throws {
            try write(
                "p.md",
                """
                # T\n\n```noise a\nparam k = 5 in 1..9 # how many\nparam ks = 1, 2\nk\n```\n\n```noise \
                b\nparam t = "x"\nks; t\n```\n\n```noise c raises\nparam u = 1\nnope\n```\n
                """
            )
            try expect("n run p.md k=3 ks=4,5 't=a \"b\", c' u=2 --write -o q.md", 64, "--write takes one")
            try expect("n run p.md k=3 ks=4,5 't=\"a \\\"b\\\", c\"' u=2 --write -o q.md", 0)
            let text = try read("q.md")
            for line in [
                "param k = 3 in 1..9 # how many\nparam ks = 4, 5\nk\n",
                "param t = \"a \\\"b\\\", c\"\nks; t\n", "```text\n[4, 5]\n```", "--> q.md: cell c",
            ] {
                #expect(text.contains(line), "\(line) in \(text)")
            }
            try expect("n status q.md", 0, "q.md: 3 fresh")
            try expect("n verify q.md", 0, "3 of 3 cells verified, 0 differ")
            #expect(try read("p.md").contains("param k = 5 in 1..9"))
            // Again and with other values: it is the program's own. Edited, it is not.
            try expect("n run p.md k=4 --write -o q.md && n verify q.md", 0, "0 differ")
            try write("q.md", try read("q.md") + "mine\n")
            try expect("n run p.md k=3 --write -o q.md", 2, "q.md: is there already", "--force")
            #expect(try read("q.md").hasSuffix("mine\n"))
            try expect("n run p.md k=3 --write -o q.md --force && n status q.md", 0, "3 fresh")
            #expect(try !read("q.md").contains("mine"))
        }

        @Test("a param's own default is no other value: outputs stay fresh, and are written without a copy")
        func standard() throws {
            try write("p.md", "```noise a\nparam k = 5\nparam t = \"d.csv\"\nk; read (t)\n```\n")
            try write("d.csv", "x\n1\n")
            try expect("n run p.md --write", 0)
            let before = try read("p.lock")
            try expect("n status p.md k=5.0 t=d.csv", 0, "1 fresh")
            try expect("n status p.md k=6", 0, "1 stale")
            try expect(
                "n run p.md k=5 't=\"d.csv\"' --write && n verify p.md k=5", 0, "1 of 1 cells verified")
            #expect(try read("p.lock") == before)
            try expect("n run p.md k=6 --write", 64, "with a changed param", "-o OTHER.md")
            // Outputs of other values are not to be accepted below this text.
            try expect("n verify p.md k=6; n accept p.md", 2, "no correction is written", "nothing to accept")
        }

        @Test("a copy that was stopped or made in part shows no outputs of other values") func partial()
            throws
        {
            try write("p.md", "```noise a\nparam k = 5\nk\n```\n\n```noise b\nk + 1\n```\n")
            try expect("n run p.md --write && n run p.md k=7 --only a --write -o q.md", 0)
            let text = try read("q.md")
            #expect(text.contains("```text\n7\n```") && !text.contains("```text\n6\n```"), "\(text)")
        }

        @Test("paths given to params are found from the working folder, with commas, in quotes or not")
        func paths() throws {
            try FileSystem.createFolder(path("sub"))
            try FileSystem.createFolder(path("a b"))
            try write("a b/o,c.csv", "x\n9\n")
            try write("sub/d.csv", "x\n1\n")
            try write("sub/e.csv", "x\n2\n")
            try write("sub/p.md", "```noise a\nparam f = \"d.csv\"\nread (f)\n```\n")
            for words in ["'f=\"a b/o,c.csv\"'", "'f=a b/o,c.csv'"] {
                try expect("n run sub/p.md \(words)", 0, "9")
            }
            try expect("n run sub/p.md f=sub/e.csv", 0, "2")
            try expect(
                "n run sub/p.md f=sub/e.csv --write -o sub/q.md && n status sub/q.md && n verify sub/q.md", 0,
                "1 fresh", "0 differ")
            #expect(try read("sub/q.md").contains("param f = \"e.csv\""))
            try expect("n run sub/p.md 'f=\"a b/o,c.csv\",sub/e.csv'", 0, "9", "2")
        }

        @Test("values that do not read are told what to write, and one name stands once") func refused()
            throws
        {
            try write("p.md", "```noise a\nparam ks = 1, 2\nparam k = 1\nks; k\n```\n")
            for command in ["run", "status", "plan", "verify"] {
                try expect("n \(command) p.md 'ks=[3,4]'", 2, "write ks=3,4")
                try expect("n \(command) p.md k=3 k=4", 64, "`k` is given twice", "k=3,4")
            }
            try expect("n run p.md ks=3,4", 0, "[3, 4]")
        }

        @Test("outputs of another --seed are verified with it") func seed() throws {
            try write("p.md", "```noise a\nitems n=1..100 | sample 3 | table\n```\n")
            try expect("n run p.md --write --seed 5", 64, "with another seed")
            try expect(
                "n run p.md --write --seed 5 -o q.md && n status q.md && n verify q.md", 0, "1 fresh",
                "0 differ")
            #expect(try read("q.lock").contains("\"seed\":5"))
        }

        // MARK: Outputs

        @Test("an output without its cell is named by check, status and verify, and removed by a run")
        func orphan() throws {
            try write("n.md", "```noise a\nx = 3\nx\n```\n")
            try expect("n run n.md --write", 0)
            try write(
                "n.md", try read("n.md").replacing("```\n<!-- out", with: "```\n\nA sentence:\n\n<!-- out"))
            try expect("n check n.md", 0, "W011", "lines 8 to 14", "1 cell, no errors, 1 warning")
            try expect("n status n.md", 0, "line 8", "1 output without a cell")
            try expect("n verify n.md", 1, "line 8", "1 output without a cell")
            #expect(
                try objects("n status n.md --json", status: 0).contains {
                    $0["state"]?.string == "orphan" && $0["line"]?.int == 8
                })
            try expect("n run n.md --write", 0, "n.md: line 8: an output without a cell removed")
            #expect(
                try read("n.md")
                    == "```noise a\nx = 3\nx\n```\n<!-- out -->\n\n```text\n3\n```\n\n<!-- /out -->\n\nA sentence:\n\n"
            )
            try expect(
                "n check n.md; n status n.md; n verify n.md", 0, "1 cell, no errors\n", "1 fresh\n",
                "1 of 1 cells verified, 0 differ\n")
            // By way of a correction too.
            try write("n.md", try read("n.md") + "<!-- out -->\n\nold\n\n<!-- /out -->\n")
            try expect("n verify n.md; n accept n.md; n verify n.md", 0)
            #expect(try read("n.md").hasSuffix("A sentence:\n\n"))
        }

        @Test("a page of outputs that are not of their cells says so, and the command too") func stale()
            throws
        {
            try write("s.md", "```noise a\nx = 3\nx\n```\n")
            try expect("n run s.md --write && n render s.md --to html 2> told; cat told", 0)
            #expect(try read("told").isEmpty)
            try write("s.md", try read("s.md").replacing("x = 3", with: "x = 4"))
            try expect("n render s.md --to html > /dev/null", 0, "warning: s.md: cell a, line 1: stale")
            #expect(try read("s.html").contains("<p class=\"doubt\""))
            try expect("n render s.md --to ipynb", 0, "s.ipynb written", "stale")
            #expect(try read("s.ipynb").contains("\"stderr\""))
            let objects = try objects("n render s.md --to html --json", status: 0)
            #expect(objects.compactMap { $0["kind"]?.string } == ["warning", "render"])
        }

        @Test("folders that are allowed are read by every command, and accept notes what a run would")
        func allowRead() throws {
            try FileSystem.createFolder(folder.path("else where"))
            try AtomicFile.write("x\n1\n", to: folder.path("else where/d.csv"))
            try write(
                "a.md", "```noise a\nread \"../else where/d.csv\" | table\n```\n\n```noise b\n1/7\n```\n")
            let allow = "--allow-read '../else where'"
            try expect("n check a.md", 2, "E061", "--allow-read '\(folder.path)/else where'")
            try expect(
                """
                n run a.md --write \(allow) && n check a.md \(allow) && n status a.md \(allow) && n plan \
                a.md \(allow)
                """, 0, "2 fresh")
            try expect("n render a.md --to html \(allow) && n verify a.md \(allow)", 0, "0 differ")
            #expect(try !read("a.html").contains("class=\"doubt\""))
            let before = try read("a.lock")
            try write("a.md", try read("a.md").replacing("0.142857", with: "0.152857"))
            try expect(
                "n verify a.md \(allow); n accept a.md \(allow); n status a.md \(allow)", 0, "accepted",
                "2 fresh")
            #expect(try read("a.lock") == before)
            try expect("n run a.md --write \(allow)", 0)
            #expect(try read("a.lock") == before)
        }

        @Test("what accept notes is what was verified, whatever the files say by then") func accepted() throws
        {
            try write("d.csv", "x\n1\n")
            try write("a.md", "```noise a\nread d.csv | table\n```\n")
            try expect("n verify a.md", 1, "a.md.corrected written")
            try write("d.csv", "x\n2\n")
            try expect("n accept a.md && n status a.md", 0, "1 stale", "opens other content")
        }

        @Test("a notebook reached by a link keeps all beside the file itself") func link() throws {
            try FileSystem.createFolder(path("real"))
            try write("real/d.csv", "x\n1\n")
            try write(
                "real/n.md",
                "```noise a\nread d.csv\nitems a=1..200 | table\n```\n\n```noise b raises\nnope\n```\n")
            try expect(
                "ln -s real/n.md link.md; n run link.md --write", 0,
                "real/n.md: outputs of 2 of 2 cells written")
            #expect(try FileSystem.list(path("")).filter { $0.hasPrefix("link") } == ["link.md"])
            #expect(
                try FileSystem.list(path("real")).filter { !$0.hasPrefix(".") } == [
                    "d.csv", "n.lock", "n.md", "n.out",
                ])
            #expect(
                try read("real/n.md").contains("(n.out/") && read("real/n.md").contains("--> n.md: cell b"))
            try expect(
                "n status link.md && n status real/n.md && n verify link.md && n verify real/n.md", 0,
                "link.md: 2 fresh", "real/n.md: 2 fresh")
            try write("real/n.md", try read("real/n.md").replacing("| 3 |", with: "| 4 |"))
            try expect("n verify link.md", 1, "real/n.md.corrected written")
            try expect("n accept link.md && n status real/n.md", 0, "2 fresh")
            #expect(try FileSystem.list(path("")).filter { $0.hasPrefix("link") } == ["link.md"])
        }

        @Test("nothing is written over that the program did not make") func overwriting() throws {
            let mine = "something of mine\n"
            try write("p.md", "```noise a\n1\n```\n")
            for name in ["own.md", "p.noise", "p.html", "own.ipynb"] { try write(name, mine) }
            try expect("n run p.md --write -o own.md", 2, "own.md: is there already", "--force")
            try expect("n render p.md --to noise", 2, "p.noise: is there already", "--force")
            try expect("n render p.md --to html", 2, "--force")
            try expect("n render p.md --to ipynb -o own.ipynb", 2, "--force")
            for name in ["own.md", "p.noise", "p.html", "own.ipynb"] { #expect(try read(name) == mine) }
            // Another's notebook with outputs of its own is somebody's too.
            try write("other.md", "```noise b\n2\n```\n")
            try expect(
                "n run other.md --write && n run p.md --write -o other.md", 2, "other.md: is there already")
            for form in ["noise", "html", "ipynb"] {
                try expect(
                    "n render p.md --to \(form) --force && n render p.md --to \(form)", 0, "p.\(form) written"
                )
                try write("p.\(form)", try read("p.\(form)") + " ")
                try expect("n render p.md --to \(form)", 2, "or it was changed since")
            }
            try expect("n run p.md --force", 64, "--force goes with -o")
            try expect(
                """
                : > empty.md; n run p.md --write -o empty.md && n run p.md --write -o new.md && n run p.md \
                --write -o new.md
                """, 0)
        }

        // MARK: Variants

        @Test("variants as JSON are values, and the param's column has a name of its own") func variants()
            throws
        {
            try write(
                "v.md",
                "```noise a\nparam k = 2\nitems a=[1/3, 1000000] z=[none, yes] | with b=(a*k) | table\n```\n")
            let result = try #require(try objects("n run v.md k=2,3 --json", status: 0).first)
            #expect(result["kind"]?.string == "result")
            let value = try #require(result["value"])
            #expect(value["columns"]?.array?.compactMap { $0["name"]?.string } == ["k", "a", "z", "b"])
            #expect(
                value["columns"]?.array?.compactMap { $0["kind"]?.string } == [
                    "number", "number", "boolean", "number",
                ])
            #expect(value["rows"]?[0] == .array([.number(2), .number(1.0 / 3), .null, .number(2.0 / 3)]))
            #expect(value["rows"]?[3] == .array([.number(3), .number(1e6), .bool(true), .number(3e6)]))
            try write("k.md", "```noise a\nparam k = 2\nitems k=[7, 8] | with s=(k*2) | table\n```\n")
            let clash = try #require(try objects("n run k.md k=2,3 --json", status: 0).first?["value"])
            #expect(clash["columns"]?.array?.compactMap { $0["name"]?.string } == ["param.k", "k", "s"])
            #expect(clash["rows"]?[2] == .array([.number(3), .number(7), .number(14)]))
            #expect(clash["notes"]?.strings?.first?.contains("`param.k` is the param") == true)
            // What describes values is no less a table of values.
            try write("d.md", "```noise a\nparam k = 2\nitems a=[1/3, k] | describe\n```\n")
            let described = try #require(try objects("n run d.md k=2,3 --json", status: 0).first?["value"])
            #expect(
                described["columns"]?.array?.compactMap { $0["name"]?.string } == [
                    "k", "column", "type", "shape", "missing", "mean", "std", "min", "max",
                ])
            #expect(
                described["rows"]?.array?.map { $0[7] } == [.number(1.0 / 3), .number(1.0 / 3)]
                    && described["rows"]?[1]?[8] == .number(3))
            try write(
                "b.md", "```noise a\nparam t = \"x\"\nparam f = no\nitems n=(length(t)) f2=(f) | table\n```\n"
            )
            let others = try #require(
                try objects("n run b.md 't=\"a, b\",c' f=yes,no --json", status: 0).first?["value"])
            #expect(
                others["rows"]?.array?.map { $0[0] } == ["a, b", "a, b", "c", "c"]
                    && others["rows"]?.array?.map { $0[1]?.bool } == [true, false, true, false])
        }

        @Test("a variant that fails is named, and the others run and are shown") func failing() throws {
            try write(
                "e.md",
                """
                ```noise a\nparam k = 2 in 0..9\nexpect (k != 3)\nx = [1, 2, 3, 4, 5][k]\nitems a=1..2 | \
                with b=(a*k*100) | table\n```\n
                """)
            try expect("n run e.md k=1,2,3,4", 1, "k=3:", "E070", "100", "800")
            try expect("n run e.md k=1,7,3,4", 2, "k=3:", "k=7:", "800")
            try expect("n run e.md k=1,x", 2, "k=x:", "100", "write a number: k=2")
            try expect("n run e.md k=1,12", 2, "k=12:", "100")
            try expect("n run e.md 'k=1, 2'", 0, "100", "400")
            let objects = try objects("n run e.md k=1,2,3,4 --json", status: 1)
            #expect(
                objects.map { $0["kind"]?.string } == ["error", "result"]
                    && objects[0]["variant"]?.string == "k=3")
            #expect(objects[1]["value"]?["rows"]?.array?.count == 6)
            // An error of all of them is told once.
            try write("w.md", "```noise a\nparam k = 2\nnope\nitems a=k | table\n```\n")
            #expect(try self.objects("n run w.md k=1,2,3 --json", status: 2).count == 1)
        }

        @Test("Ctrl-C in a variant shows those that are finished") func interrupted() throws {
            try write(
                "i.md",
                """
                ```noise a\nparam k = 1\nsave (items k=(k)) "seen-\\(k).csv"\nif(k > 2, length((sweep \
                z=1..300 y=1..300 { items a=1 })), 0)\nitems b=(k*1000) | table\n```\n
                """
            )
            let process = try ChildProcess(
                Executable.path, ["run", path("i.md"), "k=1,2,3,4"], output: folder.path("told"))
            let isStopped = try process.stop { FileSystem.exists(path("seen-3.csv")) }
            try #require(isStopped)
            process.signal(SIGINT)
            let ended = try process.wait()
            #expect(ended.status == 3, "\(ended.told)")
            for word in ["1000", "2000", "k=3: ", "2 of 4 variants ended before"] {
                #expect(ended.told.contains(word), "\(ended.told)")
            }
            #expect(!FileSystem.exists(path("seen-4.csv")))
        }

        @Test("errors have one shape as JSON, whatever they are of") func errors() throws {
            try write("bad.md", "# T\n\n```noise a\nnope\n```\n")
            try write("bad.lock", "{\n")
            try write("good.md", "```noise a\n1\n```\n")
            for (line, status) in [
                ("check bad.md", 2), ("run bad.md", 2), ("plan bad.md", 2), ("status bad.md", 2),
                ("verify bad.md", 2), ("render bad.md --to html", 0),
                ("accept bad.md", 2),
                ("check gone.md", 2), ("run gone.md", 2), ("plan gone.md", 2), ("status gone.md", 2),
                ("verify gone.md", 2), ("render gone.md --to html", 2),
                ("run good.md zoo=1", 64), ("run", 64), ("run good.md --nonsense", 64), ("nosuch", 64),
                ("verify good.md --sample 2", 2), ("-e nope", 2),
            ] as [(String, Int32)] {
                let found = try objects("n \(line) --json", status: status).filter {
                    $0["severity"] != nil || ["error", "warning"].contains($0["kind"]?.string)
                }
                #expect(!found.isEmpty, "\(line)")
                for object in found {
                    #expect(
                        object["kind"] == object["severity"]
                            && ["error", "warning"].contains(object["kind"]?.string),
                        "\(line): \(object.text)")
                    #expect(
                        object["code"]?.string?.isEmpty == false
                            && object["message"]?.string?.isEmpty == false, "\(line): \(object.text)")
                    #expect(
                        object["help"]?.strings != nil && object["notes"]?.strings != nil,
                        "\(line): \(object.text)")
                    if status == 2, line != "-e nope" {
                        #expect(object["file"]?.string != nil, "\(line): \(object.text)")
                    }
                }
            }
            let damaged = try #require(try objects("n status bad.md --json", status: 2).first)
            #expect(damaged["file"]?.string == "bad.lock" && damaged["line"]?.int == 1)
        }

        // MARK: What is read

        @Test("cells are counted, what is almost one is warned of, and other endings are told") func counted()
            throws
        {
            try write("m.md", "```noise a\n1\n```\n\n```{noise}\n2\n```\n\n\t```noise\n\t3\n\t```\n")
            try expect("n check m.md", 0, "m.md: 1 cell, no errors, 2 warnings", "W010", "line 5", "line 9")
            try expect("n check m.md --json | tail -1", 0, "\"cells\":1", "\"warnings\":2")
            try write("none.md", "# Prose\n")
            try expect("n check none.md", 0, "none.md: no cells, no errors\n")
            for name in ["m.markdown", "M.MD"] {
                try write(name, "```noise a\n41 + 1\n```\n")
                try expect(
                    "n check \(name) && n run \(name) --write && n status \(name) && n verify \(name)", 0,
                    "\(name): 1 cell", "\(name): 1 fresh", "0 differ")
                #expect(FileSystem.exists(path(name + ".lock")) && !FileSystem.exists(path("m.lock")))
            }
            for name in ["m.qmd", "m.Rmd", "m.txt", "m"] {
                try write(name, "# T\n\n```noise a\n1\n```\n")
                for command in ["check", "run", "plan"] {
                    try expect("n \(command) \(name)", 2, name, "notebooks end in .md or .markdown")
                }
            }
            try expect("n run - < /dev/null", 0)
        }

        @Test("a cell that is no UTF-8 is refused with its place by every command, as a script is")
        func otherBytes() throws {
            try AtomicFile.write(
                Array("# ok\n\n```noise a\n\"caf".utf8) + [0xE9] + Array("\"\n```\n".utf8), to: path("w.md"))
            for command in ["check", "run", "status", "verify", "plan", "render --to html"] {
                try expect("n \(command) w.md", 2, "w.md, line 4, byte 5", "0xE9", "UTF-8")
            }
            try AtomicFile.write(Array("1\n\"caf".utf8) + [0xE9] + Array("\"\n".utf8), to: path("w.noise"))
            try expect("n check w.noise", 2, "w.noise, line 2, byte 5", "0xE9")
        }

        @Test("an output that shows conflict markers does not keep the notebook from being read")
        func markers() throws {
            try write("m.md", "```noise a\n\"<<<<<<< HEAD\\n=======\\n>>>>>>> x\"\n```\n")
            try expect(
                "n run m.md --write && n run m.md --write && n check m.md && n status m.md && n verify m.md",
                0, "1 fresh", "0 differ")
        }

        @Test("a lock that git could not merge is made anew by a run") func lockConflict() throws {
            try write("n.md", "```noise a\n1\n```\n")
            try expect("n run n.md --write", 0)
            let plain = try read("n.lock")
            try write(
                "n.lock",
                """
                <<<<<<< \
                HEAD\n\(plain)=======\n\(plain.replacing("\"key\"", with: "\"engine\":3,\"key\""))>>>>>>> b\n
                """)
            try expect(
                "n status n.md", 2, "n.lock: has an unresolved merge conflict", "noisebook run n.md --write")
            try expect("n run n.md --write && n status n.md", 0, "1 fresh")
            #expect(try read("n.lock") == plain)
        }

        @Test("a cell with a label goes by its number too") func numbered() throws {
            try write("n.md", "```noise a\n1\n```\n\n```noise b\n22\n```\n")
            try expect("n run n.md --only 2", 0, "[b]\n22\n")
            try expect("n run n.md --only b", 0, "[b]\n22\n")
            try expect("n run n.md --from 1", 0, "[a]", "[b]")
            try expect("n run n.md --only 3", 64, "has no cell `3`")
        }
    }
}
