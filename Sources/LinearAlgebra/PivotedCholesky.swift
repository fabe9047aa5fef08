internal import Kernels

/// F with Fᵀ F = S for a positive semidefinite S, by Cholesky's method with diagonal pivoting (Higham 1990),
/// which also finds the rank: it ends where all that is left of the diagonal is rounding.
package struct PivotedCholesky: Sendable {
    /// [rank, width], its columns in the order of S.
    package let factor: DoubleMatrix
    /// The same with the columns in the order of the steps, upper triangular, `width` from row to row; what
    /// stands below is not part of it.
    private let triangle: [Double]
    /// The column of S that each step took, then the others.
    private let order: [Int]

    package init(_ matrix: DoubleMatrix) throws {
        let n = matrix.rows
        precondition(n == matrix.columns, "a square matrix is needed, this is \(n) x \(matrix.columns)")
        try OpenBLAS.checkSize(n)
        let library = try OpenBLAS.ready()
        let enough = (0..<n).reduce(0) { max($0, matrix[$1, $1]) } * Double(n) * 2.3e-16
        var work = matrix.values
        let (order, rank) = work.withUnsafeMutableBufferPointer { work in
            work.baseAddress.map { library.pivotedCholesky(of: $0, n, tolerance: enough) } ?? ([], 0)
        }
        var factor = DoubleMatrix(zeros: rank, n)
        for row in 0..<rank { for place in row..<n { factor[row, order[place]] = work[row * n + place] } }
        self.factor = factor
        self.order = order
        triangle = work
    }

    /// Rows q with Fᵀ q = x for rows x in the range of S.
    package func solved(_ x: DoubleMatrix) throws -> DoubleMatrix {
        let library = try OpenBLAS.ready()
        let rank = factor.rows, width = factor.columns, together = 256
        var result = DoubleMatrix(
            rows: x.rows, columns: rank,
            values: (0..<x.rows).flatMap { row in order[0..<rank].map { x[row, $0] } })
        triangle.withUnsafeBufferPointer { triangle in
            result.values.withUnsafeMutableBufferPointer { result in
                guard let triangle = triangle.baseAddress, let result = result.baseAddress else { return }
                OpenBLAS.run((x.rows + together - 1) / together) { chunk in
                    let first = chunk * together
                    library.solve(
                        triangle, rank: rank, stride: width, result + first * rank,
                        rows: min(together, x.rows - first))
                }
            }
        }
        return result
    }
}
