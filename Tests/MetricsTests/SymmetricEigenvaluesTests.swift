import Metrics
import Tensors
import TestSupport
import Testing

@Suite("Eigenvalues") struct SymmetricEigenvaluesTests {
    @Test("values and vectors give the matrix back, and the vectors are orthonormal", arguments: [1, 2, 3, 10, 65, 300])
    func decomposition(_ n: Int) {
        let a = Features.random(n, n, seed: UInt64(n)).gram
        let eigen = SymmetricEigenvectors(a)
        let vectors = eigen.vectors
        #expect(zip(eigen.values, eigen.values.dropFirst()).allSatisfy { $0 <= $1 })
        #expect(SymmetricEigenvalues(a).values == eigen.values)
        let size = eigen.values.last ?? 0
        let unit = vectors.gram
        var scaled = vectors
        for i in 0..<n { for j in 0..<n { scaled[i, j] *= eigen.values[i] } }
        let back = vectors.transposed.timesTransposed(scaled.transposed)
        for i in 0..<n {
            for j in 0..<n {
                #expect(abs(unit[i, j] - (i == j ? 1 : 0)) < 1e-12)
                #expect(abs(back[i, j] - a[i, j]) < 1e-12 * size)
            }
        }
    }

    @Test("the second difference has its known eigenvalues; diagonal, zero and repeated ones too")
    func known() {
        let n = 50
        var matrix = DoubleMatrix(zeros: n, n)
        for i in 0..<n {
            matrix[i, i] = 2
            if i > 0 { (matrix[i, i - 1], matrix[i - 1, i]) = (-1, -1) }
        }
        // Their sum is the trace, the sum of their squares that of all elements, their product n + 1.
        let values = SymmetricEigenvalues(matrix).values
        #expect(abs(values.reduce(0, +) - 100) < 1e-12 && abs(values.reduce(0) { $0 + $1 * $1 } - 298) < 1e-11)
        #expect(abs(values.reduce(1, *) - 51) < 1e-10)
        #expect(SymmetricEigenvalues(DoubleMatrix(zeros: 4, 4)).values == [0, 0, 0, 0])
        #expect(SymmetricEigenvalues(DoubleMatrix(rows: 3, columns: 3, values: [3, 0, 0, 0, -1, 0, 0, 0, 3])).values == [-1, 3, 3])
        #expect(SymmetricEigenvalues(DoubleMatrix(zeros: 0, 0)).values.isEmpty)
    }
}
