import CProcessor
import Tensors
import Testing
import WideKernels

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Only where the processor has the vectors: elsewhere a call would end the process.
@Suite("Kernels for 512-bit vectors", .enabled(if: nb_processor_has_wide_vectors() == 1))
struct WideKernelsTests {
    private static func numbers(_ count: Int, seed: UInt64) -> [Float] {
        var generator = Generator(seed: seed)
        return generator.normal(shape: [count]).values
    }

    /// Row by row against two panels, each sum over k in order with fused multiply-adds.
    private static func expected(_ a: [Float], rows: Int, _ panels: [Float], length: Int, start: [Float])
        -> [Float]
    {
        (0..<rows).flatMap { row in
            (0..<32).map { column in
                let panel = column / 16 * length * 16
                return (0..<length).reduce(start[column]) {
                    $0.addingProduct(a[row * length + $1], panels[panel + $1 * 16 + column % 16])
                }
            }
        }
    }

    @Test(
        "tiles of 4, 8 and 12 rows against one panel and two have the sums of a plain loop, to the bit",
        arguments: [4, 8, 12], [1, 7, 64])
    func tiles(_ rows: Int, _ length: Int) {
        let a = Self.numbers(rows * length, seed: 1), panels = Self.numbers(2 * length * 16, seed: 2),
            start = Self.numbers(32, seed: 3)
        var single = [Float](repeating: 0, count: rows * 32), pair = single
        a.withUnsafeBufferPointer { a in
            panels.withUnsafeBufferPointer { panels in
                guard let a = a.baseAddress, let panel = panels.baseAddress else { return }
                let table = (0..<rows).map { a + $0 * length }
                let one = rows == 12 ? widePanelProduct12 : rows == 8 ? widePanelProduct8 : widePanelProduct4
                let two = rows == 12 ? widePairProduct12 : rows == 8 ? widePairProduct8 : widePairProduct4
                single.withUnsafeMutableBufferPointer { out in
                    guard let out = out.baseAddress else { return }
                    start.withUnsafeBufferPointer { start in
                        guard let start = start.baseAddress else { return }
                        for index in 0..<2 {
                            one(
                                1, length, 0, table, panel + index * length * 16, start + index * 16,
                                out + index * 16, 32)
                        }
                    }
                }
                pair.withUnsafeMutableBufferPointer { out in
                    guard let out = out.baseAddress else { return }
                    two(1, length, 0, table, panel, length * 16, panel, 0, start, out, 32)
                }
            }
        }
        let expected = Self.expected(a, rows: rows, panels, length: length, start: start)
        #expect(single == expected)
        #expect(pair == expected)
    }

    @Test(
        "rows that lie evenly apart, in one call, have the same sums, and the residual is added last",
        arguments: [1, 3], [5, 64])
    func even(_ tiles: Int, _ length: Int) {
        let rows = 12 * tiles
        let a = Self.numbers(rows * length, seed: 4), panels = Self.numbers(2 * length * 16, seed: 5),
            start = Self.numbers(32, seed: 6)
        let residual = Self.numbers(rows * 32, seed: 7)
        var out = [Float](repeating: 0, count: rows * 32)
        wideEvenPairs12(
            tiles: tiles, length: length, input: a, inputStride: length, panel: panels, step: length * 16,
            ahead: panels, pace: 0, initial: start,
            residual: residual, out: &out, stride: 32, fetchesOut: true)
        #expect(
            out
                == zip(Self.expected(a, rows: rows, panels, length: length, start: start), residual).map {
                    $0 + $1
                })
    }

    @Test("activations are their definitions to a few units in the last place")
    func activations() {
        let x = Self.numbers(160, seed: 8).map { 3 * $0 }
        func check(
            _ kernel: (UnsafePointer<Float>, Int, UnsafeMutablePointer<Float>) -> Void,
            _ definition: (Double) -> Double
        ) {
            var out = [Float](repeating: 0, count: x.count)
            kernel(x, x.count, &out)
            for (value, found) in zip(x, out) {
                let exact = definition(Double(value))
                #expect(abs(Double(found) - exact) <= 4e-7 * max(1, abs(exact)), "\(value)")
            }
        }
        check({ wideSilu($0, count: $1, into: $2) }) { $0 / (1 + exp(-$0)) }
        check({ wideGelu($0, count: $1, into: $2) }) { $0 * erfc(-$0 / 2.0.squareRoot()) / 2 }
        check({ wideQuickGelu($0, count: $1, into: $2) }) { $0 / (1 + exp(-1.702 * $0)) }
    }

    @Test("sums and squares down the columns go through the rows in order, to the bit")
    func columns() {
        let rows = 5, stride = 40, count = 32
        let x = Self.numbers(rows * stride, seed: 9), means = Self.numbers(count, seed: 10)
        var sums = [Float](repeating: 1, count: count), squares = [Float](repeating: 2, count: count)
        wideColumnSums(x, rows: rows, stride: stride, count: count, into: &sums)
        wideColumnSquares(x, rows: rows, stride: stride, count: count, around: means, into: &squares)
        for column in 0..<count {
            #expect(sums[column] == (0..<rows).reduce(1) { $0 + x[$1 * stride + column] })
            let square = (0..<rows).reduce(Float(2)) {
                let d = x[$1 * stride + column] - means[column]
                return $0.addingProduct(d, d)
            }
            #expect(squares[column] == square)
        }
    }
}
