// Words, here and in all of `Products`: panel    16 columns of B, packed as [k][16] group    the panels that
// an inner loop takes at once: two where vectors are wide, else one tile     the rows of A whose sums an
// inner loop holds in registers (`RowTiles`) block    a range of k whose part of a group stays in a core's
// own caches (`InputBlocks`) segment  a run of k that lies together in A: the whole row, or a tap's channels
// of a convolution even     of rows: each as far from the next, so that many tiles are one call chunk    what
// one thread takes at a time: a range of rows times a range of panels scratch  room for sums that have none
// in the result: rows and columns that fill up the last tile and the last panel

/// Some rows of a product against some of the panels. The rows are given as pointers, `[segments][rows of the
/// tile]` tile by tile.
struct ProductBlock {
    let table: UnsafePointer<UnsafePointer<Float>>
    let tiles: RowTiles
    /// Those that `out` has room for; where it has for all of the last tile, `tiles.rows`.
    let rows: Int
    let blocks: InputBlocks
    let matrix: PackedMatrix
    let panels: Range<Int>
    /// The panel that is probably next after these.
    let following: Int
    /// Whether lines of `out` are prefetched before they are written.
    let fetchesOut: Bool
    /// Whether the sums go on from what `out` holds.
    let accumulates: Bool
    let residual: UnsafePointer<Float>?
    let out: UnsafeMutablePointer<Float>
    let outputStride: Int

    /// Panels of a group.
    private let together: Int
    private let groups: Int
    private let groupWidth: Int
    private let lastTileIsPartial: Bool
    private let lastSize: Int
    /// The sums of the last tile where it is partial, group by group, and those of all rows against the last
    /// group where its last panel is.
    private let lastTiles: UnsafeMutablePointer<Float>
    private let lastIsNarrow: Bool
    private let narrow: UnsafeMutablePointer<Float>
    /// Weights of half precision are widened block by block, once for all rows.
    private let wideCount: Int
    private let wide: UnsafeMutablePointer<Float>
    private let panelSize: Int
    /// Weights that are not packed are, group by group.
    private let borrowed: UnsafeMutablePointer<Float>?
    /// What comes next is prefetched by the last tiles, each its share by its rows: a core waits for few
    /// lines at a time.
    private let firstFetching: Int
    private let fetchingRows: Int

    init(
        _ table: UnsafePointer<UnsafePointer<Float>>, _ tiles: RowTiles, rows: Int, _ blocks: InputBlocks,
        by matrix: PackedMatrix,
        panels: Range<Int>, following: Int, fetchesOut: Bool = false, accumulates: Bool = false,
        adding residual: UnsafePointer<Float>? = nil,
        into out: UnsafeMutablePointer<Float>, outputStride: Int, _ memory: inout Scratch
    ) {
        (self.table, self.tiles, self.rows, self.blocks, self.matrix, self.panels) = (
            table, tiles, rows, blocks, matrix, panels
        )
        self.following = following < matrix.panels ? following : panels.lowerBound
        (self.fetchesOut, self.accumulates, self.residual) = (fetchesOut, accumulates, residual)
        (self.out, self.outputStride) = (out, outputStride)
        together = RowTiles.wide ? 2 : 1
        groups = (panels.count + together - 1) / together
        groupWidth = together * PackedMatrix.width
        (lastTileIsPartial, lastSize) = (tiles.rows > rows, tiles.size(tiles.count - 1))
        lastTiles = memory.floats(lastTileIsPartial ? groups * lastSize * groupWidth : 0)
        lastIsNarrow = panels.upperBound == matrix.panels && matrix.outputs % PackedMatrix.width != 0
        narrow = memory.floats(lastIsNarrow ? tiles.rows * groupWidth : 0)
        wideCount = matrix.precision == .float16 ? blocks.mostInputs * PackedMatrix.width : 0
        wide = memory.floats(wideCount * together)
        panelSize = matrix.inputs * PackedMatrix.width
        borrowed = matrix.isBorrowed ? BufferPool.take(together * panelSize) : nil
        firstFetching = max(0, tiles.count - 8)
        fetchingRows = tiles.rows - tiles.start(firstFetching)
    }

    /// Once.
    func multiply() {
        defer { if let borrowed { BufferPool.give(borrowed, together * panelSize) } }
        if accumulates {
            forEachInScratch { place, sums, count in sums.update(from: out + place, count: count) }
        }
        // Many long rows do not stay in a core's own cache until the next panels need them: then all panels
        // take one block after the other.
        if borrowed == nil, blocks.count > 1, groups > 1, tiles.rows * matrix.inputs > 1 << 17 {
            multiplyByBlocks()
        } else {
            multiplyByGroups()
        }
        forEachInScratch { place, sums, count in
            (out + place).update(from: sums, count: count)
            if let residual { addRow(residual + place, count: count, to: out + place) }
        }
    }

