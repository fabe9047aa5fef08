internal import Kernels
internal import Tensors

// Operations without parameters, forward and backward side by side.

extension Tape {
    /// a + b, of equal count; the result has the shape of a.
    package func sum(_ a: Node, _ b: Node) -> Node {
        precondition(a.value.count == b.value.count, "cannot add \(a.shape) and \(b.shape)")
        let count = a.value.count
        let value = a.value.withUnsafePointer { x in
            b.value.withUnsafePointer { y in
                Tensor(shape: a.shape) { Kernels.sum(x, y, count: count, into: $0) }
            }
        }
        return record(value, from: [a, b]) { d in
            a.receive(d)
            b.receive(d.reshaped(b.shape))
        }
    }

    /// Adds `[batch, channels]` to every pixel of `[batch, ..., channels]`.
    package func adding(_ values: Node, toEachPixelOf x: Node) -> Node {
        let batch = x.shape[0], channels = x.shape[x.value.rank - 1]
        let pixels = x.value.count / batch / channels
        var value = x.value
        values.value.withUnsafePointer { from in
            value.withUnsafeMutablePointer {
                addPerItem(from, batch: batch, pixels: pixels, channels: channels, to: $0)
            }
        }
        return record(value, from: [values, x]) { d in
            values.receive(
                d.withUnsafePointer { d in
                    Tensor(shape: [batch, channels]) {
                        sumPerItem(d, batch: batch, pixels: pixels, channels: channels, into: $0)
                    }
                })
            x.receive(d)
        }
    }

    package func reshaped(_ x: Node, _ shape: [Int]) -> Node {
        record(x.value.reshaped(shape), from: [x]) { x.receive($0.reshaped(x.shape)) }
    }

    /// The channels of a, then those of b, of `[..., channels]`.
    package func joinedChannels(_ a: Node, _ b: Node) -> Node {
        let rows = a.shape.dropLast().reduce(1, *)
        let left = a.shape[a.value.rank - 1], right = b.shape[b.value.rank - 1]
        let total = left + right
        let value = Tensor(shape: a.shape.dropLast() + [total]) { out in
            a.value.withUnsafePointer {
                copyColumns($0, fromStride: left, to: out, toStride: total, rows: rows, columns: left)
            }
            b.value.withUnsafePointer {
                copyColumns(
                    $0, fromStride: right, to: out + left, toStride: total, rows: rows, columns: right)
            }
        }
        return record(value, from: [a, b]) { d in
            d.withUnsafePointer { d in
                a.receive(
                    Tensor(shape: a.shape) {
                        copyColumns(d, fromStride: total, to: $0, toStride: left, rows: rows, columns: left)
                    })
                b.receive(
                    Tensor(shape: b.shape) {
                        copyColumns(
                            d + left, fromStride: total, to: $0, toStride: right, rows: rows, columns: right)
                    })
            }
        }
    }

    /// The channels of a range of `[..., channels]`.
    package func channels(_ range: Range<Int>, of x: Node) -> Node {
        let total = x.shape[x.value.rank - 1], count = range.count
        let rows = x.value.count / total
        let value = x.value.withUnsafePointer { source in
            Tensor(shape: x.shape.dropLast() + [count]) {
                copyColumns(
                    source + range.lowerBound, fromStride: total, to: $0, toStride: count, rows: rows,
                    columns: count)
            }
        }
        return record(value, from: [x]) { d in
            var dInput = Tensor(zeros: x.shape)
            d.withUnsafePointer { d in
                dInput.withUnsafeMutablePointer {
                    copyColumns(
                        d, fromStride: count, to: $0 + range.lowerBound, toStride: total, rows: rows,
                        columns: count)
                }
            }
            x.receive(dInput)
        }
    }

    /// Row `places[i]` of item i of `[batch, length, width]`.
    package func rows(_ places: [Int], of x: Node) -> Node {
        let batch = x.shape[0], length = x.shape[1], width = x.shape[2]
        precondition(
            places.count == batch && places.allSatisfy { $0 >= 0 && $0 < length },
            "places \(places) in rows of \(length)")
        let value = x.value.withUnsafePointer { source in
            Tensor(shape: [batch, width]) { out in
                for (item, place) in places.enumerated() {
                    (out + item * width).update(from: source + (item * length + place) * width, count: width)
                }
            }
        }
        return record(value, from: [x]) { d in
            var dInput = Tensor(zeros: x.shape)
            d.withUnsafePointer { d in
                dInput.withUnsafeMutablePointer { out in
                    for (item, place) in places.enumerated() {
                        (out + (item * length + place) * width).update(from: d + item * width, count: width)
                    }
                }
            }
            x.receive(dInput)
        }
    }

    /// `[batch, height, width, channels]` enlarged by nearest neighbour.
    package func enlarged(_ x: Node, height: Int, width: Int) -> Node {
        let (batch, h, w, channels) = (x.shape[0], x.shape[1], x.shape[2], x.shape[3])
        let value = x.value.withUnsafePointer { source in
            Tensor(shape: [batch, height, width, channels]) {
                Kernels.enlarged(
                    source, batch: batch, height: h, width: w, channels: channels, toHeight: height,
                    toWidth: width, into: $0)
            }
        }
        return record(value, from: [x]) { d in
            x.receive(
                d.withUnsafePointer { d in
                    Tensor(shape: x.shape) {
                        enlargedBackward(
                            d, batch: batch, height: h, width: w, channels: channels, toHeight: height,
                            toWidth: width, into: $0)
                    }
                })
        }
    }

