// Gradients of the weights of convolutions and linear layers: products over all pixels, dWeight = dOutputᵀ ·
// input, one per tap. Chunks are blocks of the result, so each sum has one order whatever the number of
// threads.

/// dWeight `[outputs, channels, kernelHeight, kernelWidth]` of `convolution`, from its input and the gradient
/// of its output. With `adding` it is added to what is there. The input must be given as the kernel saw it:
/// an enlarged picture enlarged.
package func convolutionWeightGradient(
    _ input: UnsafePointer<Float>, _ geometry: ConvolutionGeometry, dOutput: UnsafePointer<Float>,
    outputs: Int, adding: Bool,
    into dWeight: UnsafeMutablePointer<Float>
) {
    let g = geometry
    precondition(
        g.seenHeight == g.height && g.seenWidth == g.width,
        "a gradient of weights needs the picture as seen, \(g.seenHeight) x \(g.seenWidth)")
    if KernelChoice.current == .naive {
        return naiveWeightGradient(
            input, g, dOutput: dOutput, outputs: outputs, adding: adding, into: dWeight)
    }
    let x = PaddedRows(input, rows: g.batch * g.height * g.width, columns: g.channels, multiple: 16)
    let d = PaddedRows(dOutput, rows: g.batch * g.outputHeight * g.outputWidth, columns: outputs, multiple: 4)
    let table = TapSegments(g, aStride: d.stride, bStride: x.stride)
    weightGradient(table, d, x, outputs: outputs, channels: g.channels, adding: adding, into: dWeight)
}

/// dWeight `[outputs, inputs]` of a linear layer from its input `[rows, inputs]` and the gradient of its
/// output `[rows, outputs]`.
package func linearWeightGradient(
    _ input: UnsafePointer<Float>, rows: Int, inputs: Int, dOutput: UnsafePointer<Float>, outputs: Int,
    adding: Bool, into dWeight: UnsafeMutablePointer<Float>
) {
    // A linear layer is a 1 x 1 convolution of a picture of one row.
    convolutionWeightGradient(
        input, ConvolutionGeometry(batch: 1, height: 1, width: rows, channels: inputs, kernel: 1, padding: 0),
        dOutput: dOutput, outputs: outputs,
        adding: adding, into: dWeight)
}

/// Rows whose length is a multiple of what the inner loops take: the given ones, or a copy filled up with
/// zeros.
struct PaddedRows: ~Copyable {
    let pointer: UnsafePointer<Float>
    let stride: Int
    private let copy: UnsafeMutablePointer<Float>?
    private let copyCount: Int

    init(_ source: UnsafePointer<Float>, rows: Int, columns: Int, multiple: Int) {
        let stride = (columns + multiple - 1) / multiple * multiple
        self.stride = stride
        copyCount = rows * stride
        guard stride != columns else {
            (pointer, copy) = (source, nil)
            return
        }
        let copy = BufferPool.take(copyCount)
        forEachBlock(rows, size: max(1, 16_384 / stride)) { range in
            for row in range {
                let to = copy + row * stride
                to.update(from: source + row * columns, count: columns)
                for i in columns..<stride { to[i] = 0 }
            }
        }
        self.copy = copy
        pointer = UnsafePointer(copy)
    }

    deinit { if let copy { BufferPool.give(copy, copyCount) } }
}

/// For each tap the runs of output pixels whose input pixel lies inside the picture, cut into blocks of
/// pixels that stay in the second cache.
private struct TapSegments {
    let taps: Int
    let blocks: Int
    /// Entries of three: offset in dOutput, offset in the input, length.
    private(set) var entries: [Int] = []
    /// Where the entries of `[block][tap]` start, and one more for the end.
    private(set) var starts: [Int] = []
    let inputStep: Int

