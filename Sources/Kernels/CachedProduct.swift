/// Products with a matrix that stays in a core's own cache, of rows that lie evenly apart: the layers of small networks and the planes of Winograd's
/// algorithm. One of them takes a microsecond or two, and what `productBlock` does around the inner loops of larger ones, row pointers, blocks of k, room
/// for panels that are not full, took a quarter of that.
extension PackedMatrix {
    /// Whether `cachedProduct` applies to so many rows.
    func staysCached(rows: Int) -> Bool {
        RowTiles.wide && !isBorrowed && precision == .float32 && rows >= 12 && outputs % PackedMatrix.width == 0 && inputs <= 1024
            && inputs * outputs * MemoryLayout<Float>.stride <= 512 << 10
    }

    /// The rows times some of the panels, plus bias and residual; arguments as in `matrixProduct`. Only where `staysCached`.
    /// - Parameters:
    ///   - following: weights that are probably needed next after these.
    ///   - fetchesOut: whether lines of `out` are asked for before they are written.
    func cachedProduct(
        _ input: UnsafePointer<Float>, rows: Int, inputStride: Int, panels: Range<Int>, following: UnsafePointer<Float>,
        fetchesOut: Bool = false, adding residual: UnsafePointer<Float>?, into out: UnsafeMutablePointer<Float>, outputStride: Int
    ) {
        let tiles = rows / 12, rest = rows % 12
        // Rows that are left over are the last ones of a tile that computes others again.
        let size = rest == 0 ? 0 : rest <= 4 ? 4 : rest <= 8 ? 8 : 12, last = rows - size
        // The last tiles fetch the weights that come next, each its share of both panels, the others the rows of the next tile, where these follow each other.
        let fetching = min(tiles, 8), others = tiles - fetching, tileLength = 12 * inputStride
        let weightPace = (PackedMatrix.width + fetching - 1) / fetching
        let rowPace = inputStride <= inputs + 64 ? (tileLength + inputs - 1) / inputs : 0
        let step = inputs * PackedMatrix.width
        withUnsafeTemporaryAllocation(of: UnsafePointer<Float>.self, capacity: 12) { pointers in
            guard let table = pointers.baseAddress else { return }
            for row in 0..<size { table[row] = input + (last + row) * inputStride }
            var panel = panels.lowerBound
            while panel < panels.upperBound {
                let isPair = panel + 1 < panels.upperBound, column = panel * PackedMatrix.width
                let weights = packedPanel(panel), initial = UnsafePointer(bias + column)
                let next = panel + 2 < panels.upperBound ? packedPanel(panel + 2) : following
                let target = out + column, beside = residual.map { $0 + column }
                func multiply(_ tiles: Int, from row: Int, ahead: UnsafePointer<Float>, pace: Int) {
                    let place = row * outputStride
                    evenProduct(
                        tiles, length: inputs, input: input + row * inputStride, inputStride: inputStride, panel: weights, step: isPair ? step : nil,
                        ahead: ahead, pace: pace, initial: initial, residual: beside.map { $0 + place }, out: target + place, stride: outputStride,
                        fetchesOut: fetchesOut)
                }
                if others > 0 { multiply(others, from: 0, ahead: input + tileLength, pace: rowPace) }
                multiply(fetching, from: 12 * others, ahead: next, pace: weightPace)
                if size == 12 {
                    multiply(1, from: last, ahead: next, pace: 0)
                } else if size > 0 {
                    let place = last * outputStride
                    if isPair {
                        pairProduct(
                            size, segments: 1, length: inputs, offset: 0, rows: table, panel: weights, step: step, ahead: weights, pace: 0, initial: initial,
                            out: target + place, stride: outputStride)
                    } else {
                        panelProduct(
                            size, segments: 1, length: inputs, offset: 0, rows: table, panel: weights, initial: initial, out: target + place,
                            stride: outputStride)
                    }
                    if let beside {
                        for row in last..<rows { addRow(beside + row * outputStride, count: isPair ? 32 : 16, to: target + row * outputStride) }
                    }
                }
                panel += 2
            }
        }
    }
}
