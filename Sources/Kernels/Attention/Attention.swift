internal import WideKernels

/// Which keys a query may look at.
package struct AttentionMask: Sendable {
    /// Query i sees keys 0...i only.
    package var causal: Bool
    /// `[contexts][length]`: keys that stand for padding are false. Nil: all count.
    package var present: [[Bool]]?
    package init(causal: Bool = false, present: [[Bool]]? = nil) {
        (self.causal, self.present) = (causal, present)
    }
}

/// out = softmax(queries · keysᵀ / sqrt(headWidth)) · values, per head. `queries` and `out` are `[batch,
/// queryLength, heads * headWidth]`, rows `queryStride` and `outputStride` floats apart; item i of the batch
/// looks at context `contexts[i]`. Scores are kept for a block of queries and of keys at a time, never whole.
/// - Parameter position: the place of each item's first query, which a causal mask compares with the keys'.
package func attention(
    queries: UnsafePointer<Float>, batch: Int, queryLength: Int, queryStride: Int, packed: PackedKeysValues,
    contexts: [Int],
    mask: AttentionMask? = nil, position: Int = 0, into out: UnsafeMutablePointer<Float>, outputStride: Int
) {
    precondition(
        contexts.count == batch && contexts.allSatisfy { $0 >= 0 && $0 < packed.contexts },
        "contexts \(contexts) of \(packed.contexts) for a batch of \(batch)"
    )
    let blocks = (queryLength + queriesTogether - 1) / queriesTogether
    let heads = packed.heads
    ThreadPool.shared.run(batch * heads * blocks) { chunk in
        let item = chunk / (heads * blocks), head = chunk / blocks % heads
        let first = chunk % blocks * queriesTogether
        let count = min(queriesTogether, queryLength - first)
        let q = queries + (item * queryLength + first) * queryStride + head * packed.headWidth
        let o = out + (item * queryLength + first) * outputStride + head * packed.headWidth
        attentionBlock(
            q, count: count, stride: queryStride, packed: packed, context: contexts[item], head: head,
            firstQuery: position + first, mask: mask, into: o, outputStride: outputStride)
    }
}

/// Two panels, which the inner loops take together where vectors are wide.
private let queriesTogether = 32
/// Their scores against so many keys, and the softmax of these, stay in the first cache (16 KB each).
private let keysTogether = 128

/// Both products have the queries in their columns: scores as keys · queriesᵀ, then the result's transpose as
/// valuesᵀ · shares. So a softmax runs down the columns, each lane for a query of its own, nothing is padded
/// to whole panels but the queries, and heads of any width cost what they multiply. Blocks of keys follow
/// each other with a running maximum (Milakov and Gimelshein 2018; Dao et al. 2022).
private func attentionBlock(
    _ queries: UnsafePointer<Float>, count: Int, stride: Int, packed: PackedKeysValues, context: Int,
    head: Int,
    firstQuery: Int, mask: AttentionMask?, into out: UnsafeMutablePointer<Float>, outputStride: Int
) {
    let width = packed.headWidth
    let panels = (count + 15) / 16, across = panels * 16
    let components = RowTiles(rows: width)
    var memory = Scratch()
    defer { memory.release() }
    let queryPanels = memory.floats(across * width)
    let scores = memory.floats((keysTogether + 12) * across)
    let shares = memory.floats(keysTogether * across)
    let result = memory.floats(components.rows * across)
    let running = RunningSoftmax(across, scale: 1 / Float(width).squareRoot(), &memory)
    let zeros = memory.floats(32)
    zeros.update(repeating: 0, count: 32)

    for panel in 0..<panels {
        let first = panel * 16, to = queryPanels + first * width
        if count < first + 16 { to.update(repeating: 0, count: 16 * width) }
        transpose(
            queries + first * stride, rows: min(16, count - first), stride: stride, columns: width, into: to,
            outputStride: 16)
    }
    let keyRows = packed.keys(context, head), valueRows = packed.values(context, head)
    // Keys behind the last query's place are for none of the block.
    let visible = mask?.causal == true ? min(packed.length, firstQuery + count) : packed.length
    for first in Swift.stride(from: 0, to: visible, by: keysTogether) {
        let keys = min(keysTogether, visible - first)
        product(
            RowTiles(rows: keys), of: keys, keyRows + first, apart: width, offset: 0, length: width,
            panels: panels, queryPanels, step: 16 * width,
            initial: zeros, into: scores)
        if let mask {
            if mask.causal {
                for key in max(first, firstQuery + 1)..<max(firstQuery + 1, first + keys) {
                    (scores + (key - first) * across).update(
                        repeating: -.infinity, count: min(across, key - firstQuery))
                }
            }
            if let present = mask.present?[context] {
                for key in 0..<keys where !present[first + key] {
                    (scores + key * across).update(repeating: -.infinity, count: across)
                }
            }
        }
        running.take(scores, keys: keys, into: shares, step: 16 * keysTogether)
        if first > 0 { running.rescale(result, rows: width) }
        product(
            components, of: width, valueRows, apart: packed.valueStride, offset: first, length: keys,
            panels: panels, shares, step: 16 * keysTogether,
            initial: first == 0 ? zeros : nil,
            into: result)
    }
    running.divide(result, rows: width, count: count, into: out, outputStride: outputStride)
}

