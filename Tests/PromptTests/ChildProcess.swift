import Files

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// A program with its output in a file, started with the signals of an ordinary shell: the test's own thread may block some of them.
final class ChildProcess {
    let id: pid_t
    private let output: String

    struct Failure: Error { var description: String }

    init(_ program: String, _ arguments: [String], output: String) throws {
        self.output = output
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, output, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        var all = sigset_t()
        sigfillset(&all)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK) | Int16(POSIX_SPAWN_SETSIGDEF))
        let words = ([program] + arguments).map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        var id: pid_t = 0
        let failed = posix_spawn(&id, program, &actions, &attributes, words, environ)
        guard failed == 0 else { throw Failure(description: "cannot start \(program): \(String(cString: strerror(failed)))") }
        self.id = id
    }

    func signal(_ number: CInt) { kill(id, number) }

    /// How it ended: the exit status, or nil for the signal that ended it, and what it wrote.
    typealias Ended = (status: Int32?, told: String)

    func wait() throws -> Ended {
        var status: CInt = 0
        while waitpid(id, &status, 0) < 0, errno == EINTR {}
        return (status & 0x7f == 0 ? (status >> 8) & 0xff : nil, try FileSystem.readText(output))
    }
}
