import Rendering
import Results
import TestSupport
import Testing

@Suite("Plots") struct PlotTests {
    /// Opening and closing tags match, attributes are quoted, and nothing stands where XML allows nothing.
    func isWellFormed(_ text: String) -> Bool {
        var open: [Substring] = []
        var rest = text[...]
        while let start = rest.firstIndex(of: "<") {
            guard !rest[..<start].contains(">"), let end = rest[start...].firstIndex(of: ">") else {
                return false
            }
            let tag = rest[rest.index(after: start)..<end]
            guard !tag.contains("<"), tag.count(where: { $0 == "\"" }) % 2 == 0 else { return false }
            let name = tag.drop { $0 == "/" }.prefix { $0 != " " && $0 != "/" }
            if tag.hasPrefix("/") {
                if open.popLast() != name { return false }
            } else if !tag.hasSuffix("/") {
                open.append(name)
            }
            rest = rest[rest.index(after: end)...]
        }
        return open.isEmpty && !text.unicodeScalars.contains { $0.value < 32 && $0 != "\n" }
    }

    @Test(
        "every kind of plot is a well-formed SVG that says in words what it shows",
        arguments: PlotView.Mark.allCases)
    func svg(_ mark: PlotView.Mark) {
        for (series, count) in [(1, 0), (1, 1), (2, 4), (9, 40)] {
            let plot = PlotView.sample(mark, name: "a < b & \"c\" \u{1B}[31m", series: series, count: count)
            let text = PlotSVG.text(plot)
            #expect(isWellFormed(text), "\(series) series of \(count)")
            #expect(text == PlotSVG.text(plot))
            #expect(
                text.contains("<title id=\"t\">") && text.contains("a &lt; b &amp; \"c\"")
                    && !text.contains("nan") && !text.contains("inf"))
        }
    }

    @Test(
        "numbers that are all equal, huge or tiny still have an axis",
        arguments: [[5.0, 5], [0, 0], [-1e300, 1e300], [1e-300, 2e-300], [7]])
    func axes(_ values: [Double]) {
        let points = values.enumerated().map { PlotView.Point(x: Double($0.offset), value: $0.element) }
        for mark in PlotView.Mark.allCases {
            let text = PlotSVG.text(
                PlotView(
                    mark: mark, xName: "x",
                    panels: [.init(name: "y", series: [.init(name: "y", points: points)])]))
            #expect(isWellFormed(text) && !text.contains("nan") && !text.contains("inf\""))
        }
    }

    @Test("any numbers that can be shown are drawn everywhere without a trap")
    func extremes() throws {
        let extremes = [
            0, -0.0, 1e300, -1e300, Double.leastNonzeroMagnitude, 1e-300, 1, 1 + 1e-15, 3e-10, -7.5, 1e17,
            0.1 + 0.2,
        ]
        var small = SmallGenerator(seed: 9)
        let terminal = TerminalRenderer(
            Terminal(isTerminal: true, columns: 40, rows: 24, hasColour: true), method: .symbols)
        for _ in 0..<300 {
            func any() -> Double { extremes[small.next(below: extremes.count)] }
            let points = (0..<1 + small.next(below: 5)).map { _ in
                PlotView.Point(x: any(), value: any(), low: any(), high: any())
            }.sorted { $0.x < $1.x }
            for mark in PlotView.Mark.allCases {
                let plot = PlotView(
                    mark: mark, xName: "x",
                    panels: [.init(name: "y", series: [.init(name: "y", points: points)])])
                #expect(isWellFormed(PlotSVG.text(plot)))
                #expect(try !terminal.render(.plot(plot)).isEmpty)
            }
        }
    }

    @Test("in a terminal a plot has its axis, its ticks and a legend, and no line is wider than the terminal")
    func terminal() throws {
        let terminal = Terminal(isTerminal: true, columns: 60, rows: 24, hasColour: true)
        let text = try TerminalRenderer(terminal, method: .symbols).render(
            .plot(PlotView.sample(.lines, series: 2))
        ).written
        let plain = text.replacing(/\u{1B}\[[0-9;]*m/, with: "")
        #expect(plain.contains("┤") && plain.contains("series 1") && plain.contains("fid by method"))
        #expect(plain.split(separator: "\n").allSatisfy { $0.count <= 60 })
        let bars = try TerminalRenderer(terminal, method: .symbols).render(.plot(PlotView.sample(.bars)))
            .written
        #expect(bars.contains("█") && bars.contains("7.0 (6.5 to 7.7)"))
    }

    @Test("without colour, and in a pipe, a plot is its numbers")
    func text() throws {
        let told = try TextRenderer().render(.plot(PlotView.sample(.lines, count: 2)))
        #expect(
            told
                == """
                Lines over k. fid: 2 points, lowest -2.0 (-2.5 to -1.3) at k=0, highest -1.0 (-1.5 to \
                -0.3) at k=1\nplot  k                value\nfid   0  -2.0 (-2.5 to -1.3)\nfid   1  -1.0 \
                (-1.5 to -0.3)
                """
        )
        let dumb = Terminal(isTerminal: true, columns: 60, rows: 24, hasColour: false)
        #expect(
            try TerminalRenderer(dumb, method: .symbols).render(.plot(PlotView.sample(.lines, count: 2)))
                .written == told)
    }

    // MARK: Where things stand

    /// The attributes of the elements of a kind, as numbers.
    private func numbers(_ element: String, _ names: [String], in svg: String) -> [[Double]] {
        svg.split(separator: "<").filter { $0.hasPrefix(element + " ") }.map { text in
            names.map { name in
                text.firstRange(of: " \(name)=\"").flatMap {
                    Double(text[$0.upperBound...].prefix { $0 != "\"" })
                } ?? .nan
            }
        }
    }

    private func bars(_ xs: [Double], series: Int, panels: Int = 1) -> PlotView {
        PlotView(
            mark: .bars, xName: "k",
            panels: (0..<panels).map { panel in
                .init(
                    name: "p\(panel)",
                    series: (0..<series).map { s in
                        .init(name: "s\(s)", points: xs.map { .init(x: $0, value: $0 + Double(s) + 1) })
                    })
            }, seriesName: series > 1 ? "g" : nil)
    }

    @Test(
        """
        bars over numbers stand inside their own panel, beside one another, and not over the labels of \
        the axis
        """,
        arguments: [[1.0, 2], [1], [5, 7, 30], [0, 1e6], [1, 1.001, 50], [-3, -2, 0]])
    func barsOverNumbers(_ xs: [Double]) {
        for (series, panels) in [(1, 1), (2, 1), (2, 2), (12, 3)] {
            let svg = PlotSVG.text(bars(xs, series: series, panels: panels))
            let parts = svg.split(separator: "<g transform").dropFirst()
            #expect(parts.count == panels)
            for part in parts {
                let text = String(part)
                // Those of the plot stand before the legend's.
                let all = numbers("rect", ["x", "width"], in: text).prefix(xs.count * series).sorted {
                    $0[0] < $1[0]
                }
                let axis = numbers("line", ["x1", "x2"], in: text).first ?? [.nan, .nan]
                #expect(all.count == xs.count * series)
                for bar in all {
                    #expect(
                        bar[0] >= axis[0] - 0.1 && bar[0] + bar[1] <= axis[1] + 0.1, "\(bar) beyond \(axis)")
                }
                // Coordinates have one decimal.
                for (one, next) in zip(all, all.dropFirst()) {
                    #expect(next[0] - one[0] >= one[1] - 0.2, "\(one) and \(next)")
                }
            }
        }
    }

    @Test("series stand where their values are, and apart only where intervals would cover one another")
    func apart() {
        for hasIntervals in [false, true] {
            let plot = PlotView.sample(.lines, series: 2, intervals: hasIntervals)
            let x = numbers("circle", ["cx"], in: PlotSVG.text(plot)).map { $0[0] }.sorted()
            let squares = numbers("rect", ["x", "width"], in: PlotSVG.text(plot)).filter { $0[1] == 8 }.map {
                $0[0] + 4
            }.sorted()
            // The first of each is the legend's.
            for (circle, square) in zip(x.suffix(3), squares.suffix(3)) {
                #expect(abs(circle - square) == (hasIntervals ? 3 : 0))
            }
        }
    }

    @Test("a line is broken where a value is missing, and a point between two gaps is a mark")
    func broken() {
        let points = [0.0, 1, 3, 5].map { PlotView.Point(x: $0, value: $0) }
        let plot = PlotView(
            mark: .lines, xName: "x",
            panels: [.init(name: "y", series: [.init(name: "y", points: points, breaks: [2, 3])])])
        let svg = PlotSVG.text(plot)
        #expect(svg.split(separator: "<polyline").count == 2, "one line, between the first two")
        #expect(numbers("circle", ["cx"], in: svg).count == 4)
        let dense = (0..<40).map { PlotView.Point(x: Double($0), value: 1) }
        let other = PlotView(
            mark: .lines, xName: "x",
            panels: [.init(name: "y", series: [.init(name: "y", points: dense, breaks: [0, 20, 21])])])
        #expect(numbers("circle", ["cx"], in: PlotSVG.text(other)).count == 1)
        #expect(PlotSVG.text(other).split(separator: "<polyline").count == 3)
    }

    @Test("every one of many series has a look of its own", arguments: PlotView.Mark.allCases)
    func manySeries(_ mark: PlotView.Mark) throws {
        let svg = PlotSVG.text(PlotView.sample(mark, series: 12, count: 2, intervals: false))
        let legend = svg.split(separator: "\n").drop { !$0.contains("series 0") }
        #expect(!legend.isEmpty)
        func look(_ line: Substring) -> String {
            String(line.replacing(/\b(x|y|cx|cy|x1|x2|y1|y2|points|d)="[^"]*"/, with: ""))
        }
        let lines = svg.split(separator: "\n")
        let texts = lines.indices.filter { lines[$0].hasSuffix("</text>") && lines[$0].contains(">series ") }
        let looks = texts.map { end in
            lines[(mark == .lines ? end - 2 : end - 1)..<end].map { line in
                // Triangle and diamond are told apart by how many corners they have.
                look(line) + (line.contains(" d=") ? "\(line.count { $0 == "L" })" : "")
            }.joined()
        }
        #expect(looks.count == 12 && Set(looks).count == 12, "\(looks)")
        let terminal = Terminal(isTerminal: true, columns: 80, rows: 24, hasColour: true)
        let text = try TerminalRenderer(terminal, method: .symbols).render(
            .plot(PlotView.sample(mark, series: 12, count: 2))
        ).written
        let told = text.replacing(/\u{1B}\[[0-9;]*m/, with: "")
        for letter in "abcdefghijkl" { #expect(told.contains("\(letter) series")) }
    }

    @Test("differences have zero on their axis, with a line of its own")
    func differences() {
        var plot = PlotView.sample(.lines, count: 3)
        #expect(PlotSVG.text(plot).contains("class=\"a z\""), "values below and above zero")
        plot.panels[0].series[0].points = [.init(x: 0, value: 5), .init(x: 1, value: 6)]
        #expect(!PlotSVG.text(plot).contains("class=\"a z\""))
        plot.panels[0].series[0].points = [.init(x: 0, value: -5), .init(x: 1, value: -6)]
        plot.panels[0].isDifference = true
        let svg = PlotSVG.text(plot)
        #expect(svg.contains("class=\"a z\"") && svg.contains(">0</text>"))
    }

    @Test("on a logarithmic axis equal factors are equal ways")
    func logarithmic() throws {
        let points = [1.0, 10, 1000].map { PlotView.Point(x: $0, value: $0 * $0, low: -1, high: $0 * $0 * 2) }
        let plot = PlotView(
            mark: .points, xName: "x", panels: [.init(name: "y", series: [.init(name: "y", points: points)])],
            logarithmic: [.x, .y])
        let svg = PlotSVG.text(plot)
        let at = numbers("circle", ["cx", "cy"], in: svg)
        #expect(abs((at[2][0] - at[1][0]) - 2 * (at[1][0] - at[0][0])) < 0.3)
        #expect(abs((at[2][1] - at[1][1]) - 2 * (at[1][1] - at[0][1])) < 0.3)
        #expect(svg.contains(">1000</text>") && svg.contains(">1000000</text>"))
        #expect(plot.words.hasPrefix("Points over x, x and y logarithmic."))
        // As many decades as there are.
        let far = PlotView(
            mark: .lines, xName: "x",
            panels: [
                .init(
                    name: "y",
                    series: [
                        .init(
                            name: "y", points: [.init(x: 1e-300, value: 1e-9), .init(x: 1e300, value: 1e9)])
                    ])
            ],
            logarithmic: [.x, .y])
        #expect(isWellFormed(PlotSVG.text(far)) && !PlotSVG.text(far).contains("nan"))
        #expect(
            try !TerminalRenderer(Terminal(isTerminal: true, columns: 60, hasColour: true), method: .symbols)
                .render(.plot(far)).written.isEmpty)
        var bars = bars([1, 10, 100], series: 2)
        bars.logarithmic = [.x, .y]
        for bar in numbers("rect", ["y", "height"], in: PlotSVG.text(bars)).dropFirst() {
            #expect(bar[0] > 0 && bar[0] + bar[1] <= 340)
        }
    }

    @Test("an axis far from zero tells its ticks apart")
    func ticks() {
        let points = (0..<3).map { PlotView.Point(x: Double($0), value: 100_000 + Double($0) / 10) }
        let svg = PlotSVG.text(
            PlotView(
                mark: .lines, xName: "x",
                panels: [.init(name: "y", series: [.init(name: "y", points: points)])]))
        #expect(svg.contains(">100000.10</text>") && svg.contains(">100000.20</text>"))
    }

    @Test("without colour a plot is still drawn, with letters for its series, and nothing is coloured")
    func colourless() throws {
        let terminal = Terminal(isTerminal: true, columns: 60, rows: 24, hasColour: false, isDumb: false)
        for mark in PlotView.Mark.allCases {
            let text = try TerminalRenderer(terminal, method: .symbols).render(
                .plot(PlotView.sample(mark, series: 2))
            ).written
            #expect(!text.contains("\u{1B}") && text.contains("a series 0   b series 1"))
            #expect(text.contains(mark == .bars ? "█" : "┤"))
        }
    }

    @Test("intervals at one x stand beside one another in a terminal")
    func terminalIntervals() throws {
        let terminal = Terminal(isTerminal: true, columns: 80, rows: 24, hasColour: true)
        var plot = PlotView.sample(.lines, series: 2, count: 2)
        for index in 0..<2 {
            plot.panels[0].series[index].points = [
                .init(x: 0, value: 1, low: 0, high: 2), .init(x: 1, value: 1, low: 0, high: 2),
            ]
        }
        let text = try TerminalRenderer(terminal, method: .symbols).render(.plot(plot)).written
        // Both colours show in the rows of the intervals above and below the values.
        let rows = text.split(separator: "\n").filter { $0.contains("│") || $0.contains("┤") }
        #expect(rows.filter { $0.contains("\u{1B}[34m") && $0.contains("\u{1B}[31m") }.count >= 8, "\(text)")
    }
}
