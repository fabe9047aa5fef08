/// Where the rows of A lie. `pointers(row, destination)` writes `segments` pointers, one per group of `length` consecutive k.
struct RowSource {
    var rows: Int
    var segments: Int
    var length: Int
    var pointers: (_ row: Int, _ destination: UnsafeMutablePointer<UnsafePointer<Float>>) -> Void
}

/// out = A · B + bias. A is `[rows, B.inputs]` with `inputStride` floats from row to row; out likewise with `outputStride`.
package func matrixProduct(
    _ input: UnsafePointer<Float>, rows: Int, inputStride: Int, by matrix: PackedMatrix,
    into out: UnsafeMutablePointer<Float>, outputStride: Int
) {
    if KernelChoice.current == .naive {
        return naiveProduct(input, rows: rows, inputStride: inputStride, by: matrix, into: out, outputStride: outputStride)
    }
    let source = RowSource(rows: rows, segments: 1, length: matrix.inputs) { row, to in to[0] = input + row * inputStride }
    product(of: source, by: matrix, into: out, outputStride: outputStride)
}

/// Products of no more rows read each weight once.
package let mostRowsOfAChunk = 192

/// The blocked product. Chunks are blocks of rows times groups of panels; within one, for each panel, blocks of k that
/// keep the panel's part in the first caches, and within these the tiles of rows.
func product(of source: RowSource, by matrix: PackedMatrix, into out: UnsafeMutablePointer<Float>, outputStride: Int) {
    precondition(source.segments * source.length == matrix.inputs, "rows of \(source.segments * source.length) against a matrix of \(matrix.inputs) inputs")
    guard source.rows > 0 else { return }
    let rowChunks = (source.rows + mostRowsOfAChunk - 1) / mostRowsOfAChunk
    let rowsPerChunk = ((source.rows + rowChunks - 1) / rowChunks + 11) / 12 * 12
    let work = 2 * source.rows * matrix.inputs * matrix.outputs
    // A chunk of less than about 2 MFLOP costs more to hand out than it saves.
    let wantedChunks = max(1, min(16, work / 2_000_000))
    let panelChunks = max(1, min(matrix.panels, (wantedChunks + rowChunks - 1) / rowChunks))
    let panelsPerChunk = wholePairs((matrix.panels + panelChunks - 1) / panelChunks)
    ThreadPool.shared.run(rowChunks * panelChunks) { chunk in
        let firstRow = chunk % rowChunks * rowsPerChunk
        let firstPanel = chunk / rowChunks * panelsPerChunk
        let rows = firstRow..<max(firstRow, min(source.rows, firstRow + rowsPerChunk))
        let panels = firstPanel..<max(firstPanel, min(matrix.panels, firstPanel + panelsPerChunk))
        if !rows.isEmpty && !panels.isEmpty {
            productBlock(of: source, rows: rows, by: matrix, panels: panels, into: out, outputStride: outputStride)
        }
    }
}

/// A share of panels that the inner loops take in pairs, where they do.
func wholePairs(_ panels: Int) -> Int { RowTiles.wide ? (panels + 1) / 2 * 2 : panels }

/// Some rows of a product against some of the panels.
func productBlock(
    of source: RowSource, rows: Range<Int>, by matrix: PackedMatrix, panels: Range<Int>,
    into out: UnsafeMutablePointer<Float>, outputStride: Int
) {
    var memory = Scratch()
    defer { memory.release() }
    let tiles = RowTiles(rows: rows.count)
    let table = memory.take(tiles.rows * source.segments, of: UnsafePointer<Float>.self)
    fill(table, with: source, rows, tiles, &memory)
    // Rows whole multiples of 4096 bytes apart share the same few lines of the first cache and drive each other out: they are set apart.
    let apart = source.length + 16
    let copies = sharesCacheSets(table, tiles, source) ? BufferPool.take(tiles.rows * apart) : nil
    defer { if let copies { BufferPool.give(copies, tiles.rows * apart) } }
    if let copies {
        for row in 0..<tiles.rows {
            (copies + row * apart).update(from: table[row], count: source.length)
            table[row] = UnsafePointer(copies + row * apart)
        }
    }
    productBlock(
        table, tiles, rows: rows.count, segments: source.segments, length: source.length, by: matrix, panels: panels,
        into: out + rows.lowerBound * outputStride, outputStride: outputStride, &memory)
}

