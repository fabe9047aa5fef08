import Interpreting
import Results
import SourceText

/// `plot`: columns of numbers as lines, bars or points.
enum PlotVerb {
    private static let x = Slot("x", .column, required: .named, "the column along the axis")
    private static let y = Slot(
        "y", .columns, required: .named,
        "one or more columns of numbers; those of unlike size get a plot each")
    private static let by = Slot(
        "by", .columns, default: [], "a line, bar or kind of point for each value of these columns")
    private static let mark = Slot(
        "mark", .choice(PlotView.Mark.self),
        "how; without it lines over numbers, bars over anything else, points where several rows share an x")
    private static let log = Slot(
        "log", .choices(PlotView.Axis.self), default: [], repeats: true,
        "the axes on which equal ways are equal factors: `log=y`, `log=x,y`")

    static let plot = VerbDeclaration(
        "plot", .looking,
        """
        Draws columns of numbers over another column: lines, bars or points, measures with their \
        intervals.
        """, input: .table,
        asArgument: true,
        slots: [x, y, by, mark, log],
        notes: [
            """
            In a file a plot is an SVG that carries its numbers as text; in a terminal it is drawn in \
            braille or blocks; in a pipe it is the table of its numbers.
            """,
            """
            Rows without a number are left out, and the plot says how many; a line is broken there. So \
            are numbers at or below zero on a logarithmic axis.
            """,
            "What `compare` gives is drawn around a line at zero.",
        ],
        columns: .other(.view),
        examples: [
            "items k=20..60:10 fid=317,283,261,235,222 | plot x=k y=fid",
            "items name=\"a\",\"b\",\"c\" share=0.2,0.5,0.3 | plot x=name y=share",
            "items step=1,10,100,1000 loss=0.9,0.5,0.2,0.1 | plot x=step y=loss log=x,y",
        ]
    ) { invocation in
        let table = try invocation.table()
        func column(_ name: String, _ slot: String) throws -> Column {
            try invocation.column(name, of: table, slot: slot)
        }
        let x = try column(invocation[x], "x")
        let columns = try invocation[y].map { try column($0, "y") }
        let groups = try invocation[by].map { try column($0, "by") }
        for column in columns { try checkNumeric(column) }
        let isNumeric = x.values.allSatisfy { $0.isNone || number($0) != nil }
        let logarithmic = Set(invocation[log])
        if !isNumeric, logarithmic.contains(.x) {
            throw Complaint(
                .wrongType, "a logarithmic axis is one of numbers, and `\(x.name)` is \(x.kind.phrase)",
                label: "`x` cannot be logarithmic", slot: "log")
        }
        let alike =
            isNumeric
            ? [] : try RowGroups([x], rowCount: table.rowCount).members.filter { !x.values[$0[0]].isNone }
        let categories = alike.map { x.values[$0[0]].summary }
        let categoryOfRow = Dictionary(
            uniqueKeysWithValues: alike.enumerated().flatMap { category, rows in
                rows.map { ($0, Double(category)) }
            })
        let places: [Double?] = x.values.enumerated().map { row, value in
            if isNumeric { return number(value).flatMap { PlotView.canShow($0) ? $0 : nil } }
            return categoryOfRow[row]
        }
        let rowGroups = try RowGroups(groups, rowCount: table.rowCount)
        let groupOfRow = rowGroups.groupOfRow
        let names = rowGroups.members.map { rows in
            groups.map { $0.values[rows[0]].summary }.joined(separator: ", ")
        }
        var missing = 0, below = 0
        func series(_ column: Column) -> [PlotView.Series] {
            // In the order of the rows; nil where the value is missing.
            var points = [[(x: Double, point: PlotView.Point?)]](repeating: [], count: names.count)
            for row in 0..<table.rowCount {
                guard let place = places[row] else {
                    missing += 1
                    continue
                }
                var point = point(column.values[row], x: place)
                if point == nil {
                    missing += 1
                } else if let found = point,
                    logarithmic.contains(.x) && found.x <= 0 || logarithmic.contains(.y) && found.value <= 0
                {
                    below += 1
                    point = nil
                }
                points[groupOfRow[row]].append((place, point))
            }
            return zip(names, points).map { name, points in
                var series = PlotView.Series(name: groups.isEmpty ? column.name : name, points: [])
                for (_, point) in points.enumerated().sorted(by: {
                    ($0.element.x, $0.offset) < ($1.element.x, $1.offset)
                }).map(\.element) {
                    if let point {
                        series.points.append(point)
                    } else {
                        series.breaks.insert(series.points.count)
                    }
                }
                return series
            }
        }
        let all = columns.map { ($0.name, series($0)) }
        let repeats = all.contains {
            $0.1.contains { series in zip(series.points, series.points.dropFirst()).contains { $0.x == $1.x }
            }
        }
        let asked = invocation[mark]
        if repeats, let asked, asked != .points {
            throw Complaint(
                .wrongInput,
                "several rows share one \(x.name), and \(asked.rawValue) need one number for each",
                label: "\(asked.rawValue)", slot: "mark",
                help: """
                    `by=` tells them apart, `score ... by=\(x.name)` makes one of them, `mark=points` shows \
                    all
                    """)
        }
        let mark = asked ?? (repeats ? .points : isNumeric ? .lines : .bars)
        var view = PlotView(
            mark: mark, xName: x.name, categories: isNumeric ? nil : categories,
            panels: groups.isEmpty ? joined(all) : all.map { PlotView.Panel(name: $0.0, series: $0.1) },
            seriesName: groups.isEmpty ? nil : groups.map(\.name).joined(separator: ", "),
            logarithmic: logarithmic)
        if let baseline = table.baseline {
            let differences = Set(columns.filter { $0.kind == .measure }.map(\.name))
            for index in view.panels.indices {
                let names = groups.isEmpty ? view.panels[index].series.map(\.name) : [view.panels[index].name]
                guard names.allSatisfy(differences.contains) else { continue }
                view.panels[index].name += ", difference to \(baseline)"
                view.panels[index].isDifference = true
            }
        }
        var notes = table.partial.map { [$0.message] } ?? []
        if missing > 0 {
            notes.append("\(missing) \(missing == 1 ? "value is" : "values are") missing and not drawn")
        }
        if below > 0 {
            notes.append(
                """
                \(below) \(below == 1 ? "value is" : "values are") at or below zero, where a logarithmic \
                axis has no place, and not drawn
                """)
        }
        if view.panels.allSatisfy({ $0.series.allSatisfy(\.points.isEmpty) }) {
            notes.append("there is nothing to draw")
        }
        view.note = notes.isEmpty ? nil : notes.joined(separator: "; ")
        return .view(.plot(view))
    }

