import Kernels
import Tensors
import TestSupport
import Testing

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

@Suite("Activations and normalisations")
struct ElementwiseTests {
    private let points = Tensor(shape: [4003], values: (0..<4003).map { Float($0 - 2001) / 100 })

    private func check(
        _ name: String, _ kernel: (UnsafePointer<Float>, Int, UnsafeMutablePointer<Float>) -> Void,
        _ definition: (Double) -> Double
    ) {
        let actual = points.withUnsafePointer { x in
            Tensor(shape: points.shape) { kernel(x, points.count, $0) }
        }
        let expected = Tensor(
            shape: points.shape, values: points.values.map { Float(definition(Double($0))) })
        // Two or three roundings of float32 beyond the polynomials' own error of 2e-7.
        expectClose(actual: actual, expected: expected, absolute: 3e-7, relative: 6e-7, name)
    }

    @Test("activations agree with their definitions from -20 to 20")
    func activations() {
        check("silu", { silu($0, count: $1, into: $2) }) { $0 / (1 + exp(-$0)) }
        check("gelu", { gelu($0, count: $1, into: $2) }) { $0 / 2 * erfc(-$0 / 2.0.squareRoot()) }
        check("quick gelu", { quickGelu($0, count: $1, into: $2) }) { $0 / (1 + exp(-1.702 * $0)) }
    }

    @Test("group normalisation keeps its digits on data far from zero")
    func groupNorm() {
        var generator = Generator(seed: 1)
        let (batch, pixels, channels, groups) = (2, 700, 24, 4)
        let x = generator.normal(shape: [batch, pixels, channels]) + 1000
        let weight = generator.normal(shape: [channels]), bias = generator.normal(shape: [channels])
        let actual = x.withUnsafePointer { x in
            weight.withUnsafePointer { w in
                bias.withUnsafePointer { b in
                    Tensor(shape: [batch, pixels, channels]) {
                        groupNormalisation(
                            x, batch: batch, pixels: pixels, channels: channels, groups: groups,
                            epsilon: 1e-5, weight: w, bias: b, activation: .none, into: $0)
                    }
                }
            }
        }
        var expected = [Float](repeating: 0, count: x.count)
        let values = x.values, w = weight.values, b = bias.values
        for item in 0..<batch {
            for group in 0..<groups {
                let places = (0..<pixels).flatMap { p in
                    (0..<6).map { (item * pixels + p) * channels + group * 6 + $0 }
                }
                let mean = places.reduce(0.0) { $0 + Double(values[$1]) } / Double(places.count)
                let variance =
                    places.reduce(0.0) { $0 + (Double(values[$1]) - mean) * (Double(values[$1]) - mean) }
                    / Double(places.count)
                for place in places {
                    let c = place % channels
                    expected[place] = Float(
                        (Double(values[place]) - mean) / (variance + 1e-5).squareRoot() * Double(w[c])
                            + Double(b[c]))
                }
            }
        }
        // x * scale + shift at x = 1000 rounds to 6e-5 relative to a result of about one.
        expectClose(actual: actual, expected: Tensor(shape: x.shape, values: expected), absolute: 5e-4)
    }
}
