internal import Kernels
package import Tensors

/// A matrix of doubles in row-major order: what distances between sets of features are computed in.
package struct DoubleMatrix: Sendable, Equatable {
    package let rows: Int
    package let columns: Int
    package var values: [Double]

    package init(rows: Int, columns: Int, values: [Double]) {
        precondition(values.count == rows * columns, "\(rows) x \(columns) values, \(values.count) given")
        (self.rows, self.columns, self.values) = (rows, columns, values)
    }

    package init(zeros rows: Int, _ columns: Int) {
        self.init(rows: rows, columns: columns, values: [Double](repeating: 0, count: rows * columns))
    }

    /// `features`: [rows, width].
    package init(_ features: Tensor) {
        precondition(features.rank == 2, "expected [rows, width], found \(features.shape)")
        let count = features.count
        let values = features.withUnsafePointer { source in
            [Double](unsafeUninitializedCapacity: count) { out, written in
                for i in 0..<count { out[i] = Double(source[i]) }
                written = count
            }
        }
        self.init(rows: features.shape[0], columns: features.shape[1], values: values)
    }

    @inlinable package subscript(row: Int, column: Int) -> Double {
        get { values[row * columns + column] }
        set { values[row * columns + column] = newValue }
    }

    @inlinable package func row(_ index: Int) -> ArraySlice<Double> {
        values[index * columns..<(index + 1) * columns]
    }

    package func selecting(rows chosen: [Int]) -> DoubleMatrix {
        DoubleMatrix(rows: chosen.count, columns: columns, values: chosen.flatMap { row($0) })
    }

    package var transposed: DoubleMatrix {
        let (rows, columns) = (rows, columns)
        let out = values.withUnsafeBufferPointer { from in
            [Double](unsafeUninitializedCapacity: rows * columns) { to, written in
                // By squares, so that both sides stay in the cache.
                for top in stride(from: 0, to: rows, by: 32) {
                    for left in stride(from: 0, to: columns, by: 32) {
                        for i in top..<min(top + 32, rows) {
                            for j in left..<min(left + 32, columns) {
                                to[j * rows + i] = from[i * columns + j]
                            }
                        }
                    }
                }
                written = rows * columns
            }
        }
        return DoubleMatrix(rows: columns, columns: rows, values: out)
    }

    package var columnMeans: [Double] {
        let columns = columns
        var sums = [Double](repeating: 0, count: columns)
        values.withUnsafeBufferPointer { from in
            sums.withUnsafeMutableBufferPointer { sums in
                for i in 0..<rows {
                    for j in 0..<columns { sums[j] += from[i * columns + j] }
                }
            }
        }
        return sums.map { $0 / Double(rows) }
    }

    /// Each row less `mean`, times `scale`.
    package func centred(on mean: [Double], scale: Double = 1) -> DoubleMatrix {
        let (rows, columns) = (rows, columns)
        let out = [Double](unsafeUninitializedCapacity: rows * columns) { to, written in
            values.withUnsafeBufferPointer { from in
                mean.withUnsafeBufferPointer { mean in
                    guard let from = from.baseAddress, let to = to.baseAddress, let mean = mean.baseAddress
                    else { return }
                    forEachBlock(rows, size: max(1, 65_536 / columns)) { block in
                        for i in block {
                            for j in 0..<columns {
                                to[i * columns + j] = (from[i * columns + j] - mean[j]) * scale
                            }
                        }
                    }
                }
            }
            written = rows * columns
        }
        return DoubleMatrix(rows: rows, columns: columns, values: out)
    }

    /// The sum of all squares.
    package var squaredNorm: Double {
        values.withUnsafeBufferPointer { dotProduct($0.baseAddress, $0.baseAddress, values.count) }
    }

    /// The product of row `i` with row `j` of another matrix, in the one order of `dotProduct`.
    package func dot(_ i: Int, _ other: DoubleMatrix, _ j: Int) -> Double {
        precondition(columns == other.columns, "a row of \(columns) against a row of \(other.columns)")
        return values.withUnsafeBufferPointer { a in
            other.values.withUnsafeBufferPointer { b in
                dotProduct(
                    a.baseAddress.map { $0 + i * columns }, b.baseAddress.map { $0 + j * columns }, columns)
            }
        }
    }

    /// A · Bᵀ, where both have rows of one width: `[rows, other.rows]`. How an element is rounded depends on
    /// its place; `dot` does not.
    /// - Throws: where the library is not installed, or there is no room for it.
    package func timesTransposed(_ other: DoubleMatrix) throws -> DoubleMatrix {
        precondition(columns == other.columns, "rows of \(columns) against rows of \(other.columns)")
        return try DoubleMatrix(product: self, other, lowerOnly: false)
    }

    /// A · Aᵀ.
    package func gram() throws -> DoubleMatrix {
        var result = try DoubleMatrix(product: self, self, lowerOnly: true)
        let n = rows
        result.values.withUnsafeMutableBufferPointer { values in
            for i in 0..<n {
                for j in 0..<i { values[j * n + i] = values[i * n + j] }
            }
        }
        return result
    }

    /// By squares of the result, which the threads share: no sum depends on how many there are.
    private init(product a: DoubleMatrix, _ b: DoubleMatrix, lowerOnly: Bool) throws {
        let library = try OpenBLAS.ready()
        let (m, n, k) = (a.rows, b.rows, a.columns), side = 256
        var out = [Double](repeating: 0, count: m * n)
        let across = (n + side - 1) / side, down = (m + side - 1) / side
        a.values.withUnsafeBufferPointer { a in
            b.values.withUnsafeBufferPointer { b in
                out.withUnsafeMutableBufferPointer { out in
                    guard let a = a.baseAddress, let b = b.baseAddress, let out = out.baseAddress else {
                        return
                    }
                    OpenBLAS.run(across * down) { chunk in
                        let top = chunk / across * side, left = chunk % across * side
                        if lowerOnly, left > top { return }
                        library.multiply(
                            a + top * k, rows: min(side, m - top), stride: k, byTransposed: b + left * k,
                            rows: min(side, n - left), stride: k,
                            length: k, into: out + top * n + left, stride: n)
                    }
                }
            }
        }
        self.init(rows: m, columns: n, values: out)
    }
}
