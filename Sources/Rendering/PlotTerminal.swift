import Results
import SourceText

/// Plots in a terminal: lines and points in braille, bars in blocks, both with their axes and numbers. Where
/// colours do not tell the series apart, letters do.
struct PlotTerminal {
    let terminal: Terminal

    private static let colours = [34, 31, 32, 35, 36, 33, 94, 90]
    private static let letters = Array("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
    /// Of the line at zero, which belongs to no series.
    private static let nobody = -1
    /// Points of a series that are drawn as such, with their intervals; of more only the line.
    private static let mostPoints = 24

    func render(_ plot: PlotView) -> TerminalText {
        let parts = plot.panels.map { plot.mark == .bars ? bars($0, plot) : drawn($0, plot) }
        return (parts + (plot.note.map { [TerminalText(TextWidth.oneLine($0))] } ?? [])).joined(
            separator: "\n\n")
    }

    private func coloured(_ text: TerminalText, _ series: Int) -> TerminalText {
        guard terminal.hasColour, series != Self.nobody else { return text }
        return "\u{1B}[\(Self.colours[series % Self.colours.count])m\(text)\u{1B}[0m"
    }

    private func bold(_ text: TerminalText) -> TerminalText {
        terminal.hasColour ? "\u{1B}[1m\(text)\u{1B}[0m" : text
    }

    /// What stands for a series beside its colour; nil where the colour is enough.
    private func letter(_ series: Int, of panel: PlotView.Panel) -> Character? {
        guard panel.series.count > 1, !terminal.hasColour || panel.series.count > Self.colours.count else {
            return nil
        }
        return Self.letters[series % Self.letters.count]
    }

    private func title(_ text: String) -> TerminalText {
        bold(TerminalText(TextWidth.fitting(text, width: terminal.columns)))
    }

    // MARK: Lines and points

    private func drawn(_ panel: PlotView.Panel, _ plot: PlotView) -> TerminalText {
        let points = panel.series.flatMap(\.points)
        let lines = 14
        let isLog = plot.logarithmic.contains(.y)
        let y = PlotAxis(
            points.flatMap { [$0.value, $0.low, $0.high].compactMap { $0 } }.filter { !isLog || $0 > 0 },
            ticks: 5, fromZero: panel.isDifference, log: isLog)
        let margin = y.labels.map { TextWidth.of($0) }.max() ?? 0
        var canvas = BrailleCanvas(columns: max(10, min(terminal.columns, 100) - margin - 3), lines: lines)
        let x =
            plot.categories.map { PlotAxis(categories: $0) }
            ?? PlotAxis(
                x: points.map(\.x), ticks: max(2, min(12, canvas.columns / 8)),
                log: plot.logarithmic.contains(.x))
        // Intervals at the same x stand beside one another, as far as there is room: a character has one
        // colour, so each has its own.
        let isApart =
            panel.series.count > 1 && points.contains { $0.low != nil }
            && panel.series.allSatisfy { $0.points.count <= Self.mostPoints }
        let room = Int(x.closest(points.map(\.x)) * Double(canvas.width))
        let apart = isApart ? min(2, max(0, room - 1) / panel.series.count) : 0
        func place(_ point: PlotView.Point, _ value: Double, _ series: Int) -> (x: Int, y: Int) {
            let shift = apart * series - apart * (panel.series.count - 1) / 2
            return (
                Int((x.place(point.x) * Double(canvas.width - 1)).rounded()) + shift,
                Int(((1 - y.place(value)) * Double(canvas.height - 1)).rounded())
            )
        }
        var letters: [(x: Int, y: Int, letter: Character, series: Int)] = []
        for (index, series) in panel.series.enumerated() {
            let letter = letter(index, of: panel)
            let hasPoints = plot.mark == .points || series.points.count <= Self.mostPoints
            for run in series.runs {
                if plot.mark == .lines {
                    for (a, b) in zip(run, run.dropFirst()) {
                        canvas.line(
                            from: place(a, a.value, index), to: place(b, b.value, index), owner: index)
                    }
                }
                for point in run {
                    let middle = place(point, point.value, index)
                    for (dx, dy) in [(0, 0), (1, 0), (0, 1), (1, 1)] where hasPoints || run.count == 1 {
                        canvas.set(middle.x + dx, middle.y + dy, owner: index)
                    }
                    canvas.set(middle.x, middle.y, owner: index)
                    if let low = point.low, let high = point.high, series.points.count <= Self.mostPoints {
                        // Every second dot, so that an interval is no line of the plot.
                        for dot in stride(
                            from: place(point, high, index).y, through: place(point, low, index).y, by: 2)
                        {
                            canvas.set(middle.x, dot, owner: index)
                        }
                    }
                }
            }
            if let letter {
                // Along a line without points a few.
                let every = hasPoints ? 1 : max(1, series.points.count / 6)
                for number in stride(from: 0, to: series.points.count, by: every) {
                    let middle = place(series.points[number], series.points[number].value, index)
                    letters.append((middle.x, middle.y, letter, index))
                }
            }
        }
        if let zero = y.zero {
            let dot = Int(((1 - zero) * Double(canvas.height - 1)).rounded())
            for across in stride(from: 0, to: canvas.width, by: 2) {
                canvas.set(across, dot, owner: Self.nobody)
            }
        }
        for mark in letters { canvas.put(mark.letter, mark.x, mark.y, owner: mark.series) }
        var out = [title(panel.name + (plot.seriesName.map { " by \($0)" } ?? ""))]
        if panel.series.count > 1 { out += legend(panel) }
        var labels = [String](repeating: "", count: lines)
        for (tick, label) in zip(y.ticks, y.labels) {
            labels[min(lines - 1, max(0, Int((1 - y.place(tick)) * Double(lines - 1) + 0.5)))] = label
        }
        for line in 0..<lines {
            let label = TextWidth.padded(labels[line], to: margin, right: true)
            out.append(
                "\(label)\(labels[line].isEmpty ? " │" : " ┤")\(canvas.text(line, coloured: coloured))")
        }
        let indent = String(repeating: " ", count: margin + 2)
        let name = TextWidth.oneLine(plot.xName)
        out.append(TerminalText(indent.dropLast() + "└" + String(repeating: "─", count: canvas.columns)))
        out.append(TerminalText(indent + ticks(x, columns: canvas.columns)))
        out.append(
            TerminalText(
                indent + TextWidth.padded(name, to: (canvas.columns + TextWidth.of(name)) / 2, right: true)))
        return out.map { $0.trimming(" ") }.joined(separator: "\n")
    }

    /// Labels below the axis, those that would touch another left out.
    private func ticks(_ axis: PlotAxis, columns: Int) -> String {
        var line = ""
        for (tick, label) in zip(axis.ticks, axis.labels) {
            let text = TextWidth.fitting(label, width: 14)
            let start = max(
                0,
                min(
                    columns - TextWidth.of(text),
                    Int(axis.place(tick) * Double(columns)) - TextWidth.of(text) / 2))
            let used = TextWidth.of(line)
            guard start > used || line.isEmpty else { continue }
            line += String(repeating: " ", count: start - used) + text
        }
        return line
    }

    /// The series' names in lines that fit.
    private func legend(_ panel: PlotView.Panel) -> [TerminalText] {
        var lines: [TerminalText] = []
        var used = 0
        for (index, series) in panel.series.enumerated() {
            let name = TextWidth.fitting(series.name, width: 30)
            let sample = letter(index, of: panel).map { TerminalText(String($0)) } ?? "⣿"
            let width = TextWidth.of(name) + 2
            if let last = lines.last, used + 3 + width <= terminal.columns {
                lines[lines.count - 1] = last + "   "
                used += 3 + width
            } else {
                lines.append("")
                used = width
            }
            lines[lines.count - 1] += "\(coloured(sample, index)) \(name)"
        }
        return lines
    }

    // MARK: Bars

    private func bars(_ panel: PlotView.Panel, _ plot: PlotView) -> TerminalText {
        let points = panel.series.flatMap(\.points)
        let numbers = points.flatMap { [$0.value, $0.low, $0.high].compactMap { $0 } }
        let isLog = plot.logarithmic.contains(.y)
        let y = PlotAxis(numbers.filter { !isLog || $0 > 0 }, ticks: 5, fromZero: true, log: isLog)
        let format = ColumnFormat(for: numbers)
        let isGrouped = panel.series.count > 1
        func number(_ point: PlotView.Point) -> String { point.text(format) }
        let names = Array(Set(points.map(\.x))).sorted().map { ($0, plot.label($0)) }
        let margin = min(24, names.map { TextWidth.of($0.1) }.max() ?? 0)
        let widest = points.map { TextWidth.of(number($0)) }.max() ?? 0
        let hasLetters = letter(0, of: panel) != nil
        let room = max(8, min(terminal.columns, 100) - margin - widest - (hasLetters ? 6 : 4))
        var out = [title("\(panel.name) by \(plot.xName)")]
        if isGrouped { out += legend(panel) }
        for (x, name) in names {
            var label = TextWidth.fitting(name, width: margin)
            for (index, series) in panel.series.enumerated() {
                for point in series.points where point.x == x {
                    let zero = y.base, end = y.place(point.value)
                    let bar = block(from: min(zero, end) * Double(room), to: max(zero, end) * Double(room))
                    let sample =
                        letter(index, of: panel).map { coloured(TerminalText(String($0)), index) + " " } ?? ""
                    out.append(
                        """
                        \(TextWidth.padded(label, to: margin)) \
                        \(sample)\(coloured(TerminalText(bar), index)) \(number(point))
                        """)
                    label = ""
                }
            }
        }
        return out.joined(separator: "\n")
    }

    /// From the left, in eighths of a character; below zero in whole ones.
    private func block(from: Double, to: Double) -> String {
        let start = max(0, Int(from.rounded(.down)))
        let eighths = Int(((to - Double(start)) * 8).rounded())
        let parts = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"]
        return String(repeating: " ", count: start) + String(repeating: "█", count: max(0, eighths / 8))
            + parts[max(0, eighths % 8)]
    }
}
