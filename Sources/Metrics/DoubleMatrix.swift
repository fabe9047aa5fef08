internal import Kernels
package import Tensors

/// A matrix of doubles in row-major order: what the distances between sets of features are computed in.
package struct DoubleMatrix: Sendable, Equatable {
    package let rows: Int
    package let columns: Int
    package internal(set) var values: [Double]

    package init(rows: Int, columns: Int, values: [Double]) {
        precondition(values.count == rows * columns, "\(rows) x \(columns) values, \(values.count) given")
        (self.rows, self.columns, self.values) = (rows, columns, values)
    }

    package init(zeros rows: Int, _ columns: Int) { self.init(rows: rows, columns: columns, values: [Double](repeating: 0, count: rows * columns)) }

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

    package subscript(row: Int, column: Int) -> Double {
        get { values[row * columns + column] }
        set { values[row * columns + column] = newValue }
    }

    package func row(_ index: Int) -> ArraySlice<Double> { values[index * columns..<(index + 1) * columns] }

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
                            for j in left..<min(left + 32, columns) { to[j * rows + i] = from[i * columns + j] }
                        }
                    }
                }
                written = rows * columns
            }
        }
        return DoubleMatrix(rows: columns, columns: rows, values: out)
    }

    package var columnMeans: [Double] {
        var sums = [Double](repeating: 0, count: columns)
        values.withUnsafeBufferPointer { from in
            for i in 0..<rows {
                for j in 0..<columns { sums[j] += from[i * columns + j] }
            }
        }
        return sums.map { $0 / Double(rows) }
    }

    /// Each row less `mean`, times `scale`.
    func centred(on mean: [Double], scale: Double = 1) -> DoubleMatrix {
        var result = self
        let columns = columns
        result.values.withUnsafeMutableBufferPointer { to in
            for i in 0..<rows {
                for j in 0..<columns { to[i * columns + j] = (to[i * columns + j] - mean[j]) * scale }
            }
        }
        return result
    }

    /// The sum of all squares.
    var squaredNorm: Double {
        values.withUnsafeBufferPointer { dotProduct($0.baseAddress, $0.baseAddress, values.count) }
    }

    /// A · Bᵀ, where both have rows of one width: `[rows, other.rows]`.
    package func timesTransposed(_ other: DoubleMatrix) -> DoubleMatrix {
        precondition(columns == other.columns, "rows of \(columns) against rows of \(other.columns)")
        return DoubleMatrix(product: self, other, lowerOnly: false)
    }

    /// A · Aᵀ.
    package var gram: DoubleMatrix {
        var result = DoubleMatrix(product: self, self, lowerOnly: true)
        let n = rows
        result.values.withUnsafeMutableBufferPointer { values in
            for i in 0..<n {
                for j in 0..<i { values[j * n + i] = values[i * n + j] }
            }
        }
        return result
    }

    /// Each element's sum runs over blocks of `depth` in order, within one over four lanes: the same whatever the number of rows or threads.
    private init(product a: DoubleMatrix, _ b: DoubleMatrix, lowerOnly: Bool) {
        let (m, n, k) = (a.rows, b.rows, a.columns)
        var out = [Double](repeating: 0, count: m * n)
        let depth = 512, height = 96, width = 48
        let across = (n + width - 1) / width, down = (m + height - 1) / height
        a.values.withUnsafeBufferPointer { a in
            b.values.withUnsafeBufferPointer { b in
                out.withUnsafeMutableBufferPointer { out in
                    guard let a = a.baseAddress, let b = b.baseAddress, let out = out.baseAddress else { return }
                    ThreadPool.shared.run(across * down) { chunk in
                        let top = chunk / across * height, left = chunk % across * width
                        let bottom = min(top + height, m), right = min(left + width, n)
                        if lowerOnly, left >= bottom { return }
                        for start in stride(from: 0, to: k, by: depth) {
                            let length = min(depth, k - start)
                            var i = top
                            while i < bottom {
                                var j = left
                                while j < right {
                                    productTile(
                                        a + i * k + start, rows: min(4, bottom - i), b + j * k + start, columns: min(3, right - j), stride: k, length: length,
                                        out + i * n + j, n)
                                    j += 3
                                }
                                i += 4
                            }
                        }
                    }
                }
            }
        }
        self.init(rows: m, columns: n, values: out)
    }
}

