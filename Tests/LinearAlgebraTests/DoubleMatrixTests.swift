import Kernels
import LinearAlgebra
import Tensors
import Testing

extension DoubleMatrix {
    /// Normally distributed.
    static func random(_ rows: Int, _ columns: Int, seed: UInt64) -> DoubleMatrix {
        var generator = Generator(seed: seed)
        return DoubleMatrix(generator.normal(shape: [rows, columns]))
    }
}

@Suite("Matrices of doubles", .serialized) struct DoubleMatrixTests {
    @Test(
        "a product has the sums of its rows",
        arguments: [(1, 1, 1), (3, 5, 7), (300, 259, 515), (36, 600, 2_048)])
    func products(_ m: Int, _ n: Int, _ k: Int) throws {
        let a = DoubleMatrix.random(m, k, seed: 1), b = DoubleMatrix.random(n, k, seed: 2)
        let product = try a.timesTransposed(b)
        for i in stride(from: 0, to: m, by: 7) {
            for j in stride(from: 0, to: n, by: 5) {
                let expected = zip(a.row(i), b.row(j)).reduce(0) { $0 + $1.0 * $1.1 }
                #expect(
                    abs(product[i, j] - expected) < 1e-12 * Double(k)
                        && abs(a.dot(i, b, j) - expected) < 1e-12 * Double(k))
            }
        }
        let gram = try a.gram()
        for i in stride(from: 0, to: m, by: 7) { for j in 0..<m { #expect(gram[i, j] == gram[j, i]) } }
    }

    @Test("results are the same with any number of threads, and from call to call")
    func threads() throws {
        let threads = ThreadPool.shared.threadCount
        defer { ThreadPool.shared.threadCount = threads }
        let a = DoubleMatrix.random(600, 300, seed: 3)
        func results() throws -> [[Double]] {
            let gram = try a.transposed.gram()
            let eigen = try SymmetricEigenvalues(gram, wantsVectors: true),
                cholesky = try PivotedCholesky(gram)
            return [
                gram.values, eigen.values, eigen.vectors.values, cholesky.factor.values,
                try cholesky.solved(a).values,
            ]
        }
        let first = try results()
        for count in [1, 2, 3, 1] {
            ThreadPool.shared.threadCount = count
            #expect(try results() == first)
        }
    }
}
