import Files

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// A program with its output in a file, started with the signals of an ordinary shell: the test's own thread
/// may block some of them.
final class ChildProcess {
    let id: pid_t
    private let output: String
    private var isStopped = false
    /// What `waitpid` told of its end.
    private var ended: CInt?

    struct Failure: Error { var description: String }

    /// - Parameter added: variables besides those of this process.
    init(_ program: String, _ arguments: [String], output: String, environment added: [String: String] = [:])
        throws
    {
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
        let variables = added.merging(["NOISEBOOK_CACHE_KEY": Signer.testKeyFile]) { given, _ in given }.map {
            strdup("\($0.key)=\($0.value)")
        }
        defer { for word in words + variables { free(word) } }
        var own: [UnsafeMutablePointer<CChar>?] = []
        while let variable = environ[own.count] { own.append(variable) }
        var id: pid_t = 0
        // The first of two of a name counts.
        let failed = posix_spawn(&id, program, &actions, &attributes, words, variables + own + [nil])
        guard failed == 0 else {
            throw Failure(description: "cannot start \(program): \(String(cString: strerror(failed)))")
        }
        self.id = id
    }

    /// Of a program that stands still it takes effect as well: it goes on, and finds the signal first.
    func signal(_ number: CInt) {
        kill(id, number)
        if isStopped { resume() }
    }

    /// The same, and waits until the program has taken it: another of its kind that came before would be
    /// lost.
    func deliver(_ number: CInt) {
        signal(number)
        #if os(Linux)
        while let status = try? FileSystem.readText("/proc/\(id)/status"), Self.isPending(number, status) {
            sched_yield()
        }
        #else
        usleep(2_000)
        #endif
    }

    /// Whether a signal to the process waits for a thread of it that takes it.
    private static func isPending(_ number: CInt, _ status: String) -> Bool {
        let line = status.split(separator: "\n").first { $0.hasPrefix("ShdPnd:") }
        let mask = line?.split(whereSeparator: \.isWhitespace).last.flatMap { UInt64($0, radix: 16) } ?? 0
        return mask & (1 << UInt64(number - 1)) != 0
    }

    /// Lets the program go on until something holds, and leaves it standing still there: what is looked at
    /// cannot change meanwhile, so that what a test does next comes at that state, however busy the machine
    /// is. False where the program ended before.
    func stop(when holds: () throws -> Bool) throws -> Bool {
        while true {
            // A program that stands still already tells of no other stop.
            if !isStopped {
                kill(id, SIGSTOP)
                let status = next(WUNTRACED)
                guard status & 0xff == 0x7f else {
                    ended = status
                    return false
                }
                isStopped = true
            }
            if try holds() { return true }
            resume()
            usleep(1_000)
        }
    }

    /// Waits until the program stands still by itself, as `Faults` lets it; false where it ended before.
    func waitUntilStopped() -> Bool {
        let status = next(WUNTRACED)
        isStopped = status & 0xff == 0x7f
        if !isStopped { ended = status }
        return isStopped
    }

    func resume() {
        isStopped = false
        kill(id, SIGCONT)
    }

    /// How it ended: the exit status, or nil for the signal that ended it, and what it wrote.
    typealias Ended = (status: Int32?, told: String)

    func wait() throws -> Ended {
        let status = ended ?? next(0)
        ended = status
        return (status & 0x7f == 0 ? (status >> 8) & 0xff : nil, try FileSystem.readText(output))
    }

    private func next(_ options: CInt) -> CInt {
        var status: CInt = 0
        while waitpid(id, &status, options) < 0, errno == EINTR {}
        return status
    }
}
