internal import CReadline
import SourceText

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Lines edited with GNU readline at a terminal. The callback interface is used, so that waiting happens
/// here: between two keys a signal can end the line, the window can change and the process can be stopped,
/// each with the terminal left as it should be.
package final class ReadlineEditor: LineEditor {
    /// Gives the completions of a line up to the cursor, for the word that begins at an offset (in bytes).
    package typealias Complete = (_ line: String, _ wordStart: Int) -> Completions

    /// readline is one per process and calls back on the thread that reads, the main thread: so is this
    /// state, used nowhere else.
    nonisolated(unsafe) private static var complete: Complete?
    nonisolated(unsafe) private static var delivered: LineInput?
    nonisolated(unsafe) private static var hint: String?

    package init(history: History, complete: @escaping Complete) {
        // Only the character type: number formats must stay those of the C locale. A bare container has no
        // locale; UTF-8 is meant.
        let locale = setlocale(LC_CTYPE, "").map { String(cString: $0) } ?? "C"
        if locale == "C" || locale == "POSIX" { setlocale(LC_CTYPE, "C.UTF-8") }
        nb_readline_prepare("noisebook")
        Self.complete = complete
        nb_readline_set_completion { _, start, end in ReadlineEditor.matches(start: Int(start), end: Int(end))
        }
        nb_readline_set_display { matches, count, longest in ReadlineEditor.display(matches, count, longest) }
        stifle_history(CInt(History.limit))
        for entry in history.entries { add_history(entry) }
        self.history = history
    }

    private let history: History

    package func remember(_ entry: String) {
        if history.append(entry) { add_history(entry) }
    }

    package func readLine(prompt: String) -> LineInput {
        Interrupts.whileReading {
            Self.delivered = nil
            rl_callback_handler_install(prompt) { ReadlineEditor.deliver($0) }
            while Self.delivered == nil { wait() }
            return Self.delivered ?? .end
        }
    }

    /// Waits for a key or a signal and deals with it.
    private func wait() {
        var files = [
            pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0),
            pollfd(fd: Interrupts.descriptor, events: Int16(POLLIN), revents: 0),
        ]
        let ready = poll(&files, nfds_t(files.count), -1)
        if ready < 0, errno != EINTR {
            Self.finish(.end)
            return
        }
        let signals = Interrupts.take()
        if signals.contains(SIGTERM) || signals.contains(SIGHUP) {
            rl_callback_handler_remove()
            Interrupts.surrender(to: signals.contains(SIGTERM) ? SIGTERM : SIGHUP)
        }
        if signals.contains(SIGTSTP) {
            nb_readline_release_terminal()
            Interrupts.surrender(to: SIGTSTP)
            nb_readline_take_terminal()
            rl_resize_terminal()
            nb_readline_redisplay()
        }
        if signals.contains(SIGWINCH) { rl_resize_terminal() }
        if signals.contains(SIGINT) {
            nb_readline_abandon()
            Self.delivered = .interrupted
            return
        }
        if ready > 0, files[0].revents != 0 { rl_callback_read_char() }
    }

    private static func deliver(_ line: UnsafeMutablePointer<CChar>?) {
        guard let line else {
            finish(.end)
            return
        }
        let text = String(cString: line)
        free(line)
        finish(.line(text))
    }

    /// The handler is removed before anything is printed, so that the terminal is in its usual state while
    /// work runs.
    private static func finish(_ input: LineInput) {
        rl_callback_handler_remove()
        delivered = input
    }

    // MARK: Completion

    private static func matches(start: Int, end: Int) -> UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? {
        let bytes = Array(String(cString: nb_readline_line()).utf8)
        guard let complete, start >= 0, start <= end, end <= bytes.count else { return nil }
        let found = complete(String(decoding: bytes[..<end], as: UTF8.self), start)
        hint = found.hint
        nb_readline_completion_done(
            found.words.count == 1 ? CInt(found.append.map { CInt($0.value) } ?? 0) : 0)
        guard !found.words.isEmpty else { return nil }
        // The list that readline takes over: what all have in common, the matches, a null; all of it from
        // malloc.
        let words = found.words.count == 1 ? found.words : [found.common] + found.words
        let size = (words.count + 1) * MemoryLayout<UnsafeMutablePointer<CChar>?>.stride
        guard let memory = malloc(size) else { return nil }
        let list = memory.bindMemory(to: UnsafeMutablePointer<CChar>?.self, capacity: words.count + 1)
        for (index, word) in words.enumerated() { list[index] = strdup(word) }
        list[words.count] = nil
        return list
    }

    /// The matches, and below them how the verb is used.
    private static func display(
        _ matches: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?, _ count: CInt, _ longest: CInt
    ) {
        rl_crlf()
        rl_display_match_list(matches, count, longest)
        if let hint { nb_readline_print(("\(lines: hint)\n" as TerminalText).written) }
        nb_readline_redisplay()
    }
}
