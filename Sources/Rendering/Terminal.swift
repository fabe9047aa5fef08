internal import Locations

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// What standard output is: a terminal with a size and abilities, or something that is not looked at
/// directly.
package struct Terminal: Sendable {
    package var isTerminal: Bool
    /// Text columns and lines.
    package var columns: Int
    package var rows: Int
    /// Pixels of one character cell, where the terminal says so.
    package var cellWidth: Int
    package var cellHeight: Int
    /// Whether colour is welcome: not for TERM=dumb, not where NO_COLOR is set.
    package var hasColour: Bool
    /// Whether it only takes lines of text, as TERM=dumb says: nothing is drawn there, errors are told in
    /// sentences.
    package var isDumb: Bool

    package init(
        isTerminal: Bool, columns: Int = 80, rows: Int = 24, cellWidth: Int = 10, cellHeight: Int = 20,
        hasColour: Bool = false, isDumb: Bool? = nil
    ) {
        self.isTerminal = isTerminal
        self.columns = columns
        self.rows = rows
        self.cellWidth = cellWidth
        self.cellHeight = cellHeight
        self.hasColour = hasColour
        self.isDumb = isDumb ?? !hasColour
    }

    /// The state of the file `descriptor` now; a window can change its size at any time.
    package static func current(_ descriptor: CInt = STDOUT_FILENO) -> Terminal {
        var terminal = Terminal(isTerminal: isatty(descriptor) == 1)
        guard terminal.isTerminal else { return terminal }
        terminal.isDumb = EnvironmentVariable.terminal.value.map { $0 == "dumb" } ?? true
        terminal.hasColour = EnvironmentVariable.noColour.value == nil && !terminal.isDumb
        var size = winsize()
        guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0 else { return terminal }
        if size.ws_col > 0 { terminal.columns = Int(size.ws_col) }
        if size.ws_row > 0 { terminal.rows = Int(size.ws_row) }
        if size.ws_xpixel > 0, size.ws_ypixel > 0, size.ws_col > 0, size.ws_row > 0 {
            terminal.cellWidth = max(4, Int(size.ws_xpixel) / Int(size.ws_col))
            terminal.cellHeight = max(8, Int(size.ws_ypixel) / Int(size.ws_row))
        }
        return terminal
    }
}
