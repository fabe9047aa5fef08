internal import Kernels
internal import LinearAlgebra
package import Tensors

#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

// What a training minimises: nodes of one element. Sums run in Double over fixed blocks.

extension Tape {
    /// The mean over items of weight * (mean squared difference of the item's elements).
    /// - Parameter weights: one per item; nil for ones.
    package func meanSquaredError(_ x: Node, _ target: Tensor, weights: [Float]? = nil) -> Node {
        let batch = x.shape[0], count = x.value.count, perItem = count / batch
        precondition(target.count == count, "cannot compare \(x.shape) with \(target.shape)")
        let error = difference(x.value, target)
        let total = error.withUnsafePointer { error in
            (0..<batch).reduce(0.0) {
                $0 + Double(weights?[$1] ?? 1) * folded(error + $1 * perItem, count: perItem, .square)
            }
        }
        return loss(total / Double(count), from: x) { d in
            error.withUnsafePointer { error in
                Tensor(shape: x.shape) { out in
                    for item in 0..<batch {
                        let factor = 2 * d * (weights?[item] ?? 1) / Float(count)
                        scaled(error + item * perItem, by: factor, count: perItem, into: out + item * perItem)
                    }
                }
            }
        }
    }

    /// The mean absolute difference.
    package func meanAbsoluteError(_ x: Node, _ target: Tensor) -> Node {
        let count = x.value.count
        let error = difference(x.value, target)
        let total = error.withUnsafePointer { folded($0, count: count, .absolute) }
        return loss(total / Double(count), from: x) { d in
            error.withUnsafePointer { error in
                Tensor(shape: x.shape) { scaledSign(error, by: d / Float(count), count: count, into: $0) }
            }
        }
    }

    /// The mean absolute difference between neighbouring pixels' differences, to the right and below: edges
    /// where they belong.
    package func meanEdgeError(_ x: Node, _ target: Tensor) -> Node {
        let (batch, height, width, channels) = (x.shape[0], x.shape[1], x.shape[2], x.shape[3])
        let error = difference(x.value, target)
        let pairs = max(1, batch * channels * (height * (width - 1) + (height - 1) * width))
        func forEachPair(_ body: (_ from: Int, _ to: Int) -> Void) {
            for item in 0..<batch {
                for y in 0..<height {
                    for x in 0..<width {
                        let at = ((item * height + y) * width + x) * channels
                        if x + 1 < width { body(at, at + channels) }
                        if y + 1 < height { body(at, at + width * channels) }
                    }
                }
            }
        }
        var total = 0.0
        error.withUnsafePointer { e in
            forEachPair { from, to in
                var sum: Float = 0
                for c in 0..<channels { sum += abs(e[to + c] - e[from + c]) }
                total += Double(sum)
            }
        }
        return loss(total / Double(pairs), from: x) { d in
            let step = d / Float(pairs)
            var gradient = Tensor(zeros: x.shape)
            error.withUnsafePointer { e in
                gradient.withUnsafeMutablePointer { g in
                    forEachPair { from, to in
                        for c in 0..<channels {
                            let change = e[to + c] - e[from + c]
                            let slope = change > 0 ? step : change < 0 ? -step : 0
                            g[to + c] += slope
                            g[from + c] -= slope
                        }
                    }
                }
            }
            return gradient
        }
    }

    /// The mean over items of the Kullback-Leibler divergence of N(mean, e^logVariance) from N(0, 1), summed
    /// over an item's elements.
    package func divergence(mean: Node, logVariance: Node) -> Node {
        let batch = Double(mean.shape[0])
        let (m, v) = (mean.value.values, logVariance.value.values)
        var total = 0.0
        for i in m.indices {
            total += 0.5 * (Double(m[i]) * Double(m[i]) + exp(Double(v[i])) - 1 - Double(v[i]))
        }
        return record(Tensor(shape: [], values: [Float(total / batch)]), from: [mean, logVariance]) { d in
            let factor = d.values[0] / Float(batch)
            mean.receive(mean.value * factor)
            logVariance.receive(logVariance.value.map { factor * 0.5 * (exp($0) - 1) })
        }
    }

    /// mean + e^(logVariance / 2) noise.
    package func sampled(mean: Node, logVariance: Node, noise: Tensor) -> Node {
        let spread = logVariance.value.map { exp(0.5 * $0) }.zip(noise) { $0 * $1 }
        return record(mean.value + spread, from: [mean, logVariance]) { d in
            mean.receive(d)
            logVariance.receive(d.zip(spread) { $0 * $1 * 0.5 })
        }
    }

    /// Values between bounds; outside no gradient flows.
    package func clamped(_ x: Node, _ range: ClosedRange<Float>) -> Node {
        record(x.value.map { min(max($0, range.lowerBound), range.upperBound) }, from: [x]) { d in
            x.receive(d.zip(x.value) { range.contains($1) ? $0 : 0 })
        }
    }

    /// The sum of losses, each times its weight.
    package func total(_ losses: [(weight: Float, loss: Node)]) -> Node {
        let value = losses.reduce(0.0) { $0 + Double($1.weight) * $1.loss.scalar }
        return record(Tensor(shape: [], values: [Float(value)]), from: losses.map(\.loss)) { d in
            for (weight, loss) in losses { loss.receive(d * weight) }
        }
    }

