import Files
import LinearAlgebra
import Metrics
import Tensors
import TestSupport
import Testing

@Suite("Fréchet distance") struct FrechetTests {
    func distance(_ x: DoubleMatrix, _ y: DoubleMatrix) throws -> Double {
        try FrechetDistance.between(.init(x), .init(y))
    }

    @Test("every golden case equals the exact distance to 1e-6 of the traces, from rows and from statistics")
    func golden() throws {
        let topic = try Golden.topic("metrics")
        let cases = try topic.json("frechet.json")["cases"]?.array ?? []
        #expect(!cases.isEmpty)
        for json in cases {
            let name = json["name"]?.string ?? ""
            let x = try Features.made(#require(json["x"]))
            let y = try json["y"].map { try Features.made($0) } ?? x
            let exact = try #require(json["exact"]?.double)
            let traces = (json["trace1"]?.double ?? 0) + (json["trace2"]?.double ?? 0)
            let found = try distance(x, y)
            #expect(abs(found - exact) <= 1e-6 * traces, "\(name): \(found), exact \(exact)")
            // Covariances of 2,048 x 2,048 are no golden test's business.
            guard x.columns <= 256 else { continue }
            let a = try FeatureStatistics(x), b = try FeatureStatistics(y)
            let ofStatistics = try FrechetDistance.between(.init(a), .init(b)),
                mixed = try FrechetDistance.between(.init(x), .init(b))
            #expect(
                abs(ofStatistics - exact) <= 1e-6 * traces && abs(mixed - exact) <= 1e-6 * traces,
                "\(name): \(ofStatistics), \(mixed)")
        }
    }

