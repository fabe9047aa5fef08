/// Shape of a convolution over `[batch, height, width, channels]`.
package struct ConvolutionGeometry: Sendable, Equatable {
    package var batch: Int
    package var height: Int
    package var width: Int
    package var channels: Int
    package var kernelHeight = 3
    package var kernelWidth = 3
    package var stride = 1
    package var padTop = 1
    package var padLeft = 1
    package var padBottom = 1
    package var padRight = 1
    /// The picture that the kernel sees: the input itself, or the input enlarged by nearest neighbour, which
    /// costs nothing here because only row pointers change.
    package var seenHeight: Int
    package var seenWidth: Int

    package init(
        batch: Int, height: Int, width: Int, channels: Int, kernel: Int = 3, stride: Int = 1, padding: Int = 1
    ) {
        (self.batch, self.height, self.width, self.channels) = (batch, height, width, channels)
        (kernelHeight, kernelWidth, self.stride) = (kernel, kernel, stride)
        (padTop, padLeft, padBottom, padRight) = (padding, padding, padding, padding)
        (seenHeight, seenWidth) = (height, width)
    }

    package var outputHeight: Int { (seenHeight + padTop + padBottom - kernelHeight) / stride + 1 }
    package var outputWidth: Int { (seenWidth + padLeft + padRight - kernelWidth) / stride + 1 }

    /// Index of the input pixel that stands at a place of the seen picture, nil on the padding.
    @inline(__always) func sourcePixel(y: Int, x: Int) -> Int? {
        guard y >= 0, y < seenHeight, x >= 0, x < seenWidth else { return nil }
        // Divisions are slow, and this is asked for every tap.
        if seenHeight == height, seenWidth == width { return y * width + x }
        return (y * height / seenHeight) * width + x * width / seenWidth
    }
}

/// out `[batch, outputHeight, outputWidth, matrix.outputs]` = the convolution of the input with the matrix
/// packed from its kernel, as one implicit matrix product: a row per output pixel, a segment of `channels` k
/// per tap, a row of zeros where a tap falls on the padding. `residual`, if given, has the output's shape and
/// is added.
package func convolution(
    _ input: UnsafePointer<Float>, _ geometry: ConvolutionGeometry, by matrix: PackedMatrix,
    adding residual: UnsafePointer<Float>? = nil,
    into out: UnsafeMutablePointer<Float>
) {
    let g = geometry
    let taps = g.kernelHeight * g.kernelWidth
    precondition(
        taps * g.channels == matrix.inputs,
        "a kernel of \(matrix.inputs) inputs against \(taps) taps of \(g.channels) channels")
    if KernelChoice.current == .naive {
        naiveConvolution(input, g, by: matrix, into: out)
        if let residual {
            addRow(residual, count: g.batch * g.outputHeight * g.outputWidth * matrix.outputs, to: out)
        }
        return
    }
    if g.isLow, KernelChoice.current != .openblas {
        return lowConvolution(input, g, by: matrix, adding: residual, into: out)
    }
    let zeros = allocateFloats(g.channels)
    defer { zeros.deallocate() }
    zeros.update(repeating: 0, count: g.channels)
    let outputWidth = g.outputWidth, pixels = g.outputHeight * outputWidth
    let source = RowSource(rows: g.batch * pixels, segments: taps, length: g.channels) { row, to in
        let image = row / pixels, pixel = row % pixels
        let top = pixel / outputWidth * g.stride - g.padTop
        let left = pixel % outputWidth * g.stride - g.padLeft
        let base = input + image * g.height * g.width * g.channels
        var tap = 0
        for ky in 0..<g.kernelHeight {
            for kx in 0..<g.kernelWidth {
                to[tap] =
                    g.sourcePixel(y: top + ky, x: left + kx).map { base + $0 * g.channels }
                    ?? UnsafePointer(zeros)
                tap += 1
            }
        }
    }
    product(of: source, by: matrix, adding: residual, into: out, outputStride: matrix.outputs)
}

