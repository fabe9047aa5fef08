internal import CPseudoTerminal
import Files
import TestSupport

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// A program in a pseudo-terminal: what a person types goes in, what they would see comes out.
final class PseudoTerminal {
    private let master: CInt
    let process: pid_t
    private(set) var seen = ""
    private var status: CInt?

    struct Failure: Error, CustomStringConvertible { var description: String }

    init(_ program: String, _ arguments: [String] = [], environment: [String: String]) throws {
        master = posix_openpt(O_RDWR | O_NOCTTY)
        guard master >= 0, grantpt(master) == 0, unlockpt(master) == 0, let name = ptsname(master) else {
            throw Failure(description: "no pseudo-terminal")
        }
        var size = winsize(ws_row: 40, ws_col: 100, ws_xpixel: 0, ws_ypixel: 0)
        _ = ioctl(master, UInt(TIOCSWINSZ), &size)
        _ = fcntl(master, F_SETFD, FD_CLOEXEC)
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        // The first terminal that a session's leader opens becomes its own.
        for descriptor in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] {
            posix_spawn_file_actions_addopen(&actions, descriptor, name, O_RDWR, 0)
        }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // The test's thread may block or ignore signals; a shell would not pass that on.
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        var all = sigset_t()
        sigfillset(&all)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setflags(
            &attributes, Int16(NB_SPAWN_SETSID) | Int16(POSIX_SPAWN_SETSIGMASK) | Int16(POSIX_SPAWN_SETSIGDEF)
        )
        let words = ([program] + arguments).map { strdup($0) } + [nil]
        let variables =
            environment.merging(["NOISEBOOK_CACHE_KEY": Signer.testKeyFile]) { given, _ in given }.map {
                strdup("\($0.key)=\($0.value)")
            } + [nil]
        defer { for word in words + variables { free(word) } }
        var process: pid_t = 0
        let failed = posix_spawn(&process, program, &actions, &attributes, words, variables)
        guard failed == 0 else {
            throw Failure(description: "cannot start \(program): \(String(cString: strerror(failed)))")
        }
        self.process = process
    }

    deinit {
        if status == nil {
            kill(process, SIGKILL)
            var ignored: CInt = 0
            waitpid(process, &ignored, 0)
        }
        close(master)
    }

    func type(_ text: String) {
        _ = Array(text.utf8).withUnsafeBytes { write(master, $0.baseAddress, $0.count) }
    }

    func signal(_ number: CInt) { kill(process, number) }

    func resize(columns: UInt16) {
        var size = winsize(ws_row: 40, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
        _ = ioctl(master, UInt(TIOCSWINSZ), &size)
    }

    /// Whether the terminal shows what is typed.
    var echoes: Bool {
        var settings = termios()
        tcgetattr(master, &settings)
        return settings.c_lflag & tcflag_t(ECHO) != 0
    }

    /// Turns of `turn` milliseconds without output, an end or what is waited for: ten minutes, after which a
    /// program hangs and is not slow.
    private static let patience = 60_000
    private static let turn: CInt = 10

    /// Waits until something holds that no output tells of.
    func wait(_ what: String, until holds: () -> Bool) throws {
        for _ in 0..<Self.patience {
            if holds() { return }
            if hasEnded { break }
            _ = readSome()
        }
        throw Failure(description: "\(what) did not come; seen \(seen.debugDescription)")
    }

    /// Reads until `text` has come since the last call, and forgets everything up to its end. The program's
    /// own end before that is a failure.
    @discardableResult func expect(_ text: String) throws -> String {
        var waited = 0
        while true {
            if let before = take(text) { return before }
            // What it wrote before its end is still to be read.
            let isOver = hasEnded
            if readSome() { continue }
            waited += 1
            guard !isOver, waited < Self.patience else {
                throw Failure(description: "expected \(text.debugDescription), seen \(seen.debugDescription)")
            }
        }
    }

    /// What was seen before `text`, which is forgotten with it; nil where it has not come.
    private func take(_ text: String) -> String? {
        guard let range = seen.firstRange(of: text) else { return nil }
        defer { seen = String(seen[range.upperBound...]) }
        return String(seen[..<range.lowerBound])
    }

    private func readSome(milliseconds: CInt = PseudoTerminal.turn) -> Bool {
        var file = pollfd(fd: master, events: Int16(POLLIN), revents: 0)
        guard poll(&file, 1, milliseconds) > 0 else { return false }
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = read(master, &buffer, buffer.count)
        guard count > 0 else {
            // The other end is closed: what is waited for can only be the program's end.
            usleep(10_000)
            return false
        }
        seen += String(decoding: buffer.prefix(count), as: UTF8.self)
        return true
    }

    private var hasEnded: Bool {
        var raw: CInt = 0
        if status == nil, waitpid(process, &raw, WNOHANG) == process { status = raw }
        return status != nil
    }

    /// Waits for the program's end: its exit status, or the signal that ended it as a negative number.
    func end() throws -> CInt {
        guard let status = try endUnless(nil) else { throw Failure(description: "the program went on") }
        return status
    }

    /// The same, or nil once `text` comes. `press` is done again and again until then.
    func endUnless(_ text: String?, pressing press: (() -> Void)? = nil) throws -> CInt? {
        for _ in 0..<Self.patience {
            press?()
            _ = readSome(milliseconds: press == nil ? Self.turn : 0)
            if hasEnded, let raw = status { return raw & 0x7F == 0 ? (raw >> 8) & 0xFF : -(raw & 0x7F) }
            if let text, take(text) != nil { return nil }
        }
        throw Failure(description: "the program did not end; seen \(seen.debugDescription)")
    }
}
