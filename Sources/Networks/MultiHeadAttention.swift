import Kernels
import Tensors

/// Multi-head attention (Vaswani et al. 2017) with the four projections as separate parameters, whose names
/// differ between the UNet (`to_q`, `to_out.0`) and CLIP (`q_proj`, `out_proj`).
package struct MultiHeadAttention: Sendable {
    /// The names of the projections.
    package struct Names: Sendable {
        var query, key, value, output: [String]
        /// diffusers.
        package static let diffusers = Names(
            query: ["to_q"], key: ["to_k"], value: ["to_v"], output: ["to_out", "0"])
        /// transformers.
        package static let transformers = Names(
            query: ["q_proj"], key: ["k_proj"], value: ["v_proj"], output: ["out_proj"])
    }

    private let heads: Int
    private let width: Int
    private let query: Linear
    private let key: Linear
    private let value: Linear
    private let output: Linear

    /// - Parameters:
    ///   - width: of the queries and the output.
    ///   - contextWidth: of what keys and values are made from; `width` for self-attention.
    package init(
        _ scope: WeightScope, names: Names, width: Int, contextWidth: Int, heads: Int, inputBias: Bool
    ) {
        (self.heads, self.width) = (heads, width)
        func at(_ path: [String]) -> WeightScope { path.reduce(scope) { $0[$1] } }
        query = Linear(at(names.query), inputs: width, outputs: width, bias: inputBias)
        key = Linear(at(names.key), inputs: contextWidth, outputs: width, bias: inputBias)
        value = Linear(at(names.value), inputs: contextWidth, outputs: width, bias: inputBias)
        output = Linear(at(names.output), inputs: width, outputs: width)
    }

    /// Keys and values of `context`, `[contexts, length, contextWidth]`, ready for any number of calls.
    package func keysValues(of context: Tensor) -> PackedKeysValues {
        keysValues(
            of: context,
            SequenceRows(batch: context.shape[0], length: context.count / context.shape[0] / key.inputs))
    }

    private func keysValues(of context: Tensor, _ rows: SequenceRows) -> PackedKeysValues {
        let keys = key(context), values = value(context)
        return keys.withUnsafePointer { keys in
            values.withUnsafePointer { values in
                PackedKeysValues(
                    keys: keys, values: values, stride: width, contexts: rows.batch, length: rows.length,
                    shared: rows.shared, heads: heads,
                    headWidth: width / heads)
            }
        }
    }

    /// `[batch, ..., width]` attending to prepared keys and values; item i looks at context `contexts[i]`.
    /// - Parameter residual: of the same shape, added to the output.
    package func callAsFunction(
        _ x: Tensor, to packed: PackedKeysValues, contexts: [Int], adding residual: Tensor? = nil
    ) -> Tensor {
        let batch = x.shape[0]
        let length = x.count / batch / width
        let queries = query(x)
        let mixed = queries.withUnsafePointer { queries in
            Tensor(shape: x.shape) { out in
                attention(
                    queries: queries, batch: batch, queryLength: length, queryStride: width, packed: packed,
                    contexts: contexts, into: out,
                    outputStride: width)
            }
        }
        return output(mixed, adding: residual)
    }

    /// Self-attention.
    package func callAsFunction(_ x: Tensor, adding residual: Tensor? = nil) -> Tensor {
        self(x, to: keysValues(of: x), contexts: Array(0..<x.shape[0]), adding: residual)
    }

    /// Self-attention of sequences that may begin alike, `[rows.count, width]` to the same.
    package func callAsFunction(
        _ x: Tensor, _ rows: SequenceRows, mask: AttentionMask?, adding residual: Tensor? = nil
    ) -> Tensor {
        precondition(x.shape == [rows.count, width], "expected [\(rows.count), \(width)], found \(x.shape)")
        precondition(
            rows.shared == 0 || mask?.causal == true && mask?.present == nil,
            "a shared beginning needs a causal mask and nothing else")
        let queries = query(x), packed = keysValues(of: x, rows)
        let mixed = queries.withUnsafePointer { queries in
            Tensor(shape: x.shape) { out in
                func attend(_ contexts: Range<Int>, from row: Int, length: Int, position: Int) {
                    attention(
                        queries: queries + row * width, batch: contexts.count, queryLength: length,
                        queryStride: width, packed: packed,
                        contexts: Array(contexts), mask: mask, position: position, into: out + row * width,
                        outputStride: width)
                }
                if rows.shared > 0 { attend(0..<1, from: 0, length: rows.shared, position: 0) }
                attend(0..<rows.batch, from: rows.shared, length: rows.own, position: rows.shared)
            }
        }
        return output(mixed, adding: residual)
    }
}