private typealias D4 = SIMD4<Double>

@inline(__always) private func load(_ pointer: UnsafePointer<Double>, _ offset: Int) -> D4 { UnsafeRawPointer(pointer + offset).loadUnaligned(as: D4.self) }

/// The sum of the products of two rows, over eight lanes in a fixed order.
func dotProduct(_ a: UnsafePointer<Double>?, _ b: UnsafePointer<Double>?, _ count: Int) -> Double {
    guard let a, let b else { return 0 }
    var low = D4.zero, high = D4.zero
    var i = 0
    while i &+ 8 <= count {
        low.addProduct(load(a, i), load(b, i))
        high.addProduct(load(a, i &+ 4), load(b, i &+ 4))
        i &+= 8
    }
    var sum = (low + high).sum()
    while i < count {
        sum += a[i] * b[i]
        i &+= 1
    }
    return sum
}

/// out[i][j] += a row i · b row j for up to 4 rows and 3 columns: twelve running sums in registers. What lies beyond repeats the last.
@inline(never)
private func productTile(
    _ a: UnsafePointer<Double>, rows: Int, _ b: UnsafePointer<Double>, columns: Int, stride: Int, length: Int, _ out: UnsafeMutablePointer<Double>,
    _ outStride: Int
) {
    let a0 = a, a1 = a + min(1, rows - 1) * stride, a2 = a + min(2, rows - 1) * stride, a3 = a + min(3, rows - 1) * stride
    let b0 = b, b1 = b + min(1, columns - 1) * stride, b2 = b + min(2, columns - 1) * stride
    var c00 = D4.zero, c01 = D4.zero, c02 = D4.zero
    var c10 = D4.zero, c11 = D4.zero, c12 = D4.zero
    var c20 = D4.zero, c21 = D4.zero, c22 = D4.zero
    var c30 = D4.zero, c31 = D4.zero, c32 = D4.zero
    var k = 0
    while k &+ 4 <= length {
        let x = load(b0, k), y = load(b1, k), z = load(b2, k)
        var r = load(a0, k)
        c00.addProduct(r, x); c01.addProduct(r, y); c02.addProduct(r, z)
        r = load(a1, k)
        c10.addProduct(r, x); c11.addProduct(r, y); c12.addProduct(r, z)
        r = load(a2, k)
        c20.addProduct(r, x); c21.addProduct(r, y); c22.addProduct(r, z)
        r = load(a3, k)
        c30.addProduct(r, x); c31.addProduct(r, y); c32.addProduct(r, z)
        k &+= 4
    }
    // The rest of the row, in the first lane.
    while k < length {
        let x = b0[k], y = b1[k], z = b2[k]
        c00[0] += a0[k] * x; c01[0] += a0[k] * y; c02[0] += a0[k] * z
        c10[0] += a1[k] * x; c11[0] += a1[k] * y; c12[0] += a1[k] * z
        c20[0] += a2[k] * x; c21[0] += a2[k] * y; c22[0] += a2[k] * z
        c30[0] += a3[k] * x; c31[0] += a3[k] * y; c32[0] += a3[k] * z
        k &+= 1
    }
    @inline(__always) func add(_ row: Int, _ x: D4, _ y: D4, _ z: D4) {
        guard row < rows else { return }
        let to = out + row * outStride
        to[0] += x.sum()
        if columns > 1 { to[1] += y.sum() }
        if columns > 2 { to[2] += z.sum() }
    }
    add(0, c00, c01, c02)
    add(1, c10, c11, c12)
    add(2, c20, c21, c22)
    add(3, c30, c31, c32)
}
