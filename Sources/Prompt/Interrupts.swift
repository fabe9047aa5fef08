import Interpreting
import Synchronization

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Signals, for the whole process. Handlers only touch atomics, write one byte into a pipe that the prompt
/// watches, or end the process: all of it allowed in a handler. The pipe makes it sure that a signal wakes
/// the prompt whichever thread receives it.
package enum Interrupts {
    /// What a signal means now.
    private enum Mode: Int {
        /// Nothing runs and nothing is read: the signal ends the process.
        case idle
        case reading
        case running
    }

    private static let mode = Atomic<Int>(0)
    private static let pending = Atomic<Int>(0)
    private static let wakeUp = Atomic<Int>(-1)
    /// Safe: written by `install` alone, on the main thread while nothing runs, and a handler reads it only
    /// while something does.
    nonisolated(unsafe) private static var cancellation: Cancellation?
    /// The pipe's reading end; -1 before `install`. Safe: written once, by the first `install` before the
    /// prompt begins, and read by the main thread alone; handlers use `wakeUp`, an atomic.
    private(set) static nonisolated(unsafe) var descriptor: CInt = -1

    /// Whether errors go to a terminal. Safe as `descriptor` is: written by the first `install`, before a
    /// handler can run.
    nonisolated(unsafe) private static var isTerminal = false

    private static func bit(_ signal: CInt) -> Int { 1 << Int(signal) }

    /// Installs the handlers; `cancellation` is told of Ctrl-C while work runs. Call on the main thread while
    /// nothing runs: before the first work, and again for each further session.
    package static func install(_ cancellation: Cancellation) {
        self.cancellation = cancellation
        guard descriptor < 0 else { return }
        // A reader that went away is an error of `write`, not the end of the process.
        signal(SIGPIPE, SIG_IGN)
        // So is a file that grew beyond what the user may write.
        signal(SIGXFSZ, SIG_IGN)
        isTerminal = isatty(STDERR_FILENO) == 1
        var ends: [CInt] = [-1, -1]
        if pipe(&ends) == 0 {
            for end in ends {
                _ = fcntl(end, F_SETFL, O_NONBLOCK)
                _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            }
            descriptor = ends[0]
            wakeUp.store(Int(ends[1]), ordering: .relaxed)
        }
        // Touched here, so that no handler is the first to use them.
        mode.store(Mode.idle.rawValue, ordering: .relaxed)
        pending.store(0, ordering: .relaxed)
        var action = sigaction()
        #if canImport(Glibc)
        action.__sigaction_handler.sa_handler = { Interrupts.handle($0) }
        #else
        action.__sigaction_u.__sa_handler = { Interrupts.handle($0) }
        #endif
        action.sa_flags = SA_RESTART
        for signal in [SIGINT, SIGTERM, SIGHUP, SIGWINCH] { sigaction(signal, &action, nil) }
    }

    private static func handle(_ signal: CInt) {
        let mode = mode.load(ordering: .relaxed)
        if signal == SIGINT, mode == Mode.running.rawValue {
            guard let cancellation, cancellation.request() < 3 else {
                // A progress bar may stand there: the shell's prompt begins a line of its own.
                var newline: UInt8 = 10
                if isTerminal { _ = write(STDERR_FILENO, &newline, 1) }
                _exit(3)
            }
            return
        }
        if signal == SIGWINCH, mode != Mode.reading.rawValue { return }
        guard mode == Mode.reading.rawValue else { _exit(signal == SIGINT ? 3 : 128 + signal) }
        pending.bitwiseOr(bit(signal), ordering: .relaxed)
        var byte: UInt8 = 0
        let saved = errno
        _ = write(CInt(truncatingIfNeeded: wakeUp.load(ordering: .relaxed)), &byte, 1)
        errno = saved
    }

    /// Work that Ctrl-C stops: presses count from the beginning of `body`.
    package static func whileRunning<R>(_ body: () throws -> R) rethrows -> R {
        cancellation?.reset()
        let before = mode.exchange(Mode.running.rawValue, ordering: .relaxed)
        defer { mode.store(before, ordering: .relaxed) }
        return try body()
    }

    /// Reading of a line: SIGINT, SIGTERM, SIGHUP, SIGWINCH and SIGTSTP are reported by `take` instead of
    /// having their effect. Ctrl-\ has none: beside Ctrl-C and Ctrl-Z it is hit by mistake, and the session
    /// would be lost.
    static func whileReading<R>(_ body: () -> R) -> R {
        let before = mode.exchange(Mode.reading.rawValue, ordering: .relaxed)
        var stop = sigaction()
        #if canImport(Glibc)
        stop.__sigaction_handler.sa_handler = { Interrupts.handle($0) }
        #else
        stop.__sigaction_u.__sa_handler = { Interrupts.handle($0) }
        #endif
        var old = sigaction()
        sigaction(SIGTSTP, &stop, &old)
        let oldQuit = signal(SIGQUIT, SIG_IGN)
        defer {
            sigaction(SIGTSTP, &old, nil)
            signal(SIGQUIT, oldQuit)
            mode.store(before, ordering: .relaxed)
        }
        return body()
    }

    /// The signals since the last call, and an empty pipe.
    static func take() -> Set<CInt> {
        var bytes = [UInt8](repeating: 0, count: 64)
        while descriptor >= 0, read(descriptor, &bytes, bytes.count) > 0 {}
        let bits = pending.exchange(0, ordering: .relaxed)
        return Set([SIGINT, SIGTERM, SIGHUP, SIGWINCH, SIGTSTP].filter { bits & bit($0) != 0 })
    }

    /// Does what `signal` does to a process that does not catch it; returns where that does not end it (after
    /// a stop).
    static func surrender(to signal: CInt) {
        var standard = sigaction()
        #if canImport(Glibc)
        standard.__sigaction_handler.sa_handler = SIG_DFL
        #else
        standard.__sigaction_u.__sa_handler = SIG_DFL
        #endif
        var old = sigaction()
        sigaction(signal, &standard, &old)
        raise(signal)
        sigaction(signal, &old, nil)
    }
}
