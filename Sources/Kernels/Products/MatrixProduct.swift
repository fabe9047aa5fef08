/// Where the rows of A lie. `pointers(row, destination)` writes `segments` pointers, one per group of `length` consecutive k.
struct RowSource {
    var rows: Int
    var segments: Int
    var length: Int
    var pointers: (_ row: Int, _ destination: UnsafeMutablePointer<UnsafePointer<Float>>) -> Void
}

/// out = A · B + bias, and `residual` beside it. A is `[rows, B.inputs]` with `inputStride` floats from row to row; out and residual likewise with
/// `outputStride`. The residual is added last, in cache: the same as a sum of its own after the product. `out` is neither of the
/// inputs: the last rows may be computed twice.
package func matrixProduct(
    _ input: UnsafePointer<Float>, rows: Int, inputStride: Int, by matrix: PackedMatrix, adding residual: UnsafePointer<Float>? = nil,
    into out: UnsafeMutablePointer<Float>, outputStride: Int
) {
    if KernelChoice.current == .naive {
        naiveProduct(input, rows: rows, inputStride: inputStride, by: matrix, into: out, outputStride: outputStride)
        if let residual { for row in 0..<rows { addRow(residual + row * outputStride, count: matrix.outputs, to: out + row * outputStride) } }
        return
    }
    let source = RowSource(rows: rows, segments: 1, length: matrix.inputs) { row, to in to[0] = input + row * inputStride }
    guard matrix.cached(rows: rows) != nil, KernelChoice.current != .openblas else {
        return product(of: source, by: matrix, adding: residual, into: out, outputStride: outputStride)
    }
    let fetchesOut = isBeyondCache(rows: rows, outputStride)
    forEachChunk(rows: rows, inputs: matrix.inputs, matrix) { rows, panels, following in
        // A last chunk may be of less than a tile.
        guard let cached = matrix.cached(rows: rows.count) else {
            return productBlock(
                of: source, rows: rows, by: matrix, part: nil, panels: panels, following: following, fetchesOut: fetchesOut, adding: residual, into: out,
                outputStride: outputStride)
        }
        let place = rows.lowerBound * outputStride
        cached.multiply(
            input + rows.lowerBound * inputStride, rows: rows.count, inputStride: inputStride, panels: panels,
            following: cached.panel(following < matrix.panels ? following : panels.lowerBound), fetchesOut: fetchesOut,
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

/// The blocked product. Chunks are blocks of rows times groups of panels; within one, for each panel, blocks of k that
/// keep the panel's part in the core's own caches, and within these the tiles of rows.
/// - Parameter part: with it, what `out` holds and the rows times so many of the matrix's inputs from there on; the bias is `out`'s business then.
func product(
    of source: RowSource, by matrix: PackedMatrix, part: Int? = nil, adding residual: UnsafePointer<Float>? = nil, into out: UnsafeMutablePointer<Float>,
    outputStride: Int
) {
    let inputs = source.segments * source.length
    precondition(part.map { $0 + inputs <= matrix.inputs } ?? (inputs == matrix.inputs), "rows of \(inputs) against a matrix of \(matrix.inputs) inputs")
    if KernelChoice.current == .openblas, part == nil {
        return openBLASProduct(of: source, by: matrix, adding: residual, into: out, outputStride: outputStride)
    }
    let fetchesOut = isBeyondCache(rows: source.rows, outputStride)
    forEachChunk(rows: source.rows, inputs: inputs, matrix) { rows, panels, following in
        productBlock(
            of: source, rows: rows, by: matrix, part: part, panels: panels, following: following, fetchesOut: fetchesOut, adding: residual, into: out,
            outputStride: outputStride)
    }
}

/// Whether a result is larger than a core's own cache, so that its lines are not in it and are asked for before they are written.
private func isBeyondCache(rows: Int, _ outputStride: Int) -> Bool { rows * outputStride * MemoryLayout<Float>.stride > 2 << 20 }

/// Shares a product out: blocks of rows times groups of panels, `following` as in `productBlock`.
private func forEachChunk(
    rows: Int, inputs: Int, _ matrix: PackedMatrix, _ body: (_ rows: Range<Int>, _ panels: Range<Int>, _ following: Int) -> Void
) {
    guard rows > 0 else { return }
    let rowsPerChunk = evenShare(of: rows, atMost: mostRowsOfAChunk)
    let rowChunks = (rows + rowsPerChunk - 1) / rowsPerChunk
    let work = 2 * rows * inputs * matrix.outputs
    // A chunk of less than about 2 MFLOP costs more to hand out than it saves.
    let wantedChunks = max(1, min(matrix.isBorrowed ? 64 : 16, work / 2_000_000))
    let fewest = ThreadPool.shared.isBusy ? 1 : max(1, min(matrix.panels, (wantedChunks + rowChunks - 1) / rowChunks))
    // The number of chunks of which all threads have as many, if there is one.
    let panelsPerChunk =
        (fewest...(fewest == 1 ? 1 : fewest + 3)).map { wholePairs((matrix.panels + $0 - 1) / $0) }.min {
            func longest(_ panels: Int) -> Int { ThreadPool.shared.mostPerThread(of: rowChunks * ((matrix.panels + panels - 1) / panels)) * panels }
            return longest($0) < longest($1)
        } ?? matrix.panels
    let panelChunks = (matrix.panels + panelsPerChunk - 1) / panelsPerChunk
    ThreadPool.shared.run(rowChunks * panelChunks) { chunk in
        let firstRow = chunk % rowChunks * rowsPerChunk
        let firstPanel = chunk / rowChunks * panelsPerChunk
        let block = firstRow..<max(firstRow, min(rows, firstRow + rowsPerChunk))
        let panels = firstPanel..<max(firstPanel, min(matrix.panels, firstPanel + panelsPerChunk))
        // Chunks follow each other rows first.
        if !block.isEmpty, !panels.isEmpty { body(block, panels, block.upperBound < rows ? panels.lowerBound : panels.upperBound) }
    }
}

/// So many rows at a time that the threads have equal shares and tiles are full, if that can be.
package func evenShare(of rows: Int, atMost most: Int) -> Int {
    guard rows > most else { return max(1, rows) }
    func longest(_ share: Int) -> Int { ThreadPool.shared.mostPerThread(of: (rows + share - 1) / share) * RowTiles(rows: share).rows }
    // Of equals the largest: each weight is read once for a share.
    return stride(from: most / 4 * 4, through: max(12, most / 2 / 4 * 4), by: -4).min { longest($0) < longest($1) } ?? most
}

/// A share of panels that the inner loops take in pairs, where they do.
func wholePairs(_ panels: Int) -> Int { RowTiles.wide ? (panels + 1) / 2 * 2 : panels }

/// Some rows of a product against some of the panels.
func productBlock(
    of source: RowSource, rows: Range<Int>, by matrix: PackedMatrix, part: Int?, panels: Range<Int>, following: Int, fetchesOut: Bool,
    adding residual: UnsafePointer<Float>?, into out: UnsafeMutablePointer<Float>, outputStride: Int
) {
    var memory = Scratch()
    defer { memory.release() }
    let tiles = RowTiles(rows: rows.count)
    let table = memory.take(tiles.rows * source.segments, of: UnsafePointer<Float>.self)
    fill(table, with: source, rows, tiles, &memory)
    productBlock(
        table, tiles, rows: rows.count, InputBlocks(segments: source.segments, length: source.length, from: part ?? 0), by: matrix, panels: panels,
        following: following, fetchesOut: fetchesOut, accumulating: part != nil, adding: residual.map { $0 + rows.lowerBound * outputStride },
        into: out + rows.lowerBound * outputStride, outputStride: outputStride, &memory)
}

/// The same of rows given as pointers, `[segments][rows of the tile]` tile by tile.
/// - Parameters:
///   - rows: those that `out` has room for; where it has for all of the last tile, `tiles.rows`.
///   - following: the panel that is probably next after these.
///   - fetchesOut: whether lines of `out` are asked for before they are written.
///   - accumulating: whether the sums go on from what `out` holds.
func productBlock(
    _ table: UnsafePointer<UnsafePointer<Float>>, _ tiles: RowTiles, rows: Int, _ blocks: InputBlocks, by matrix: PackedMatrix, panels: Range<Int>,
    following: Int, fetchesOut: Bool = false, accumulating: Bool = false, adding residual: UnsafePointer<Float>? = nil, into out: UnsafeMutablePointer<Float>,
    outputStride: Int, _ memory: inout Scratch
) {
    // Wide vectors take panels in pairs, which then share the first cache.
    let together = RowTiles.wide ? 2 : 1
    let groups = (panels.count + together - 1) / together
    // What has no room in `out` goes to scratch: the last tile, and all rows of a last panel that is not full.
    let groupWidth = together * PackedMatrix.width
    let lastTileIsPartial = tiles.rows > rows, lastSize = tiles.size(tiles.count - 1)
    let lastTiles = memory.floats(lastTileIsPartial ? groups * lastSize * groupWidth : 0)
    let lastIsNarrow = panels.upperBound == matrix.panels && matrix.outputs % PackedMatrix.width != 0
    let narrow = memory.floats(lastIsNarrow ? tiles.rows * groupWidth : 0)
    /// Each run of values whose sums are in scratch: where it stands in `out`, where its sums are, and how many they are.
    func forEachInScratch(_ body: (_ place: Int, _ sums: UnsafeMutablePointer<Float>, _ count: Int) -> Void) {
        let start = lastTileIsPartial ? tiles.start(tiles.count - 1) : rows
        for group in 0..<groups {
            let first = firstPanel(group) * PackedMatrix.width
            if lastIsNarrow, group == groups - 1 {
                for row in 0..<rows { body(row * outputStride + first, narrow + row * groupWidth, matrix.outputs - first) }
            } else {
                let count = min(groupWidth, (panels.count - group * together) * PackedMatrix.width)
                for row in start..<rows { body(row * outputStride + first, lastTiles + (group * lastSize + row - start) * groupWidth, count) }
            }
        }
    }
    if accumulating { forEachInScratch { place, sums, count in sums.update(from: out + place, count: count) } }
    // Weights of half precision are widened block by block, once for all rows.
    let wideCount = matrix.precision == .float16 ? blocks.mostInputs * PackedMatrix.width : 0
    let wide = memory.floats(wideCount * together)
    // Weights that are not packed are, panels by panels.
    let panelSize = matrix.inputs * PackedMatrix.width
    let borrowed = matrix.isBorrowed ? BufferPool.take(together * panelSize) : nil
    defer { if let borrowed { BufferPool.give(borrowed, together * panelSize) } }
    let isPacked = borrowed == nil && matrix.precision == .float32

    func firstPanel(_ group: Int) -> Int { panels.lowerBound + group * together }
    let following = following < matrix.panels ? following : panels.lowerBound

    /// One block of k of all rows against one group of panels. `next` says what comes after it.
    func multiply(
        _ table: UnsafePointer<UnsafePointer<Float>>, _ even: EvenTiles, _ index: Int, from offset: Int, group: Int, next: (block: Int, panel: Int)
    ) {
        let block = blocks[index]
        let panel = firstPanel(group)
        let isPair = together == 2 && panel + 1 < panels.upperBound
        let b: UnsafePointer<Float>
        var step = panelSize
        if let borrowed {
            b = UnsafePointer(borrowed + block.first * PackedMatrix.width)
        } else {
            b = matrix.rows(block.first, block.inputs, ofPanel: panel, scratch: wide)
            if isPair { step = matrix.rows(block.first, block.inputs, ofPanel: panel + 1, scratch: wide + wideCount) - b }
        }
        // What comes next, two panels, is fetched by the last tiles, each its share by its rows: a core waits for few lines at a time.
        let firstFetching = max(0, tiles.count - 8), fetchingRows = tiles.rows - tiles.start(firstFetching)
        let ahead = isPacked ? b + ((next.panel - panel) * matrix.inputs + blocks[next.block].first - block.first) * PackedMatrix.width : b
        let initial = index == 0 && !accumulating ? UnsafePointer(matrix.bias + panel * PackedMatrix.width) : nil
        let isNarrow = lastIsNarrow && group == groups - 1
        let target = isNarrow ? narrow : out + panel * PackedMatrix.width
        let targetStride = isNarrow ? groupWidth : outputStride
        let summed = index == blocks.count - 1 && !isNarrow ? residual.map { $0 + panel * PackedMatrix.width } : nil
        /// Where the share of the next weights begins that tiles from `start` on fetch, and how many floats for each k a tile of `size` rows.
        func upcoming(_ start: Int) -> UnsafePointer<Float> {
            ahead + (start - tiles.start(firstFetching)) * PackedMatrix.width * block.inputs / fetchingRows
        }
        func pace(_ size: Int) -> Int { (PackedMatrix.width * size + fetchingRows - 1) / fetchingRows }

        // Tiles of rows that lie evenly apart in one go; in two where only the latter fetch.
        let firstEvenFetching = isPair && isPacked ? min(firstFetching, even.count) : even.count
        for run in [0..<firstEvenFetching, firstEvenFetching..<even.count] where !run.isEmpty {
            let start = tiles.start(run.lowerBound), input = table[start] + offset, fetches = run.lowerBound >= firstEvenFetching
            // Others fetch the rows of the next tile, which may lie outside of the core's own cache, where these follow each other.
            let isDense = even.stride <= block.length + 64, tileLength = 12 * even.stride
            evenProduct(
                run.count, length: block.length, input: input, inputStride: even.stride, panel: b, panels: isPair ? 2 : 1, step: step,
                ahead: fetches ? upcoming(start) : input + tileLength,
                pace: fetches ? pace(12) : isDense ? (tileLength + block.length - 1) / block.length : 0, initial: initial,
                residual: summed.map { $0 + start * outputStride }, out: target + start * targetStride, stride: targetStride, fetchesOut: fetchesOut)
        }
        for tile in even.count..<tiles.count {
            let start = tiles.start(tile), size = tiles.size(tile), isLast = tile == tiles.count - 1
            let inScratch = lastTileIsPartial && isLast && !isNarrow
            let destination = inScratch ? lastTiles + group * lastSize * groupWidth : target + start * targetStride
            let stride = inScratch ? groupWidth : targetStride
            let pointers = table + (start * blocks.segments + block.segment * size)
            if isPair {
                let fetches = isPacked && tile >= firstFetching
                pairProduct(
                    size, segments: block.segments, length: block.length, offset: offset, rows: pointers, panel: b, step: step,
                    ahead: fetches ? upcoming(start) : b, pace: fetches ? pace(size) : 0, initial: initial, out: destination, stride: stride)
            } else {
                panelProduct(
                    size, segments: block.segments, length: block.length, offset: offset, rows: pointers, panel: b, initial: initial, out: destination,
                    stride: stride)
            }
            if let summed, !inScratch {
                for row in start..<start + size {
                    let place = row * outputStride
                    addRow(summed + place, count: (isPair ? 2 : 1) * PackedMatrix.width, to: target + place)
                }
            }
        }
    }

    // Rows whole multiples of 4096 bytes apart share the same few lines of the first cache and drive each other out: they are set apart.
    let setsApart = sharesCacheSets(table, tiles, blocks)
    // Many long rows do not stay in a core's own cache until the next panels need them: then all panels take one block of k after the other.
    if borrowed == nil, blocks.count > 1, groups > 1, tiles.rows * matrix.inputs > 1 << 17 {
        let copies = setsApart ? CopiedRows(tiles.rows, length: blocks.mostInputs) : nil
        defer { copies?.release() }
        let rowTable = copies.map { UnsafePointer($0.table) } ?? table, even = EvenTiles(rowTable, tiles, blocks, rows: rows)
        for index in 0..<blocks.count {
            copies?.copy(table, from: blocks[index].offset, count: blocks[index].length)
            for group in 0..<groups {
                let next = group < groups - 1 ? (index, firstPanel(group + 1)) : index < blocks.count - 1 ? (index + 1, panels.lowerBound) : (0, following)
                multiply(rowTable, even, index, from: copies == nil ? blocks[index].offset : 0, group: group, next: next)
            }
        }
    } else {
        let copies = setsApart ? CopiedRows(tiles.rows, length: blocks.length) : nil
        defer { copies?.release() }
        let rowTable = copies.map { UnsafePointer($0.table) } ?? table, even = EvenTiles(rowTable, tiles, blocks, rows: rows)
        copies?.copy(table, from: 0, count: blocks.length)
        for group in 0..<groups {
            if let borrowed {
                for panel in 0..<min(together, panels.count - group * together) {
                    matrix.packBorrowed(panels.lowerBound + group * together + panel, into: borrowed + panel * panelSize)
                }
            }
            for index in 0..<blocks.count {
                let next = index < blocks.count - 1 ? (index + 1, firstPanel(group)) : (0, group < groups - 1 ? firstPanel(group + 1) : following)
                multiply(rowTable, even, index, from: blocks[index].offset, group: group, next: next)
            }
        }
    }

    forEachInScratch { place, sums, count in
        (out + place).update(from: sums, count: count)
        if let residual { addRow(residual + place, count: count, to: out + place) }
    }
}

/// The first tiles of a product as far as their rows lie evenly apart, which the inner loops for wide vectors take in one go.
private struct EvenTiles {
    let count: Int
    /// Floats from row to row.
    let stride: Int

    /// - Parameter rows: those that the output has room for; copies of more may lie evenly apart.
    init(_ table: UnsafePointer<UnsafePointer<Float>>, _ tiles: RowTiles, _ blocks: InputBlocks, rows: Int) {
        let most = blocks.segments == 1 ? min(tiles.twelves, rows / 12) : 0
        stride = most > 0 ? table[1] - table[0] : 0
        var even = min(1, most)
        while even < most * 12, table[even] == table[even - 1] + stride { even += 1 }
        count = even / 12
    }
}

/// Copies of rows, an odd number of cache lines apart.
private struct CopiedRows {
    let table: UnsafeMutablePointer<UnsafePointer<Float>>
    private let values: UnsafeMutablePointer<Float>
    private let rows: Int
    private let apart: Int

    init(_ rows: Int, length: Int) {
        (self.rows, apart) = (rows, length + 16)
        table = .allocate(capacity: rows)
        values = BufferPool.take(rows * apart)
        for row in 0..<rows { (table + row).initialize(to: UnsafePointer(values + row * apart)) }
    }

    func copy(_ source: UnsafePointer<UnsafePointer<Float>>, from offset: Int, count: Int) {
        for row in 0..<rows { (values + row * apart).update(from: source[row] + offset, count: count) }
    }

    func release() {
        table.deallocate()
        BufferPool.give(values, rows * apart)
    }
}

private func sharesCacheSets(_ table: UnsafePointer<UnsafePointer<Float>>, _ tiles: RowTiles, _ blocks: InputBlocks) -> Bool {
    blocks.segments == 1 && tiles.rows > 8 && blocks.length >= 1024 && (table[1] - table[0]) % 1024 == 0
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
