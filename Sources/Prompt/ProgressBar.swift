import Interpreting
import Rendering
import Results
import SourceText

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Progress on standard error, on one line that is drawn over: bar, what is done of what, time left. It is
/// taken away when the work ends. Only for terminals.
package final class ProgressBar: Progress {
    private struct Work {
        var label: String
        var total: Int
        var done = 0
    }

    private var works: [Work] = []
    private var began = 0.0
    private var drawn = -1.0
    private var isShown = false
    private let width: () -> Int
    private let now: () -> Double
    private let write: (TerminalText) -> Void

    /// `now` in seconds; both it and `write` can be replaced in tests.
    package init(
        width: @escaping () -> Int = { Terminal.current(STDERR_FILENO).columns },
        now: @escaping () -> Double = ProgressBar.seconds,
        write: @escaping (TerminalText) -> Void = { text in StandardFile.write(text, to: STDERR_FILENO) }
    ) {
        self.width = width
        self.now = now
        self.write = write
    }

    package static func seconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    package func begin(_ label: String, total: Int) {
        if works.isEmpty { began = now() }
        works.append(Work(label: label, total: max(total, 1)))
        draw()
    }

    package func advance(by units: Int) {
        guard !works.isEmpty else { return }
        works[works.count - 1].done += units
        draw()
    }

    package func end() {
        _ = works.popLast()
        if works.isEmpty { clear() } else { draw() }
    }

    package func note(_ message: String) {
        clear()
        write("\(lines: message)\n")
        draw(force: true)
    }

    /// Takes the line away, such as before something else is printed.
    package func clear() {
        if isShown { write("\r\u{1B}[K") }
        isShown = false
    }

    /// At most ten times a second, and not for work that is over at once.
    private func draw(force: Bool = false) {
        let time = now()
        guard !works.isEmpty, time - began > 0.3, force || time - drawn >= 0.1 else { return }
        drawn = time
        isShown = true
        write("\r\(line(at: time))\u{1B}[K")
    }

    /// Part of the whole that is done, 0...1: each work is a unit of the one around it.
    private var fraction: Double {
        works.reversed().reduce(0) { inner, work in min(1, (Double(work.done) + inner) / Double(work.total)) }
    }

    private func line(at time: Double) -> String {
        let fraction = fraction
        let size = 20
        let full = Int(fraction * Double(size))
        var line =
            "[" + String(repeating: "#", count: full) + String(repeating: ".", count: size - full) + "] "
        line += works.map { "\($0.label) \(min($0.done, $0.total))/\($0.total)" }.joined(separator: ", ")
        if fraction > 0.01, time > began {
            line += ", " + DurationText.clock((time - began) / fraction * (1 - fraction)) + " left"
        }
        return TextWidth.fitting(line, width: max(10, width() - 1))
    }
}