/// All tiles of `count` rows, `apart` floats from each other, against one panel or two; the rows that come
/// out are as wide as the panels are together.
@inline(__always)
private func product(
    _ tiles: RowTiles, of count: Int, _ rows: UnsafePointer<UnsafePointer<Float>>, apart: Int, offset: Int,
    length: Int, panels: Int,
    _ panel: UnsafePointer<Float>, step: Int, initial: UnsafePointer<Float>?,
    into out: UnsafeMutablePointer<Float>
) {
    let stride = panels * 16, even = min(tiles.twelves, count / 12)
    if KernelChoice.current == .openblas {
        for index in 0..<panels {
            OpenBLAS.reference.multiply(
                rows[0] + offset, rows: count, stride: apart, by: panel + index * step, columns: 16,
                stride: 16, length: length,
                adding: initial == nil, into: out + index * 16, stride: stride)
        }
        return
    }
    if even > 0 {
        evenProduct(
            even, length: length, input: rows[0] + offset, inputStride: apart, panel: panel, panels: panels,
            step: step, ahead: panel, pace: 0,
            initial: initial, residual: nil, out: out, stride: stride)
    }
    for tile in even..<tiles.count {
        let start = tiles.start(tile), to = out + start * stride
        if panels == 2, RowTiles.wide {
            pairProduct(
                tiles.size(tile), segments: 1, length: length, offset: offset, rows: rows + start,
                panel: panel, step: step, ahead: panel, pace: 0,
                initial: initial, out: to, stride: stride)
        } else {
            for index in 0..<panels {
                panelProduct(
                    tiles.size(tile), segments: 1, length: length, offset: offset, rows: rows + start,
                    panel: panel + index * step, initial: initial,
                    out: to + index * 16, stride: stride)
            }
        }
    }
}

/// The softmax of scores that come block by block of keys, `[keys][across]`, a query per column.
private struct RunningSoftmax {
    private let across: Int
    private let scale: Float
    private let maxima, sums, factors: UnsafeMutablePointer<Float>

    init(_ across: Int, scale: Float, _ memory: inout Scratch) {
        (self.across, self.scale) = (across, scale)
        maxima = memory.floats(across)
        sums = memory.floats(across)
        factors = memory.floats(across)
        maxima.update(repeating: -.infinity, count: across)
        sums.update(repeating: 0, count: across)
    }

    /// exp(scale (s - the maximum so far)) of each score s to `shares`, panels of `[keys][16]`, `step` floats
    /// apart.
    func take(_ scores: UnsafePointer<Float>, keys: Int, into shares: UnsafeMutablePointer<Float>, step: Int)
    {
        if RowTiles.wide {
            return wideSoftmaxBlock(
                scores, keys: keys, across: across, scale: scale, maxima: maxima, sums: sums,
                factors: factors, into: shares, step: step)
        }
        var lane = 0
        while lane < across {
            let before = load8(maxima, lane)
            var largest = before
            for key in 0..<keys {
                let v = load8(scores, key &* across &+ lane)
                largest.replace(with: v, where: largest .< v)
            }
            store8(maxima, lane, largest)
            // Where all keys so far are masked, nothing is taken off.
            largest.replace(with: F8.zero, where: largest .== -.infinity)
            var factor = exponential((before - largest) * scale)
            factor.replace(with: F8.zero, where: before .== -.infinity)
            store8(factors, lane, factor)
            let shift = -largest * scale
            let to = shares + (lane / 16 * step + lane % 16)
            var sum = F8.zero
            for key in 0..<keys {
                let v = load8(scores, key &* across &+ lane)
                var e = exponential(shift.addingProduct(v, F8(repeating: scale)))
                e.replace(with: F8.zero, where: v .== -.infinity)
                sum += e
                store8(to, key &* 16, e)
            }
            store8(sums, lane, sum.addingProduct(load8(sums, lane), factor))
            lane &+= 8
        }
    }

    /// What earlier blocks gave, `[rows][across]`, by the present maximum.
    func rescale(_ result: UnsafeMutablePointer<Float>, rows: Int) {
        for row in 0..<rows {
            var lane = 0
            while lane < across {
                store8(
                    result, row &* across &+ lane, load8(result, row &* across &+ lane) * load8(factors, lane)
                )
                lane &+= 8
            }
        }
    }

    /// The transpose of `[rows][across]` over the sums.
    func divide(
        _ result: UnsafeMutablePointer<Float>, rows: Int, count: Int, into out: UnsafeMutablePointer<Float>,
        outputStride: Int
    ) {
        for lane in 0..<across { factors[lane] = 1 / sums[lane] }
        rescale(result, rows: rows)
        transpose(result, rows: rows, stride: across, columns: count, into: out, outputStride: outputStride)
    }
}
