internal import CProcessor
internal import WideKernels

/// The tiles of a batch of pictures, row by row.
struct WinogradTiles {
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

    /// How many tiles a thread takes through all three phases at once, so that both of its sets of planes
    /// stay in the core's own cache or nearly so. Nil where it would not pay: too few tiles to share out, or
    /// kernels so large that reading them again for each few tiles costs more.
    func fused(_ outputs: Int) -> Int? {
        let values = size.planes * geometry.channels * outputs
        let together = max(24, min(48, 300_000 / (size.planes * (geometry.channels + outputs)) / 24 * 24))
        // Of many it matters little that the threads have equal shares, and whole tiles of the inner loops
        // are quicker.
        if values <= 4_000_000, count >= 16 * together { return together }
        return values <= 1_000_000 && count >= 4 * together ? evenShare(of: count, atMost: together) : nil
    }

    /// The three phases one after the other, each by all threads, over blocks of tiles that keep both sets of
    /// planes in the last cache (16 x 144 tiles x 640 channels: 6 MB).
    func inBlocks(
        _ bias: [Float], _ input: UnsafePointer<Float>, adding residual: UnsafePointer<Float>?,
        into out: UnsafeMutablePointer<Float>,
        multiply: (WinogradBlock) -> Void
    ) {
        let most = max(32, min(count, 1_500_000 / (size.planes * max(geometry.channels, bias.count)) / 6 * 6))
        var first = 0
        while first < count {
            let block = WinogradBlock(self, bias, first: first, count: min(most, count - first))
            defer { block.release() }
            forEachBlock(block.count, size: max(1, 4096 / geometry.channels)) {
                block.transformInput(input, $0)
            }
            multiply(block)
            forEachBlock(block.count, size: max(1, 4096 / bias.count)) {
                block.transformOutput($0, adding: residual, into: out)
            }
            first += block.count
        }
    }

    /// Where the outputs of a tile begin, and how many rows and columns of them lie inside the picture.
    private func outputPlace(_ tile: Int, outputs: Int) -> (offset: Int, rows: Int, columns: Int) {
        let g = geometry, m = size.output
        let top = tile % perImage / across * m, left = tile % perImage % across * m
        return (
            ((tile / perImage * g.outputHeight + top) * g.outputWidth + left) * outputs,
            min(m, g.outputHeight - top), min(m, g.outputWidth - left)
        )
    }

    /// Asks for the lines of a tile's outputs, which are strewn over memory, before they are written: a
    /// twentieth of the time of 16 items of 160 channels.
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

    /// Where the pixels of a tile lie, row by row.
    func findPixels(
        _ input: UnsafePointer<Float>, tile: Int, _ pixels: UnsafeMutablePointer<UnsafePointer<Float>>
    ) {
        let g = geometry, n = size.input
        let base = input + tile / perImage * g.height * g.width * g.channels
        let top = tile % perImage / across * size.step - 1, left = tile % perImage % across * size.step - 1
        guard size == .doubled || g.seenHeight == g.height && g.seenWidth == g.width else {
            for y in 0..<n {
                for x in 0..<n {
                    pixels[y * n + x] =
                        g.sourcePixel(y: top + y, x: left + x).map { base + $0 * g.channels } ?? zeros
                }
            }
            return
        }
        // Asked for each tile: as plain as can be.
        let inside = max(0, -left)..<min(n, g.width - left)
        var row = base + (top * g.width + left) * g.channels, to = pixels
        for y in top..<top + n {
            if y >= 0, y < g.height {
                var pixel = row
                for x in 0..<n {
                    to[x] = x >= inside.lowerBound && x < inside.upperBound ? pixel : zeros
                    pixel += g.channels
                }
            } else {
                for x in 0..<n { to[x] = zeros }
            }
            row += g.width * g.channels
            to += n
        }
    }