    private func firstPanel(_ group: Int) -> Int { panels.lowerBound + group * together }

    // MARK: The order of blocks and groups

    private func multiplyByBlocks() {
        let copies = sharesCacheSets ? CopiedRows(tiles.rows, length: blocks.mostInputs) : nil
        defer { copies?.release() }
        let rowTable = copies.map { UnsafePointer($0.table) } ?? table,
            even = EvenTiles(rowTable, tiles, blocks, rows: rows)
        for index in 0..<blocks.count {
            copies?.copy(table, from: blocks[index].offset, count: blocks[index].length)
            for group in 0..<groups {
                let next =
                    group < groups - 1
                    ? (index, firstPanel(group + 1))
                    : index < blocks.count - 1 ? (index + 1, panels.lowerBound) : (0, following)
                multiply(
                    rowTable, even, index, from: copies == nil ? blocks[index].offset : 0, group: group,
                    next: next)
            }
        }
    }

    private func multiplyByGroups() {
        let copies = sharesCacheSets ? CopiedRows(tiles.rows, length: blocks.length) : nil
        defer { copies?.release() }
        let rowTable = copies.map { UnsafePointer($0.table) } ?? table,
            even = EvenTiles(rowTable, tiles, blocks, rows: rows)
        copies?.copy(table, from: 0, count: blocks.length)
        for group in 0..<groups {
            if let borrowed {
                for panel in 0..<min(together, panels.count - group * together) {
                    matrix.packBorrowed(firstPanel(group) + panel, into: borrowed + panel * panelSize)
                }
            }
            for index in 0..<blocks.count {
                let next =
                    index < blocks.count - 1
                    ? (index + 1, firstPanel(group))
                    : (0, group < groups - 1 ? firstPanel(group + 1) : following)
                multiply(rowTable, even, index, from: blocks[index].offset, group: group, next: next)
            }
        }
    }

    /// Rows whole multiples of 4,096 bytes apart share the same few sets of the first cache and drive each
    /// other out: they are copied apart.
    private var sharesCacheSets: Bool {
        blocks.segments == 1 && tiles.rows > 8 && blocks.length >= 1024 && (table[1] - table[0]) % 1024 == 0
    }

    // MARK: One block of all rows against one group

    /// The weights of a block and a group, where its sums go, and what is prefetched meanwhile.
    private struct Step {
        let block: InputBlocks.Block
        /// Where the block begins in the rows.
        let offset: Int
        let isPair: Bool
        let weights: UnsafePointer<Float>
        /// From the first panel of the group to the second, in floats.
        let apart: Int
        /// The weights that come next.
        let ahead: UnsafePointer<Float>
        /// What the sums begin with; nil where they go on.
        let initial: UnsafePointer<Float>?
        let isNarrow: Bool
        let out: UnsafeMutablePointer<Float>
        let stride: Int
        /// Added to the sums of a last block.
        let residual: UnsafePointer<Float>?
    }

    private func multiply(
        _ table: UnsafePointer<UnsafePointer<Float>>, _ even: EvenTiles, _ index: Int, from offset: Int,
        group: Int, next: (block: Int, panel: Int)
    ) {
        let step = step(index, from: offset, group: group, next: next)
        multiplyEven(table, even, step)
        for tile in even.count..<tiles.count { multiplyTile(table, tile, group, step) }
    }

    @inline(__always)
    private func step(_ index: Int, from offset: Int, group: Int, next: (block: Int, panel: Int)) -> Step {
        let block = blocks[index], panel = firstPanel(group)
        let isPair = together == 2 && panel + 1 < panels.upperBound
        let weights: UnsafePointer<Float>
        var apart = panelSize
        if let borrowed {
            weights = UnsafePointer(borrowed + block.first * PackedMatrix.width)
        } else {
            weights = matrix.rows(block.first, block.inputs, ofPanel: panel, scratch: wide)
            if isPair {
                apart =
                    matrix.rows(block.first, block.inputs, ofPanel: panel + 1, scratch: wide + wideCount)
                    - weights
            }
        }
        let ahead =
            ((next.panel - panel) * matrix.inputs + blocks[next.block].first - block.first)
            * PackedMatrix.width
        let isNarrow = lastIsNarrow && group == groups - 1, column = panel * PackedMatrix.width
        return Step(
            block: block, offset: offset, isPair: isPair, weights: weights, apart: apart,
            ahead: isPacked ? weights + ahead : weights,
            initial: index == 0 && !accumulates ? UnsafePointer(matrix.bias + column) : nil,
            isNarrow: isNarrow,
            out: isNarrow ? narrow : out + column, stride: isNarrow ? groupWidth : outputStride,
            residual: index == blocks.count - 1 && !isNarrow ? residual.map { $0 + column } : nil)
    }

