/// Where the rows of A lie. `pointers(row, destination)` writes `segments` pointers, one per group of
/// `length` consecutive k.
struct RowSource {
    var rows: Int
    var segments: Int
    var length: Int
    var pointers: (_ row: Int, _ destination: UnsafeMutablePointer<UnsafePointer<Float>>) -> Void
}

/// out = A · B + bias, and `residual` beside it. A is `[rows, B.inputs]` with `inputStride` floats from row
/// to row; out and residual likewise with `outputStride`. The residual is added last, in cache: the same as a
/// sum of its own after the product. `out` is neither of the inputs: the last rows may be computed twice.
package func matrixProduct(
    _ input: UnsafePointer<Float>, rows: Int, inputStride: Int, by matrix: PackedMatrix,
    adding residual: UnsafePointer<Float>? = nil,
    into out: UnsafeMutablePointer<Float>, outputStride: Int
) {
    if KernelChoice.current == .naive {
        naiveProduct(
            input, rows: rows, inputStride: inputStride, by: matrix, into: out, outputStride: outputStride)
        if let residual {
            for row in 0..<rows {
                addRow(residual + row * outputStride, count: matrix.outputs, to: out + row * outputStride)
            }
        }
        return
    }
    let source = RowSource(rows: rows, segments: 1, length: matrix.inputs) { row, to in
        to[0] = input + row * inputStride
    }
    guard matrix.cached(rows: rows) != nil, KernelChoice.current != .openblas else {
        return product(of: source, by: matrix, adding: residual, into: out, outputStride: outputStride)
    }
    let fetchesOut = isBeyondCache(rows: rows, outputStride)
    forEachChunk(rows: rows, inputs: matrix.inputs, matrix) { rows, panels, following in
        // A last chunk may be of less than a tile.
        guard let cached = matrix.cached(rows: rows.count) else {
            return productBlock(
                of: source, rows: rows, by: matrix, part: nil, panels: panels, following: following,
                fetchesOut: fetchesOut, adding: residual, into: out,
                outputStride: outputStride)
        }
        let place = rows.lowerBound * outputStride
        cached.multiply(
            input + rows.lowerBound * inputStride, rows: rows.count, inputStride: inputStride, panels: panels,
            following: cached.panel(following < matrix.panels ? following : panels.lowerBound),
            fetchesOut: fetchesOut,
            adding: residual.map { $0 + place }, into: out + place,
            outputStride: outputStride)
    }
}

/// Adds `count` values to as many others.
@inline(__always)
func addRow(_ values: UnsafePointer<Float>, count: Int, to out: UnsafeMutablePointer<Float>) {
    var i = 0
    while i &+ 8 <= count {
        store8(out, i, load8(out, i) + load8(values, i))
        i &+= 8
    }
    while i < count {
        out[i] += values[i]
        i &+= 1
    }
}

/// Products of no more rows read each weight once.
package let mostRowsOfAChunk = 192

/// The blocked product. Chunks are blocks of rows times groups of panels; within one, for each panel, blocks
/// of k that keep the panel's part in the core's own caches, and within these the tiles of rows.
/// - Parameter part: with it, what `out` holds and the rows times so many of the matrix's inputs from there
///   on; the bias is `out`'s business then.
func product(
    of source: RowSource, by matrix: PackedMatrix, part: Int? = nil,
    adding residual: UnsafePointer<Float>? = nil, into out: UnsafeMutablePointer<Float>,
    outputStride: Int
) {
    let inputs = source.segments * source.length
    precondition(
        part.map { $0 + inputs <= matrix.inputs } ?? (inputs == matrix.inputs),
        "rows of \(inputs) against a matrix of \(matrix.inputs) inputs")
    if KernelChoice.current == .openblas, part == nil {
        return openBLASProduct(
            of: source, by: matrix, adding: residual, into: out, outputStride: outputStride)
    }
    let fetchesOut = isBeyondCache(rows: source.rows, outputStride)
    forEachChunk(rows: source.rows, inputs: inputs, matrix) { rows, panels, following in
        productBlock(
            of: source, rows: rows, by: matrix, part: part, panels: panels, following: following,
            fetchesOut: fetchesOut, adding: residual, into: out,
            outputStride: outputStride)
    }
}

/// Whether a result is larger than a core's own cache, so that its lines are not in it and are asked for
/// before they are written.
private func isBeyondCache(rows: Int, _ outputStride: Int) -> Bool {
    rows * outputStride * MemoryLayout<Float>.stride > 2 << 20
}