    // MARK: Activations

    package func silu(_ x: Node) -> Node {
        elementwise(
            x, { Kernels.silu($0, count: $1, into: $2) }, { siluBackward($0, $1, count: $2, into: $3) })
    }
    package func gelu(_ x: Node) -> Node {
        elementwise(
            x, { Kernels.gelu($0, count: $1, into: $2) }, { geluBackward($0, $1, count: $2, into: $3) })
    }
    package func quickGelu(_ x: Node) -> Node {
        elementwise(
            x, { Kernels.quickGelu($0, count: $1, into: $2) },
            { quickGeluBackward($0, $1, count: $2, into: $3) })
    }

    private func elementwise(
        _ x: Node, _ forward: (UnsafePointer<Float>, Int, UnsafeMutablePointer<Float>) -> Void,
        _ backward:
            @escaping (UnsafePointer<Float>, UnsafePointer<Float>, Int, UnsafeMutablePointer<Float>) -> Void
    ) -> Node {
        let count = x.value.count
        let value = x.value.withUnsafePointer { source in
            Tensor(shape: x.shape) { forward(source, count, $0) }
        }
        return record(value, from: [x]) { d in
            x.receive(
                d.withUnsafePointer { d in
                    x.value.withUnsafePointer { source in
                        Tensor(shape: x.shape) { backward(d, source, count, $0) }
                    }
                })
        }
    }

    /// GEGLU: `[..., 2 width]` to `[..., width]`.
    package func gatedGelu(_ x: Node) -> Node {
        let width = x.shape[x.value.rank - 1] / 2
        let rows = x.value.count / width / 2
        let value = x.value.withUnsafePointer { source in
            Tensor(shape: x.shape.dropLast() + [width]) { geglu(source, rows: rows, width: width, into: $0) }
        }
        return record(value, from: [x]) { d in
            x.receive(
                d.withUnsafePointer { d in
                    x.value.withUnsafePointer { source in
                        Tensor(shape: x.shape) {
                            gegluBackward(d, source, rows: rows, width: width, into: $0)
                        }
                    }
                })
        }
    }

    /// At the tape's rate; nothing where that is 0.
    package func dropout(_ x: Node) -> Node {
        guard dropoutRate > 0 else { return x }
        let (rate, seed, count) = (dropoutRate, nextDropoutSeed(), x.value.count)
        @Sendable func apply(_ tensor: Tensor) -> Tensor {
            tensor.withUnsafePointer { source in
                Tensor(shape: tensor.shape) {
                    Kernels.dropout(source, count: count, rate: rate, seed: seed, into: $0)
                }
            }
        }
        return record(apply(x.value), from: [x]) { x.receive(apply($0)) }
    }

    // MARK: Attention

    /// softmax(Q Kᵀ / sqrt(d)) V per head: queries `[batch, length, width]`, keys and values `[batch, other
    /// length, width]`, of the same items.
    package func attention(queries: Node, keys: Node, values: Node, heads: Int, causal: Bool = false) -> Node
    {
        let (batch, width) = (queries.shape[0], queries.shape[queries.value.rank - 1])
        let queryLength = queries.value.count / batch / width, keyLength = keys.value.count / batch / width
        let headWidth = width / heads
        let value = queries.value.withUnsafePointer { q in
            keys.value.withUnsafePointer { k in
                values.value.withUnsafePointer { v in
                    Tensor(shape: queries.shape) { out in
                        let packed = PackedKeysValues(
                            keys: k, values: v, stride: width, contexts: batch, length: keyLength,
                            heads: heads, headWidth: headWidth)
                        Kernels.attention(
                            queries: q, batch: batch, queryLength: queryLength, queryStride: width,
                            packed: packed, contexts: Array(0..<batch),
                            mask: causal ? AttentionMask(causal: true) : nil, into: out, outputStride: width)
                    }
                }
            }
        }
        return record(value, from: [queries, keys, values]) { d in
            var dKeys = Tensor(shape: keys.shape) { _ in }
            var dValues = Tensor(shape: values.shape) { _ in }
            let dQueries = d.withUnsafePointer { d in
                queries.value.withUnsafePointer { q in
                    keys.value.withUnsafePointer { k in
                        values.value.withUnsafePointer { v in
                            dKeys.withUnsafeMutablePointer { dKeys in
                                dValues.withUnsafeMutablePointer { dValues in
                                    Tensor(shape: queries.shape) {
                                        attentionBackward(
                                            d, queries: q, keys: k, values: v, batch: batch,
                                            queryLength: queryLength, keyLength: keyLength, heads: heads,
                                            headWidth: headWidth, causal: causal, dQueries: $0, dKeys: dKeys,
                                            dValues: dValues)
                                    }
                                }
                            }
                        }
                    }
                }
            }
            queries.receive(dQueries)
            keys.receive(dKeys)
            values.receive(dValues)
        }
    }
}

extension Tensor {
    /// `[batch, height, width, channels]` with zeros between the pixels.
    func spread(by stride: Int) -> Tensor {
        guard stride > 1 else { return self }
        return withUnsafePointer { source in
            Tensor(shape: [shape[0], (shape[1] - 1) * stride + 1, (shape[2] - 1) * stride + 1, shape[3]]) {
                Kernels.spread(
                    source, batch: shape[0], height: shape[1], width: shape[2], channels: shape[3],
                    stride: stride, into: $0)
            }
        }
    }
}
