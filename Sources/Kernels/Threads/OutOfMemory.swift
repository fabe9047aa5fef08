internal import CProcessor

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// The last resort where memory cannot be had and nothing stands between the allocation and the end of the
/// process: large takings are reckoned before (`MemoryBudget`), small ones have no way to fail in Swift.
/// Under a limit of the process (`ulimit -v`, a scheduler's) that end is a sentence and the exit status of an
/// error instead of a signal. Files are whole, as after a kill: they are written beside their names and
/// renamed.
package enum OutOfMemory {
    /// Set at the start of the program, and by no test: what follows ends the process.
    package static func tellBeforeTheEnd() {
        guard ProcessLimit.addresses.bytes != nil || ProcessLimit.data.bytes != nil else { return }
        // Reserved addresses count too.
        nb_share_arena()
        for (signal, place) in [(SIGABRT, 0), (SIGILL, 1), (SIGTRAP, 2), (SIGSEGV, 3)] {
            var action = sigaction()
            #if canImport(Glibc)
            action.__sigaction_handler.sa_handler = { OutOfMemory.handle($0) }
            #else
            action.__sigaction_u.__sa_handler = { OutOfMemory.handle($0) }
            #endif
            sigaction(signal, &action, &before[place])
        }
    }

    /// Ends the process with the sentence: the allocation that failed has no result that anybody could go on
    /// with.
    static func end() -> Never {
        tell()
        _exit(2)
    }

    /// Safe: written once, before any handler is there to read it.
    nonisolated(unsafe) private static var before: [sigaction] = (0..<4).map { _ in sigaction() }

    private static let sentence: StaticString =
        """
        error[E059]: not enough memory: the program needs more than its limit leaves\n  help: take less \
        at a time, or give the program more memory: `ulimit -v` shows the limit, in KB\n
        """

    private static func tell() { _ = write(STDERR_FILENO, sentence.utf8Start, sentence.utf8CodeUnitCount) }

    /// The runtime ends a process whose allocation failed by `abort`, and sometimes by using what is not
    /// there.
    private static func handle(_ signal: Int32) {
        // What else traps is a fault of the program, and its end says so as it would without this.
        if signal == SIGABRT || isExhausted { end() }
        let place = [SIGABRT, SIGILL, SIGTRAP, SIGSEGV].firstIndex(of: signal) ?? 0
        sigaction(signal, &before[place], nil)
    }

    /// Whether not even so little can be had.
    private static var isExhausted: Bool {
        let size = 4 << 20
        #if canImport(Glibc)
        let flags = MAP_PRIVATE | MAP_ANONYMOUS
        #else
        let flags = MAP_PRIVATE | MAP_ANON
        #endif
        guard let found = mmap(nil, size, PROT_READ | PROT_WRITE, flags, -1, 0), found != MAP_FAILED else {
            return true
        }
        munmap(found, size)
        return false
    }

}

/// What the system limits a process to; nil where it does not.
package enum ProcessLimit {
    case addresses
    case data

    package var bytes: Int? {
        #if canImport(Glibc)
        let resource = Int32((self == .addresses ? RLIMIT_AS : RLIMIT_DATA).rawValue)
        #else
        let resource = self == .addresses ? RLIMIT_AS : RLIMIT_DATA
        #endif
        var value = rlimit()
        guard getrlimit(resource, &value) == 0, value.rlim_cur < 1 << 60 else { return nil }
        return Int(value.rlim_cur)
    }
}