    /// The mean over items of 1 - cosine of row and target, both `[batch, width]`.
    package func cosineError(_ x: Node, _ target: Tensor) -> Node {
        let batch = x.shape[0]
        let rows = UnitRows(x.value), wanted = UnitRows(target)
        let cosines = (0..<batch).map { row in dotInOrder(rows.row(row), wanted.row(row)) }
        return loss(1 - cosines.reduce(0, +) / Double(batch), from: x) { d in
            rows.gradient(shape: x.shape) { row, i in -Double(d) / Double(batch) * wanted.row(row)[i] }
        }
    }

    /// The contrastive loss of CLIP (Radford et al. 2021, figure 3): the mean of the two cross entropies of
    /// scale * cosines of a's rows with b's, by rows and by columns. Items with equal `groups` count as
    /// matches of each other, in equal shares.
    /// - Parameter logScale: the logarithm of the scale.
    package func contrastiveLoss(_ a: Node, _ b: Node, logScale: Node, groups: [Int]? = nil) -> Node {
        let batch = a.shape[0], width = a.shape[1]
        let (left, right) = (UnitRows(a.value), UnitRows(b.value))
        let scale = exp(Double(logScale.value.values[0]))
        let groups = groups ?? Array(0..<batch)
        var sizes: [Int: Double] = [:]
        for group in groups { sizes[group, default: 0] += 1 }
        let cosines = (0..<batch).map { i in (0..<batch).map { j in dotInOrder(left.row(i), right.row(j)) } }
        // Of each row and each column: softmax minus target, the gradient of its cross entropy.
        var total = 0.0
        var slopes = [[Double]](repeating: [Double](repeating: 0, count: batch), count: batch)
        for transposed in [false, true] {
            for i in 0..<batch {
                let logits = (0..<batch).map { scale * (transposed ? cosines[$0][i] : cosines[i][$0]) }
                let largest = logits.max() ?? 0
                let sum = logits.reduce(0) { $0 + exp($1 - largest) }
                let logSum = largest + log(sum)
                for j in 0..<batch {
                    let target = groups[i] == groups[j] ? 1 / (sizes[groups[i]] ?? 1) : 0
                    total += target * (logSum - logits[j])
                    let slope = exp(logits[j] - logSum) - target
                    if transposed { slopes[j][i] += slope } else { slopes[i][j] += slope }
                }
            }
        }
        let value = total / Double(2 * batch)
        return record(Tensor(shape: [], values: [Float(value)]), from: [a, b, logScale]) { d in
            let factor = Double(d.values[0]) / Double(2 * batch)
            var dLeft = [[Double]](repeating: [Double](repeating: 0, count: width), count: batch)
            var dRight = dLeft
            var dScale = 0.0
            for i in 0..<batch {
                for j in 0..<batch {
                    let slope = slopes[i][j] * factor
                    dScale += slope * cosines[i][j]
                    let step = slope * scale
                    let (x, y) = (left.row(i), right.row(j))
                    for k in 0..<width {
                        dLeft[i][k] += step * y[k]
                        dRight[j][k] += step * x[k]
                    }
                }
            }
            a.receive(left.gradient(shape: a.shape) { dLeft[$0][$1] })
            b.receive(right.gradient(shape: b.shape) { dRight[$0][$1] })
            logScale.receive(Tensor(shape: logScale.shape, values: [Float(dScale * scale)]))
        }
    }

    // MARK: Parts

    private func difference(_ a: Tensor, _ b: Tensor) -> Tensor {
        a.withUnsafePointer { x in
            b.withUnsafePointer { y in
                Tensor(shape: a.shape) { Kernels.difference(x, y, count: a.count, into: $0) }
            }
        }
    }

    private func loss(_ value: Double, from x: Node, gradient: @escaping (Float) -> Tensor) -> Node {
        record(Tensor(shape: [], values: [Float(value)]), from: [x]) { x.receive(gradient($0.values[0])) }
    }
}

/// Rows of length one, in Double, and the way back to the rows as they were.
private struct UnitRows {
    private let rows: [[Double]]
    private let lengths: [Double]

    init(_ x: Tensor) {
        let width = x.shape[1]
        let values = x.values
        var rows: [[Double]] = [], lengths: [Double] = []
        for start in stride(from: 0, to: values.count, by: width) {
            let row = values[start..<start + width].map(Double.init)
            let length = max(dotInOrder(row, row).squareRoot(), 1e-12)
            rows.append(row.map { $0 / length })
            lengths.append(length)
        }
        (self.rows, self.lengths) = (rows, lengths)
    }

    func row(_ index: Int) -> [Double] { rows[index] }

    /// With u = x / |x|: dx = (du - (du · u) u) / |x|.
    func gradient(shape: [Int], _ dUnit: (_ row: Int, _ column: Int) -> Double) -> Tensor {
        Tensor(shape: shape) { out in
            for (row, u) in rows.enumerated() {
                let d = u.indices.map { dUnit(row, $0) }
                let along = dotInOrder(d, u)
                for i in u.indices { out[row * u.count + i] = Float((d[i] - along * u[i]) / lengths[row]) }
            }
        }
    }
}
