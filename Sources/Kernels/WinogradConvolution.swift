internal import CProcessor
internal import WideKernels

/// A 3 x 3 convolution of stride 1 and padding 1 by Winograd's algorithm, in three phases over blocks of tiles: the input's
/// tiles transformed into planes `[tile][channel]`, one matrix product per plane, the products transformed back with the bias.
/// Each thread takes its own small blocks through all three, or, where that would not pay, all threads share each phase of a large one.
/// An output's arithmetic depends on its place in its own tile only, so neither batch nor threads change a bit.
package func winogradConvolution(
    _ input: UnsafePointer<Float>, _ geometry: ConvolutionGeometry, by weights: WinogradWeights, adding residual: UnsafePointer<Float>? = nil,
    into out: UnsafeMutablePointer<Float>
) {
    let zeros = zeroPixel(geometry)
    defer { zeros.deallocate() }
    let tiles = WinogradTiles(geometry, weights.size, zeros: zeros), bias = weights.bias
    precondition(geometry.channels == weights.channels, "\(geometry) against a kernel of \(weights.channels) channels")
    if let together = tiles.fused(weights.outputs) {
        ThreadPool.shared.run((tiles.count + together - 1) / together) { chunk in
            let block = WinogradBlock(tiles, bias, first: chunk * together, count: min(together, tiles.count - chunk * together))
            defer { block.release() }
            block.transformInput(input, 0..<block.count)
            let planes = weights.planes
            for plane in planes.indices {
                block.multiply(plane: plane, by: planes[plane], panels: 0..<planes[0].panels, next: planes[(plane + 1) % planes.count])
            }
            block.transformOutput(0..<block.count, adding: residual, into: out)
        }
        return
    }
    tiles.inBlocks(bias, input, adding: residual, into: out) { block in
        let panels = weights.planes[0].panels
        let groups = max(1, min(panels, block.count * weights.channels * weights.outputs / 1_000_000))
        let panelsPerGroup = wholePairs((panels + groups - 1) / groups)
        ThreadPool.shared.run(weights.size.planes * groups) { chunk in
            let start = chunk % groups * panelsPerGroup, plane = chunk / groups
            block.multiply(plane: plane, by: weights.planes[plane], panels: start..<max(start, min(panels, start + panelsPerGroup)))
        }
    }
}

/// The same with a kernel that is not transformed, `[outputs, channels, 3, 3]`: some outputs at a time are, and used at once, so that nothing is written to
/// memory but the result. Best where the kernel is used once; equal to the bit.
package func winogradConvolution(
    _ input: UnsafePointer<Float>, _ geometry: ConvolutionGeometry, _ size: WinogradSize, borrowing kernel: UnsafePointer<Float>, outputs: Int,
    bias: [Float]?, adding residual: UnsafePointer<Float>? = nil, into out: UnsafeMutablePointer<Float>
) {
    let zeros = zeroPixel(geometry)
    defer { zeros.deallocate() }
    let tiles = WinogradTiles(geometry, size, zeros: zeros), channels = geometry.channels
    let together = wholePairs(1) * PackedMatrix.width
    tiles.inBlocks(bias ?? Array(repeating: 0, count: outputs), input, adding: residual, into: out) { block in
        ThreadPool.shared.run((outputs + together - 1) / together) { chunk in
            let first = chunk * together
            let weights = WinogradWeights(
                size, weights: kernel + first * channels * 9, outputs: min(together, outputs - first), channels: channels, bias: nil)
            for plane in 0..<size.planes {
                block.multiply(plane: plane, by: weights.planes[plane], panels: 0..<weights.planes[plane].panels, column: first)
            }
        }
    }
}

private func zeroPixel(_ geometry: ConvolutionGeometry) -> UnsafeMutablePointer<Float> {
    precondition(geometry.isWinograd, "\(geometry) is no case for Winograd's algorithm")
    let zeros = allocateFloats(geometry.channels)
    zeros.update(repeating: 0, count: geometry.channels)
    return zeros
}