/// The same of rows given as pointers, `[segments][rows of the tile]` tile by tile.
/// - Parameter rows: those that `out` has room for; where it has for all of the last tile, `tiles.rows`.
func productBlock(
    _ table: UnsafePointer<UnsafePointer<Float>>, _ tiles: RowTiles, rows: Int, segments: Int, length sourceLength: Int, by matrix: PackedMatrix,
    panels: Range<Int>, into out: UnsafeMutablePointer<Float>, outputStride: Int, _ memory: inout Scratch
) {
    // Wide vectors take panels in pairs, which then share the first cache.
    let panelsTogether = RowTiles.wide ? 2 : 1
    // Blocks of k: whole segments up to about `block` k, or parts of one long segment.
    let block = 512 / panelsTogether
    let segmentsPerBlock = max(1, block / sourceLength)
    let lengthPerBlock = sourceLength <= block + block / 2 ? sourceLength : block

    let scratchWidth = panelsTogether * PackedMatrix.width
    let scratch = memory.floats(tiles.rows * scratchWidth)
    let lastTileIsPartial = tiles.rows > rows
    // Weights of half precision are widened block by block, once for all rows.
    let wideCount = matrix.precision == .float16 ? max(segmentsPerBlock * sourceLength, lengthPerBlock) * PackedMatrix.width : 0
    let wide = memory.floats(wideCount * panelsTogether)
    // Weights that are not packed are, panels by panels.
    let panelSize = matrix.inputs * PackedMatrix.width
    let borrowed = matrix.isBorrowed ? BufferPool.take(panelsTogether * panelSize) : nil
    defer { if let borrowed { BufferPool.give(borrowed, panelsTogether * panelSize) } }

    var panel = panels.lowerBound
    while panel < panels.upperBound {
        let together = min(panelsTogether, panels.upperBound - panel)
        let width = together * PackedMatrix.width
        let columns = min(width, matrix.outputs - panel * PackedMatrix.width)
        let bias = UnsafePointer(matrix.bias + panel * PackedMatrix.width)
        let target = out + panel * PackedMatrix.width
        if let borrowed {
            for index in 0..<together { matrix.packBorrowed(panel + index, into: borrowed + index * panelSize) }
        }
        var segment = 0
        while segment < segments {
            let group = min(segmentsPerBlock, segments - segment)
            var offset = 0
            while offset < sourceLength {
                let length = min(lengthPerBlock, sourceLength - offset)
                let first = segment * sourceLength + offset, count = (group - 1) * sourceLength + length
                let b: UnsafePointer<Float>
                var step = panelSize
                if let borrowed {
                    b = UnsafePointer(borrowed + first * PackedMatrix.width)
                } else {
                    b = matrix.rows(first, count, ofPanel: panel, scratch: wide)
                    if together == 2 { step = matrix.rows(first, count, ofPanel: panel + 1, scratch: wide + wideCount) - b }
                }
                // What comes next: two streams, fetched by the last two tiles.
                let isPacked = borrowed == nil && matrix.precision == .float32
                let next = isPacked ? b + (first + count < matrix.inputs ? count : matrix.inputs + count) * PackedMatrix.width : b
                let initial = segment == 0 && offset == 0 ? bias : nil
                for tile in 0..<tiles.count {
                    let start = tiles.start(tile)
                    let inScratch = columns < width || (lastTileIsPartial && tile == tiles.count - 1)
                    let destination = inScratch ? scratch + start * scratchWidth : target + start * outputStride
                    let stride = inScratch ? scratchWidth : outputStride
                    let size = tiles.size(tile)
                    let pointers = UnsafePointer(table + start * segments + segment * size)
                    if together == 2 {
                        let ahead = tile == tiles.count - 1 && isPacked ? next + step : tile == tiles.count - 2 ? next : b
                        pairProduct(
                            size, segments: group, length: length, offset: offset, rows: pointers, panel: b, step: step, ahead: ahead, initial: initial,
                            out: destination, stride: stride)
                    } else {
                        panelProduct(
                            size, segments: group, length: length, offset: offset, rows: pointers, panel: b, initial: initial, out: destination,
                            stride: stride)
                    }
                }
                offset += length
            }
            segment += group
        }
        // Whatever went to scratch: all rows of a partial panel, or the last tile.
        let first = columns < width ? 0 : (lastTileIsPartial ? tiles.start(tiles.count - 1) : rows)
        for row in first..<max(first, rows) {
            (target + row * outputStride).update(from: scratch + row * scratchWidth, count: columns)
        }
        panel += together
    }
}

private func sharesCacheSets(_ table: UnsafePointer<UnsafePointer<Float>>, _ tiles: RowTiles, _ source: RowSource) -> Bool {
    source.segments == 1 && tiles.rows > 8 && source.length >= 1024 && (table[1] - table[0]) % 1024 == 0
}

/// Writes row pointers in the order of the inner loop: tile by tile, `[segments][rows of the tile]`.
private func fill(
    _ table: UnsafeMutablePointer<UnsafePointer<Float>>, with source: RowSource, _ rows: Range<Int>, _ tiles: RowTiles, _ memory: inout Scratch
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
