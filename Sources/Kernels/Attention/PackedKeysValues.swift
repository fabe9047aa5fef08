/// Keys and values of one attention layer in the order in which the inner loops read them, so that constant
/// ones (a prompt's) are packed once and used at every step. Unchecked Sendable: written only while it is
/// being made.
package final class PackedKeysValues: @unchecked Sendable {
    package let contexts: Int
    package let length: Int
    package let heads: Int
    package let headWidth: Int
    /// `[contexts][heads][length][headWidth]`.
    private let keys: UnsafeMutablePointer<Float>
    /// Transposed: `[contexts][heads][headWidth][valueStride]`.
    private let values: UnsafeMutablePointer<Float>
    let valueStride: Int
    /// A pointer to each row of both, those of a context's head followed by a few to its last row, with which
    /// tiles are filled up.
    private let keyRows: UnsafeMutablePointer<UnsafePointer<Float>>
    private let valueRows: UnsafeMutablePointer<UnsafePointer<Float>>
    private static let spare = 12

    /// `keys` and `values` are `[contexts, length, heads * headWidth]` with `stride` floats from one position
    /// to the next; the first `shared` positions stand once, before all others, for every context.
    package init(
        keys keySource: UnsafePointer<Float>, values valueSource: UnsafePointer<Float>, stride: Int,
        contexts: Int, length: Int, shared: Int = 0, heads: Int,
        headWidth: Int
    ) {
        (self.contexts, self.length, self.heads, self.headWidth) = (contexts, length, heads, headWidth)
        // One cache line more than whole ones, so that rows do not share cache sets at lengths of 1,024.
        valueStride = (length + 15) / 16 * 16 + 16
        let count = contexts * heads, spare = PackedKeysValues.spare, valueStride = valueStride
        keys = BufferPool.take(count * length * headWidth)
        values = BufferPool.take(count * headWidth * valueStride)
        keyRows = .allocate(capacity: count * (length + spare))
        valueRows = .allocate(capacity: count * (headWidth + spare))
        let keys = keys, values = values, keyRows = keyRows, valueRows = valueRows
        ThreadPool.shared.run(count) { index in
            let k = keys + index * length * headWidth, v = values + index * headWidth * valueStride
            func take(_ positions: Range<Int>, from row: Int) {
                let source = row * stride + index % heads * headWidth
                for (row, position) in positions.enumerated() {
                    (k + position * headWidth).update(
                        from: keySource + source + row * stride, count: headWidth)
                }
                transpose(
                    valueSource + source, rows: positions.count, stride: stride, columns: headWidth,
                    into: v + positions.lowerBound, outputStride: valueStride)
            }
            take(0..<shared, from: 0)
            take(shared..<length, from: shared + index / heads * (length - shared))
            for row in 0..<length + spare {
                (keyRows + index * (length + spare) + row).initialize(
                    to: UnsafePointer(k + min(row, length - 1) * headWidth))
            }
            for row in 0..<headWidth + spare {
                (valueRows + index * (headWidth + spare) + row).initialize(
                    to: UnsafePointer(v + min(row, headWidth - 1) * valueStride))
            }
        }
    }

    deinit {
        BufferPool.give(keys, contexts * heads * length * headWidth)
        BufferPool.give(values, contexts * heads * headWidth * valueStride)
        keyRows.deallocate()
        valueRows.deallocate()
    }

    /// Pointers to the keys of one head, `[headWidth]` each.
    func keys(_ context: Int, _ head: Int) -> UnsafePointer<UnsafePointer<Float>> {
        UnsafePointer(keyRows + (context * heads + head) * (length + PackedKeysValues.spare))
    }

    /// Pointers to the components of the values of one head, `[length]` each.
    func values(_ context: Int, _ head: Int) -> UnsafePointer<UnsafePointer<Float>> {
        UnsafePointer(valueRows + (context * heads + head) * (headWidth + PackedKeysValues.spare))
    }
}

/// `[rows][columns]` to `[columns][rows]`.
func transpose(
    _ source: UnsafePointer<Float>, rows: Int, stride: Int, columns: Int,
    into out: UnsafeMutablePointer<Float>, outputStride: Int
) {
    let wholeRows = rows / 8 * 8, wholeColumns = columns / 8 * 8
    var row = 0
    while row < wholeRows {
        var column = 0
        while column < wholeColumns {
            let c = transposed8(source + (row &* stride &+ column), stride: stride)
            let to = out + (column &* outputStride &+ row)
            store8(to, 0, c.0); store8(to, outputStride, c.1); store8(to, 2 &* outputStride, c.2);
            store8(to, 3 &* outputStride, c.3)
            store8(to, 4 &* outputStride, c.4); store8(to, 5 &* outputStride, c.5);
            store8(to, 6 &* outputStride, c.6); store8(to, 7 &* outputStride, c.7)
            column &+= 8
        }
        while column < columns {
            for i in row..<row + 8 { out[column &* outputStride &+ i] = source[i &* stride &+ column] }
            column &+= 1
        }
        row &+= 8
    }
    while row < rows {
        for column in 0..<columns { out[column &* outputStride &+ row] = source[row &* stride &+ column] }
        row &+= 1
    }
}