extension ConvolutionGeometry {
    /// Whether a good part of the taps falls on padding: of a column of them a sixth at a height of 4, a
    /// third at 2.
    fileprivate var isLow: Bool {
        kernelHeight == 3 && stride == 1 && padTop == 1 && padBottom == 1 && outputHeight <= 4
    }
}

/// A convolution of few rows of pixels, as one product for each tap of the kernel with those pixels that it
/// does not carry into the padding: of 4 x 4 pixels 100 of 144 products of a tap with a pixel, of 2 x 2
/// pixels 16 of 36. The taps of a column of the kernel reach the same columns of outputs, and these have sums
/// of their own, which follow each other row of pixels by row of pixels, all items of the batch beside each
/// other; in the end they are added.
private func lowConvolution(
    _ input: UnsafePointer<Float>, _ g: ConvolutionGeometry, by matrix: PackedMatrix,
    adding residual: UnsafePointer<Float>?,
    into out: UnsafeMutablePointer<Float>
) {
    let height = g.outputHeight, width = g.outputWidth, outputs = matrix.outputs
    /// The outputs that the taps at place `k` of a row or column of the kernel reach, of `count` of these.
    func reach(_ k: Int, padding: Int, seen: Int, of count: Int) -> Range<Int> {
        let first = max(0, padding - k)
        return first..<max(first, min(count, seen + padding - k))
    }
    let columns = (0..<g.kernelWidth).map { reach($0, padding: g.padLeft, seen: g.seenWidth, of: width) }
    /// Where the sums of each column of the kernel begin, and where the last ones end.
    let places = columns.reduce(into: [0]) {
        $0.append($0[$0.count - 1] + height * g.batch * $1.count * outputs)
    }
    let count = places[g.kernelWidth]
    let sums = BufferPool.take(count)
    defer { BufferPool.give(sums, count) }
    forEachBlock(count, size: 65_536) { (sums + $0.lowerBound).update(repeating: 0, count: $0.count) }
    /// All taps for the outputs of `matrix`, which begin at `output`.
    func multiply(_ matrix: PackedMatrix, output: Int) {
        for (kx, columns) in columns.enumerated() where !columns.isEmpty {
            let across = g.batch * columns.count
            for ky in 0..<g.kernelHeight {
                let rows = reach(ky, padding: g.padTop, seen: g.seenHeight, of: height)
                guard !rows.isEmpty else { continue }
                let source = RowSource(rows: rows.count * across, segments: 1, length: g.channels) {
                    row, to in
                    let y = rows.lowerBound + row / across + ky - g.padTop,
                        x = columns.lowerBound + row % columns.count + kx - g.padLeft
                    // Nothing that is reached falls on padding.
                    let pixel =
                        row % across / columns.count * g.height * g.width + (g.sourcePixel(y: y, x: x) ?? 0)
                    to[0] = input + pixel * g.channels
                }
                product(
                    of: source, by: matrix, part: (ky * g.kernelWidth + kx) * g.channels,
                    into: sums + (places[kx] + rows.lowerBound * across * outputs + output),
                    outputStride: outputs)
            }
        }
    }
    if matrix.isBorrowed {
        // Packed once for all taps.
        let together = wholePairs(1) * PackedMatrix.width
        ThreadPool.shared.run((outputs + together - 1) / together) { chunk in
            let first = chunk * together
            multiply(matrix.packed(first..<min(outputs, first + together)), output: first)
        }
    } else {
        multiply(matrix, output: 0)
    }
    ThreadPool.shared.run(g.batch * height) { line in
        let item = line / height, y = line % height
        for x in 0..<width {
            let place = (line * width + x) * outputs
            (out + place).update(from: matrix.bias, count: outputs)
            for (kx, columns) in columns.enumerated() where columns.contains(x) {
                let row = (y * g.batch + item) * columns.count + x - columns.lowerBound
                addRow(sums + (places[kx] + row * outputs), count: outputs, to: out + place)
            }
            if let residual { addRow(residual + place, count: outputs, to: out + place) }
        }
    }
}