/// Some tiles on their way through the algorithm, with room for both sets of planes.
private struct WinogradBlock {
    let tiles: WinogradTiles
    /// One value per output.
    let bias: [Float]
    let first: Int
    let count: Int
    private var channels: Int { tiles.geometry.channels }
    private let inputPlane: Int
    private let outputPlane: Int
    private let outputStride: Int
    private let rowTiles: RowTiles
    private let transformed: UnsafeMutablePointer<Float>
    private let products: UnsafeMutablePointer<Float>

    init(_ tiles: WinogradTiles, _ bias: [Float], first: Int, count: Int) {
        (self.tiles, self.bias, self.first, self.count) = (tiles, bias, first, count)
        outputStride = (bias.count + 15) / 16 * 16
        // One cache line beside each plane: planes of whole powers of two would share cache sets.
        inputPlane = count * tiles.geometry.channels + 16
        rowTiles = RowTiles(rows: count)
        outputPlane = rowTiles.rows * outputStride + 16
        transformed = BufferPool.take(tiles.size.planes * inputPlane)
        products = BufferPool.take(tiles.size.planes * outputPlane)
    }

    func release() {
        BufferPool.give(transformed, tiles.size.planes * inputPlane)
        BufferPool.give(products, tiles.size.planes * outputPlane)
    }

    func transformInput(_ input: UnsafePointer<Float>, _ range: Range<Int>) {
        for tile in range {
            tiles.transformInput(input, tile: first + tile, into: transformed + tile * channels, plane: inputPlane)
        }
    }

    /// - Parameters:
    ///   - column: the output that is the matrix's first.
    ///   - next: the matrix that is probably next, at the same panels.
    func multiply(plane: Int, by matrix: PackedMatrix, panels: Range<Int>, column: Int = 0, next: PackedMatrix? = nil) {
        if matrix.staysCached(rows: count) {
            return matrix.cachedProduct(
                transformed + plane * inputPlane, rows: count, inputStride: channels, panels: panels,
                following: (next ?? matrix).packedPanel(panels.lowerBound), adding: nil,
                into: products + plane * outputPlane + column, outputStride: outputStride)
        }
        var memory = Scratch()
        defer { memory.release() }
        let table = memory.take(rowTiles.rows, of: UnsafePointer<Float>.self)
        for row in 0..<rowTiles.rows { table[row] = UnsafePointer(transformed + plane * inputPlane + min(row, count - 1) * channels) }
        productBlock(
            table, rowTiles, rows: rowTiles.rows, InputBlocks(segments: 1, length: channels), by: matrix, panels: panels,
            following: panels.lowerBound, into: products + plane * outputPlane + column, outputStride: outputStride, &memory)
    }

    func transformOutput(_ range: Range<Int>, adding residual: UnsafePointer<Float>?, into out: UnsafeMutablePointer<Float>) {
        for tile in range {
            if tile + 1 < range.upperBound { tiles.fetchOutput(out, tile: first + tile + 1, outputs: bias.count) }
            tiles.transformOutput(products + tile * outputStride, plane: outputPlane, tile: first + tile, bias, adding: residual, into: out)
        }
    }
}

extension ConvolutionGeometry {
    /// Whether the algorithm applies at all.
    package var isWinograd: Bool {
        kernelHeight == 3 && kernelWidth == 3 && stride == 1 && padTop == 1 && padLeft == 1 && padBottom == 1 && padRight == 1
    }
}

/// The tiles of a batch of pictures, row by row.
private struct WinogradTiles {
    let geometry: ConvolutionGeometry
    let size: WinogradSize
    let across: Int
    let perImage: Int
    let count: Int
    /// A pixel of the padding.
    let zeros: UnsafePointer<Float>

