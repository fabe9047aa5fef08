import LinearAlgebra
import Testing

@Suite("Cholesky's decomposition") struct PivotedCholeskyTests {
    @Test(
        "the factor gives the matrix back, and its rank is found",
        arguments: [(1, 1), (6, 6), (40, 12), (300, 120)])
    func decomposition(_ width: Int, _ rank: Int) throws {
        let rows = DoubleMatrix.random(rank, width, seed: 5)
        let matrix = try rows.transposed.gram()
        let cholesky = try PivotedCholesky(matrix)
        #expect(cholesky.factor.rows == rank && cholesky.factor.columns == width)
        let back = try cholesky.factor.transposed.gram()
        let size = (0..<width).reduce(0) { max($0, matrix[$1, $1]) }
        for (a, b) in zip(back.values, matrix.values) { #expect(abs(a - b) < 1e-13 * size * Double(width)) }
        // Fᵀ q = x, for rows x in the range of the matrix.
        let solved = try cholesky.solved(rows)
        let again = try solved.timesTransposed(cholesky.factor.transposed)
        for (a, b) in zip(again.values, rows.values) { #expect(abs(a - b) < 1e-9) }
    }
}
