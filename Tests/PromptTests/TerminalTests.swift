import Files
import TestSupport
import Testing

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// The program itself at a pseudo-terminal. One at a time: each waits for output, and a loaded machine should not make them late.
@Suite("The prompt at a terminal", .serialized)
struct TerminalTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// The program is built beside the tests.
    private static let program = FileSystem.join(FileSystem.folder(of: CommandLine.arguments[0]), "noisebook")

    private func start(_ arguments: [String] = [], term: String = "xterm-256color", state: String = "state") throws -> PseudoTerminal {
        try PseudoTerminal(
            Self.program, arguments,
            environment: ["TERM": term, "HOME": folder.path, "XDG_STATE_HOME": folder.path(state), "INPUTRC": "/dev/null", "PATH": "/usr/bin:/bin"])
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

    @Test("suspended and resumed, the prompt goes on with the line that was being typed")
    func suspend() throws {
        let terminal = try start()
        try terminal.expect("noise> ")
        terminal.type("5 *")
        try terminal.expect("5 *")
        terminal.signal(SIGTSTP)
        usleep(300_000)
        terminal.signal(SIGCONT)
        usleep(300_000)
        terminal.type(" 5\r")
        try terminal.expect("25\r\n")
    }

    @Test("a change of the window's size does not disturb the line")
    func resize() throws {
        let terminal = try start()
        try terminal.expect("noise> ")
        terminal.type("100 +")
        try terminal.expect("100 +")
        terminal.resize(columns: 40)
        usleep(200_000)
        terminal.type(" 11\r")
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
        usleep(200_000)
        #expect(!terminal.echoes)
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