    /// Whether weights lie in panels that can be prefetched.
    private var isPacked: Bool { borrowed == nil && wideCount == 0 }

    /// Where the share of the next weights begins that tiles from row `start` on prefetch.
    @inline(__always)
    private func upcoming(_ step: Step, from start: Int) -> UnsafePointer<Float> {
        step.ahead + (start - tiles.start(firstFetching)) * PackedMatrix.width * step.block.inputs
            / fetchingRows
    }

    /// How many floats of it a tile of `size` rows prefetches for each k.
    @inline(__always)
    private func pace(_ size: Int) -> Int { (PackedMatrix.width * size + fetchingRows - 1) / fetchingRows }

    /// Tiles of rows that lie evenly apart in one go; in two where only the latter prefetch weights. The
    /// others prefetch the rows of the next tile, which may lie outside of the core's own cache, where these
    /// follow each other.
    @inline(__always)
    private func multiplyEven(_ table: UnsafePointer<UnsafePointer<Float>>, _ even: EvenTiles, _ step: Step) {
        let length = step.block.length, tileLength = 12 * even.stride
        let rowPace = even.stride <= length + 64 ? (tileLength + length - 1) / length : 0
        let firstEvenFetching = step.isPair && isPacked ? min(firstFetching, even.count) : even.count
        for run in [0..<firstEvenFetching, firstEvenFetching..<even.count] where !run.isEmpty {
            let start = tiles.start(run.lowerBound), input = table[start] + step.offset,
                fetches = run.lowerBound >= firstEvenFetching
            evenProduct(
                run.count, length: length, input: input, inputStride: even.stride, panel: step.weights,
                panels: step.isPair ? 2 : 1,
                step: step.apart, ahead: fetches ? upcoming(step, from: start) : input + tileLength,
                pace: fetches ? pace(12) : rowPace,
                initial: step.initial, residual: step.residual.map { $0 + start * outputStride },
                out: step.out + start * step.stride,
                stride: step.stride, fetchesOut: fetchesOut)
        }
    }

    @inline(__always)
    private func multiplyTile(
        _ table: UnsafePointer<UnsafePointer<Float>>, _ tile: Int, _ group: Int, _ step: Step
    ) {
        let start = tiles.start(tile), size = tiles.size(tile), block = step.block
        let inScratch = lastTileIsPartial && tile == tiles.count - 1 && !step.isNarrow
        let destination =
            inScratch ? lastTiles + group * lastSize * groupWidth : step.out + start * step.stride
        let stride = inScratch ? groupWidth : step.stride
        let pointers = table + (start * blocks.segments + block.segment * size)
        if step.isPair {
            let fetches = isPacked && tile >= firstFetching
            pairProduct(
                size, segments: block.segments, length: block.length, offset: step.offset, rows: pointers,
                panel: step.weights, step: step.apart,
                ahead: fetches ? upcoming(step, from: start) : step.weights, pace: fetches ? pace(size) : 0,
                initial: step.initial,
                out: destination, stride: stride)
        } else {
            panelProduct(
                size, segments: block.segments, length: block.length, offset: step.offset, rows: pointers,
                panel: step.weights,
                initial: step.initial, out: destination, stride: stride)
        }
        guard let residual = step.residual, !inScratch else { return }
        for row in start..<start + size {
            let place = row * outputStride
            addRow(residual + place, count: (step.isPair ? 2 : 1) * PackedMatrix.width, to: step.out + place)
        }
    }

    // MARK: Scratch

    /// Each run of values whose sums are in scratch: where it stands in `out`, where its sums are, and how
    /// many they are.
    private func forEachInScratch(
        _ body: (_ place: Int, _ sums: UnsafeMutablePointer<Float>, _ count: Int) -> Void
    ) {
        let start = lastTileIsPartial ? tiles.start(tiles.count - 1) : rows
        for group in 0..<groups {
            let first = firstPanel(group) * PackedMatrix.width
            if lastIsNarrow, group == groups - 1 {
                for row in 0..<rows {
                    body(row * outputStride + first, narrow + row * groupWidth, matrix.outputs - first)
                }
            } else {
                let count = min(groupWidth, (panels.count - group * together) * PackedMatrix.width)
                for row in start..<rows {
                    body(
                        row * outputStride + first, lastTiles + (group * lastSize + row - start) * groupWidth,
                        count)
                }
            }
        }
    }
}
