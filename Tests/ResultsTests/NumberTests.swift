import Results
import TestSupport
import Testing

@Suite("Numbers as they are shown") struct NumberTests {
    private func shown(_ numbers: [Double]) -> [String] {
        Column("v", numbers: numbers).cells.map { if case .text(let text) = $0 { text } else { "-" } }
    }

    @Test("what a column's decimals would hide has digits of its own; the others stay as they are")
    func mixed() {
        #expect(shown([2.0 / 3, 2_000_000]) == ["0.667", "2000000"])
        #expect(shown([12.3456, 250_000.5]) == ["12.3", "250000"])
        #expect(shown([1e-9, 1, 1e9]) == ["1.0e-09", "1", "1000000000"])
        #expect(shown([-0.5, 1_000_000.25]) == ["-5.0e-01", "1000000"])
        #expect(shown([-1.0 / 3, 0, 1_000_000]) == ["-0.333", "0", "1000000"])
        #expect(
            shown([.nan, .infinity, -.infinity, 1.0 / 3, 1e6]) == ["nan", "inf", "-inf", "0.333", "1000000"])
        #expect(shown([1, 2, 1_234_567]) == ["1", "2", "1234567"])
        // 9.96 rounds to 10, which is two digits.
        #expect(shown([9.96, 123_456.7]) == ["9.96", "123457"])
    }

    @Test("a column whose numbers have digits enough looks as it always did")
    func unchanged() {
        #expect(shown([317.4, 283.021, 2]) == ["317.40", "283.02", "2.00"])
        #expect(shown([1.0 / 3, 2]) == ["0.3333", "2.0000"])
        #expect(shown([12_345.678, 0.0003]) == ["12346", "3.0e-04"])
        #expect(shown([0.25, 100, 3.5]) == ["0.25", "100.00", "3.50"])
        #expect(shown([3e-7, 1e-8]) == ["3.0000e-07", "1.0000e-08"])
        #expect(shown([2e13, 1]) == ["2.0000e+13", "1.0000e+00"])
    }

    @Test("each number of any column is told to three digits: off by half a percent at most")
    func property() {
        var random = SmallGenerator(seed: 13)
        func any() -> Double {
            let sign = random.next(below: 2) == 0 ? 1.0 : -1
            switch random.next(below: 8) {
            case 0: return 0
            case 1: return sign * Double(random.next(below: 10_000_000))
            case 2: return sign * Double(random.next(below: 1000)) / 100
            default:
                // Of any size from 1e-12 to 1e14.
                var value = 1 + Double(random.next(below: 9_000_000)) / 1_000_000
                let power = random.next(below: 27) - 12
                for _ in 0..<abs(power) { value = power < 0 ? value / 10 : value * 10 }
                return sign * value
            }
        }
        for _ in 0..<3_000 {
            let numbers = (0..<1 + random.next(below: 6)).map { _ in any() }
            for (number, text) in zip(numbers, shown(numbers)) {
                let read = Double(text)
                // Three digits are half a unit of the third: 0.5 % of the least number with that many, 1.00.
                #expect(
                    read.map { abs($0 - number) <= 0.005 * abs(number) } == true,
                    "\(number) as \(text) in \(numbers)")
            }
        }
    }

    @Test(
        "the parts of measures are true to three digits too, and what rounding leaves of a difference is zero"
    )
    func measures() {
        var random = SmallGenerator(seed: 14)
        func measure(_ value: Double, _ spread: Double) -> Measure {
            Measure(value: value, n: 9, replicates: (0..<200).map { value + spread * (Double($0) / 100 - 1) })
        }
        for _ in 0..<500 {
            let size = [0.001, 0.3, 20, 4_000, 500_000][random.next(below: 5)]
            let measures = (0..<3).map { _ in
                measure(
                    (Double(random.next(below: 2001)) - 1000) / 777 * size,
                    size / Double(1 + random.next(below: 40)))
            }
            for (measure, cell) in zip(measures, Column("v", measures.map { .measure($0) }).cells) {
                guard case .text(let text) = cell else { continue }
                let read = text.split { " ()".contains($0) }.compactMap { Double($0) }
                for (number, shown) in zip([measure.value, measure.low, measure.high], read) {
                    #expect(
                        abs(number - shown) <= max(0.005 * abs(number), 1e-12 * size), "\(number) in \(text)")
                }
                #expect(read.count == 3)
            }
        }
        let nothing = Measure(value: 1e-18, n: 9, replicates: (0..<200).map { Double($0) / 100 - 1 })
        #expect(Value.measure(nothing).summary.hasPrefix("0.00 ("))
    }

    @Test("CSV and JSON hold all digits of every number and of every part of a measure")
    func files() throws {
        let measure = Measure(value: 1.0 / 3, n: 9, replicates: (0..<200).map { Double($0) / 700 })
        let table = Table(columns: [
            Column("v", [.measure(measure), .number(2.0 / 3)]),
            Column("l", [.list([.number(0.1 + 0.2)]), .list([.measure(measure)])]),
        ])
        let lines = table.csv().split(separator: "\n").map(String.init)
        #expect(lines[0] == "v,v.low,v.high,l")
        #expect(lines[1] == "\(1.0 / 3),\(measure.low),\(measure.high),[\(0.1 + 0.2)]")
        #expect(lines[2] == "\(2.0 / 3),,,[\(1.0 / 3) (\(measure.low) to \(measure.high))]")
    }

    @Test(
        "a number in a sentence is rounded for reading",
        arguments: [
            (0.11500000000000002, "0.115"), (50, "50"), (39.4495, "39.4"), (0.1 + 0.2, "0.3"),
            (1234.567, "1235"), (2.5e-7, "2.50e-07"),
        ])
    func brief(_ number: Double, _ text: String) {
        #expect(NumberFormat.brief(number) == text)
    }

    @Test(
        "a number in a program has no exponent and reads back the same",
        arguments: [
            (0.000001, "0.000001"), (7.5, "7.5"), (70, "70"), (0.1 + 0.2, "0.30000000000000004"),
            (1e20, "100000000000000000000"), (-2.5e-7, "-0.00000025"),
        ])
    func decimal(_ number: Double, _ text: String) {
        #expect(NumberFormat.decimal(number) == text)
        #expect(Double(NumberFormat.decimal(number)) == number)
    }
}

@Suite("Times in words") struct DurationTextTests {
    @Test(
        "a count down",
        arguments: [
            (0.2, "1 s"), (59, "59 s"), (70, "1:10"), (3599, "59:59"), (7500, "2 h 5 min"), (1e9, "long"),
            (.nan, "long"),
        ])
    func clock(_ seconds: Double, _ text: String) { #expect(DurationText.clock(seconds) == text) }

    @Test(
        "an estimate",
        arguments: [
            (0, "1 s"), (40, "40 s"), (99.5, "100 s"), (100, "2 min"), (5999, "100 min"), (9000, "2.5 h"),
        ])
    func estimate(_ seconds: Double, _ text: String) { #expect(DurationText.estimate(seconds) == text) }
}
