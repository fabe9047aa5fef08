import Files
import LinearAlgebra
import Metrics
import Tensors
import TestSupport
import Testing

@Suite("Kernel distance") struct KernelDistanceTests {
    @Test("golden values, of whole sets and of the reference's subsets")
    func golden() throws {
        let cases = try Golden.topic("metrics").json("kid.json")["cases"]?.array ?? []
        #expect(!cases.isEmpty)
        for json in cases {
            let x = try Features.made(#require(json["x"])), y = try Features.made(#require(json["y"]))
            let expected = try #require(json["kid_full_unbiased"]?.double)
            // Features are float32 draws that agree to 5e-7, not to the bit.
            #expect(
                abs(try KernelDistance.estimate(x, against: .init(y, .cubic)).value - expected) <= 2e-5
                    * max(abs(expected), 1e-2),
                "\(json["name"]?.string ?? "")")
            var generator = Generator(seed: UInt64(try Features.number(json, "subset_seed")))
            let size = try Features.number(json, "subset_size")
            for value in json["subset_values"]?.doubles ?? [] {
                let i = Array(generator.permutation(x.rows).prefix(size)),
                    j = Array(generator.permutation(y.rows).prefix(size))
                let found = try KernelDistance.estimate(
                    x.selecting(rows: i), against: .init(y.selecting(rows: j), .cubic)
                ).value
                #expect(abs(found - value) <= 2e-5 * max(abs(value), 1e-2), "\(found), \(value)")
            }
        }
    }

    @Test(
        "equals its definition, term by term",
        arguments: [KernelDistance.Kernel.cubic, .gaussian(deviation: 2)])
    func definition(_ kernel: KernelDistance.Kernel) throws {
        let x = Features.random(9, 5, seed: 1), y = Features.random(7, 5, seed: 2, shift: 0.4)
        func k(_ a: ArraySlice<Double>, _ b: ArraySlice<Double>) -> Double {
            switch kernel {
            case .cubic:
                let base = zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } / 5 + 1
                return base * base * base
            case .gaussian(let deviation):
                return exponential(
                    -zip(a, b).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) } / (2 * deviation * deviation))
            }
        }
        func value(_ x: DoubleMatrix, _ weights: [Double]) -> Double {
            var within = 0.0, pairs = 0.0, other = 0.0, cross = 0.0, total = 0.0
            for i in 0..<x.rows {
                for j in 0..<x.rows where i != j {
                    within += weights[i] * weights[j] * k(x.row(i), x.row(j))
                    pairs += weights[i] * weights[j]
                }
                for j in 0..<y.rows { cross += weights[i] * k(x.row(i), y.row(j)) / Double(y.rows) }
                total += weights[i]
            }
            for i in 0..<y.rows { for j in 0..<y.rows where i != j { other += k(y.row(i), y.row(j)) } }
            return within / pairs + other / Double(y.rows * (y.rows - 1)) - 2 * cross / total
        }
        let distance = try KernelDistance.estimate(x, against: .init(y, kernel))
        let ones = [Double](repeating: 1, count: 9)
        #expect(abs(distance.value - value(x, ones)) < 1e-10)
        for item in 0..<9 {
            // The central difference towards more of one item, the total kept.
            func towards(_ step: Double) -> Double {
                value(x, (0..<9).map { 1 - step / 9 + ($0 == item ? step : 0) })
            }
            let slope = (towards(1e-4) - towards(-1e-4)) / 2e-4
            #expect(
                abs(distance.influence[item] / 9 - slope) < 1e-2 * max(abs(slope), 1e-3),
                "\(distance.influence[item] / 9), \(slope)")
        }
        #expect(abs(distance.influence.reduce(0, +)) < 1e-9)
    }

    @Test(
        "symmetric, blind to order, around zero for two halves of one set",
        arguments: [KernelDistance.Kernel.cubic, .gaussian(deviation: 3)])
    func properties(_ kernel: KernelDistance.Kernel) throws {
        let x = Features.random(200, 8, seed: 3), y = Features.random(150, 8, seed: 4, shift: 0.5),
            twin = Features.random(200, 8, seed: 5)
        let there = try KernelDistance.estimate(x, against: .init(y, kernel)).value
        #expect(there > 0)
        #expect(abs(try KernelDistance.estimate(y, against: .init(x, kernel)).value - there) < 1e-12)
        #expect(
            abs(
                try KernelDistance.estimate(
                    x.selecting(rows: Array((0..<200).reversed())), against: .init(y, kernel)
                ).value - there) < 1e-12)
        #expect(abs(try KernelDistance.estimate(x, against: .init(twin, kernel)).value) < 0.1 * there)
        #expect(throws: EngineError.self) {
            try KernelDistance.estimate(x, against: .init(Features.random(3, 7, seed: 1), kernel))
        }
        #expect(throws: EngineError.self) {
            try KernelDistance.estimate(Features.random(1, 8, seed: 1), against: .init(y, kernel))
        }
    }

    /// e^x without the system's library: halved until small, then a series.
    private func exponential(_ x: Double) -> Double {
        let small = x / 1_048_576
        var value = 1 + small * (1 + small / 2 * (1 + small / 3))
        for _ in 0..<20 { value *= value }
        return value
    }
}
