// What `NOISEBOOK_KERNELS=openblas` makes of the products of inference: the same sums in somebody else's
// inner loops.

extension OpenBLAS {
    /// The library for the reference kernels; without it these cannot be chosen.
    static let reference: OpenBLAS = {
        guard let installed, hasRoom else {
            preconditionFailure("NOISEBOOK_KERNELS=openblas, and libopenblas is not installed or has no room")
        }
        return installed
    }()
}

/// As `product(of:)` of rows that are copied side by side, with one packed panel after the other.
func openBLASProduct(
    of source: RowSource, by matrix: PackedMatrix, adding residual: UnsafePointer<Float>?,
    into out: UnsafeMutablePointer<Float>,
    outputStride: Int
) {
    let together = 96, width = PackedMatrix.width, inputs = matrix.inputs
    OpenBLAS.run((source.rows + together - 1) / together) { chunk in
        let first = chunk * together, count = min(together, source.rows - first)
        let size = (together + width) * inputs + together * width
        let memory = BufferPool.take(size)
        defer { BufferPool.give(memory, size) }
        let rows = memory, weights = memory + together * inputs, sums = weights + width * inputs
        withUnsafeTemporaryAllocation(of: UnsafePointer<Float>.self, capacity: source.segments) { pointers in
            guard let segments = pointers.baseAddress else { return }
            for row in 0..<count {
                source.pointers(first + row, segments)
                for segment in 0..<source.segments {
                    (rows + row * inputs + segment * source.length).update(
                        from: segments[segment], count: source.length)
                }
            }
        }
        for panel in 0..<matrix.panels {
            if matrix.isBorrowed { matrix.packBorrowed(panel, into: weights) }
            let values =
                matrix.isBorrowed
                ? UnsafePointer(weights) : matrix.rows(0, inputs, ofPanel: panel, scratch: weights)
            OpenBLAS.reference.multiply(
                rows, rows: count, stride: inputs, by: values, columns: width, stride: width, length: inputs,
                adding: false, into: sums,
                stride: width)
            let column = panel * width
            for row in 0..<count {
                let place = (first + row) * outputStride + column
                for lane in 0..<min(width, matrix.outputs - column) {
                    out[place + lane] =
                        sums[row * width + lane] + matrix.bias[column + lane]
                        + (residual.map { $0[place + lane] } ?? 0)
                }
            }
        }
    }
}
