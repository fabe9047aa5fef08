import Files
import TestSupport
import Testing

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// The program itself at a pseudo-terminal. One at a time: each waits for output, and a loaded machine should
/// not make them late.
@Suite("The prompt at a terminal", .serialized)
struct TerminalTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func start(_ arguments: [String] = [], term: String = "xterm-256color", state: String = "state")
        throws -> PseudoTerminal
    {
        try PseudoTerminal(
            Executable.path, arguments,
            environment: [
                "TERM": term, "HOME": folder.path, "XDG_STATE_HOME": folder.path(state),
                "INPUTRC": "/dev/null", "PATH": "/usr/bin:/bin",
            ])
    }

    @Test("the prompt appears, computes, and Ctrl-D leaves with status 0")
    func prompt() throws {
        let terminal = try start()
        try terminal.expect("noise> ")
        terminal.type("6 * 7\r")
        try terminal.expect("42\r\n")
        try terminal.expect("noise> ")
        terminal.type("\u{4}")
        #expect(try terminal.end() == 0)
    }

    @Test("Tab completes a verb and a variable, and lists options with the verb's usage")
    func completion() throws {
        let terminal = try start()
        try terminal.expect("noise> ")
        terminal.type("monsters = items n=1..3\r")
        try terminal.expect("noise> ")
        terminal.type("mon\t| descr\t\r")
        try terminal.expect("monsters | describe ")
        try terminal.expect("noise> ")
        terminal.type("monsters | join \t\t")
        try terminal.expect("usage: join")
    }

    @Test("the arrow key brings the last line back, also in the next session")
    func history() throws {
        let first = try start()
        try first.expect("noise> ")
        first.type("12 * 12\r")
        try first.expect("144")
        try first.expect("noise> ")
        // The history is written line by line: a kill does not lose it.
        first.signal(SIGKILL)
        #expect(try first.end() == -SIGKILL)
        let second = try start()
        try second.expect("noise> ")
        second.type("\u{1B}[A")
        try second.expect("12 * 12")
        second.type("\r")
        try second.expect("144")
    }

    @Test("Ctrl-C while typing drops the line and never exits")
    func interruptAtRest() throws {
        let terminal = try start()
        try terminal.expect("noise> ")
        for _ in 0..<4 {
            terminal.type("nonsense")
            try terminal.expect("nonsense")
            terminal.type("\u{3}")
            try terminal.expect("^C")
            try terminal.expect("noise> ")
        }
        terminal.type("1 + 1\r")
        try terminal.expect("2\r\n")
    }

    @Test("Ctrl-C drops a statement of several lines")
    func interruptInEntry() throws {
        let terminal = try start()
        try terminal.expect("noise> ")
        terminal.type("items n=1..3 |\r")
        try terminal.expect("   ... ")
        terminal.type("\u{3}")
        try terminal.expect("noise> ")
        terminal.type("3 + 4\r")
        try terminal.expect("7\r\n")
    }

    @Test("an open bracket asks for more lines")
    func severalLines() throws {
        let terminal = try start()
        try terminal.expect("noise> ")
        terminal.type("x = (1 +\r")
        try terminal.expect("   ... ")
        terminal.type("2)\r")
        try terminal.expect("noise> ")
        terminal.type("x * 10\r")
        try terminal.expect("30\r\n")
    }

    @Test("an error leaves the session alive")
    func error() throws {
        let terminal = try start()
        try terminal.expect("noise> ")
        terminal.type("x = items n=1..3 | frist\r")
        try terminal.expect("did you mean `first`?")
        try terminal.expect("noise> ")
        terminal.type("2 ^ 10\r")
        try terminal.expect("1024\r\n")
    }

    /// A shell with job control, which alone can stop and resume a program.
    private func shell() throws -> PseudoTerminal {
        let terminal = try PseudoTerminal(
            "/bin/bash", ["--norc", "--noprofile", "--noediting", "-i"],
            environment: [
                "TERM": "xterm-256color", "HOME": folder.path, "XDG_STATE_HOME": folder.path("state"),
                "INPUTRC": "/dev/null", "PATH": "/usr/bin:/bin",
                "PS1": "shell> ", "NB": Executable.path, "M": Executable.model,
            ])
        try terminal.expect("shell> ")
        terminal.type("cd \(folder.path)\r")
        try terminal.expect("shell> ")
        return terminal
    }

    @Test("Ctrl-Z stops the prompt and `fg` resumes it, with the line that was being typed")
    func suspend() throws {
        let terminal = try shell()
        terminal.type("$NB\r")
        try terminal.expect("noise> ")
        terminal.type("5 *")
        try terminal.expect("5 *")
        terminal.type("\u{1A}")
        try terminal.expect("Stopped")
        try terminal.expect("shell> ")
        terminal.type("fg\r")
        try terminal.expect("noise> 5 *")
        terminal.type(" 5\r")
        try terminal.expect("25\r\n")
    }

    @Test("Ctrl-Z stops work and `fg` lets it go on to the same result")
    func suspendRunning() throws {
        let terminal = try shell()
        terminal.type("$NB --batch 1\r")
        try terminal.expect("noise> ")
        terminal.type("model = load \(Executable.model)\r")
        try terminal.expect("noise> ")
        terminal.type("x = \(Self.longWork)\r")
        try terminal.expect("] denoise")
        terminal.type("\u{1A}")
        try terminal.expect("Stopped")
        try terminal.expect("shell> ")
        terminal.type("fg\r")
        try terminal.expect("] denoise")
        terminal.type("\u{3}")
        try terminal.expect("^C")
        terminal.type("\u{3}")
        try terminal.expect(" of 400 steps (kept); run the same line to continue")
        try terminal.expect("noise> ")
    }

    @Test("input from a pipe is a program: no prompt, results on standard output")
    func piped() throws {
        let terminal = try shell()
        terminal.type("printf '6 * 7\\n' | $NB; echo status $?\r")
        let told = try terminal.expect("status 0")
        #expect(told.contains("42") && !told.contains("noise>"))
    }

    @Test("Ctrl-\\ while typing does nothing; while something runs it ends the program without a back trace")
    func quitKey() throws {
        let terminal = try start()
        try terminal.expect("noise> ")
        terminal.type("20 +")
        try terminal.expect("20 +")
        terminal.type("\u{1C}")
        terminal.type(" 2\r")
        try terminal.expect("22\r\n")
        let other = try working()
        other.type("\u{1C}")
        #expect(try other.end() == -SIGQUIT)
        #expect(!other.seen.contains("crash") && !other.seen.contains("Thread"), "\(other.seen)")
    }

    // MARK: What a terminal can show

    @Test("help that is longer than the terminal is shown page by page, and the prompt has its keys back")
    func pages() throws {
        let terminal = try start()
        try terminal.expect("noise> ")
        terminal.type("help\r")
        try terminal.expect("Where items come from")
        try terminal.expect("lines more: space goes on, q leaves --")
        terminal.type("x")
        terminal.type("\r")
        try terminal.expect("lines more")
        terminal.type(" ")
        try terminal.expect("lines more")
        terminal.type("q")
        try terminal.expect("noise> ")
        terminal.type("help\r")
        try terminal.expect("lines more")
        terminal.type("\u{3}")
        try terminal.expect("noise> ")
        terminal.type("1 + 1\r")
        try terminal.expect("2\r\n")
        // A short page needs no keys.
        terminal.type("help first\r")
        try terminal.expect("examples:")
        try terminal.expect("noise> ")
    }

    @Test("help outside of the prompt is paged too, and leaves the terminal as it was")
    func pagedCommand() throws {
        let terminal = try start(["help"])
        try terminal.expect("lines more")
        terminal.type("q")
        #expect(try terminal.end() == 0)
        #expect(terminal.echoes)
    }

    @Test(
        "a signal that ends the program between two pages finds the terminal as it was",
        arguments: [[], ["help"]])
    func pagesEnded(_ arguments: [String]) throws {
        let terminal = try start(arguments)
        if arguments.isEmpty {
            try terminal.expect("noise> ")
            terminal.type("help\r")
        }
        try terminal.expect("lines more")
        terminal.signal(SIGTERM)
        #expect(try terminal.end() == -SIGTERM)
        #expect(terminal.echoes)
    }

    @Test("lines that were pasted behind `help` are no keys of its pages")
    func pastedHelp() throws {
        let terminal = try start()
        try terminal.expect("noise> ")
        terminal.type("help\r40 + 2\r")
        try terminal.expect("expressions are min max")
        try terminal.expect("42\r\n")
    }

    @Test(
        "a picture has the colours that the terminal has",
        arguments: [
            ("linux", nil, 16), ("xterm", nil, 256), ("screen", nil, 256), ("xterm", "truecolor", 24),
        ])
    func colours(_ sample: (term: String, colorterm: String?, colours: Int)) throws {
        try PNG.write(Bitmap(width: 8, height: 8, red: 201, green: 33, blue: 61), to: folder.path("red.png"))
        var environment = ["TERM": sample.term, "HOME": folder.path, "PATH": "/usr/bin:/bin", "NO_COLOR": ""]
        environment["COLORTERM"] = sample.colorterm
        let terminal = try PseudoTerminal(
            Executable.path, ["-e", "read \(folder.path("red.png")) | show"], environment: environment)
        #expect(try terminal.end() == 0)
        #expect(
            terminal.seen.contains("38;2;") == (sample.colours == 24)
                || sample.colours == 24 && terminal.seen.contains("48;2;"),
            "\(terminal.seen.debugDescription)")
        #expect(
            (terminal.seen.contains("38;5;") || terminal.seen.contains("48;5;")) == (sample.colours == 256),
            "\(terminal.seen.debugDescription)")
    }

    @Test("NO_COLOR takes the colours alone: errors point at their place, plots are drawn")
    func colourless() throws {
        let program = "items k=1..3 v=2,5,3 | plot x=k y=v"
        for (name, value) in [("NO_COLOR", "1"), ("NOTHING", "1")] {
            let terminal = try PseudoTerminal(
                Executable.path, ["-e", program],
                environment: ["TERM": "xterm", "HOME": folder.path, name: value])
            #expect(try terminal.end() == 0)
            #expect(
                terminal.seen.contains("┤") && terminal.seen.contains("\u{1B}[") == (name != "NO_COLOR"),
                "\(terminal.seen)")
        }
        let terminal = try PseudoTerminal(
            Executable.path, ["-e", "frist"],
            environment: ["TERM": "xterm", "HOME": folder.path, "NO_COLOR": "1"])
        #expect(try terminal.end() == 2)
        #expect(terminal.seen.contains("^^^^^") && !terminal.seen.contains("\u{1B}"), "\(terminal.seen)")
        let dumb = try PseudoTerminal(
            Executable.path, ["-e", "frist"], environment: ["TERM": "dumb", "HOME": folder.path])
        #expect(try dumb.end() == 2)
        #expect(dumb.seen.contains("Error E0") && !dumb.seen.contains("^^^^^"), "\(dumb.seen)")
    }

    // MARK: Ctrl-C while something runs

    /// Hundreds of steps of about a second.
    private static let longWork =
        "[\"a cat\", \"a dog\"] | noise of=400 size=128x128 scheduler=ddim | denoise"

    /// A prompt in the middle of that.
    private func working() throws -> PseudoTerminal {
        let terminal = try start(["--batch", "1"])
        try terminal.expect("noise> ")
        terminal.type("model = load \(Executable.model)\r")
        try terminal.expect("noise> ")
        terminal.type("x = \(Self.longWork)\r")
        try terminal.expect("] denoise")
        return terminal
    }

    @Test("Ctrl-C while something runs keeps what is finished, and the prompt goes on")
    func interruptOnce() throws {
        let terminal = try start(["--batch", "1"])
        try terminal.expect("noise> ")
        terminal.type("model = load \(Executable.model)\r")
        try terminal.expect("noise> ")
        terminal.type("x = sweep k=60,900 { [\"a cat\", \"a dog\"] | noise of=k scheduler=ddim | denoise }\r")
        try terminal.expect("] sweep 1/2")
        terminal.type("\u{3}")
        try terminal.expect("stopped at k=900, item 0 of 2; 2 of 4 kept; run the same line to continue\r\n")
        try terminal.expect("noise> ")
        terminal.type("x | select k calls | table\r")
        try terminal.expect("stopped at k=900")
        terminal.type("1 + 1\r")
        try terminal.expect("2\r\n")
    }

    @Test("a second Ctrl-C while it stops gives the prompt back")
    func interruptTwice() throws {
        let terminal = try working()
        terminal.type("\u{3}")
        try terminal.expect("^C")
        terminal.type("\u{3}")
        try terminal.expect(" of 400 steps (kept)")
        try terminal.expect("noise> ")
        terminal.type("x | describe\r")
        try terminal.expect("noise> ")
        terminal.type("\u{4}")
        #expect(try terminal.end() == 0)
    }

    @Test("a third Ctrl-C ends the program with status 3 and the terminal as it was")
    func interruptThrice() throws {
        let terminal = try working()
        // Signals that come together are one signal, and after the second the work ends within milliseconds:
        // pressed until one of both ends. Where the work did, it is begun again.
        var status: CInt?
        while status == nil {
            status = try terminal.endUnless("noise> ") {
                terminal.signal(SIGINT)
                usleep(300)
            }
            if status == nil {
                terminal.type("x = \(Self.longWork)\r")
                try terminal.expect("] denoise")
            }
        }
        #expect(status == 3)
        #expect(terminal.echoes)
    }

    @Test("a kill while something runs leaves a terminal that echoes", arguments: [SIGKILL, SIGTERM, SIGHUP])
    func killedRunning(_ signal: CInt) throws {
        let terminal = try working()
        terminal.signal(signal)
        let end = try terminal.end()
        #expect(end == (signal == SIGKILL ? -SIGKILL : 128 + signal))
        #expect(terminal.echoes)
    }

    @Test("a change of the window's size does not disturb the line")
    func resize() throws {
        let terminal = try start()
        try terminal.expect("noise> ")
        terminal.type("100 +")
        try terminal.expect("100 +")
        terminal.resize(columns: 20)
        // The line is drawn anew.
        try terminal.expect("100 +")
        terminal.type(" 1000000 + 11 - 1000000\r")
        try terminal.expect("111\r\n")
    }

    @Test("a dumb terminal gets plain text and errors in sentences")
    func dumb() throws {
        let terminal = try start(term: "dumb")
        try terminal.expect("noise> ")
        terminal.type("1 +\r")
        let told = try terminal.expect("noise> ")
        #expect(told.contains("E007"))
        #expect(!told.contains("\u{1B}"))
        #expect(!told.contains("^"))
    }

    @Test("after SIGTERM the terminal shows what is typed again")
    func terminated() throws {
        let terminal = try start()
        try terminal.expect("noise> ")
        try terminal.wait("the editor") { !terminal.echoes }
        terminal.signal(SIGTERM)
        #expect(try terminal.end() == -SIGTERM)
        #expect(terminal.echoes)
    }

    @Test(":quit leaves")
    func quit() throws {
        let terminal = try start()
        try terminal.expect("noise> ")
        terminal.type(":q\r")
        #expect(try terminal.end() == 0)
    }
}