    @Test("stored statistics of the reference equal ours")
    func statistics() throws {
        let file = try Golden.topic("metrics").tensors("frechet.safetensors")
        for name in file.names where name.hasSuffix(".mu1") || name.hasSuffix(".mu2") {
            let side = String(name.suffix(1)), stem = String(name.dropLast(4))
            let ours = try FeatureStatistics(DoubleMatrix(file.tensor("\(stem).\(side == "1" ? "x" : "y")")))
            for (a, b) in try zip(ours.mean, file.doubles(name)) { #expect(abs(a - b) < 1e-12) }
            for (a, b) in try zip(ours.covariance.values, file.doubles("\(stem).sigma\(side)")) {
                #expect(abs(a - b) < 1e-12)
            }
        }
    }

    @Test(
        "zero for equal sets, symmetric, and blind to the order of rows",
        arguments: [(5, 40), (60, 7), (30, 30), (2, 3)])
    func properties(_ n: Int, _ d: Int) throws {
        let x = Features.random(n, d, seed: 1), y = Features.random(n + 3, d, seed: 2, shift: 0.3)
        let there = try distance(x, y)
        #expect(there > 0)
        #expect(abs(try distance(x, x)) < 1e-9)
        #expect(abs(try distance(y, x) - there) < 1e-9 * there)
        #expect(abs(try distance(x.selecting(rows: Array((0..<n).reversed())), y) - there) < 1e-9 * there)
    }

    @Test(
        """
        a set moved by a vector is as far as the vector is long, squared; a scaled one by the sum of squared \
        differences of deviations
        """)
    func known() throws {
        let x = Features.random(300, 4, seed: 3)
        var moved = x, scaled = x
        for i in 0..<300 { moved[i, 1] += 3 }
        for i in 0..<300 { for j in 0..<4 { scaled[i, j] *= 2 } }
        #expect(abs(try distance(x, moved) - 9) < 1e-9)
        let statistics = try FeatureStatistics(x)
        let expected =
            (0..<4).reduce(0) { $0 + statistics.covariance[$1, $1] }
            + statistics.mean.reduce(0) { $0 + $1 * $1 }
        #expect(abs(try distance(x, scaled) - expected) < 1e-9)
    }

    @Test("one direction a million times longer than the others does not spoil the distance")
    func graded() throws {
        var x = Features.random(40, 200, seed: 4), y = Features.random(50, 200, seed: 5)
        for i in 0..<40 { x[i, 0] *= 1e6 }
        for i in 0..<50 { y[i, 0] *= 1e6 }
        let rows = try distance(x, y)
        let statistics = try FrechetDistance.between(.init(FeatureStatistics(x)), .init(FeatureStatistics(y)))
        let size = try FrechetDistance.Side(x).trace + FrechetDistance.Side(y).trace
        #expect(abs(rows - statistics) <= 1e-7 * size)
    }

    @Test("one row, NaN, other widths, and statistics that are none are errors")
    func hostile() throws {
        let x = Features.random(5, 3, seed: 1)
        #expect(throws: EngineError.self) { try FrechetDistance.Side(Features.random(1, 3, seed: 1)) }
        var broken = x
        broken[2, 1] = .nan
        #expect(throws: EngineError.self) { try FrechetDistance.Side(broken) }
        #expect(throws: EngineError.self) { try distance(x, Features.random(5, 4, seed: 1)) }
        #expect(throws: EngineError.self) {
            try FeatureStatistics(mean: [0, 0], covariance: DoubleMatrix(zeros: 3, 3))
        }
        #expect(throws: EngineError.self) {
            try FeatureStatistics(
                mean: [0, 0], covariance: DoubleMatrix(rows: 2, columns: 2, values: [1, 5, 0, 1]))
        }
        #expect(throws: EngineError.self) {
            try FeatureStatistics(
                mean: [0, 0], covariance: DoubleMatrix(rows: 2, columns: 2, values: [-1, 0, 0, 1]))
        }
    }

    @Test(
        "an item's influence is the derivative of the distance",
        arguments: [(30, 4, 40), (6, 20, 40), (9, 5, 4)])
    func influence(_ n: Int, _ d: Int, _ m: Int) throws {
        let x = Features.random(n, d, seed: 10), y = Features.random(m, d, seed: 11, shift: 0.5)
        let reference = try FrechetDistance.Side(y)
        let estimate = try FrechetDistance.estimate(x, against: reference)
        #expect(abs(estimate.value - (try distance(x, y))) < 1e-9)
        #expect(abs(estimate.influence.reduce(0, +)) < 1e-9 * Double(n) * estimate.value)
        func weighted(_ weights: [Double]) throws -> Double {
            var mean = [Double](repeating: 0, count: d)
            for i in 0..<n { for j in 0..<d { mean[j] += weights[i] * x[i, j] / Double(n) } }
            var covariance = DoubleMatrix(zeros: d, d)
            for i in 0..<n {
                for j in 0..<d {
                    for k in 0..<d {
                        covariance[j, k] +=
                            weights[i] * (x[i, j] - mean[j]) * (x[i, k] - mean[k]) / Double(n - 1)
                    }
                }
            }
            return try FrechetDistance.between(
                .init(FeatureStatistics(mean: mean, covariance: covariance)), reference)
        }
        for item in [0, n / 2] {
            func towards(_ step: Double) throws -> Double {
                try weighted((0..<n).map { 1 - step / Double(n) + ($0 == item ? step : 0) })
            }
            let slope = try (towards(1e-3) - towards(-1e-3)) / 2e-3
            #expect(
                abs(estimate.influence[item] / Double(n) - slope) < 1e-3 * max(abs(slope), 0.01),
                "\(estimate.influence[item] / Double(n)), \(slope)")
        }
    }

    @Test(
        "replicates made of the influence spread as the distance does from sample to sample",
        arguments: [(36, 60), (115, 16)])
    func spread(_ n: Int, _ d: Int) throws {
        let reference = try FrechetDistance.Side(Features.random(300, d, seed: 1))
        let estimates = try (0..<40).map {
            try FrechetDistance.estimate(
                Features.random(n, d, seed: 100 + $0, shift: 0.3), against: reference)
        }
        func deviation(_ values: [Double]) -> Double {
            let mean = values.reduce(0, +) / Double(values.count)
            return (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count - 1))
                .squareRoot()
        }
        // The deviation of a mean of n draws is that of the items over the root of n.
        let told = estimates.map { deviation($0.influence) / Double(n).squareRoot() }.reduce(0, +) / 40
        let seen = deviation(estimates.map(\.value))
        #expect(told > 0.65 * seen && told < 1.5 * seen, "told \(told), seen \(seen)")
    }
}
