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
    /// The picture that the kernel sees: the input itself, or the input enlarged by nearest neighbour, which costs nothing
    /// here because only row pointers change.
    package var seenHeight: Int
    package var seenWidth: Int

    package init(batch: Int, height: Int, width: Int, channels: Int, kernel: Int = 3, stride: Int = 1, padding: Int = 1) {
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

/// out `[batch, outputHeight, outputWidth, matrix.outputs]` = the convolution of the input with the matrix packed from its
/// kernel, as one implicit matrix product: a row per output pixel, a segment of `channels` k per tap, a row of zeros
/// where a tap falls on the padding. `residual`, if given, has the output's shape and is added.
package func convolution(
    _ input: UnsafePointer<Float>, _ geometry: ConvolutionGeometry, by matrix: PackedMatrix, adding residual: UnsafePointer<Float>? = nil,
    into out: UnsafeMutablePointer<Float>
) {
    let g = geometry
    let taps = g.kernelHeight * g.kernelWidth
    precondition(taps * g.channels == matrix.inputs, "a kernel of \(matrix.inputs) inputs against \(taps) taps of \(g.channels) channels")
    if KernelChoice.current == .naive {
        naiveConvolution(input, g, by: matrix, into: out)
        if let residual { addRow(residual, count: g.batch * g.outputHeight * g.outputWidth * matrix.outputs, to: out) }
        return
    }
    let zeros = allocateFloats(g.channels)
    defer { zeros.deallocate() }
    zeros.update(repeating: 0, count: g.channels)
    if g.isLow { return lowConvolution(input, g, by: matrix, zeros: zeros, adding: residual, into: out) }
    let outputWidth = g.outputWidth, pixels = g.outputHeight * outputWidth
    let source = RowSource(rows: g.batch * pixels, segments: taps, length: g.channels) { row, to in
        let image = row / pixels, pixel = row % pixels
        let top = pixel / outputWidth * g.stride - g.padTop
        let left = pixel % outputWidth * g.stride - g.padLeft
        let base = input + image * g.height * g.width * g.channels
        var tap = 0
        for ky in 0..<g.kernelHeight {
            for kx in 0..<g.kernelWidth {
                to[tap] = g.sourcePixel(y: top + ky, x: left + kx).map { base + $0 * g.channels } ?? UnsafePointer(zeros)
                tap += 1
            }
        }
    }
    product(of: source, by: matrix, adding: residual, into: out, outputStride: matrix.outputs)
}

extension ConvolutionGeometry {
    /// Whether a good part of the rows of the kernel falls on padding: a sixth at a height of 4, a third at 2.
    fileprivate var isLow: Bool { kernelHeight == 3 && stride == 1 && padTop == 1 && padBottom == 1 && outputHeight <= 4 }
}

/// A convolution of few rows of pixels, as one product for each row of the kernel with those rows of pixels that it does not carry into the padding.
/// The output is made row of pixels by row of pixels, all items of the batch beside each other, so that these follow each other. What is left
/// out adds zeros: the result is the same to the bit.
private func lowConvolution(
    _ input: UnsafePointer<Float>, _ g: ConvolutionGeometry, by matrix: PackedMatrix, zeros: UnsafePointer<Float>, adding residual: UnsafePointer<Float>?,
    into out: UnsafeMutablePointer<Float>
) {
    let height = g.outputHeight, width = g.outputWidth, outputs = matrix.outputs
    let across = g.batch * width, count = height * across * outputs
    let sums = BufferPool.take(count)
    defer { BufferPool.give(sums, count) }
    for pixel in 0..<height * across { (sums + pixel * outputs).update(from: matrix.bias, count: outputs) }
    /// All rows of the kernel for the outputs of `matrix`, which begin at `column`.
    func multiply(_ matrix: PackedMatrix, column: Int) {
        for ky in 0..<g.kernelHeight {
            let top = max(0, g.padTop - ky), bottom = min(height, g.seenHeight + g.padTop - ky)
            guard top < bottom else { continue }
            let source = RowSource(rows: (bottom - top) * across, segments: g.kernelWidth, length: g.channels) { row, to in
                let y = top + row / across + ky - g.padTop, left = row % width - g.padLeft
                let base = input + row % across / width * g.height * g.width * g.channels
                for kx in 0..<g.kernelWidth { to[kx] = g.sourcePixel(y: y, x: left + kx).map { base + $0 * g.channels } ?? zeros }
            }
            product(of: source, by: matrix, part: ky * g.kernelWidth * g.channels, into: sums + (top * across * outputs + column), outputStride: outputs)
        }
    }
    if matrix.isBorrowed {
        // Packed once for all rows of the kernel.
        let together = wholePairs(1) * PackedMatrix.width
        ThreadPool.shared.run((outputs + together - 1) / together) { chunk in
            let first = chunk * together
            multiply(matrix.packed(first..<min(outputs, first + together)), column: first)
        }
    } else {
        multiply(matrix, column: 0)
    }
    for item in 0..<g.batch {
        for y in 0..<height {
            let place = (item * height + y) * width * outputs
            (out + place).update(from: sums + (y * across + item * width) * outputs, count: width * outputs)
            if let residual { addRow(residual + place, count: width * outputs, to: out + place) }
        }
    }
}
