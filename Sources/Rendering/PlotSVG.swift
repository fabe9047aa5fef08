import Results

/// A plot as an SVG file: readable in light and dark, by colour, by shape, and by ear (its title and description hold what it shows). Equal
/// numbers give equal bytes.
package enum PlotSVG {
    /// Okabe and Ito's colours, which differ for colour-blind eyes too, without the yellow that white swallows.
    private static let colours = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#7a5195", "#6b7280"]
    private static let dashes = ["", "6 3", "2 3", "8 3 2 3"]

    private static let rowHeight = 17.0

    package static func text(_ plot: PlotView) -> String {
        let columns = min(2, max(1, plot.panels.count))
        let rows = (plot.panels.count + columns - 1) / max(1, columns)
        let width = columns == 1 ? 640.0 : 400.0, height = columns == 1 ? 340.0 : 280.0
        let names = plot.panels.map { $0.series.count > 1 ? legend($0, width: width).count : 0 }
        let legendHeight = Double(names.max() ?? 0) * rowHeight
        let total = (width * Double(columns), (height + legendHeight) * Double(max(1, rows)))
        var out = [
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 \(number(total.0)) \(number(total.1))\" width=\"\(number(total.0))\" height=\"\(number(total.1))\" role=\"img\" aria-labelledby=\"t d\">",
            "<title id=\"t\">\(escaped(plot.words))</title>",
            "<desc id=\"d\">\n\(escaped(CSVText.of(plot.table)))</desc>",
            "<style>text{font:12px system-ui,-apple-system,\"Segoe UI\",Helvetica,Arial,sans-serif;fill:#24292f}.n{font-weight:600}.g{stroke:#d8dee4;stroke-width:1}.a{stroke:#57606a;stroke-width:1}.b{fill:#ffffff}"
                + "@media(prefers-color-scheme:dark){text{fill:#e6edf3}.g{stroke:#30363d}.a{stroke:#8b949e}.b{fill:#0d1117}}</style>",
            "<rect class=\"b\" width=\"\(number(total.0))\" height=\"\(number(total.1))\"/>",
        ]
        for (index, panel) in plot.panels.enumerated() {
            let x = Double(index % columns) * width, y = Double(index / columns) * (height + legendHeight)
            out.append("<g transform=\"translate(\(number(x)) \(number(y)))\">")
            out += drawn(panel, plot, width: width, height: height + legendHeight, legendHeight: legendHeight)
            out.append("</g>")
        }
        return (out + ["</svg>"]).joined(separator: "\n") + "\n"
    }

    private static func drawn(_ panel: PlotView.Panel, _ plot: PlotView, width: Double, height: Double, legendHeight: Double) -> [String] {
        let points = panel.series.flatMap(\.points)
        let y = PlotAxis(points.flatMap { [$0.value, $0.low, $0.high].compactMap { $0 } }, ticks: 6, fromZero: plot.mark == .bars)
        let left = 20 + (y.labels.map(textWidth).max() ?? 0), right = 16.0, top = 34.0 + legendHeight, bottom = 46.0
        let (plotWidth, plotHeight) = (width - left - right, height - top - bottom)
        let longest = (plot.categories?.map(textWidth).max() ?? 30) + 10
        let x = plot.categories.map { PlotAxis(categories: $0) } ?? PlotAxis(x: points.map(\.x), ticks: min(12, Int(plotWidth / 40)))
        func px(_ value: Double) -> Double { left + x.place(value) * plotWidth }
        func py(_ value: Double) -> Double { top + (1 - y.place(value)) * plotHeight }
        var out = ["<text class=\"n\" x=\"\(number(left))\" y=\"20\">\(escaped(panel.name + (plot.seriesName.map { " by \($0)" } ?? "")))</text>"]
        for (tick, label) in zip(y.ticks, y.labels) {
            out.append("<line class=\"g\" x1=\"\(number(left))\" x2=\"\(number(left + plotWidth))\" y1=\"\(number(py(tick)))\" y2=\"\(number(py(tick)))\"/>")
            out.append("<text text-anchor=\"end\" x=\"\(number(left - 6))\" y=\"\(number(py(tick) + 4))\">\(label)</text>")
        }
        out.append(
            "<line class=\"a\" x1=\"\(number(left))\" x2=\"\(number(left + plotWidth))\" y1=\"\(number(top + plotHeight))\" y2=\"\(number(top + plotHeight))\"/>"
        )
        // Labels that would run into one another are left out evenly; long ones are cut.
        let room = plotWidth / Double(max(1, x.ticks.count))
        let every = plot.categories == nil ? 1 : max(1, Int((min(longest, 90) / max(room, 1)).rounded(.up)))
        for (index, (tick, label)) in zip(x.ticks, x.labels).enumerated() where index % every == 0 {
            out.append(
                "<line class=\"a\" x1=\"\(number(px(tick)))\" x2=\"\(number(px(tick)))\" y1=\"\(number(top + plotHeight))\" y2=\"\(number(top + plotHeight + 4))\"/>"
            )
            let most = max(4, Int(room * Double(every) / 6.4))
            let text = label.count > most ? label.prefix(most - 1) + "…" : label[...]
            out.append("<text text-anchor=\"middle\" x=\"\(number(px(tick)))\" y=\"\(number(top + plotHeight + 17))\">\(escaped(String(text)))</text>")
        }
        out.append("<text text-anchor=\"middle\" x=\"\(number(left + plotWidth / 2))\" y=\"\(number(height - 10))\">\(escaped(plot.xName))</text>")
        for (index, series) in panel.series.enumerated() {
            let colour = colours[index % colours.count]
            switch plot.mark {
            case .bars:
                out += bars(series, index, of: panel.series.count, colour, room: room, base: py(max(y.range.lowerBound, min(0, y.range.upperBound))), px, py)
            case .lines: out += lines(series, index, of: panel.series.count, colour, px, py)
            case .points: out += intervals(series, colour, 0, px, py) + markers(series, index, colour, 0, px, py, small: series.points.count > 60)
            }
        }
        if panel.series.count > 1 { out += drawnLegend(panel, plot, width: width, left: left) }
        return out
    }

    // MARK: Marks

    private static func lines(_ series: PlotView.Series, _ index: Int, of count: Int, _ colour: String, _ px: (Double) -> Double, _ py: (Double) -> Double)
        -> [String]
    {
        let points = series.points
        // Series at the same x stand a little apart, so that their intervals do not cover one another; many points get a band.
        let isDense = points.count > 24
        let shift = isDense || count == 1 ? 0 : (Double(index) - Double(count - 1) / 2) * 3
        var out: [String] = []
        if isDense {
            let with = points.filter { $0.low != nil && $0.high != nil }
            if with.count > 1 {
                let upper = with.map { "\(number(px($0.x))),\(number(py($0.high ?? $0.value)))" }
                let lower = with.reversed().map { "\(number(px($0.x))),\(number(py($0.low ?? $0.value)))" }
                out.append("<polygon fill=\"\(colour)\" fill-opacity=\"0.18\" points=\"\((upper + lower).joined(separator: " "))\"/>")
            }
        } else {
            out += intervals(series, colour, shift, px, py)
        }
        let dash = dashes[index % dashes.count]
        let path = points.map { "\(number(px($0.x) + shift)),\(number(py($0.value)))" }.joined(separator: " ")
        out.append(
            "<polyline fill=\"none\" stroke=\"\(colour)\" stroke-width=\"2\" stroke-linejoin=\"round\"\(dash.isEmpty ? "" : " stroke-dasharray=\"\(dash)\"") points=\"\(path)\"/>"
        )
        return isDense ? out : out + markers(series, index, colour, shift, px, py)
    }

    private static func bars(
        _ series: PlotView.Series, _ index: Int, of count: Int, _ colour: String, room: Double, base: Double, _ px: (Double) -> Double, _ py: (Double) -> Double
    ) -> [String] {
        let width = max(1, min(48, room * 0.8 / Double(count)))
        let shift = (Double(index) - Double(count - 1) / 2) * width
        let rectangles = series.points.map { point in
            let top = min(py(point.value), base), height = abs(py(point.value) - base)
            return
                "<rect fill=\"\(colour)\" x=\"\(number(px(point.x) + shift - width / 2))\" y=\"\(number(top))\" width=\"\(number(width * 0.94))\" height=\"\(number(height))\"/>"
        }
        return rectangles + intervals(series, nil, shift, px, py)
    }

    /// - Parameter colour: that of the axis, if nil, for what stands on a bar.
    private static func intervals(_ series: PlotView.Series, _ colour: String?, _ shift: Double, _ px: (Double) -> Double, _ py: (Double) -> Double) -> [String]
    {
        series.points.compactMap { point in
            guard let low = point.low, let high = point.high else { return nil }
            let x = px(point.x) + shift
            let style = colour.map { "stroke=\"\($0)\" stroke-width=\"1.5\"" } ?? "class=\"a\" stroke-width=\"1.5\""
            return
                "<path fill=\"none\" \(style) d=\"M\(number(x - 4)) \(number(py(high)))H\(number(x + 4))M\(number(x)) \(number(py(high)))V\(number(py(low)))M\(number(x - 4)) \(number(py(low)))H\(number(x + 4))\"/>"
        }
    }

    private static func markers(
        _ series: PlotView.Series, _ index: Int, _ colour: String, _ shift: Double, _ px: (Double) -> Double, _ py: (Double) -> Double, small: Bool = false
    ) -> [String] {
        series.points.map { marker(index, colour, px($0.x) + shift, py($0.value), small ? 2.2 : 4) }
    }

    /// Circle, square, triangle, diamond.
    private static func marker(_ index: Int, _ colour: String, _ x: Double, _ y: Double, _ r: Double) -> String {
        switch index % 4 {
        case 0: "<circle fill=\"\(colour)\" cx=\"\(number(x))\" cy=\"\(number(y))\" r=\"\(number(r))\"/>"
        case 1: "<rect fill=\"\(colour)\" x=\"\(number(x - r))\" y=\"\(number(y - r))\" width=\"\(number(2 * r))\" height=\"\(number(2 * r))\"/>"
        case 2: "<path fill=\"\(colour)\" d=\"M\(number(x)) \(number(y - r * 1.2))L\(number(x + r * 1.1)) \(number(y + r * 0.9))H\(number(x - r * 1.1))Z\"/>"
        default:
            "<path fill=\"\(colour)\" d=\"M\(number(x)) \(number(y - r * 1.3))L\(number(x + r * 1.3)) \(number(y))L\(number(x)) \(number(y + r * 1.3))L\(number(x - r * 1.3)) \(number(y))Z\"/>"
        }
    }

    // MARK: Legend

    /// The series' names in lines that fit.
    private static func legend(_ panel: PlotView.Panel, width: Double) -> [[Int]] {
        var lines: [[Int]] = [[]]
        var used = 0.0
        for (index, series) in panel.series.enumerated() {
            let size = 30 + textWidth(name(series))
            if used + size > width - 60, !(lines.last ?? []).isEmpty {
                lines.append([])
                used = 0
            }
            lines[lines.count - 1].append(index)
            used += size
        }
        return lines
    }

    private static func name(_ series: PlotView.Series) -> String { series.name.count > 40 ? series.name.prefix(39) + "…" : series.name }

    private static func drawnLegend(_ panel: PlotView.Panel, _ plot: PlotView, width: Double, left: Double) -> [String] {
        var out: [String] = []
        for (line, members) in legend(panel, width: width).enumerated() {
            var x = left
            let y = 37 + Double(line) * rowHeight
            for index in members {
                let text = name(panel.series[index])
                out.append(marker(plot.mark == .bars ? 1 : index, colours[index % colours.count], x + 5, y - 4, 4))
                out.append("<text x=\"\(number(x + 14))\" y=\"\(number(y))\">\(escaped(text))</text>")
                x += 30 + textWidth(text)
            }
        }
        return out
    }

    // MARK: Text

    /// Of the usual fonts at 12 pixels, on the safe side.
    private static func textWidth(_ text: String) -> Double { Double(TextWidth.of(text)) * 6.8 }

    /// With one decimal at most.
    private static func number(_ value: Double) -> String {
        let rounded = (value * 10).rounded() / 10
        return NumberFormat.plain(rounded == 0 ? 0 : rounded)
    }

    private static func escaped(_ text: String) -> String {
        var out = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": out += "&amp;"
            case "<": out += "&lt;"
            case ">": out += "&gt;"
            case "\n", "\t": out.unicodeScalars.append(scalar)
            // XML has no place for control characters.
            case "\u{0}"..."\u{1F}", "\u{7F}", "\u{FFFE}", "\u{FFFF}": out += "\u{FFFD}"
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out
    }
}
