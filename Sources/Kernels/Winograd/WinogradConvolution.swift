/// A 3 x 3 convolution of stride 1 and padding 1 by Winograd's algorithm, in three phases over blocks of
/// tiles: the input's tiles transformed into planes `[tile][channel]`, one matrix product per plane, the
/// products transformed back with the bias. Each thread takes its own small blocks through all three, or,
/// where that would not pay, all threads share each phase of a large one. An output's arithmetic depends on
/// its place in its own tile only, so neither batch nor threads change a bit.
package func winogradConvolution(
    _ input: UnsafePointer<Float>, _ geometry: ConvolutionGeometry, by weights: WinogradWeights,
    adding residual: UnsafePointer<Float>? = nil,
    into out: UnsafeMutablePointer<Float>
) {
    let zeros = zeroPixel(geometry, weights.size)
    defer { zeros.deallocate() }
    let tiles = WinogradTiles(geometry, weights.size, zeros: zeros), bias = weights.bias
    precondition(
        geometry.channels == weights.channels, "\(geometry) against a kernel of \(weights.channels) channels")
    if let together = tiles.fused(weights.outputs) {
        ThreadPool.shared.run((tiles.count + together - 1) / together) { chunk in
            let block = WinogradBlock(
                tiles, bias, first: chunk * together, count: min(together, tiles.count - chunk * together))
            defer { block.release() }
            block.transformInput(input, 0..<block.count)
            block.multiply(by: weights)
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
            block.multiply(
                plane: plane, by: weights.planes[plane],
                panels: start..<max(start, min(panels, start + panelsPerGroup)))
        }
    }
}

/// The same with a kernel that is not transformed, `[outputs, channels, 3, 3]`: some outputs at a time are,
/// and used at once, so that nothing is written to memory but the result. Best where the kernel is used once;
/// equal to the bit.
package func winogradConvolution(
    _ input: UnsafePointer<Float>, _ geometry: ConvolutionGeometry, _ size: WinogradSize,
    borrowing kernel: UnsafePointer<Float>, outputs: Int,
    bias: [Float]?, adding residual: UnsafePointer<Float>? = nil, into out: UnsafeMutablePointer<Float>
) {
    let zeros = zeroPixel(geometry, size)
    defer { zeros.deallocate() }
    let tiles = WinogradTiles(geometry, size, zeros: zeros), channels = geometry.channels
    let together = wholePairs(1) * PackedMatrix.width
    tiles.inBlocks(bias ?? Array(repeating: 0, count: outputs), input, adding: residual, into: out) { block in
        ThreadPool.shared.run((outputs + together - 1) / together) { chunk in
            let first = chunk * together
            let weights = WinogradWeights(
                size, weights: kernel + first * channels * 9, outputs: min(together, outputs - first),
                channels: channels, bias: nil)
            for plane in 0..<size.planes {
                block.multiply(
                    plane: plane, by: weights.planes[plane], panels: 0..<weights.planes[plane].panels,
                    column: first)
            }
        }
    }
}

private func zeroPixel(_ geometry: ConvolutionGeometry, _ size: WinogradSize) -> UnsafeMutablePointer<Float> {
    precondition(
        geometry.isWinograd && (size != .doubled || geometry.isDoubled),
        "\(geometry) is no case for Winograd's algorithm, \(size.rawValue)")
    let zeros = allocateFloats(geometry.channels)
    zeros.update(repeating: 0, count: geometry.channels)
    return zeros
}

/// Some tiles on their way through the algorithm, with room for both sets of planes.
struct WinogradBlock {
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
        var memory = Scratch()
        defer { memory.release() }
        let side = tiles.size.input
        let pixels = memory.take(side * side, of: UnsafePointer<Float>.self),
            half = memory.take(side * side, of: F8.self)
        for tile in range {
            tiles.findPixels(input, tile: first + tile, pixels)
            tiles.transformInput(
                UnsafePointer(pixels), half, into: transformed + tile * channels, plane: inputPlane)
        }
    }

    /// All planes, one after the other.
    func multiply(by weights: WinogradWeights) {
        let planes = weights.size.planes
        guard let matrices = weights.cached(rows: count) else {
            for plane in 0..<planes {
                multiply(plane: plane, by: weights.planes[plane], panels: 0..<weights.planes[plane].panels)
            }
            return
        }
        matrices.withUnsafeBufferPointer { matrices in
            for plane in 0..<planes {
                let matrix = matrices[plane]
                matrix.multiply(
                    transformed + plane * inputPlane, rows: count, inputStride: channels,
                    panels: 0..<matrix.panels,
                    following: matrices[plane + 1 < planes ? plane + 1 : 0].panel(0), adding: nil,
                    into: products + plane * outputPlane,
                    outputStride: outputStride)
            }
        }
    }

    /// - Parameter column: the output that is the matrix's first.
    func multiply(plane: Int, by matrix: PackedMatrix, panels: Range<Int>, column: Int = 0) {
        if let matrix = matrix.cached(rows: count) {
            return matrix.multiply(
                transformed + plane * inputPlane, rows: count, inputStride: channels, panels: panels,
                following: matrix.panel(panels.lowerBound),
                adding: nil, into: products + plane * outputPlane + column, outputStride: outputStride)
        }
        var memory = Scratch()
        defer { memory.release() }
        let table = memory.take(rowTiles.rows, of: UnsafePointer<Float>.self)
        for row in 0..<rowTiles.rows {
            table[row] = UnsafePointer(transformed + plane * inputPlane + min(row, count - 1) * channels)
        }
        ProductBlock(
            table, rowTiles, rows: rowTiles.rows, InputBlocks(segments: 1, length: channels), by: matrix,
            panels: panels,
            following: panels.lowerBound, into: products + plane * outputPlane + column,
            outputStride: outputStride, &memory
        ).multiply()
    }

    func transformOutput(
        _ range: Range<Int>, adding residual: UnsafePointer<Float>?, into out: UnsafeMutablePointer<Float>
    ) {
        var memory = Scratch()
        defer { memory.release() }
        let half = memory.take(tiles.size.planes, of: F8.self)
        bias.withUnsafeBufferPointer { bias in
            for tile in range {
                if tile + 1 < range.upperBound {
                    tiles.fetchOutput(out, tile: first + tile + 1, outputs: bias.count)
                }
                tiles.transformOutput(
                    products + tile * outputStride, plane: outputPlane, tile: first + tile, bias, half,
                    adding: residual, into: out)
            }
        }
    }
}

extension ConvolutionGeometry {
    /// Whether the algorithm applies at all.
    package var isWinograd: Bool {
        kernelHeight == 3 && kernelWidth == 3 && stride == 1 && padTop == 1 && padLeft == 1 && padBottom == 1
            && padRight == 1
    }

    /// Whether the kernel sees each pixel of the input as four.
    var isDoubled: Bool { seenHeight == 2 * height && seenWidth == 2 * width }
}
