// Elementwise combinations and sums over fixed blocks, for losses and gradients. Input and output may be the
// same memory.

/// out = a - b.
package func difference(
    _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, count: Int, into out: UnsafeMutablePointer<Float>
) {
    combined(a, b, count, out) { $0 - $1 }
}

/// out = a * b.
package func product(
    _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, count: Int, into out: UnsafeMutablePointer<Float>
) {
    combined(a, b, count, out) { $0 * $1 }
}

/// out = e^a.
package func exponential(_ a: UnsafePointer<Float>, count: Int, into out: UnsafeMutablePointer<Float>) {
    combined(a, a, count, out) { x, _ in exponential(x) }
}

/// out = factor a.
package func scaled(
    _ a: UnsafePointer<Float>, by factor: Float, count: Int, into out: UnsafeMutablePointer<Float>
) {
    combined(a, a, count, out) { x, _ in x * factor }
}

/// out += factor a.
package func addScaled(
    _ a: UnsafePointer<Float>, by factor: Float, count: Int, to out: UnsafeMutablePointer<Float>
) {
    combined(a, UnsafePointer(out), count, out) { $1.addingProduct($0, F8(repeating: factor)) }
}

/// out = factor sign(a): the gradient of factor |a|.
package func scaledSign(
    _ a: UnsafePointer<Float>, by factor: Float, count: Int, into out: UnsafeMutablePointer<Float>
) {
    combined(a, a, count, out) { x, _ in
        F8.zero.replacing(with: F8(repeating: factor), where: x .> 0).replacing(
            with: F8(repeating: -factor), where: x .< 0)
    }
}

/// Sums of what `FoldedTerm` says of each element, in blocks of a fixed size, joined in Double in their
/// order.
package enum FoldedTerm: Sendable { case plain, square, absolute }

package func folded(_ a: UnsafePointer<Float>, count: Int, _ term: FoldedTerm) -> Double {
    let block = 16_384
    var partial = [Double](repeating: 0, count: (count + block - 1) / block)
    partial.withUnsafeMutableBufferPointer { partial in
        guard let partial = partial.baseAddress else { return }
        forEachBlock(count, size: block) { range in
            var low = F8.zero, high = F8.zero
            var i = range.lowerBound
            @inline(__always) func value(_ x: F8) -> F8 {
                switch term {
                case .plain: x
                case .square: x * x
                case .absolute: x.replacing(with: -x, where: x .< 0)
                }
            }
            while i &+ 16 <= range.upperBound {
                low += value(load8(a, i))
                high += value(load8(a, i &+ 8))
                i &+= 16
            }
            var total = Double((low + high).treeSum)
            while i < range.upperBound { total += Double(value(F8(repeating: a[i]))[0]); i &+= 1 }
            partial[range.lowerBound / block] = total
        }
    }
    return partial.reduce(0, +)
}

/// out `[columns]` = the sums over the rows of `[rows, columns]`: the gradient of a bias. With `adding` they
/// are added to what is there.
package func columnSums(
    _ a: UnsafePointer<Float>, rows: Int, columns: Int, adding: Bool, into out: UnsafeMutablePointer<Float>
) {
    let block = max(16, 32_768 / columns)
    let blocks = (rows + block - 1) / block
    let partial = BufferPool.take(blocks * columns)
    defer { BufferPool.give(partial, blocks * columns) }
    forEachBlock(rows, size: block) { range in
        rowSum(
            a + range.lowerBound * columns, rows: range.count, columns: columns,
            into: partial + range.lowerBound / block * columns)
    }
    for c in 0..<columns {
        var total = 0.0
        for b in 0..<blocks { total += Double(partial[b * columns + c]) }
        out[c] = Float(total) + (adding ? out[c] : 0)
    }
}

/// out `[batch, channels]` = the sums over the pixels of `[batch, pixels, channels]`: the gradient of
/// `addPerItem`.
package func sumPerItem(
    _ a: UnsafePointer<Float>, batch: Int, pixels: Int, channels: Int, into out: UnsafeMutablePointer<Float>
) {
    ThreadPool.shared.run(batch) { item in
        rowSum(a + item * pixels * channels, rows: pixels, columns: channels, into: out + item * channels)
    }
}

@inline(__always) private func rowSum(
    _ a: UnsafePointer<Float>, rows: Int, columns: Int, into out: UnsafeMutablePointer<Float>
) {
    var c = 0
    while c &+ 16 <= columns {
        var low = F8.zero, high = F8.zero
        var from = a + c
        for _ in 0..<rows {
            low += load8(from, 0)
            high += load8(from, 8)
            from += columns
        }
        store8(out, c, low)
        store8(out, c &+ 8, high)
        c &+= 16
    }
    while c < columns {
        var total: Float = 0
        for row in 0..<rows { total += a[row &* columns &+ c] }
        out[c] = total
        c &+= 1
    }
}

@inline(__always) func combined(
    _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ count: Int, _ out: UnsafeMutablePointer<Float>,
    _ body: (F8, F8) -> F8
) {
    forEachBlock(count, size: 32_768) { range in
        var i = range.lowerBound
        while i &+ 8 <= range.upperBound { store8(out, i, body(load8(a, i), load8(b, i))); i &+= 8 }
        while i < range.upperBound { out[i] = body(F8(repeating: a[i]), F8(repeating: b[i]))[0]; i &+= 1 }
    }
}
