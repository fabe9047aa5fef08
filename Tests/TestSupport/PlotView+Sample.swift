import Results

extension PlotView {
    /// Curves with intervals around them.
    package static func sample(
        _ mark: PlotView.Mark, name: String = "fid", series: Int = 1, count: Int = 4, intervals: Bool = true
    ) -> PlotView {
        let all = (0..<series).map { s in
            PlotView.Series(
                name: "series \(s)",
                points: (0..<count).map { i in
                    let value = Double(i * i + s) - 2
                    return .init(
                        x: Double(i), value: value, low: intervals ? value - 0.5 : nil,
                        high: intervals ? value + 0.7 : nil)
                })
        }
        return PlotView(
            mark: mark, xName: "k", panels: [.init(name: name, series: all)],
            seriesName: series > 1 ? "method" : nil)
    }
}