    init(_ geometry: ConvolutionGeometry, _ size: WinogradSize, zeros: UnsafePointer<Float>) {
        (self.geometry, self.size, self.zeros) = (geometry, size, zeros)
        across = (geometry.outputWidth + size.output - 1) / size.output
        perImage = across * ((geometry.outputHeight + size.output - 1) / size.output)
        count = perImage * geometry.batch
    }

    /// How many tiles a thread takes through all three phases at once, so that both of its sets of planes stay in the core's own cache of about 1 MB. Nil
    /// where it would not pay: too few tiles to share out, or kernels so large that reading them again for each few tiles costs more.
    func fused(_ outputs: Int) -> Int? {
        guard size.planes * geometry.channels * outputs <= 1_000_000 else { return nil }
        let together = max(12, min(36, 300_000 / (size.planes * (geometry.channels + outputs)) / 12 * 12))
        return count >= 4 * together ? evenShare(of: count, atMost: together) : nil
    }

    /// The three phases one after the other, each by all threads, over blocks of tiles that keep both sets of planes in the last cache (36 x 256 tiles
    /// x 160 channels: 6 MB).
    func inBlocks(
        _ bias: [Float], _ input: UnsafePointer<Float>, adding residual: UnsafePointer<Float>?, into out: UnsafeMutablePointer<Float>,
        multiply: (WinogradBlock) -> Void
    ) {
        let most = max(32, min(count, 1_500_000 / (size.planes * max(geometry.channels, bias.count)) / 6 * 6))
        var first = 0
        while first < count {
            let block = WinogradBlock(self, bias, first: first, count: min(most, count - first))
            defer { block.release() }
            forEachBlock(block.count, size: max(1, 4096 / geometry.channels)) { block.transformInput(input, $0) }
            multiply(block)
            forEachBlock(block.count, size: max(1, 4096 / bias.count)) { block.transformOutput($0, adding: residual, into: out) }
            first += block.count
        }
    }

    /// Where the outputs of a tile begin, and how many rows and columns of them lie inside the picture.
    private func outputPlace(_ tile: Int, outputs: Int) -> (offset: Int, rows: Int, columns: Int) {
        let g = geometry, m = size.output
        let top = tile % perImage / across * m, left = tile % perImage % across * m
        return (
            ((tile / perImage * g.outputHeight + top) * g.outputWidth + left) * outputs, min(m, g.outputHeight - top), min(m, g.outputWidth - left)
        )
    }

    /// Asks for the lines of a tile's outputs, which are strewn over memory, before they are written: a twentieth of the time of 16 items of 160 channels.
    func fetchOutput(_ out: UnsafeMutablePointer<Float>, tile: Int, outputs: Int) {
        let (offset, rows, columns) = outputPlace(tile, outputs: outputs)
        for y in 0..<rows {
            let row = out + (offset + y * geometry.outputWidth * outputs)
            var place = 0
            while place < columns * outputs {
                nb_prefetch(row + place)
                place &+= 16
            }
        }
    }

