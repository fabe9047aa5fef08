import Foundation
import Kernels
import Tensors
import TestSupport
import Testing

/// Attention against its definition in Double, at sizes that fill no panel, no tile and no block of keys.
@Suite("Attention") struct AttentionTests {
    private func values(_ shape: [Int], seed: UInt64) -> Tensor {
        var generator = Generator(seed: seed)
        return generator.normal(shape: shape)
    }

    private func naive(
        _ queries: [Float], _ keys: [Float], _ values: [Float], batch: Int, queryLength: Int, length: Int,
        heads: Int, width: Int, contexts: [Int],
        mask: AttentionMask?
    ) -> [Float] {
        let stride = heads * width
        var out = [Float](repeating: 0, count: batch * queryLength * stride)
        for item in 0..<batch {
            for head in 0..<heads {
                for query in 0..<queryLength {
                    let q = (item * queryLength + query) * stride + head * width
                    let seen = (0..<length).filter {
                        (mask?.causal != true || $0 <= query) && mask?.present?[contexts[item]][$0] ?? true
                    }
                    let places = seen.map { (contexts[item] * length + $0) * stride + head * width }
                    let scores = places.map { k in
                        (0..<width).reduce(0.0) { $0 + Double(queries[q + $1]) * Double(keys[k + $1]) }
                            / Double(width).squareRoot()
                    }
                    let most = scores.max() ?? 0
                    let shares = scores.map { exp($0 - most) }
                    let total = shares.reduce(0, +)
                    for i in 0..<width {
                        out[q + i] = Float(
                            zip(shares, places).reduce(0) { $0 + $1.0 * Double(values[$1.1 + i]) } / total)
                    }
                }
            }
        }
        return out
    }

    @Test(
        "agrees with the definition",
        arguments: [
            (1, 1, 1, 1), (33, 77, 20, 3), (16, 16, 40, 2), (48, 129, 7, 2), (20, 300, 160, 1),
            (300, 300, 24, 1),
        ])
    func definition(queryLength: Int, length: Int, width: Int, heads: Int) {
        let batch = 2, contexts = [1, 0]
        var masks: [AttentionMask?] = [
            nil,
            AttentionMask(
                present: contexts.map { context in (0..<length).map { $0 == 0 || ($0 + context) % 3 != 0 } }),
        ]
        // A first block of keys of which nothing may be seen.
        if length > 200 {
            masks.append(
                AttentionMask(present: contexts.map { context in (0..<length).map { $0 > 130 + context } }))
        }
        if queryLength == length { masks.append(AttentionMask(causal: true)) }
        let q = values([batch * queryLength * heads * width], seed: 1),
            k = values([batch * length * heads * width], seed: 2)
        let v = values([batch * length * heads * width], seed: 3)
        for mask in masks {
            let packed = k.withUnsafePointer { k in
                v.withUnsafePointer { v in
                    PackedKeysValues(
                        keys: k, values: v, stride: heads * width, contexts: batch, length: length,
                        heads: heads, headWidth: width)
                }
            }
            let actual = q.withUnsafePointer { q in
                Tensor(shape: [batch * queryLength * heads * width]) {
                    attention(
                        queries: q, batch: batch, queryLength: queryLength, queryStride: heads * width,
                        packed: packed, contexts: contexts, mask: mask,
                        into: $0, outputStride: heads * width)
                }
            }
            let expected = naive(
                q.values, k.values, v.values, batch: batch, queryLength: queryLength, length: length,
                heads: heads, width: width, contexts: contexts, mask: mask
            )
            // Scores of about 1 with sums of 160 products in single precision: a few units in the seventh
            // place, and the exponential's 2e-7.
            expectClose(
                actual: actual, expected: Tensor(shape: [expected.count], values: expected), absolute: 4e-6,
                "\(queryLength) x \(length) x \(width)")
        }
    }
}
