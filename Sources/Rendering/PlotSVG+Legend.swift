import Results

/// The legend below a panel.
extension PlotSVG {
    /// The series' names in lines that fit.
    static func legend(_ panel: PlotView.Panel, _ mark: PlotView.Mark, width: Double) -> [[Int]] {
        var lines: [[Int]] = [[]]
        var used = 0.0
        for (index, series) in panel.series.enumerated() {
            let size = sampleWidth(mark) + 20 + textWidth(name(series))
            if used + size > width - 60, !(lines.last ?? []).isEmpty {
                lines.append([])
                used = 0
            }
            lines[lines.count - 1].append(index)
            used += size
        }
        return lines
    }

    /// What stands before a name: a piece of its line with a mark, or the mark alone.
    static func sampleWidth(_ mark: PlotView.Mark) -> Double { mark == .lines ? 30 : 10 }

    static func name(_ series: PlotView.Series) -> String {
        series.name.count > 40 ? series.name.prefix(39) + "…" : series.name
    }

    static func drawnLegend(_ panel: PlotView.Panel, _ plot: PlotView, width: Double, left: Double)
        -> [String]
    {
        var out: [String] = []
        let sample = sampleWidth(plot.mark)
        for (row, members) in legend(panel, plot.mark, width: width).enumerated() {
            var x = left
            let y = 37 + Double(row) * rowHeight
            for index in members {
                let text = name(panel.series[index]), style = PlotStyle(index: index)
                switch plot.mark {
                case .bars:
                    out.append(
                        "<rect \(style.bar) x=\"\(number(x + 1))\" y=\"\(number(y - 8))\" width=\"8\" height=\"8\"/>"
                    )
                case .lines:
                    out.append(
                        """
                        <line \(line(style)) x1="\(number(x))" x2="\(number(x + sample))" \
                        y1="\(number(y - 4))" y2="\(number(y - 4))"/>
                        """)
                    out.append(marker(style, x + sample / 2, y - 4, 4))
                case .points: out.append(marker(style, x + 5, y - 4, 4))
                }
                out.append("<text x=\"\(number(x + sample + 4))\" y=\"\(number(y))\">\(escaped(text))</text>")
                x += sample + 20 + textWidth(text)
            }
        }
        return out
    }
}