/// Shares a product out: blocks of rows times groups of panels, `following` as in `productBlock`.
private func forEachChunk(
    rows: Int, inputs: Int, _ matrix: PackedMatrix,
    _ body: (_ rows: Range<Int>, _ panels: Range<Int>, _ following: Int) -> Void
) {
    guard rows > 0 else { return }
    let rowsPerChunk = evenShare(of: rows, atMost: mostRowsOfAChunk)
    let rowChunks = (rows + rowsPerChunk - 1) / rowsPerChunk
    let work = 2 * rows * inputs * matrix.outputs
    // A chunk of less than about 2 MFLOP costs more to hand out than it saves.
    let wantedChunks = max(1, min(matrix.isBorrowed ? 64 : 16, work / 2_000_000))
    let fewest =
        ThreadPool.shared.isBusy ? 1 : max(1, min(matrix.panels, (wantedChunks + rowChunks - 1) / rowChunks))
    // The number of chunks of which all threads have as many, if there is one.
    let panelsPerChunk =
        (fewest...(fewest == 1 ? 1 : fewest + 3)).map { wholePairs((matrix.panels + $0 - 1) / $0) }.min {
            func longest(_ panels: Int) -> Int {
                ThreadPool.shared.mostPerThread(of: rowChunks * ((matrix.panels + panels - 1) / panels))
                    * panels
            }
            return longest($0) < longest($1)
        } ?? matrix.panels
    let panelChunks = (matrix.panels + panelsPerChunk - 1) / panelsPerChunk
    ThreadPool.shared.run(rowChunks * panelChunks) { chunk in
        let firstRow = chunk % rowChunks * rowsPerChunk
        let firstPanel = chunk / rowChunks * panelsPerChunk
        let block = firstRow..<max(firstRow, min(rows, firstRow + rowsPerChunk))
        let panels = firstPanel..<max(firstPanel, min(matrix.panels, firstPanel + panelsPerChunk))
        // Chunks follow each other rows first.
        if !block.isEmpty, !panels.isEmpty {
            body(block, panels, block.upperBound < rows ? panels.lowerBound : panels.upperBound)
        }
    }
}

/// So many rows at a time that the threads have equal shares and tiles are full, if that can be.
package func evenShare(of rows: Int, atMost most: Int) -> Int {
    guard rows > most else { return max(1, rows) }
    func longest(_ share: Int) -> Int {
        ThreadPool.shared.mostPerThread(of: (rows + share - 1) / share) * RowTiles(rows: share).rows
    }
    // Of equals the largest: each weight is read once for a share.
    return stride(from: most / 4 * 4, through: max(12, most / 2 / 4 * 4), by: -4).min {
        longest($0) < longest($1)
    } ?? most
}

/// A share of panels that the inner loops take in pairs, where they do.
func wholePairs(_ panels: Int) -> Int { RowTiles.wide ? (panels + 1) / 2 * 2 : panels }

/// Some rows of a product against some of the panels.
func productBlock(
    of source: RowSource, rows: Range<Int>, by matrix: PackedMatrix, part: Int?, panels: Range<Int>,
    following: Int, fetchesOut: Bool,
    adding residual: UnsafePointer<Float>?, into out: UnsafeMutablePointer<Float>, outputStride: Int
) {
    var memory = Scratch()
    defer { memory.release() }
    let tiles = RowTiles(rows: rows.count)
    let table = memory.take(tiles.rows * source.segments, of: UnsafePointer<Float>.self)
    fill(table, with: source, rows, tiles, &memory)
    ProductBlock(
        table, tiles, rows: rows.count,
        InputBlocks(segments: source.segments, length: source.length, from: part ?? 0), by: matrix,
        panels: panels, following: following, fetchesOut: fetchesOut, accumulates: part != nil,
        adding: residual.map { $0 + rows.lowerBound * outputStride },
        into: out + rows.lowerBound * outputStride, outputStride: outputStride,
        &memory
    ).multiply()
}

/// Writes row pointers in the order of the inner loop: tile by tile, `[segments][rows of the tile]`.
private func fill(
    _ table: UnsafeMutablePointer<UnsafePointer<Float>>, with source: RowSource, _ rows: Range<Int>,
    _ tiles: RowTiles, _ memory: inout Scratch
) {
    let segments = source.segments
    let one = memory.take(segments, of: UnsafePointer<Float>.self)
    for tile in 0..<tiles.count {
        let start = tiles.start(tile), size = tiles.size(tile)
        for r in 0..<size {
            source.pointers(rows.lowerBound + min(start + r, rows.count - 1), one)
            for segment in 0..<segments { table[start * segments + segment * size + r] = one[segment] }
        }
    }
}
