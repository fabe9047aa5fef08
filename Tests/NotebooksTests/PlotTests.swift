import Notebooks
import Rendering
import Results
import TestSupport
import Testing

@Suite("Plots") struct PlotTests {
    static func plot(_ mark: PlotView.Mark, name: String = "fid", series: Int = 1, count: Int = 4, intervals: Bool = true) -> PlotView {
        let all = (0..<series).map { s in
            PlotView.Series(
                name: "series \(s)",
                points: (0..<count).map { i in
                    let value = Double(i * i + s) - 2
                    return .init(x: Double(i), value: value, low: intervals ? value - 0.5 : nil, high: intervals ? value + 0.7 : nil)
                })
        }
        return PlotView(mark: mark, xName: "k", panels: [.init(name: name, series: all)], seriesName: series > 1 ? "method" : nil)
    }

    /// Opening and closing tags match, attributes are quoted, and nothing stands where XML allows nothing.
    func isWellFormed(_ text: String) -> Bool {
        var open: [Substring] = []
        var rest = text[...]
        while let start = rest.firstIndex(of: "<") {
            guard !rest[..<start].contains(">"), let end = rest[start...].firstIndex(of: ">") else { return false }
            let tag = rest[rest.index(after: start)..<end]
            guard !tag.contains("<"), tag.count(where: { $0 == "\"" }) % 2 == 0 else { return false }
            let name = tag.drop { $0 == "/" }.prefix { $0 != " " && $0 != "/" }
            if tag.hasPrefix("/") { if open.popLast() != name { return false } } else if !tag.hasSuffix("/") { open.append(name) }
            rest = rest[rest.index(after: end)...]
        }
        return open.isEmpty && !text.unicodeScalars.contains { $0.value < 32 && $0 != "\n" }
    }

    @Test("every kind of plot is a well-formed SVG that says in words what it shows", arguments: PlotView.Mark.allCases)
    func svg(_ mark: PlotView.Mark) {
        for (series, count) in [(1, 0), (1, 1), (2, 4), (9, 40)] {
            let plot = Self.plot(mark, name: "a < b & \"c\" \u{1B}[31m", series: series, count: count)
            let text = PlotSVG.text(plot)
            #expect(isWellFormed(text), "\(series) series of \(count)")
            #expect(text == PlotSVG.text(plot))
            #expect(text.contains("<title id=\"t\">") && text.contains("a &lt; b &amp; \"c\"") && !text.contains("nan") && !text.contains("inf"))
        }
    }

    @Test("numbers that are all equal, huge or tiny still have an axis", arguments: [[5.0, 5], [0, 0], [-1e300, 1e300], [1e-300, 2e-300], [7]])
    func axes(_ values: [Double]) {
        let points = values.enumerated().map { PlotView.Point(x: Double($0.offset), value: $0.element) }
        for mark in PlotView.Mark.allCases {
            let text = PlotSVG.text(PlotView(mark: mark, xName: "x", panels: [.init(name: "y", series: [.init(name: "y", points: points)])]))
            #expect(isWellFormed(text) && !text.contains("nan") && !text.contains("inf\""))
        }
    }

    @Test("any numbers that can be shown are drawn everywhere without a trap")
    func extremes() throws {
        let extremes = [0, -0.0, 1e300, -1e300, Double.leastNonzeroMagnitude, 1e-300, 1, 1 + 1e-15, 3e-10, -7.5, 1e17, 0.1 + 0.2]
        var small = SmallGenerator(seed: 9)
        let terminal = TerminalRenderer(Terminal(isTerminal: true, columns: 40, rows: 24, hasColour: true), method: .symbols)
        for _ in 0..<300 {
            func any() -> Double { extremes[small.next(below: extremes.count)] }
            let points = (0..<1 + small.next(below: 5)).map { _ in PlotView.Point(x: any(), value: any(), low: any(), high: any()) }.sorted { $0.x < $1.x }
            for mark in PlotView.Mark.allCases {
                let plot = PlotView(mark: mark, xName: "x", panels: [.init(name: "y", series: [.init(name: "y", points: points)])])
                #expect(isWellFormed(PlotSVG.text(plot)))
                #expect(try !terminal.render(.plot(plot)).isEmpty)
            }
        }
    }

    @Test("in a terminal a plot has its axis, its ticks and a legend, and no line is wider than the terminal")
    func terminal() throws {
        let terminal = Terminal(isTerminal: true, columns: 60, rows: 24, hasColour: true)
        let text = try TerminalRenderer(terminal, method: .symbols).render(.plot(Self.plot(.lines, series: 2)))
        let plain = text.replacing(/\u{1B}\[[0-9;]*m/, with: "")
        #expect(plain.contains("┤") && plain.contains("series 1") && plain.contains("fid by method"))
        #expect(plain.split(separator: "\n").allSatisfy { $0.count <= 60 })
        let bars = try TerminalRenderer(terminal, method: .symbols).render(.plot(Self.plot(.bars)))
        #expect(bars.contains("█") && bars.contains("7.0 (6.5 to 7.7)"))
    }

    @Test("without colour, and in a pipe, a plot is its numbers")
    func text() throws {
        let told = try TextRenderer().render(.plot(Self.plot(.lines, count: 2)))
        #expect(
            told
                == "Lines over k. fid: 2 points, lowest -2.0 (-2.5 to -1.3) at k=0, highest -1.0 (-1.5 to -0.3) at k=1\nplot  k                value\nfid   0  -2.0 (-2.5 to -1.3)\nfid   1  -1.0 (-1.5 to -0.3)"
        )
        let dumb = Terminal(isTerminal: true, columns: 60, rows: 24, hasColour: false)
        #expect(try TerminalRenderer(dumb, method: .symbols).render(.plot(Self.plot(.lines, count: 2))) == told)
    }

    @Test("verify compares what plots show: a little rounding is none, another number is one")
    func comparison() {
        func differences(_ change: Double) -> Int {
            var other = Self.plot(.lines)
            other.panels[0].series[0].points[3].value += change
            let files = ["000000000000.svg": PlotSVG.text(Self.plot(.lines)), "111111111111.svg": PlotSVG.text(other)].mapValues { Array($0.utf8) }
            let comparison = OutputComparison(storedFile: { files[$0] ?? [] }, computedFile: { files[$0] ?? [] })
            return comparison.differences(stored: "![a](x.out/000000000000.svg)", computed: "![a](x.out/111111111111.svg)").count
        }
        #expect(differences(0) == 0)
        #expect(differences(0.004) == 0)
        #expect(differences(0.4) == 1)
    }
}