    /// Bᵀ d B for each channel of the pixels of one tile; plane p goes to `out + p * plane`. `half` is room
    /// for as many vectors as there are pixels.
    func transformInput(
        _ pixels: UnsafePointer<UnsafePointer<Float>>, _ half: UnsafeMutablePointer<F8>,
        into out: UnsafeMutablePointer<Float>, plane: Int
    ) {
        let n = size.input, channels = geometry.channels
        var channel = 0
        if RowTiles.wide, channels >= 16 {
            channel = channels / 16 * 16
            switch size {
            case .four: wideInputTransform4(pixels, channels: channel, into: out, plane: plane)
            case .two: wideInputTransform2(pixels, channels: channel, into: out, plane: plane)
            case .doubled: wideInputTransformDoubled(pixels, channels: channel, into: out, plane: plane)
            }
        }
        while channel < channels {
            let lanes = min(8, channels - channel)
            for x in 0..<n {
                switch size {
                case .four:
                    let d = inputTransform4(
                        load(pixels[x], channel, lanes), load(pixels[6 + x], channel, lanes),
                        load(pixels[12 + x], channel, lanes),
                        load(pixels[18 + x], channel, lanes), load(pixels[24 + x], channel, lanes),
                        load(pixels[30 + x], channel, lanes))
                    half[x] = d.0; half[6 + x] = d.1; half[12 + x] = d.2; half[18 + x] = d.3;
                    half[24 + x] = d.4; half[30 + x] = d.5
                case .two:
                    let d = inputTransform2(
                        load(pixels[x], channel, lanes), load(pixels[4 + x], channel, lanes),
                        load(pixels[8 + x], channel, lanes),
                        load(pixels[12 + x], channel, lanes))
                    half[x] = d.0; half[4 + x] = d.1; half[8 + x] = d.2; half[12 + x] = d.3
                case .doubled:
                    let d = inputTransformDoubled(
                        load(pixels[x], channel, lanes), load(pixels[3 + x], channel, lanes),
                        load(pixels[6 + x], channel, lanes))
                    half[x] = d.0; half[3 + x] = d.1; half[6 + x] = d.2
                }
            }
            for y in 0..<n {
                let row = half + y * n
                let to = out + y * n * plane + channel
                switch size {
                case .four:
                    let d = inputTransform4(row[0], row[1], row[2], row[3], row[4], row[5])
                    store(d.0, to, lanes); store(d.1, to + plane, lanes); store(d.2, to + 2 * plane, lanes)
                    store(d.3, to + 3 * plane, lanes); store(d.4, to + 4 * plane, lanes);
                    store(d.5, to + 5 * plane, lanes)
                case .two:
                    let d = inputTransform2(row[0], row[1], row[2], row[3])
                    store(d.0, to, lanes); store(d.1, to + plane, lanes); store(d.2, to + 2 * plane, lanes);
                    store(d.3, to + 3 * plane, lanes)
                case .doubled:
                    let d = inputTransformDoubled(row[0], row[1], row[2])
                    store(d.0, to, lanes); store(d.1, to + plane, lanes); store(d.2, to + 2 * plane, lanes)
                }
            }
            channel += 8
        }
    }

