internal import WideKernels

/// Keys and values of one attention layer in the inner loop's panel order, so that constant ones (a prompt's) are packed
/// once and used at every step. Unchecked Sendable: written only while it is being made.
package final class PackedKeysValues: @unchecked Sendable {
    package let contexts: Int
    package let length: Int
    package let heads: Int
    package let headWidth: Int
    private let keyPanels: Int
    private let valuePanels: Int
    private let keys: UnsafeMutablePointer<Float>
    private let values: UnsafeMutablePointer<Float>

    /// `keys` and `values` are `[contexts, length, heads * headWidth]` with `stride` floats from one position to the next.
    package init(
        keys source: UnsafePointer<Float>, values valueSource: UnsafePointer<Float>, stride: Int, contexts: Int, length: Int, heads: Int, headWidth: Int
    ) {
        (self.contexts, self.length, self.heads, self.headWidth) = (contexts, length, heads, headWidth)
        keyPanels = (length + 15) / 16
        valuePanels = (headWidth + 15) / 16
        keys = BufferPool.take(contexts * heads * keyPanels * 16 * headWidth)
        values = BufferPool.take(contexts * heads * valuePanels * 16 * length)
        let keyPanels = keyPanels, valuePanels = valuePanels, keys = keys, values = values
        ThreadPool.shared.run(contexts * heads) { index in
            let context = index / heads, head = index % heads
            let k = source + context * length * stride + head * headWidth
            let toKeys = keys + index * keyPanels * 16 * headWidth
            for first in Swift.stride(from: 0, to: keyPanels * 16, by: 8) {
                packKeys(k, first: first, of: length, stride: stride, headWidth: headWidth, into: toKeys + first / 16 * 16 * headWidth + first % 16)
            }
            let v = valueSource + context * length * stride + head * headWidth
            let toValues = values + index * valuePanels * 16 * length
            for panel in 0..<valuePanels {
                let columns = min(16, headWidth - panel * 16)
                for position in 0..<length {
                    let to = toValues + (panel * length + position) * 16
                    to.update(from: v + position * stride + panel * 16, count: columns)
                    for i in columns..<16 { to[i] = 0 }
                }
            }
        }
    }

    deinit {
        BufferPool.give(keys, contexts * heads * keyPanels * 16 * headWidth)
        BufferPool.give(values, contexts * heads * valuePanels * 16 * length)
    }

    func key(_ context: Int, _ head: Int, panel: Int) -> UnsafePointer<Float> {
        UnsafePointer(keys + ((context * heads + head) * keyPanels + panel) * 16 * headWidth)
    }

    func value(_ context: Int, _ head: Int, panel: Int) -> UnsafePointer<Float> {
        UnsafePointer(values + ((context * heads + head) * valuePanels + panel) * 16 * length)
    }
}

/// Eight keys from `first` on into eight columns of a panel, zeros for those past the end.
private func packKeys(_ keys: UnsafePointer<Float>, first: Int, of length: Int, stride: Int, headWidth: Int, into to: UnsafeMutablePointer<Float>) {
    let from = keys + first * stride
    var i = 0
    if first + 8 <= length {
        while i &+ 8 <= headWidth {
            let columns = transposed8(from + i, stride: stride)
            store8(to, i &* 16, columns.0); store8(to, (i &+ 1) &* 16, columns.1)
            store8(to, (i &+ 2) &* 16, columns.2); store8(to, (i &+ 3) &* 16, columns.3)
            store8(to, (i &+ 4) &* 16, columns.4); store8(to, (i &+ 5) &* 16, columns.5)
            store8(to, (i &+ 6) &* 16, columns.6); store8(to, (i &+ 7) &* 16, columns.7)
            i &+= 8
        }
    }
    while i < headWidth {
        for lane in 0..<8 { to[i &* 16 &+ lane] = first + lane < length ? from[lane &* stride &+ i] : 0 }
        i &+= 1
    }
}

/// Which keys a query may look at.
package struct AttentionMask: Sendable {
    /// Query i sees keys 0...i only.
    package var causal: Bool
    /// `[contexts][length]`: keys that stand for padding are false. Nil: all count.
    package var present: [[Bool]]?
    package init(causal: Bool = false, present: [[Bool]]? = nil) { (self.causal, self.present) = (causal, present) }
}

/// out = softmax(queries · keysᵀ / sqrt(headWidth)) · values, per head.
/// `queries` and `out` are `[batch, queryLength, heads * headWidth]`, rows `queryStride` and `outputStride` floats apart;
/// item i of the batch looks at context `contexts[i]`. Scores are kept for a block of queries at a time, never whole.
package func attention(
    queries: UnsafePointer<Float>, batch: Int, queryLength: Int, queryStride: Int, packed: PackedKeysValues, contexts: [Int],
    mask: AttentionMask? = nil, into out: UnsafeMutablePointer<Float>, outputStride: Int
) {
    precondition(
        contexts.count == batch && contexts.allSatisfy { $0 >= 0 && $0 < packed.contexts }, "contexts \(contexts) of \(packed.contexts) for a batch of \(batch)"
    )
    let block = 48
    let blocks = (queryLength + block - 1) / block
    let heads = packed.heads
    ThreadPool.shared.run(batch * heads * blocks) { chunk in
        let item = chunk / (heads * blocks), head = chunk / blocks % heads
        let first = chunk % blocks * block
        let count = min(block, queryLength - first)
        let q = queries + (item * queryLength + first) * queryStride + head * packed.headWidth
        let o = out + (item * queryLength + first) * outputStride + head * packed.headWidth
        attentionBlock(
            q, count: count, stride: queryStride, packed: packed, context: contexts[item], head: head,
            firstQuery: first, mask: mask, into: o, outputStride: outputStride)
    }
}

