/// A packed matrix that stays in a core's own cache, for rows that lie evenly apart: the layers of small
/// networks and the planes of Winograd's algorithm. One of its products takes a microsecond or two, and what
/// `ProductBlock` does around the inner loops of larger ones, row pointers, blocks of k, room for panels that
/// are not full, took a quarter of that. Plain pointers: two threads that count references to the same matrix
/// wait for each other longer than for the product of a plane. Valid as long as the `PackedMatrix` is.
/// Unchecked Sendable: what it points to is written only while the `PackedMatrix` is being made.
struct CachedMatrix: @unchecked Sendable {
    private let inputs: Int
    let panels: Int
    private let values: UnsafePointer<Float>
    /// One value per output.
    private let bias: UnsafePointer<Float>
    static let fewestRows = 12

    /// A packed panel, `[inputs][16]`.
    func panel(_ index: Int) -> UnsafePointer<Float> { values + index * inputs * PackedMatrix.width }

    fileprivate init(inputs: Int, panels: Int, values: UnsafePointer<Float>, bias: UnsafePointer<Float>) {
        (self.inputs, self.panels, self.values, self.bias) = (inputs, panels, values, bias)
    }

    /// The rows times some of the panels, plus bias and residual; arguments as in `matrixProduct`. At least
    /// `fewestRows`.
    /// - Parameters:
    ///   - following: weights that are probably needed next after these.
    ///   - fetchesOut: whether lines of `out` are asked for before they are written.
    func multiply(
        _ input: UnsafePointer<Float>, rows: Int, inputStride: Int, panels: Range<Int>,
        following: UnsafePointer<Float>,
        fetchesOut: Bool = false, adding residual: UnsafePointer<Float>?,
        into out: UnsafeMutablePointer<Float>, outputStride: Int
    ) {
        let step = inputs * PackedMatrix.width
        var index = panels.lowerBound
        while index < panels.upperBound {
            // Pairs of panels; where their number is odd, the last three together.
            let left = panels.upperBound - index, together = left == 3 ? 3 : min(2, left),
                column = index * PackedMatrix.width
            let weights = panel(index), initial = bias + column,
                next = left > together ? panel(index + together) : following
            let height = together == 3 ? 8 : 12, tiles = rows / height, rest = rows % height
            // The last tiles fetch the weights that come next, each its share of all panels, the others the
            // rows of the next tile, where these follow each other.
            let fetching = min(tiles, 8), others = tiles - fetching, tileLength = height * inputStride
            let rowPace = inputStride <= inputs + 64 ? (tileLength + inputs - 1) / inputs : 0
            func multiply(_ tiles: Int, from row: Int, ahead: UnsafePointer<Float>, pace: Int) {
                let place = row * outputStride + column
                evenProduct(
                    tiles, length: inputs, input: input + row * inputStride, inputStride: inputStride,
                    panel: weights, panels: together, step: step,
                    ahead: ahead, pace: pace, initial: initial, residual: residual.map { $0 + place },
                    out: out + place, stride: outputStride,
                    fetchesOut: fetchesOut)
            }
            if others > 0 { multiply(others, from: 0, ahead: input + tileLength, pace: rowPace) }
            multiply(
                fetching, from: height * others, ahead: next,
                pace: (PackedMatrix.width + fetching - 1) / fetching)
            // Rows that are left over are the last ones of a tile that computes others again.
            if rest > 0, together == 3 || rest > 8 {
                multiply(1, from: rows - height, ahead: next, pace: 0)
            } else if rest > 0 {
                let size = rest <= 4 ? 4 : 8, last = rows - size, place = last * outputStride + column
                withUnsafeTemporaryAllocation(of: UnsafePointer<Float>.self, capacity: 8) { pointers in
                    guard let table = pointers.baseAddress else { return }
                    for row in 0..<size { table[row] = input + (last + row) * inputStride }
                    if together == 2 {
                        pairProduct(
                            size, segments: 1, length: inputs, offset: 0, rows: table, panel: weights,
                            step: step, ahead: weights, pace: 0, initial: initial,
                            out: out + place, stride: outputStride)
                    } else {
                        panelProduct(
                            size, segments: 1, length: inputs, offset: 0, rows: table, panel: weights,
                            initial: initial, out: out + place,
                            stride: outputStride)
                    }
                }
                if let residual {
                    for row in 0..<size {
                        let place = place + row * outputStride
                        addRow(residual + place, count: together * PackedMatrix.width, to: out + place)
                    }
                }
            }
            index += together
        }
    }
}

extension PackedMatrix {
    /// Nil where so many rows are not for `CachedMatrix`.
    func cached(rows: Int) -> CachedMatrix? {
        guard
            RowTiles.wide, !isBorrowed, precision == .float32, rows >= CachedMatrix.fewestRows,
            outputs % PackedMatrix.width == 0, inputs <= 1024,
            inputs * outputs * MemoryLayout<Float>.stride <= 512 << 10
        else { return nil }
        return CachedMatrix(
            inputs: inputs, panels: panels, values: UnsafePointer(writablePanels), bias: UnsafePointer(bias))
    }
}
