import Files
import Prompt
import SourceText
import TestSupport
import Testing

/// Names and texts of strangers on their way to a terminal: nothing in them may steer it.
extension ProcessTests {
    @Suite("What steers a terminal") struct SteeringTests {
        private let folder: TemporaryFolder
        /// Sets the window's title, colours by the second set of controls, turns text round, and begins a
        /// line of its own.
        private static let hostile = "n\u{1B}]0;owned\u{7}\u{9B}31m\u{202E}\u{2066}\u{200F}x"
        private static let shown = "n␛]0;owned␇\u{FFFD}31m\u{FFFD}\u{FFFD}\u{FFFD}x"
        private static let name = hostile + "\nn.md: all is well"

        init() throws {
            folder = try TemporaryFolder()
            try AtomicFile.write("text,\u{1B}]0;c\u{7}\n\"a\(Self.hostile)\",1\n", to: folder.path("h.csv"))
            let cells = """
                # \(Self.hostile)

                ```noise one
                read h.csv | table
                ```

                ```noise two
                (read h.csv)[0].text
                ```

                """
            try AtomicFile.write(cells, to: folder.path(Self.name + ".md"))
            try AtomicFile.write(
                cells + "\n<!-- out -->\n\n<!-- /out -->\n", to: folder.path(Self.name + "2.md"))
            try AtomicFile.write(
                "```noise\nnope \"\(Self.hostile)\"\n```\n", to: folder.path(Self.name + "3.md"))
        }

        private func run(_ arguments: [String]) throws -> String {
            let quoted = arguments.map { ShellWord.quoted($0) }.joined(separator: " ")
            return try ChildProcess(
                "/bin/sh", ["-c", "cd \(folder.path) && \(Executable.path) \(quoted)"],
                output: folder.path("told")
            ).wait().told
        }

        private static let commands: [[String]] = [
            ["check", "NAME.md"], ["check", "NAME2.md"], ["check", "NAME3.md"], ["check", "."],
            ["plan", "NAME.md"], ["plan", "NAME.md", "zoo=\u{1B}"],
            ["status", "NAME.md"], ["status", "NAME2.md"], ["status", "."], ["verify", "NAME.md"],
            ["verify", "NAME2.md"], ["verify", "NAME3.md"],
            ["render", "NAME.md", "--to", "html"], ["render", "NAME2.md", "--to", "ipynb"],
            ["render", "NAME.md", "--to", "no\u{1B}]0;\u{7}"],
            ["run", "NAME.md"], ["run", "NAME3.md"], ["run", "NAME.md", "--write"],
            ["run", "NAME.md", "--only", "no\u{1B}]0;\u{7}"], ["accept", "NAME.md"],
            ["NAME"], ["NAME.md", "NAME.md"], ["-e", "read \"NAME\""], ["-e", "(read h.csv)[0].text"],
            ["-e", "items a=\u{9B}1"], ["--\u{1B}]0;\u{7}"],
            ["--threads", "\u{9B}31m\n\u{202E}"], ["run", "NAME.md", "--sead=\u{1B}\n1"], ["help", "NAME"],
            ["check", "missing\u{202E}\n.md"],
        ]

        @Test(
            """
            names of files, captions, names of columns, messages and words of the command line are shown \
            with signs
            """, arguments: commands)
        func plain(_ command: [String]) throws {
            let told = try run(command.map { $0.replacing("NAME", with: Self.name) })
            let steering = told.unicodeScalars.filter { $0.isSteering && $0 != "\n" }
            #expect(steering.isEmpty, "\(told.debugDescription)")
            // The name begins no line of its own either.
            #expect(!told.split(separator: "\n").contains { $0.hasPrefix("n.md: all is well") }, "\(told)")
            if command.first == "status" || command.first == "check", command.contains("NAME.md") {
                #expect(told.contains(Self.shown), "\(told)")
            }
        }

        @Test("JSON has the same values, escaped", arguments: commands)
        func json(_ command: [String]) throws {
            let told = try run(command.map { $0.replacing("NAME", with: Self.name) } + ["--json"])
            #expect(!told.unicodeScalars.contains { $0.isSteering && $0 != "\n" }, "\(told.debugDescription)")
            let objects = try told.split(separator: "\n").map { try JSON.parse(String($0), place: "told") }
            if command == ["status", "NAME.md"] {
                #expect(objects.first?["file"]?.string == Self.name + ".md")
            }
            if command == ["-e", "(read h.csv)[0].text"] {
                #expect(objects.first?["value"]?.string == "a" + Self.hostile)
            }
        }

        @Test("a name that would steer is no completion") func completions() {
            #expect(Completions(["a\u{1B}b", "c", "d\u{202E}", "e\u{9B}m"]).words == ["c"])
        }

        @Test("at a terminal: the prompt with such a notebook, its cells, completion and errors, in colour")
        func terminal() throws {
            let terminal = try PseudoTerminal(
                Executable.path, [folder.path(Self.name + ".md")],
                environment: [
                    "TERM": "xterm-256color", "HOME": folder.path, "XDG_STATE_HOME": folder.path("state"),
                    "INPUTRC": "/dev/null", "PATH": "/usr/bin:/bin",
                ])
            var seen = try terminal.expect("noise> ")
            for line in [
                ":next 2", ":show one", ":status", ":plan", "read \"h.csv\" | describe", "nope", ":keep",
                ":zoo",
            ] {
                terminal.type(line + "\r")
                seen += try terminal.expect("noise> ")
                // The first is the echo of a cell's code.
                if line == ":next 2" { for _ in 0..<2 { seen += try terminal.expect("noise> ") } }
            }
            // Of the files that Tab lists the one with such a name is none.
            for file in ["i.csv", Self.hostile + ".csv"] {
                try AtomicFile.write("a\n1\n", to: folder.path(file))
            }
            terminal.type("read \(folder.path)/\t\t")
            let listed = try terminal.expect("usage: read")
            #expect(
                listed.contains("h.csv") && listed.contains("i.csv") && !listed.contains("owned"),
                "\(listed.debugDescription)")
            seen += listed
            #expect(seen.contains(Self.shown) && seen.contains("n␛]0;owned␇"))
            for sequence in ["\u{1B}]", "\u{7}n", "owned\u{7}", "\u{9B}", "\u{202E}", "\u{2066}", "\u{200F}"]
            {
                #expect(!seen.contains(sequence), "\(sequence.debugDescription) in \(seen.debugDescription)")
            }
        }
    }
}