    init(_ g: ConvolutionGeometry, aStride: Int, bStride: Int) {
        let width = g.outputWidth, lines = g.batch * g.outputHeight
        taps = g.kernelHeight * g.kernelWidth
        inputStep = g.stride * bStride
        let pixelsPerBlock = max(64, 512 / g.stride)
        // A block is a number of lines, or a part of one long line.
        let linesPerBlock = max(1, pixelsPerBlock / width)
        let parts = (width + pixelsPerBlock - 1) / pixelsPerBlock
        blocks = (lines + linesPerBlock - 1) / linesPerBlock * parts
        for block in 0..<blocks {
            let part = block % parts
            let columns = part * pixelsPerBlock..<min(width, (part + 1) * pixelsPerBlock)
            let firstLine = block / parts * linesPerBlock
            for ky in 0..<g.kernelHeight {
                for kx in 0..<g.kernelWidth {
                    let start = entries.count
                    starts.append(start)
                    // Output columns whose input column x * stride + kx - padLeft lies inside.
                    let lowest = max(columns.lowerBound, (g.padLeft - kx + g.stride - 1) / g.stride)
                    let highest = min(
                        columns.upperBound, (g.width - 1 + g.padLeft - kx + g.stride) / g.stride)
                    guard highest > lowest else { continue }
                    for line in firstLine..<min(lines, firstLine + linesPerBlock) {
                        let y = line % g.outputHeight * g.stride + ky - g.padTop
                        guard y >= 0, y < g.height else { continue }
                        let a = (line * width + lowest) * aStride
                        let b =
                            ((line / g.outputHeight * g.height + y) * g.width + lowest * g.stride + kx
                                - g.padLeft) * bStride
                        let last = entries.count - 3
                        if last >= start, entries[last] + entries[last + 2] * aStride == a,
                            entries[last + 1] + entries[last + 2] * inputStep == b
                        {
                            entries[last + 2] += highest - lowest
                        } else {
                            entries += [a, b, highest - lowest]
                        }
                    }
                }
            }
        }
        starts.append(entries.count)
    }
}

private func weightGradient(
    _ table: TapSegments, _ d: borrowing PaddedRows, _ x: borrowing PaddedRows, outputs: Int, channels: Int,
    adding: Bool,
    into dWeight: UnsafeMutablePointer<Float>
) {
    let taps = table.taps, panels = x.stride / 16
    let (a, aStep, b, bStep) = (d.pointer, d.stride, x.pointer, table.inputStep)
    // Blocks of outputs: at least 12 chunks where the layer is large enough, at most 96 outputs for the
    // scratch to stay in cache.
    let outputsPerChunk = max(12, min(96, (d.stride * panels / 12 + 11) / 12 * 12))
    let outputChunks = (d.stride + outputsPerChunk - 1) / outputsPerChunk
    table.entries.withUnsafeBufferPointer { entries in
        table.starts.withUnsafeBufferPointer { starts in
            let entries = entries.baseAddress, starts = starts.baseAddress
            guard let entries, let starts else { return }
            ThreadPool.shared.run(panels * outputChunks) { chunk in
                let panel = chunk / outputChunks
                let first = chunk % outputChunks * outputsPerChunk
                let count = min(outputsPerChunk, aStep - first)
                let sums = BufferPool.take(taps * count * 16)
                defer { BufferPool.give(sums, taps * count * 16) }
                for block in 0..<table.blocks {
                    for tap in 0..<taps {
                        let start = starts[block * taps + tap], end = starts[block * taps + tap + 1]
                        if block > 0 && start == end { continue }
                        var o = 0
                        while o < count {
                            let rows = count - o >= 12 ? 12 : count - o >= 8 ? 8 : 4
                            transposedProduct(
                                rows: rows, segments: (end - start) / 3, table: entries + start,
                                a: a + first + o, aStep: aStep, b: b + panel * 16,
                                bStep: bStep,
                                starting: block == 0, out: sums + (tap * count + o) * 16)
                            o += rows
                        }
                    }
                }
                let columns = min(16, channels - panel * 16)
                for o in 0..<min(count, outputs - first) {
                    let to = dWeight + ((first + o) * channels + panel * 16) * taps
                    for tap in 0..<taps {
                        let from = sums + (tap * count + o) * 16
                        if adding {
                            for c in 0..<columns { to[c * taps + tap] += from[c] }
                        } else {
                            for c in 0..<columns { to[c * taps + tap] = from[c] }
                        }
                    }
                }
            }
        }
    }
}
