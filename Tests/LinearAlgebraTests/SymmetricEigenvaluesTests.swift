import LinearAlgebra
import Tensors
import TestSupport
import Testing

@Suite("Eigenvalues") struct SymmetricEigenvaluesTests {
    @Test(
        "values and vectors give the matrix back, and the vectors are orthonormal",
        arguments: [1, 2, 3, 10, 65, 300])
    func decomposition(_ n: Int) throws {
        let a = try DoubleMatrix.random(n, n, seed: UInt64(n)).gram()
        let eigen = try SymmetricEigenvalues(a, wantsVectors: true)
        let vectors = eigen.vectors
        #expect(zip(eigen.values, eigen.values.dropFirst()).allSatisfy { $0 <= $1 })
        let size = eigen.values.last ?? 0
        for (alone, value) in try zip(SymmetricEigenvalues(a).values, eigen.values) {
            #expect(abs(alone - value) < 1e-13 * size)
        }
        let unit = try vectors.gram()
        var scaled = vectors
        for i in 0..<n { for j in 0..<n { scaled[i, j] *= eigen.values[i] } }
        let back = try vectors.transposed.timesTransposed(scaled.transposed)
        for i in 0..<n {
            for j in 0..<n {
                #expect(abs(unit[i, j] - (i == j ? 1 : 0)) < 1e-12)
                #expect(abs(back[i, j] - a[i, j]) < 1e-12 * size)
            }
        }
    }

    @Test("the second difference has its known eigenvalues; diagonal, zero and repeated ones too")
    func known() throws {
        let n = 50
        var matrix = DoubleMatrix(zeros: n, n)
        for i in 0..<n {
            matrix[i, i] = 2
            if i > 0 { (matrix[i, i - 1], matrix[i - 1, i]) = (-1, -1) }
        }
        // Their sum is the trace, the sum of their squares that of all elements, their product n + 1.
        let values = try SymmetricEigenvalues(matrix).values
        #expect(
            abs(values.reduce(0, +) - 100) < 1e-12 && abs(values.reduce(0) { $0 + $1 * $1 } - 298) < 1e-11)
        #expect(abs(values.reduce(1, *) - 51) < 1e-10)
        #expect(try SymmetricEigenvalues(DoubleMatrix(zeros: 4, 4)).values == [0, 0, 0, 0])
        let diagonal = DoubleMatrix(rows: 3, columns: 3, values: [3, 0, 0, 0, -1, 0, 0, 0, 3])
        #expect(try SymmetricEigenvalues(diagonal).values == [-1, 3, 3])
        #expect(try SymmetricEigenvalues(DoubleMatrix(zeros: 0, 0)).values.isEmpty)
    }

    @Test("a matrix with NaN has values of NaN")
    func hostile() throws {
        let broken = DoubleMatrix(rows: 2, columns: 2, values: [.nan, 0, 0, 1])
        #expect(try SymmetricEigenvalues(broken).values.contains { $0.isNaN })
    }
}