    /// Aᵀ M A plus the bias and then the residual, for each output of one tile, as far as it lies inside the
    /// picture. `half` as in `transformInput`.
    func transformOutput(
        _ products: UnsafePointer<Float>, plane: Int, tile: Int, _ bias: UnsafeBufferPointer<Float>,
        _ half: UnsafeMutablePointer<F8>,
        adding residual: UnsafePointer<Float>?, into out: UnsafeMutablePointer<Float>
    ) {
        let g = geometry, n = size.input, outputs = bias.count
        let (offset, rows, columns) = outputPlace(tile, outputs: outputs)
        let target = out + offset, beside = residual.map { $0 + offset }, width = g.outputWidth * outputs
        guard let bias = bias.baseAddress else { return }
        var channel = 0
        if RowTiles.wide, outputs >= 16 {
            channel = outputs / 16 * 16
            switch size {
            case .four:
                wideOutputTransform4(
                    products, plane: plane, bias: bias, outputs: channel, stride: outputs, adding: beside,
                    into: target, width: width, rows: rows,
                    columns: columns)
            case .two:
                wideOutputTransform2(
                    products, plane: plane, bias: bias, outputs: channel, stride: outputs, adding: beside,
                    into: target, width: width, rows: rows,
                    columns: columns)
            case .doubled:
                wideOutputTransformDoubled(
                    products, plane: plane, bias: bias, outputs: channel, stride: outputs, adding: beside,
                    into: target, width: width)
            }
        }
        while channel < outputs {
            let lanes = min(8, outputs - channel)
            let from = products + channel
            for x in 0..<n {
                switch size {
                case .four:
                    let y = outputTransform4(
                        load8(from, x * plane), load8(from, (6 + x) * plane), load8(from, (12 + x) * plane),
                        load8(from, (18 + x) * plane),
                        load8(from, (24 + x) * plane), load8(from, (30 + x) * plane))
                    half[x] = y.0; half[6 + x] = y.1; half[12 + x] = y.2; half[18 + x] = y.3
                case .two:
                    let y = outputTransform2(
                        load8(from, x * plane), load8(from, (4 + x) * plane), load8(from, (8 + x) * plane),
                        load8(from, (12 + x) * plane))
                    half[x] = y.0; half[4 + x] = y.1
                case .doubled:
                    let y = outputTransformDoubled(
                        load8(from, x * plane), load8(from, (3 + x) * plane), load8(from, (6 + x) * plane))
                    half[x] = y.0; half[3 + x] = y.1
                }
            }
            let shift = load(bias, channel, lanes)
            for y in 0..<rows {
                let row = half + y * n, place = y * width + channel
                func finish(_ x: Int, _ value: F8) {
                    guard x < columns else { return }
                    let place = place + x * outputs
                    store(
                        beside.map { value + shift + load($0, place, lanes) } ?? value + shift,
                        target + place, lanes)
                }
                switch size {
                case .four:
                    let r = outputTransform4(row[0], row[1], row[2], row[3], row[4], row[5])
                    finish(0, r.0); finish(1, r.1); finish(2, r.2); finish(3, r.3)
                case .two:
                    let r = outputTransform2(row[0], row[1], row[2], row[3])
                    finish(0, r.0); finish(1, r.1)
                case .doubled:
                    let r = outputTransformDoubled(row[0], row[1], row[2])
                    finish(0, r.0); finish(1, r.1)
                }
            }
            channel += 8
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
@inline(__always) private func inputTransform4(_ d0: F8, _ d1: F8, _ d2: F8, _ d3: F8, _ d4: F8, _ d5: F8)
    -> (F8, F8, F8, F8, F8, F8)
{
    let evenA = d4.addingProduct(d2, F8(repeating: -2)),
        oddA = d3.addingProduct(d1, F8(repeating: -2)) * (0.5 * 1.414_213_56)
    let evenB = d4.addingProduct(d2, F8(repeating: -0.5)),
        oddB = d3.addingProduct(d1, F8(repeating: -0.5)) * 1.414_213_56
    return (
        (d0 + d4).addingProduct(d2, F8(repeating: -2.5)), evenA + oddA, evenA - oddA, evenB + oddB,
        evenB - oddB,
        (d1 + d5).addingProduct(d3, F8(repeating: -2.5))
    )
}

/// Aᵀ of F(4, 3).
@inline(__always) private func outputTransform4(_ m0: F8, _ m1: F8, _ m2: F8, _ m3: F8, _ m4: F8, _ m5: F8)
    -> (F8, F8, F8, F8)
{
    let sumA = m1 + m2, differenceA = m1 - m2, sumB = m3 + m4, differenceB = m3 - m4
    return (
        m0 + sumA + sumB,
        (differenceB * 1.414_213_56).addingProduct(differenceA, F8(repeating: 0.707_106_78)),
        (sumB * 2).addingProduct(sumA, F8(repeating: 0.5)),
        m5.addingProduct(differenceA, F8(repeating: 0.353_553_39)).addingProduct(
            differenceB, F8(repeating: 2.828_427_12))
    )
}

/// Bᵀ of F(2, 3), points 0, 1, -1, infinity.
@inline(__always) private func inputTransform2(_ d0: F8, _ d1: F8, _ d2: F8, _ d3: F8) -> (F8, F8, F8, F8) {
    (d2 - d0, d1 + d2, d2 - d1, d3 - d1)
}

/// Aᵀ of F(2, 3).
@inline(__always) private func outputTransform2(_ m0: F8, _ m1: F8, _ m2: F8, _ m3: F8) -> (F8, F8) {
    (m0 + m1 + m2, m1 - m2 + m3)
}

/// Bᵀ for a picture enlarged to twice its size: the pixel, and what it is away from its neighbours.
@inline(__always) private func inputTransformDoubled(_ d0: F8, _ d1: F8, _ d2: F8) -> (F8, F8, F8) {
    (d1 - d0, d1, d2 - d1)
}

/// Aᵀ of the same.
@inline(__always) private func outputTransformDoubled(_ m0: F8, _ m1: F8, _ m2: F8) -> (F8, F8) {
    (m0 + m1, m1 + m2)
}
