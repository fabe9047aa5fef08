import Rendering
import SourceText

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Shows pages that are longer than the terminal screen by screen: space or Page Down for the next, Enter or
/// Down for a line more, q, Escape or Ctrl-C to leave the rest. What was shown stays in the terminal's own
/// history. Nothing waits where no person sits at a terminal, nor where input has come already, as pasted
/// lines do.
package struct Pager {
    private enum Key { case page, line, leave, other }

    private let isDrawn: Bool

    package init(_ display: Display) { isDrawn = display.form == .terminal }

    package func show(_ text: TerminalText, isProse: Bool, _ write: (TerminalText) -> Void) {
        let lines = text.lines.dropLast()
        guard isProse, isDrawn, lines.count > Terminal.current().rows - 1, isatty(STDIN_FILENO) == 1 else {
            return write(text)
        }
        // From here on no signal ends the program before the terminal is as it was.
        Interrupts.whileReading { page(lines, text, write) }
    }

    private func page(
        _ lines: ArraySlice<TerminalText>, _ text: TerminalText, _ write: (TerminalText) -> Void
    ) {
        guard let settings = Self.takeKeys() else { return write(text) }
        defer { Self.give(settings) }
        // Only now: what was pasted is no line to a terminal that waits for whole ones.
        if Self.hasInput(milliseconds: 0) { return write(text) }
        var next = 0
        func more(_ wanted: Int) {
            // A line wider than the window takes several.
            let terminal = Terminal.current()
            var left = wanted
            while next < lines.count, left > 0 {
                write(lines[next] + "\n")
                left -= max(
                    1,
                    (DisplayText.width(lines[next].written) + terminal.columns - 1) / max(1, terminal.columns)
                )
                next += 1
            }
        }
        more(Terminal.current().rows - 1)
        while next < lines.count {
            let question = "-- \(lines.count - next) lines more: space goes on, q leaves --"
            write(TerminalText(TextWidth.fitting(question, width: Terminal.current().columns - 1)))
            var key = Key.other
            while key == .other { key = Self.key(settings) }
            write("\r\u{1B}[K")
            switch key {
            case .page: more(Terminal.current().rows - 1)
            case .line: more(1)
            case .leave, .other: return
            }
        }
    }

    // MARK: Keys

    private static func hasInput(milliseconds: CInt) -> Bool {
        var file = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
        return poll(&file, 1, milliseconds) > 0
    }

    /// Keys come one by one, unseen, and as keys where they would be signals; gives the settings before.
    private static func takeKeys() -> termios? {
        var settings = termios()
        guard tcgetattr(STDIN_FILENO, &settings) == 0 else { return nil }
        var keys = settings
        keys.c_lflag &= ~tcflag_t(ICANON | ECHO | ISIG)
        guard tcsetattr(STDIN_FILENO, TCSADRAIN, &keys) == 0 else { return nil }
        return settings
    }

    private static func give(_ settings: termios) {
        var settings = settings
        tcsetattr(STDIN_FILENO, TCSADRAIN, &settings)
    }

    /// Waits for a key. A signal that ends or stops the program finds the terminal as it was before.
    private static func wait(_ settings: termios) {
        while true {
            var files = [
                pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0),
                pollfd(fd: Interrupts.descriptor, events: Int16(POLLIN), revents: 0),
            ]
            let ready = poll(&files, 2, -1)
            for signal in Interrupts.take().sorted() where ![SIGINT, SIGWINCH].contains(signal) {
                give(settings)
                Interrupts.surrender(to: signal)
                _ = takeKeys()
            }
            if ready < 0 ? errno != EINTR : files[0].revents != 0 { return }
        }
    }

    private static func byte() -> UInt8? {
        var byte: UInt8 = 0
        while true {
            let count = read(STDIN_FILENO, &byte, 1)
            if count == 1 { return byte }
            guard count < 0, errno == EINTR || errno == EAGAIN else { return nil }
            _ = hasInput(milliseconds: -1)
        }
    }

    private static func key(_ settings: termios) -> Key {
        wait(settings)
        switch byte() {
        case nil, UInt8(ascii: "q"), UInt8(ascii: "Q"), 3, 4, 28: return .leave
        case UInt8(ascii: " "), UInt8(ascii: "f"): return .page
        case 10, 13, UInt8(ascii: "j"): return .line
        case 27:
            // Escape alone, or the beginning of a key's sequence: ESC [ B, ESC O B, ESC [ 6 ~.
            guard hasInput(milliseconds: 50), let second = byte(),
                second == UInt8(ascii: "[") || second == UInt8(ascii: "O")
            else { return .leave }
            var last = byte(), first = last
            while let byte = last, !(0x40...0x7E).contains(byte) {
                last = Self.byte()
                if first == nil { first = last }
            }
            if last == UInt8(ascii: "B") { return .line }
            return first == UInt8(ascii: "6") ? .page : .other
        default: return .other
        }
    }
}