    private static func number(_ value: Value) -> Double? {
        value.number
    }

    private static func checkNumeric(_ column: Column) throws {
        guard column.values.allSatisfy({ $0.isNone || point($0, x: 0, anyNumber: true) != nil }) else {
            throw Complaint(
                .wrongType, "`plot` draws numbers, and `\(column.name)` is \(column.kind.phrase)",
                label: column.kind.phrase, slot: "y")
        }
    }

    private static func point(_ value: Value, x: Double, anyNumber: Bool = false) -> PlotView.Point? {
        guard let number = value.number, anyNumber || PlotView.canShow(number) else { return nil }
        guard case .measure(let measure) = value, measure.hasInterval, PlotView.canShow(measure.low),
            PlotView.canShow(measure.high)
        else {
            return PlotView.Point(x: x, value: number)
        }
        return PlotView.Point(x: x, value: number, low: measure.low, high: measure.high)
    }

    /// Columns whose numbers lie in one range share a plot; the others get one each.
    private static func joined(_ columns: [(name: String, series: [PlotView.Series])]) -> [PlotView.Panel] {
        var panels: [(panel: PlotView.Panel, range: ClosedRange<Double>)] = []
        for (name, series) in columns {
            let values = series.flatMap { $0.points.map(\.value) }
            let range = (values.min() ?? 0)...(values.max() ?? 0)
            let size = range.upperBound - range.lowerBound
            let home = panels.firstIndex { _, other in
                let common = min(range.upperBound, other.upperBound) - max(range.lowerBound, other.lowerBound)
                return common > 0 && common >= 0.25 * min(size, other.upperBound - other.lowerBound)
                    && max(size, other.upperBound - other.lowerBound) <= 10
                        * min(size, other.upperBound - other.lowerBound)
            }
            if let home {
                panels[home].panel.series += series
                panels[home].panel.name += ", " + name
                panels[home].range =
                    min(
                        range.lowerBound, panels[home].range.lowerBound)...max(
                        range.upperBound, panels[home].range.upperBound)
            } else {
                panels.append((PlotView.Panel(name: name, series: series), range))
            }
        }
        return panels.map(\.panel)
    }
}
