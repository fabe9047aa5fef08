import Results

/// A plot as an SVG file: readable in light and dark, by colour, by shape, and by ear (its title and
/// description hold what it shows). Equal numbers give equal bytes.
package enum PlotSVG {
    static let rowHeight = 17.0

    package static func text(_ plot: PlotView) -> String {
        let columns = min(2, max(1, plot.panels.count))
        let rows = (plot.panels.count + columns - 1) / max(1, columns)
        let width = columns == 1 ? 640.0 : 400.0, height = columns == 1 ? 340.0 : 280.0
        let names = plot.panels.map { $0.series.count > 1 ? legend($0, plot.mark, width: width).count : 0 }
        let legendHeight = Double(names.max() ?? 0) * rowHeight
        let total = (width * Double(columns), (height + legendHeight) * Double(max(1, rows)))
        var out = [
            """
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(number(total.0)) \(number(total.1))" \
            width="\(number(total.0))" height="\(number(total.1))" role="img" aria-labelledby="t d">
            """,
            "<title id=\"t\">\(escaped(plot.words))</title>",
            "<desc id=\"d\">\n\(escaped(CSVText.of(plot.table)))</desc>",
            """
            <style>text{font:12px system-ui,-apple-system,"Segoe \
            UI",Helvetica,Arial,sans-serif;fill:#24292f}.n{font-weight:600}.g{stroke:#d8dee4;stroke-width:1}.a{stroke:#57606a;stroke-width:1}.b{fill:#ffffff}
            """
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

    private static func drawn(
        _ panel: PlotView.Panel, _ plot: PlotView, width: Double, height: Double, legendHeight: Double
    ) -> [String] {
        let points = panel.series.flatMap(\.points)
        let isLog = plot.logarithmic.contains(.y)
        let y = PlotAxis(
            points.flatMap { [$0.value, $0.low, $0.high].compactMap { $0 } }.filter { !isLog || $0 > 0 },
            ticks: 6,
            fromZero: plot.mark == .bars || panel.isDifference, log: isLog)
        let left = 20 + (y.labels.map(textWidth).max() ?? 0),
            right = rightMargin(panel, plot, width: width - left), top = 34.0 + legendHeight, bottom = 46.0
        let (plotWidth, plotHeight) = (width - left - right, height - top - bottom)
        let places = Places(panel, plot, width: plotWidth)
        let x = places.axis
        func px(_ value: Double) -> Double { left + x.place(places.of[value] ?? value) * plotWidth }
        func py(_ value: Double) -> Double { top + (1 - y.place(value)) * plotHeight }
        let title = TextWidth.fitting(
            panel.name + (plot.seriesName.map { " by \($0)" } ?? ""), width: Int((width - left - right) / 7))
        var out = ["<text class=\"n\" x=\"\(number(left))\" y=\"20\">\(escaped(title))</text>"]
        for (tick, label) in zip(y.ticks, y.labels) {
            out.append(
                """
                <line class="g" x1="\(number(left))" x2="\(number(left + plotWidth))" \
                y1="\(number(py(tick)))" y2="\(number(py(tick)))"/>
                """)
            out.append(
                "<text text-anchor=\"end\" x=\"\(number(left - 6))\" y=\"\(number(py(tick) + 4))\">\(label)</text>"
            )
        }
        if y.zero != nil {
            out.append(
                """
                <line class="a z" x1="\(number(left))" x2="\(number(left + plotWidth))" \
                y1="\(number(py(0)))" y2="\(number(py(0)))"/>
                """)
        }
        out.append(
            """
            <line class="a" x1="\(number(left))" x2="\(number(left + plotWidth))" \
            y1="\(number(top + plotHeight))" y2="\(number(top + plotHeight))"/>
            """
        )
        // Labels that would run into one another are left out evenly; long ones are cut.
        let room = plotWidth / Double(max(1, x.ticks.count))
        let longest = (places.isEven ? x.labels.map(textWidth).max() ?? 0 : 30) + 10
        let every = places.isEven ? max(1, Int((min(longest, 90) / max(room, 1)).rounded(.up))) : 1
        for (index, (tick, label)) in zip(x.ticks, x.labels).enumerated() where index % every == 0 {
            let across = left + x.place(tick) * plotWidth
            out.append(
                """
                <line class="a" x1="\(number(across))" x2="\(number(across))" \
                y1="\(number(top + plotHeight))" y2="\(number(top + plotHeight + 4))"/>
                """
            )
            let most = max(4, Int(room * Double(every) / 6.4))
            let text = label.count > most ? label.prefix(most - 1) + "…" : label[...]
            out.append(
                """
                <text text-anchor="middle" x="\(number(across))" \
                y="\(number(top + plotHeight + 17))">\(escaped(String(text)))</text>
                """)
        }
        out.append(
            """
            <text text-anchor="middle" x="\(number(left + plotWidth / 2))" \
            y="\(number(height - 10))">\(escaped(plot.xName))</text>
            """)
        // Where intervals would cover one another, series at the same x stand a little apart; values alone
        // stand where they are.
        let isApart = points.contains { $0.low != nil }
        for (index, series) in panel.series.enumerated() {
            let style = PlotStyle(index: index)
            switch plot.mark {
            case .bars:
                out += bars(
                    series, style, of: panel.series.count, room: places.room * plotWidth,
                    base: top + (1 - y.base) * plotHeight, px, py)
            case .lines: out += lines(series, style, of: isApart ? panel.series.count : 1, px, py)
            case .points:
                out +=
                    intervals(series, style.colour, 0, px, py)
                    + markers(series.points[...], style, 0, px, py, small: series.points.count > 60)
            }
        }
        if panel.series.count > 1 { out += drawnLegend(panel, plot, width: width, left: left) }
        return out
    }

    /// Room enough for the last label of the axis, which stands in the middle below its tick.
    static func rightMargin(_ panel: PlotView.Panel, _ plot: PlotView, width: Double) -> Double {
        let usual = 16.0
        let places = Places(panel, plot, width: width - usual)
        guard !places.isEven, let tick = places.axis.ticks.last, let label = places.axis.labels.last else {
            return usual
        }
        return max(usual, textWidth(label) / 2 + 4 - (1 - places.axis.place(tick)) * (width - usual))
    }

    /// Where the values of x stand.
    struct Places {
        let axis: PlotAxis
        /// Where a number stands elsewhere than at itself.
        var of: [Double: Double] = [:]
        /// Whether they are names, evenly apart, and not places on a scale.
        let isEven: Bool
        /// The share of the axis that belongs to one of them.
        let room: Double

        init(_ panel: PlotView.Panel, _ plot: PlotView, width: Double) {
            let values = panel.series.flatMap { $0.points.map(\.x) }
            let count = min(12, Int(width / 40))
            if let categories = plot.categories {
                (axis, isEven, room) = (
                    PlotAxis(categories: categories), true, 1 / Double(max(1, categories.count))
                )
                return
            }
            let own = PlotAxis(
                x: values, ticks: count, bars: plot.mark == .bars, log: plot.logarithmic.contains(.x))
            let distinct = Set(values).sorted()
            // The bars of numbers that lie too close together for them stand evenly apart instead.
            let least = 1.5 * Double(panel.series.count)
            guard plot.mark == .bars, own.closest(values) * width * 0.8 < least,
                width / Double(max(1, distinct.count)) * 0.8 >= least
            else {
                (axis, isEven, room) = (own, false, own.closest(values))
                return
            }
            let format = ColumnFormat(for: distinct)
            of = Dictionary(uniqueKeysWithValues: distinct.enumerated().map { ($1, Double($0)) })
            (axis, isEven, room) = (
                PlotAxis(categories: distinct.map { format($0) }), true, 1 / Double(distinct.count)
            )
        }
    }

    // MARK: Marks

    private static func lines(
        _ series: PlotView.Series, _ style: PlotStyle, of count: Int, _ px: (Double) -> Double,
        _ py: (Double) -> Double
    ) -> [String] {
        // Many points get a band for their intervals.
        let isDense = series.points.count > 24
        let shift = isDense || count == 1 ? 0 : (Double(style.index) - Double(count - 1) / 2) * 3
        var out: [String] = []
        if !isDense { out += intervals(series, style.colour, shift, px, py) }
        for run in series.runs {
            let with = run.filter { $0.low != nil && $0.high != nil }
            if isDense, with.count > 1 {
                let upper = with.map { "\(number(px($0.x))),\(number(py($0.high ?? $0.value)))" }
                let lower = with.reversed().map { "\(number(px($0.x))),\(number(py($0.low ?? $0.value)))" }
                out.append(
                    """
                    <polygon fill="\(style.colour)" fill-opacity="0.18" \
                    points="\((upper + lower).joined(separator: " "))"/>
                    """)
            }
            if run.count > 1 {
                let path = run.map { "\(number(px($0.x) + shift)),\(number(py($0.value)))" }.joined(
                    separator: " ")
                out.append(
                    "<polyline fill=\"none\" \(line(style, " stroke-linejoin=\"round\"")) points=\"\(path)\"/>"
                )
            }
            // A point that no line leads to or from shows as a mark.
            if !isDense || run.count == 1 { out += markers(run, style, shift, px, py, small: isDense) }
        }
        return out
    }

    static func line(_ style: PlotStyle, _ more: String = "") -> String {
        "stroke=\"\(style.colour)\" stroke-width=\"2\"" + more
            + (style.dash.isEmpty ? "" : " stroke-dasharray=\"\(style.dash)\"")
    }

    private static func bars(
        _ series: PlotView.Series, _ style: PlotStyle, of count: Int, room: Double, base: Double,
        _ px: (Double) -> Double, _ py: (Double) -> Double
    ) -> [String] {
        let width = max(0.1, min(48, room * 0.8 / Double(count)))
        let shift = (Double(style.index) - Double(count - 1) / 2) * width
        let rectangles = series.points.map { point in
            let top = min(py(point.value), base), height = abs(py(point.value) - base)
            return
                """
                <rect \(style.bar) x="\(number(px(point.x) + shift - width / 2))" y="\(number(top))" \
                width="\(number(max(0.1, width * 0.94)))" height="\(number(height))"/>
                """
        }
        return rectangles + intervals(series, nil, shift, px, py)
    }

    /// - Parameter colour: that of the axis, if nil, for what stands on a bar.
    private static func intervals(
        _ series: PlotView.Series, _ colour: String?, _ shift: Double, _ px: (Double) -> Double,
        _ py: (Double) -> Double
    ) -> [String] {
        series.points.compactMap { point in
            guard let low = point.low, let high = point.high else { return nil }
            let x = px(point.x) + shift
            let style =
                colour.map { "stroke=\"\($0)\" stroke-width=\"1.5\"" } ?? "class=\"a\" stroke-width=\"1.5\""
            return
                """
                <path fill="none" \(style) d="M\(number(x - 4)) \
                \(number(py(high)))H\(number(x + 4))M\(number(x)) \
                \(number(py(high)))V\(number(py(low)))M\(number(x - 4)) \
                \(number(py(low)))H\(number(x + 4))"/>
                """
        }
    }

    private static func markers(
        _ points: ArraySlice<PlotView.Point>, _ style: PlotStyle, _ shift: Double, _ px: (Double) -> Double,
        _ py: (Double) -> Double, small: Bool = false
    ) -> [String] {
        points.map { marker(style, px($0.x) + shift, py($0.value), small ? 2.2 : 4) }
    }

    /// Circle, square, triangle, diamond.
    static func marker(_ style: PlotStyle, _ x: Double, _ y: Double, _ r: Double) -> String {
        switch style.shape {
        case 0: "<circle \(style.mark) cx=\"\(number(x))\" cy=\"\(number(y))\" r=\"\(number(r))\"/>"
        case 1:
            """
            <rect \(style.mark) x="\(number(x - r))" y="\(number(y - r))" width="\(number(2 * r))" \
            height="\(number(2 * r))"/>
            """
        case 2:
            """
            <path \(style.mark) d="M\(number(x)) \(number(y - r * 1.2))L\(number(x + r * 1.1)) \
            \(number(y + r * 0.9))H\(number(x - r * 1.1))Z"/>
            """
        default:
            """
            <path \(style.mark) d="M\(number(x)) \(number(y - r * 1.3))L\(number(x + r * 1.3)) \
            \(number(y))L\(number(x)) \(number(y + r * 1.3))L\(number(x - r * 1.3)) \(number(y))Z"/>
            """
        }
    }

    // MARK: Text

    /// Of the usual fonts at 12 pixels, on the safe side.
    static func textWidth(_ text: String) -> Double { Double(TextWidth.of(text)) * 6.8 }

    /// With one decimal at most.
    static func number(_ value: Double) -> String {
        let rounded = (value * 10).rounded() / 10
        return NumberFormat.plain(rounded == 0 ? 0 : rounded)
    }

    /// XML has no place for control characters.
    static func escaped(_ text: String) -> String {
        let isNone = { (scalar: Unicode.Scalar) in
            (scalar.value < 0x20 && scalar != "\n" && scalar != "\t")
                || ["\u{7F}", "\u{FFFE}", "\u{FFFF}"].contains(scalar)
        }
        let shown = String(String.UnicodeScalarView(text.unicodeScalars.map { isNone($0) ? "\u{FFFD}" : $0 }))
        return MarkupText.escaped(shown, quotes: false)
    }
}
