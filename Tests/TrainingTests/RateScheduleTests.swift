import Files
import TestSupport
import Testing
import Training

@Suite("Learning rates and averages over time")
struct RateScheduleTests {
    /// Rates are computed in double on both sides; only the last bits may differ.
    private func isClose(_ a: Double, _ b: Double) -> Bool { abs(a - b) <= 1e-12 * max(1e-3, abs(b)) }

    @Test("the schedules are those of diffusers, also after their end")
    func golden() throws {
        let file = try Golden.topic("training").json("schedules.json")
        let rate = try #require(file["lr"]?.double)
        let cases = try #require(file["lr_schedules"]?.object)
        #expect(cases.count >= 9)
        for (name, expected) in cases {
            let parts = name.split(separator: ".")
            let shape: RateSchedule.Shape =
                name.hasPrefix("cosine") ? .cosine : name.hasPrefix("linear") ? .linear : .constant
            let warmup = try #require(Int(parts[1].dropFirst())),
                total = try #require(Int(parts[2].dropFirst()))
            let schedule = RateSchedule(shape, warmup: warmup, total: total)
            for (step, value) in try #require(expected.array).enumerated() {
                let value = try #require(value.double)
                #expect(
                    isClose(rate * schedule.factor(step), value),
                    "\(name), step \(step): \(rate * schedule.factor(step)), expected \(value)")
            }
        }
    }

    @Test("the decay of an average rises as in diffusers' EMAModel")
    func decay() throws {
        let file = try Golden.topic("training").json("schedules.json")
        let expected = try #require(
            file["EMAModel.get_decay(optimization_step=1..39), decay .999"]?["plain"]?.array)
        for (index, value) in expected.enumerated() {
            let value = try #require(value.double)
            #expect(
                isClose(AverageLength.exponential(decay: 0.999).decay(index + 1), value), "step \(index + 1)")
        }
    }

    @Test("a power-function average has the spread that it is named by", arguments: [0.05, 0.1, 0.2])
    func powerProfile(relative: Double) {
        // The weight of step t in the average after n steps, and the standard deviation of t under it.
        let n = 4000
        let length = AverageLength.power(relative: relative)
        var weights = [Double](repeating: 0, count: n + 1)
        var rest = 1.0
        for step in stride(from: n, through: 1, by: -1) {
            let decay = length.decay(step)
            weights[step] = rest * (1 - decay)
            rest *= decay
        }
        let mean = weights.enumerated().reduce(0) { $0 + Double($1.offset) * $1.element }
        let variance = weights.enumerated().reduce(0) {
            $0 + (Double($1.offset) - mean) * (Double($1.offset) - mean) * $1.element
        }
        // The profile is that of continuous time; steps of 1/4000 of the run round it by less than a percent.
        #expect(abs(variance.squareRoot() / Double(n) - relative) < 0.01 * relative)
    }
}