private func attentionBlock(
    _ queries: UnsafePointer<Float>, count: Int, stride: Int, packed: PackedKeysValues, context: Int, head: Int,
    firstQuery: Int, mask: AttentionMask?, into out: UnsafeMutablePointer<Float>, outputStride: Int
) {
    let length = packed.length, width = packed.headWidth
    let tiles = RowTiles(rows: count)
    // One cache line more than whole panels, so that rows do not share cache sets at lengths of 1,024.
    let scoreStride = (length + 15) / 16 * 16 + 16
    var memory = Scratch()
    defer { memory.release() }
    let scores = memory.floats(tiles.rows * scoreStride)
    let inverse = memory.floats(tiles.rows)
    let result = memory.floats(tiles.rows * 32)
    let rows = memory.take(tiles.rows, of: UnsafePointer<Float>.self)
    let zeros = memory.floats(32)
    zeros.update(repeating: 0, count: 32)

    for row in 0..<tiles.rows { rows[row] = queries + min(row, count - 1) * stride }
    forEachPair((length + 15) / 16) { panel, together in
        panelRows(tiles, rows, packed.key(context, head, panel: panel), together, length: width, zeros, scores + panel * 16, scoreStride)
    }

    let scale = 1 / Float(width).squareRoot()
    for row in 0..<tiles.rows {
        let line = scores + row * scoreStride
        var visible = length
        if let mask {
            if mask.causal { visible = min(length, firstQuery + min(row, count - 1) + 1) }
            if let present = mask.present?[context] {
                for key in 0..<visible where !present[key] { line[key] = -.infinity }
            }
        }
        inverse[row] = 1 / softmaxNumerators(line, count: visible, total: length, scale: scale)
        rows[row] = UnsafePointer(line)
    }

    forEachPair((width + 15) / 16) { panel, together in
        panelRows(tiles, rows, packed.value(context, head, panel: panel), together, length: length, zeros, result, 32)
        let columns = min(together * 16, width - panel * 16)
        for row in 0..<count {
            let to = out + row * outputStride + panel * 16
            for i in 0..<columns { to[i] = result[row * 32 + i] * inverse[row] }
        }
    }
}

/// Panels as the inner loops take them: two together where vectors are wide, and the last alone if it is left over.
@inline(__always)
private func forEachPair(_ panels: Int, _ body: (_ panel: Int, _ together: Int) -> Void) {
    var panel = 0
    while panel < panels {
        let together = RowTiles.wide ? min(2, panels - panel) : 1
        body(panel, together)
        panel += together
    }
}

/// All tiles of rows against one panel, or two that follow each other.
@inline(__always)
private func panelRows(
    _ tiles: RowTiles, _ rows: UnsafeMutablePointer<UnsafePointer<Float>>, _ panel: UnsafePointer<Float>, _ together: Int, length: Int,
    _ zeros: UnsafePointer<Float>, _ out: UnsafeMutablePointer<Float>, _ stride: Int
) {
    for tile in 0..<tiles.count {
        let start = tiles.start(tile)
        if together == 2 {
            pairProduct(
                tiles.size(tile), segments: 1, length: length, offset: 0, rows: rows + start, panel: panel, step: length * 16, ahead: panel, pace: 0,
                initial: zeros,
                out: out + start * stride, stride: stride)
        } else {
            panelProduct(
                tiles.size(tile), segments: 1, length: length, offset: 0, rows: rows + start, panel: panel, initial: zeros, out: out + start * stride,
                stride: stride)
        }
    }
}

/// Replaces `count` scores s by exp(scale (s - max)) and those from `count` to `total` by 0; returns the sum.
/// The sum has eight lanes in a fixed order, whatever the position of the row in its block.
private func softmaxNumerators(_ line: UnsafeMutablePointer<Float>, count: Int, total: Int, scale: Float) -> Float {
    // Wide vectors take what they can of both passes.
    let byMaximum = RowTiles.wide ? count / 16 * 16 : 0
    let whole = count / 8 * 8
    var maximum = F8(repeating: byMaximum > 0 ? wideMaximum(line, count: byMaximum) : -.infinity)
    var i = byMaximum
    while i < whole {
        let v = load8(line, i)
        maximum.replace(with: v, where: maximum .< v)
        i += 8
    }
    var largest = maximum.treeMaximum
    while i < count { largest = line[i] > largest ? line[i] : largest; i += 1 }
    if largest == -.infinity { largest = 0 }

    // The lanes past `count` are filled with minus infinity, whose exponential adds nothing; rows have room for them.
    let padded = (count + 7) / 8 * 8
    for j in count..<padded { line[j] = -.infinity }
    var sum = F8.zero
    i = RowTiles.wide ? padded / 16 * 16 : 0
    if i > 0 {
        withUnsafeTemporaryAllocation(of: Float.self, capacity: 8) { sums in
            guard let lanes = sums.baseAddress else { return }
            store8(lanes, 0, sum)
            wideExponentials(line, count: i, scale: scale, shift: -largest * scale, sums: lanes)
            sum = load8(lanes, 0)
        }
    }
    let shift = F8(repeating: -largest * scale)
    while i < padded {
        let v = load8(line, i)
        var e = exponential(shift.addingProduct(v, F8(repeating: scale)))
        e.replace(with: F8.zero, where: v .== -.infinity)
        sum += e
        store8(line, i, e)
        i += 8
    }
    for j in padded..<max(padded, total) { line[j] = 0 }
    return sum.treeSum
}
