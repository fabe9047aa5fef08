import Results

/// Plots in a terminal: lines and points in braille, bars in blocks, both with their axes and numbers.
struct PlotTerminal {
    let terminal: Terminal

    private static let colours = [34, 31, 32, 35, 36, 33, 94, 90]

    func render(_ plot: PlotView) -> String {
        let parts = plot.panels.map { plot.mark == .bars ? bars($0, plot) : drawn($0, plot) }
        return (parts + (plot.note.map { [TextWidth.oneLine($0)] } ?? [])).joined(separator: "\n\n")
    }

    private func coloured(_ text: String, _ series: Int) -> String {
        "\u{1B}[\(Self.colours[series % Self.colours.count])m\(text)\u{1B}[0m"
    }

    private func bold(_ text: String) -> String { "\u{1B}[1m\(text)\u{1B}[0m" }

    // MARK: Lines and points

    private func drawn(_ panel: PlotView.Panel, _ plot: PlotView) -> String {
        let points = panel.series.flatMap(\.points)
        let lines = 14
        let y = PlotAxis(points.flatMap { [$0.value, $0.low, $0.high].compactMap { $0 } }, ticks: 5)
        let margin = y.labels.map { TextWidth.of($0) }.max() ?? 0
        var canvas = BrailleCanvas(columns: max(10, min(terminal.columns, 100) - margin - 3), lines: lines)
        let x = plot.categories.map { PlotAxis(categories: $0) } ?? PlotAxis(x: points.map(\.x), ticks: max(2, min(12, canvas.columns / 8)))
        func place(_ point: PlotView.Point, _ value: Double) -> (x: Int, y: Int) {
            (Int((x.place(point.x) * Double(canvas.width - 1)).rounded()), Int(((1 - y.place(value)) * Double(canvas.height - 1)).rounded()))
        }
        for (index, series) in panel.series.enumerated() {
            if plot.mark == .lines {
                for (a, b) in zip(series.points, series.points.dropFirst()) { canvas.line(from: place(a, a.value), to: place(b, b.value), owner: index) }
            }
            for point in series.points {
                let middle = place(point, point.value)
                for (dx, dy) in [(0, 0), (1, 0), (0, 1), (1, 1)] where plot.mark == .points || series.points.count <= 24 {
                    canvas.set(middle.x + dx, middle.y + dy, owner: index)
                }
                canvas.set(middle.x, middle.y, owner: index)
                if let low = point.low, let high = point.high, series.points.count <= 24 {
                    // Every second dot, so that an interval is no line of the plot.
                    for dot in stride(from: place(point, high).y, through: place(point, low).y, by: 2) { canvas.set(middle.x, dot, owner: index) }
                }
            }
        }
        var out = [bold(TextWidth.fitting(panel.name + (plot.seriesName.map { " by \($0)" } ?? ""), width: terminal.columns))]
        if panel.series.count > 1 { out.append(legend(panel)) }
        var labels = [String](repeating: "", count: lines)
        for (tick, label) in zip(y.ticks, y.labels) { labels[min(lines - 1, max(0, Int((1 - y.place(tick)) * Double(lines - 1) + 0.5)))] = label }
        for line in 0..<lines {
            out.append(TextWidth.padded(labels[line], to: margin, right: true) + (labels[line].isEmpty ? " │" : " ┤") + canvas.text(line, coloured: coloured))
        }
        out.append(String(repeating: " ", count: margin) + " └" + String(repeating: "─", count: canvas.columns))
        out.append(String(repeating: " ", count: margin + 2) + ticks(x, columns: canvas.columns))
        out.append(String(repeating: " ", count: margin + 2) + TextWidth.padded(plot.xName, to: (canvas.columns + TextWidth.of(plot.xName)) / 2, right: true))
        return out.map { line in
            var line = line
            while line.hasSuffix(" ") { line.removeLast() }
            return line
        }.joined(separator: "\n")
    }

    /// Labels below the axis, those that would touch another left out.
    private func ticks(_ axis: PlotAxis, columns: Int) -> String {
        var line = ""
        for (tick, label) in zip(axis.ticks, axis.labels) {
            let text = TextWidth.fitting(label, width: 14)
            let start = max(0, min(columns - TextWidth.of(text), Int(axis.place(tick) * Double(columns)) - TextWidth.of(text) / 2))
            let used = TextWidth.of(line)
            guard start > used || line.isEmpty else { continue }
            line += String(repeating: " ", count: start - used) + text
        }
        return line
    }

    private func legend(_ panel: PlotView.Panel) -> String {
        panel.series.enumerated().map { coloured("⣿", $0) + " " + TextWidth.fitting($1.name, width: 30) }.joined(separator: "   ")
    }

    // MARK: Bars

    private func bars(_ panel: PlotView.Panel, _ plot: PlotView) -> String {
        let points = panel.series.flatMap(\.points)
        let y = PlotAxis(points.flatMap { [$0.value, $0.low, $0.high].compactMap { $0 } }, ticks: 5, fromZero: true)
        let format = NumberFormat(for: points.flatMap { [$0.value, $0.low, $0.high].compactMap { $0 } })
        let isGrouped = panel.series.count > 1
        func number(_ point: PlotView.Point) -> String { point.text(format) }
        let names = Array(Set(points.map(\.x))).sorted().map { ($0, plot.label($0)) }
        let margin = min(24, names.map { TextWidth.of($0.1) }.max() ?? 0)
        let widest = points.map { TextWidth.of(number($0)) }.max() ?? 0
        let room = max(8, min(terminal.columns, 100) - margin - widest - 4)
        var out = [bold(TextWidth.fitting("\(panel.name) by \(plot.xName)", width: terminal.columns))]
        if isGrouped { out.append(legend(panel)) }
        for (x, name) in names {
            var label = TextWidth.fitting(name, width: margin)
            for (index, series) in panel.series.enumerated() {
                for point in series.points where point.x == x {
                    let zero = y.place(max(y.range.lowerBound, 0)), end = y.place(point.value)
                    let bar = block(from: min(zero, end) * Double(room), to: max(zero, end) * Double(room))
                    out.append(TextWidth.padded(label, to: margin) + " " + coloured(bar, index) + " " + number(point))
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
        return String(repeating: " ", count: start) + String(repeating: "█", count: max(0, eighths / 8)) + parts[max(0, eighths % 8)]
    }
}
