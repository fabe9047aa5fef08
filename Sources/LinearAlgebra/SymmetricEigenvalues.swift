internal import Kernels

/// Eigenvalues of a symmetric matrix, and its unit eigenvectors where they are wanted, which take about three
/// times as long (LAPACK's dsyevd). Errors are some units in the last place of the largest value.
package struct SymmetricEigenvalues: Sendable {
    /// Ascending; NaN where none are found, as of a matrix with NaN.
    package let values: [Double]
    /// Row i belongs to `values[i]`; empty where they are not wanted.
    package let vectors: DoubleMatrix

    package init(_ matrix: DoubleMatrix, wantsVectors: Bool = false) throws {
        precondition(
            matrix.rows == matrix.columns,
            "a symmetric matrix is square, this is \(matrix.rows) x \(matrix.columns)")
        let n = matrix.rows
        try OpenBLAS.checkSize(n)
        let library = try OpenBLAS.ready()
        var work = matrix.values
        let isFinite = work.allSatisfy(\.isFinite)
        let found = work.withUnsafeMutableBufferPointer { work -> [Double]? in
            guard isFinite, let base = work.baseAddress else { return nil }
            return library.eigenvalues(of: base, n, wantsVectors: wantsVectors)
        }
        values = found ?? [Double](repeating: .nan, count: n)
        vectors = wantsVectors ? DoubleMatrix(rows: n, columns: n, values: work) : DoubleMatrix(zeros: 0, 0)
    }
}
