internal import Kernels

/// Eigenvalues of a symmetric matrix: Householder's reduction to tridiagonal form and the QL iteration with implicit shifts (Bowdler, Martin,
/// Reinsch, Wilkinson 1968). Errors are some units in the last place of the largest value.
package struct SymmetricEigenvalues: Sendable {
    /// Ascending.
    package let values: [Double]
    fileprivate let basis: DoubleMatrix

    /// Both triangles of `matrix` must be filled.
    package init(_ matrix: DoubleMatrix) { self.init(matrix, wantsVectors: false) }

    fileprivate init(_ matrix: DoubleMatrix, wantsVectors: Bool) {
        precondition(matrix.rows == matrix.columns, "a symmetric matrix is square, this is \(matrix.rows) x \(matrix.columns)")
        let n = matrix.rows
        var work = matrix.values
        var (diagonal, off, factors) = Self.tridiagonalised(&work, n)
        var vectors = wantsVectors ? Self.basis(work, factors, n) : []
        Self.iterate(&diagonal, &off, &vectors)
        let order = (0..<n).sorted { diagonal[$0] < diagonal[$1] }
        values = order.map { diagonal[$0] }
        basis =
            wantsVectors ? DoubleMatrix(rows: n, columns: n, values: order.flatMap { vectors[$0 * n..<($0 + 1) * n] }) : DoubleMatrix(zeros: 0, 0)
    }

    /// Leaves Householder's vector of step k in row k of `a`, from column k + 1 on, and gives the diagonal, the elements beside it
    /// (element k between k and k + 1) and the factor 2 / vᵀv of each step.
    ///
    /// One pass over the matrix per step: a row takes the last step's update and at once gives its product with the next vector.
    private static func tridiagonalised(_ a: inout [Double], _ n: Int) -> (diagonal: [Double], off: [Double], factors: [Double]) {
        var diagonal = [Double](repeating: 0, count: n), off = [Double](repeating: 0, count: n), factors = [Double](repeating: 0, count: n)
        var products = [Double](repeating: 0, count: n), change = [Double](repeating: 0, count: n)
        a.withUnsafeMutableBufferPointer { buffer in
            products.withUnsafeMutableBufferPointer { products in
                change.withUnsafeMutableBufferPointer { change in
                    guard let a = buffer.baseAddress, let products = products.baseAddress, let change = change.baseAddress else { return }
                    let (matrix, p, w) = (a, products, change)
                    for k in 0..<n {
                        let row = matrix + k * n
                        // The last step's update of row k itself; the rows below follow in the pass.
                        let last = k > 0 ? matrix + (k - 1) * n : nil
                        if let last, factors[k - 1] != 0 { update(row, from: k, to: n, last, w, k) }
                        diagonal[k] = row[k]
                        guard k + 1 < n else { break }
                        (off[k], factors[k]) = householder(row + k + 1, n - k - 1)
                        let factor = factors[k]
                        let hasUpdate = k > 0 && factors[k - 1] != 0
                        let first = k + 1
                        let previous = last
                        forEachRow(first..<n, width: n - first) { i in
                            let other = matrix + i * n
                            if hasUpdate, let previous { update(other, from: first, to: n, previous, w, i) }
                            p[i] = factor == 0 ? 0 : factor * dotProduct(other + first, row + first, n - first)
                        }
                        let half = factor / 2 * dotProduct(p + first, row + first, n - first)
                        for i in first..<n { w[i] = p[i] - half * row[i] }
                    }
                }
            }
        }
        return (diagonal, off, factors)
    }

    /// row[from..<to] -= v[i] w + w[i] v.
    @inline(__always)
    private static func update(_ row: UnsafeMutablePointer<Double>, from: Int, to: Int, _ v: UnsafePointer<Double>, _ w: UnsafePointer<Double>, _ i: Int) {
        let (vi, wi) = (v[i], w[i])
        for j in from..<to { row[j] -= vi * w[j] + wi * v[j] }
    }

    /// Replaces x by v such that (1 - factor v vᵀ) x = (value, 0, 0, ...).
    private static func householder(_ x: UnsafeMutablePointer<Double>, _ count: Int) -> (value: Double, factor: Double) {
        var largest = 0.0
        for i in 0..<count { largest = max(largest, abs(x[i])) }
        var tail = 0.0
        if largest > 0 { for i in 1..<max(count, 1) { tail += (x[i] / largest) * (x[i] / largest) } }
        guard tail > 0 else { return (x[0], 0) }
        let head = x[0] / largest
        let norm = (head * head + tail).squareRoot()
        let value = head > 0 ? -norm : norm
        for i in 0..<count { x[i] /= largest }
        x[0] = head - value
        return (value * largest, 2 / (x[0] * x[0] + tail))
    }

    /// Spread over threads where there is enough to do.
    private static func forEachRow(_ rows: Range<Int>, width: Int, _ body: (Int) -> Void) {
        guard rows.count * width > 60_000 else { return rows.forEach(body) }
        let chunks = 16, size = (rows.count + chunks - 1) / chunks
        ThreadPool.shared.run(chunks) { chunk in
            let start = rows.lowerBound + chunk * size
            for i in start..<max(start, min(rows.upperBound, start + size)) { body(i) }
        }
    }

    /// Row j: column j of the product of all reflections.
    private static func basis(_ reflections: [Double], _ factors: [Double], _ n: Int) -> [Double] {
        var basis = [Double](repeating: 0, count: n * n)
        for i in 0..<n { basis[i * n + i] = 1 }
        reflections.withUnsafeBufferPointer { reflections in
            basis.withUnsafeMutableBufferPointer { basis in
                guard let from = reflections.baseAddress, let to = basis.baseAddress else { return }
                // Column j of H0 H1 ... : the last reflection first, each row of the result by itself.
                forEachRow(0..<n, width: n * 8) { j in
                    let row = to + j * n
                    for k in stride(from: n - 2, through: 0, by: -1) where factors[k] != 0 {
                        let v = from + k * n, first = k + 1
                        let scale = factors[k] * dotProduct(v + first, row + first, n - first)
                        if scale == 0 { continue }
                        for i in first..<n { row[i] -= scale * v[i] }
                    }
                }
            }
        }
        return basis
    }

    /// The QL iteration; `basis` is empty or holds n rows, which it turns into the eigenvectors.
    private static func iterate(_ d: inout [Double], _ e: inout [Double], _ basis: inout [Double]) {
        let n = d.count
        var rotations = Rotations(n: n, isKept: !basis.isEmpty)
        for l in 0..<n {
            var turns = 0
            while true {
                var m = l
                while m + 1 < n {
                    let size = abs(d[m]) + abs(d[m + 1])
                    if abs(e[m]) <= 1.2e-16 * size { break }
                    m += 1
                }
                if m == l { break }
                turns += 1
                // Wilkinson's shift converges in two or three turns; NaN never would.
                guard turns < 80 else { break }
                var g = (d[l + 1] - d[l]) / (2 * e[l])
                var r = (g * g + 1).squareRoot()
                g = d[m] - d[l] + e[l] / (g + (g < 0 ? -r : r))
                var s = 1.0, c = 1.0, p = 0.0
                var i = m - 1
                var isSplit = false
                while i >= l {
                    let f = s * e[i], b = c * e[i]
                    r = (f * f + g * g).squareRoot()
                    e[i + 1] = r
                    if r == 0 {
                        d[i + 1] -= p
                        e[m] = 0
                        isSplit = true
                        break
                    }
                    s = f / r
                    c = g / r
                    g = d[i + 1] - p
                    r = (d[i] - g) * s + 2 * c * b
                    p = s * r
                    d[i + 1] = g + p
                    g = c * r - b
                    rotations.append(i, s, c, to: &basis)
                    i -= 1
                }
                if isSplit { continue }
                d[l] -= p
                e[l] = g
                e[m] = 0
            }
        }
        rotations.apply(to: &basis)
    }

    /// Rotations of neighbouring rows, gathered, and applied strip by strip so that a strip stays in the cache.
    private struct Rotations {
        let n: Int
        let isKept: Bool
        private var rows: [Int] = [], sines: [Double] = [], cosines: [Double] = []

        init(n: Int, isKept: Bool) { (self.n, self.isKept) = (n, isKept) }

        mutating func append(_ row: Int, _ sine: Double, _ cosine: Double, to basis: inout [Double]) {
            guard isKept else { return }
            rows.append(row)
            sines.append(sine)
            cosines.append(cosine)
            if rows.count >= 32 * n { apply(to: &basis) }
        }

        mutating func apply(to basis: inout [Double]) {
            guard !rows.isEmpty else { return }
            let strip = 32, count = rows.count, n = n
            basis.withUnsafeMutableBufferPointer { basis in
                guard let basis = basis.baseAddress else { return }
                let values = basis
                ThreadPool.shared.run((n + strip - 1) / strip) { chunk in
                    let start = chunk * strip, width = min(strip, n - start)
                    for index in 0..<count {
                        let (s, c) = (sines[index], cosines[index])
                        let lower = values + rows[index] * n + start, upper = lower + n
                        for k in 0..<width {
                            let (a, b) = (lower[k], upper[k])
                            upper[k] = s * a + c * b
                            lower[k] = c * a - s * b
                        }
                    }
                }
            }
            rows.removeAll(keepingCapacity: true)
            sines.removeAll(keepingCapacity: true)
            cosines.removeAll(keepingCapacity: true)
        }
    }
}

/// The same with unit eigenvectors, which take about five times as long.
package struct SymmetricEigenvectors: Sendable {
    /// Ascending.
    package let values: [Double]
    /// Row i belongs to `values[i]`.
    package let vectors: DoubleMatrix

    package init(_ matrix: DoubleMatrix) {
        let eigen = SymmetricEigenvalues(matrix, wantsVectors: true)
        (values, vectors) = (eigen.values, eigen.basis)
    }
}
