import SourceText
import Synchronization

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Writing to standard output and standard error. Nothing is buffered here, so that the two keep their order
/// on a terminal. Output that cannot be written is an error of the program, told once on standard error; what
/// standard error does not take is lost.
package enum StandardFile {
    /// What becomes of a command whose output nobody takes any more.
    package enum Ending: Int, Sendable {
        /// It ends: what it computes was to be shown.
        case end
        /// It goes on without output: it has more to do than to show.
        case goOn
    }

    /// Status of a program whose reader has gone away, as a shell tells of SIGPIPE; and of one whose output
    /// was lost.
    private static let unread: CInt = 141, lost: CInt = 2

    private static let ending = Atomic<Int>(Ending.end.rawValue)
    /// Whether output was lost, and whether any more of it would be.
    private static let isLost = Atomic<Bool>(false)
    private static let isOver = Atomic<Bool>(false)

    /// Takes the descriptors 0 to 2 before anything else does. A closed input is an empty one, a closed
    /// output one that cannot be written. Also lets `write` say what would otherwise be signals. First thing
    /// of the program.
    package static func prepare() {
        for (descriptor, mode) in [
            (STDIN_FILENO, O_RDONLY), (STDOUT_FILENO, O_RDONLY), (STDERR_FILENO, O_WRONLY),
        ]
        where fcntl(descriptor, F_GETFD) < 0 && errno == EBADF {
            let opened = open("/dev/null", mode)
            guard opened >= 0, opened != descriptor else { continue }
            dup2(opened, descriptor)
            close(opened)
        }
        // A reader that went away is an error of `write`, and so is a file that grew beyond what the user may
        // write.
        signal(SIGPIPE, SIG_IGN)
        signal(SIGXFSZ, SIG_IGN)
    }

    package static func whenNobodyReads(_ what: Ending) { ending.store(what.rawValue, ordering: .relaxed) }

    /// What a program ends with whose work has the status `own`.
    package static func status(_ own: CInt) -> CInt { isLost.load(ordering: .relaxed) ? lost : own }

    /// Writes all of `text`.
    package static func write(_ text: TerminalText, to descriptor: CInt) {
        write(bytes: text.written, to: descriptor)
    }

    /// Writes a page or another document to standard output: as it is where it goes into a file, as a text
    /// where it goes to a terminal.
    package static func write(document: String) {
        if isatty(STDOUT_FILENO) == 1 {
            write(TerminalText(lines: document), to: STDOUT_FILENO)
        } else {
            write(bytes: document, to: STDOUT_FILENO)
        }
    }

    private static func write(bytes text: String, to descriptor: CInt) {
        let isOutput = descriptor == STDOUT_FILENO
        guard !isOutput || !isOver.load(ordering: .relaxed), let failure = failure(text, descriptor), isOutput
        else { return }
        isOver.store(true, ordering: .relaxed)
        let ends = ending.load(ordering: .relaxed) == Ending.end.rawValue
        guard failure != EPIPE else {
            if ends { _exit(unread) }
            return
        }
        isLost.store(true, ordering: .relaxed)
        _ = self.failure(
            "noisebook: standard output cannot be written: \(String(cString: strerror(failure)))\n",
            STDERR_FILENO)
        if ends { _exit(lost) }
    }

    /// Why not all of `text` could be written; nil where it was.
    private static func failure(_ text: String, _ descriptor: CInt) -> CInt? {
        var text = text
        return text.withUTF8 { bytes in
            var done = 0
            while done < bytes.count, let base = bytes.baseAddress {
                #if canImport(Glibc)
                let wrote = Glibc.write(descriptor, base + done, bytes.count - done)
                #else
                let wrote = Darwin.write(descriptor, base + done, bytes.count - done)
                #endif
                if wrote > 0 {
                    done += wrote
                } else if wrote < 0, errno == EAGAIN {
                    usleep(1000)
                } else if wrote == 0 || errno != EINTR {
                    return wrote == 0 ? EIO : errno
                }
            }
            return nil
        }
    }
}
