/// Numbers to be drawn: panels beside one another over one x axis, in each one or several series.
package struct PlotView: Sendable {
    package enum Mark: String, Sendable, CaseIterable {
        case lines, bars, points
    }

    package struct Point: Sendable, Equatable {
        package var x: Double
        package var value: Double
        /// The interval around the value, where it has one.
        package var low: Double?
        package var high: Double?

        package init(x: Double, value: Double, low: Double? = nil, high: Double? = nil) {
            (self.x, self.value, self.low, self.high) = (x, value, low, high)
        }

        /// The digits that the point deserves are those of a measure.
        fileprivate var measure: Measure {
            Measure(value: value, n: 1, low: low ?? value, high: high ?? value)
        }

        package func text(_ format: ColumnFormat) -> String {
            guard let low, let high else { return format(value) }
            return Measure.text(value, low, high, format)
        }
    }

    /// Whether a number can stand on an axis: beyond, differences are no numbers any more.
    package static func canShow(_ number: Double) -> Bool { abs(number) <= 1e300 }

    package struct Series: Sendable {
        package var name: String
        /// By x.
        package var points: [Point]
        /// The points before which a value is missing: no line leads to them.
        package var breaks: Set<Int>

        package init(name: String, points: [Point], breaks: Set<Int> = []) {
            (self.name, self.points, self.breaks) = (name, points, breaks)
        }

        /// The points between which lines run.
        package var runs: [ArraySlice<Point>] {
            let starts = [0] + breaks.filter { points.indices.contains($0) && $0 > 0 }.sorted()
            return zip(starts, starts.dropFirst() + [points.count]).map { points[$0..<$1] }.filter {
                !$0.isEmpty
            }
        }
    }

    package struct Panel: Sendable {
        /// What the y axis shows.
        package var name: String
        package var series: [Series]
        /// Whether its numbers are differences: zero is on its axis.
        package var isDifference: Bool

        package init(name: String, series: [Series], isDifference: Bool = false) {
            (self.name, self.series, self.isDifference) = (name, series, isDifference)
        }
    }

    /// The axes that are logarithmic.
    package enum Axis: String, Sendable, CaseIterable {
        case x, y
    }

    package var mark: Mark
    package var xName: String
    /// Where x is no number: its values, at 0, 1, 2, ...
    package var categories: [String]?
    package var panels: [Panel]
    /// What the series differ by: `k`, or nothing where each is a column.
    package var seriesName: String?
    package var note: String?
    /// The axes on which equal ways are equal factors; nothing at or below zero stands there.
    package var logarithmic: Set<Axis>

    package init(
        mark: Mark, xName: String, categories: [String]? = nil, panels: [Panel], seriesName: String? = nil,
        note: String? = nil, logarithmic: Set<Axis> = []
    ) {
        (self.mark, self.xName, self.categories, self.panels, self.seriesName, self.note) = (
            mark, xName, categories, panels, seriesName, note
        )
        self.logarithmic = logarithmic
    }

    /// An x as it is read.
    package func label(_ x: Double) -> String {
        guard let categories else { return NumberFormat.plain(x) }
        return categories.indices.contains(Int(x)) ? categories[Int(x)] : ""
    }

    /// The numbers as a table, a row per point: what a screen reader gets, and what `verify` compares.
    package var table: TableView {
        let hasSeries = panels.contains { $0.series.count > 1 }
        var headings: [TableView.Heading] = [.init(name: "plot", kind: .text)]
        if hasSeries { headings.append(.init(name: seriesName ?? "series", kind: .text)) }
        headings += [
            .init(name: xName, kind: categories == nil ? .number : .text),
            .init(name: "value", kind: .number),
        ]
        var rows: [[TableView.Cell]] = []
        for panel in panels {
            let format = ColumnFormat(for: panel.series.flatMap(\.points).map(\.measure))
            for series in panel.series {
                for point in series.points {
                    rows.append(
                        [.text(panel.name)] + (hasSeries ? [.text(series.name)] : []) + [
                            .text(label(point.x)), .text(point.text(format)),
                        ])
                }
            }
        }
        return TableView(headings: headings, rows: rows, note: note)
    }

    /// What there is to see, in words.
    package var words: String {
        let kind =
            switch mark {
            case .lines: "Lines"
            case .bars: "Bars"
            case .points: "Points"
            }
        let all = panels.flatMap { panel in panel.series.map { (panel, $0) } }
        var parts = all.prefix(6).map { panel, series -> String in
            let name =
                panel.series.count == 1
                ? panel.name : seriesName.map { "\(panel.name) at \($0)=\(series.name)" } ?? series.name
            guard let first = series.points.first else { return "\(name): nothing" }
            let format = ColumnFormat(for: series.points.map(\.measure))
            if series.points.count == 1 {
                return "\(name): \(first.text(format)) at \(xName)=\(label(first.x))"
            }
            let low = series.points.min { $0.value < $1.value } ?? first,
                high = series.points.max { $0.value < $1.value } ?? first
            return
                """
                \(name): \(series.points.count) points, lowest \(low.text(format)) at \
                \(xName)=\(label(low.x)), highest \(high.text(format)) at \(xName)=\(label(high.x))
                """
        }
        if all.count > 6 { parts.append("and \(all.count - 6) more") }
        let axes = Axis.allCases.filter(logarithmic.contains).map(\.rawValue).joined(separator: " and ")
        return
            (["\(kind) over \(xName)\(axes.isEmpty ? "" : ", \(axes) logarithmic")."]
            + (parts.isEmpty ? [] : [parts.joined(separator: "; ")])).joined(
                separator: " ")
    }
}
