import Results
import TestSupport
import Testing

@Suite("Measures") struct MeasureTests {
    @Test("the interval of a mean covers the truth about as often as it says")
    func coverage() {
        var small = SmallGenerator(seed: 5)
        var covered = 0
        for _ in 0..<200 {
            // Uniform numbers have the mean 0.5.
            let values = (0..<40).map { _ in Double(small.next(below: 1_000_001)) / 1_000_000 }
            let measure = Resampling(items: Array(0..<40)).mean(values, items: Array(0..<40))
            if measure.low <= 0.5, 0.5 <= measure.high { covered += 1 }
        }
        // 95 % of 200 is 190, with a deviation of 3; the percentile interval of 40 is a little narrow.
        #expect(covered >= 178 && covered <= 198, "\(covered)")
    }

    @Test("rows of one item come together, and the order of rows changes nothing")
    func clusters() {
        let values = [1.0, 1, 1, 5, 5, 5], items = [7, 7, 7, 9, 9, 9]
        let clustered = Resampling(items: items).mean(values, items: items)
        // Two items drawn twice: all of one, all of the other, or both.
        #expect(Set(clustered.replicates) == [1, 3, 5] && clustered.value == 3 && clustered.n == 6)
        let turned = Resampling(items: items.reversed()).mean(values.reversed(), items: items.reversed())
        #expect(turned.replicates == clustered.replicates)
    }

    @Test("differences of the same items are paired, and measures of one item have no interval")
    func paired() {
        let items = Array(0..<30), first = items.map { Double($0 * $0 % 17) }, second = first.map { $0 + 1 }
        let resampling = Resampling(items: items)
        let difference = resampling.mean(second, items: items).combined(
            with: resampling.mean(first, items: items)
        ) { $0 - $1 }
        #expect(abs(difference.low - 1) < 1e-12 && abs(difference.high - 1) < 1e-12)
        let one = Resampling(items: [4, 4]).mean([1, 3], items: [4, 4])
        #expect(!one.hasInterval && one.value == 2 && one.low == 2 && one.high == 2)
        #expect(one.text(.fixed(decimals: 1)) == "2.0")
        let infinite = Resampling(items: [0, 1]).mean([.infinity, 1], items: [0, 1])
        #expect(infinite.value == .infinity && infinite.text(.fixed(decimals: 0)) == "inf")
    }
}