    /// Bᵀ d B for each channel of one tile; plane p goes to `out + p * plane`.
    func transformInput(_ input: UnsafePointer<Float>, tile: Int, into out: UnsafeMutablePointer<Float>, plane: Int) {
        let g = geometry, n = size.input
        let base = input + tile / perImage * g.height * g.width * g.channels
        let top = tile % perImage / across * size.output - 1, left = tile % perImage % across * size.output - 1
        withUnsafeTemporaryAllocation(of: UnsafePointer<Float>.self, capacity: n * n) { pixels in
            for y in 0..<n {
                for x in 0..<n { pixels[y * n + x] = g.sourcePixel(y: top + y, x: left + x).map { base + $0 * g.channels } ?? zeros }
            }
            let wide = RowTiles.wide ? g.channels / 16 * 16 : 0
            if wide > 0, let pixels = pixels.baseAddress {
                switch size {
                case .four: wideInputTransform4(pixels, channels: wide, into: out, plane: plane)
                case .two: wideInputTransform2(pixels, channels: wide, into: out, plane: plane)
                }
            }
            withUnsafeTemporaryAllocation(of: F8.self, capacity: n * n) { half in
                var channel = wide
                while channel < g.channels {
                    let lanes = min(8, g.channels - channel)
                    for x in 0..<n {
                        if size == .four {
                            let d = inputTransform4(
                                load(pixels[x], channel, lanes), load(pixels[6 + x], channel, lanes), load(pixels[12 + x], channel, lanes),
                                load(pixels[18 + x], channel, lanes), load(pixels[24 + x], channel, lanes), load(pixels[30 + x], channel, lanes))
                            half[x] = d.0; half[6 + x] = d.1; half[12 + x] = d.2; half[18 + x] = d.3; half[24 + x] = d.4; half[30 + x] = d.5
                        } else {
                            let d = inputTransform2(
                                load(pixels[x], channel, lanes), load(pixels[4 + x], channel, lanes), load(pixels[8 + x], channel, lanes),
                                load(pixels[12 + x], channel, lanes))
                            half[x] = d.0; half[4 + x] = d.1; half[8 + x] = d.2; half[12 + x] = d.3
                        }
                    }
                    for y in 0..<n {
                        let row = half.baseAddress! + y * n
                        let to = out + y * n * plane + channel
                        if size == .four {
                            let d = inputTransform4(row[0], row[1], row[2], row[3], row[4], row[5])
                            store(d.0, to, lanes); store(d.1, to + plane, lanes); store(d.2, to + 2 * plane, lanes)
                            store(d.3, to + 3 * plane, lanes); store(d.4, to + 4 * plane, lanes); store(d.5, to + 5 * plane, lanes)
                        } else {
                            let d = inputTransform2(row[0], row[1], row[2], row[3])
                            store(d.0, to, lanes); store(d.1, to + plane, lanes); store(d.2, to + 2 * plane, lanes); store(d.3, to + 3 * plane, lanes)
                        }
                    }
                    channel += 8
                }
            }
        }
    }

    /// Aᵀ M A plus the bias, for each output of one tile, as far as it lies inside the picture.
    func transformOutput(
        _ products: UnsafePointer<Float>, plane: Int, tile: Int, _ bias: [Float], adding residual: UnsafePointer<Float>?,
        into out: UnsafeMutablePointer<Float>
    ) {
        let g = geometry, n = size.input, m = size.output, outputs = bias.count
        let (offset, rows, columns) = outputPlace(tile, outputs: outputs)
        let target = out + offset
        bias.withUnsafeBufferPointer { bias in
            let wide = RowTiles.wide ? outputs / 16 * 16 : 0
            if wide > 0, let bias = bias.baseAddress {
                let transform = size == .four ? wideOutputTransform4 : wideOutputTransform2
                transform(products, plane, bias, wide, outputs, target, g.outputWidth * outputs, rows, columns)
            }
            withUnsafeTemporaryAllocation(of: F8.self, capacity: m * n) { half in
                var channel = wide
                while channel < outputs {
                    let lanes = min(8, outputs - channel)
                    let from = products + channel
                    for x in 0..<n {
                        if size == .four {
                            let y = outputTransform4(
                                load8(from, x * plane), load8(from, (6 + x) * plane), load8(from, (12 + x) * plane), load8(from, (18 + x) * plane),
                                load8(from, (24 + x) * plane), load8(from, (30 + x) * plane))
                            half[x] = y.0; half[6 + x] = y.1; half[12 + x] = y.2; half[18 + x] = y.3
                        } else {
                            let y = outputTransform2(
                                load8(from, x * plane), load8(from, (4 + x) * plane), load8(from, (8 + x) * plane), load8(from, (12 + x) * plane))
                            half[x] = y.0; half[4 + x] = y.1
                        }
                    }
                    let shift = load(bias.baseAddress! + channel, 0, lanes)
                    for y in 0..<rows {
                        let row = half.baseAddress! + y * n
                        let to = target + y * g.outputWidth * outputs + channel
                        if size == .four {
                            let r = outputTransform4(row[0], row[1], row[2], row[3], row[4], row[5])
                            store(r.0 + shift, to, lanes)
                            if columns > 1 { store(r.1 + shift, to + outputs, lanes) }
                            if columns > 2 { store(r.2 + shift, to + 2 * outputs, lanes) }
                            if columns > 3 { store(r.3 + shift, to + 3 * outputs, lanes) }
                        } else {
                            let r = outputTransform2(row[0], row[1], row[2], row[3])
                            store(r.0 + shift, to, lanes)
                            if columns > 1 { store(r.1 + shift, to + outputs, lanes) }
                        }
                    }
                    channel += 8
                }
            }
        }
        guard let residual else { return }
        for y in 0..<rows {
            let row = target + y * g.outputWidth * outputs
            addRow(residual + (row - out), count: columns * outputs, to: row)
        }
    }
}

@inline(__always) private func load(_ pixel: UnsafePointer<Float>, _ channel: Int, _ lanes: Int) -> F8 {
    if lanes == 8 { return load8(pixel, channel) }
    var value = F8.zero
    for i in 0..<lanes { value[i] = pixel[channel + i] }
    return value
}

@inline(__always) private func store(_ value: F8, _ pointer: UnsafeMutablePointer<Float>, _ lanes: Int) {
    if lanes == 8 { return store8(pointer, 0, value) }
    for i in 0..<lanes { pointer[i] = value[i] }
}

/// Bᵀ of F(4, 3), points in the order 0, √2/2, -√2/2, √2, -√2, infinity.
@inline(__always) private func inputTransform4(_ d0: F8, _ d1: F8, _ d2: F8, _ d3: F8, _ d4: F8, _ d5: F8) -> (F8, F8, F8, F8, F8, F8) {
    let evenA = d4.addingProduct(d2, F8(repeating: -2)), oddA = d3.addingProduct(d1, F8(repeating: -2)) * (0.5 * 1.414_213_56)
    let evenB = d4.addingProduct(d2, F8(repeating: -0.5)), oddB = d3.addingProduct(d1, F8(repeating: -0.5)) * 1.414_213_56
    return (
        (d0 + d4).addingProduct(d2, F8(repeating: -2.5)), evenA + oddA, evenA - oddA, evenB + oddB, evenB - oddB,
        (d1 + d5).addingProduct(d3, F8(repeating: -2.5))
    )
}

/// Aᵀ of F(4, 3).
@inline(__always) private func outputTransform4(_ m0: F8, _ m1: F8, _ m2: F8, _ m3: F8, _ m4: F8, _ m5: F8) -> (F8, F8, F8, F8) {
    let sumA = m1 + m2, differenceA = m1 - m2, sumB = m3 + m4, differenceB = m3 - m4
    return (
        m0 + sumA + sumB,
        (differenceB * 1.414_213_56).addingProduct(differenceA, F8(repeating: 0.707_106_78)),
        (sumB * 2).addingProduct(sumA, F8(repeating: 0.5)),
        m5.addingProduct(differenceA, F8(repeating: 0.353_553_39)).addingProduct(differenceB, F8(repeating: 2.828_427_12))
    )
}

/// Bᵀ of F(2, 3), points 0, 1, -1, infinity.
@inline(__always) private func inputTransform2(_ d0: F8, _ d1: F8, _ d2: F8, _ d3: F8) -> (F8, F8, F8, F8) { (d2 - d0, d1 + d2, d2 - d1, d3 - d1) }

/// Aᵀ of F(2, 3).
@inline(__always) private func outputTransform2(_ m0: F8, _ m1: F8, _ m2: F8, _ m3: F8) -> (F8, F8) { (m0 + m1 + m2, m1 - m2 + m3) }
