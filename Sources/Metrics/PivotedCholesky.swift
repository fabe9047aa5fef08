internal import Kernels

/// F with Fᵀ F = S for a positive semidefinite S, by Cholesky's method with diagonal pivoting (Higham 1990), which also finds the rank:
/// it ends where all that is left of the diagonal is rounding.
struct PivotedCholesky {
    /// [rank, width], its columns in the order of S. In the order of `pivots` it is upper triangular.
    let factor: DoubleMatrix
    /// The column of S that each step took.
    let pivots: [Int]

    init(_ matrix: DoubleMatrix) {
        let n = matrix.rows
        precondition(n == matrix.columns, "a square matrix is needed, this is \(n) x \(matrix.columns)")
        var rest = (0..<n).map { matrix[$0, $0] }
        let enough = (rest.max() ?? 0) * Double(n) * 2.3e-16
        var order = Array(0..<n)
        // Row i holds column i of the factor so far, so that a step is one product of rows per column.
        var columns = [Double](repeating: 0, count: n * n)
        var rank = 0
        while rank < n {
            guard let best = (rank..<n).max(by: { rest[order[$0]] < rest[order[$1]] }), rest[order[best]] > enough else { break }
            order.swapAt(rank, best)
            let pivot = order[rank], root = rest[pivot].squareRoot()
            let step = rank
            columns.withUnsafeMutableBufferPointer { columns in
                rest.withUnsafeMutableBufferPointer { rest in
                    guard let base = columns.baseAddress, let left = rest.baseAddress else { return }
                    let own = base + pivot * n
                    own[step] = root
                    func eliminate(_ places: Range<Int>) {
                        for place in places {
                            let other = order[place]
                            let value = (matrix.values[pivot * n + other] - dotProduct(own, base + other * n, step)) / root
                            base[other * n + step] = value
                            left[other] -= value * value
                        }
                    }
                    let count = n - step - 1
                    guard count * step > 60_000 else { return eliminate(step + 1..<n) }
                    let size = (count + 15) / 16
                    ThreadPool.shared.run(16) { chunk in
                        let start = step + 1 + chunk * size
                        eliminate(start..<max(start, min(n, start + size)))
                    }
                }
            }
            rank += 1
        }
        let all = DoubleMatrix(rows: n, columns: n, values: columns).transposed
        factor = DoubleMatrix(rows: rank, columns: n, values: Array(all.values[0..<rank * n]))
        pivots = Array(order[0..<rank])
    }

    /// Rows q with Fᵀ q = x for rows x in the range of S.
    func solved(_ x: DoubleMatrix) -> DoubleMatrix {
        let rank = pivots.count
        // In the pivots' order Fᵀ is lower triangular; row i of this holds what stands left of its diagonal, and the diagonal.
        let lower = DoubleMatrix(rows: rank, columns: rank, values: pivots.flatMap { column in (0..<rank).map { factor[$0, column] } })
        var result = DoubleMatrix(zeros: x.rows, rank)
        lower.values.withUnsafeBufferPointer { lower in
            result.values.withUnsafeMutableBufferPointer { result in
                guard let lower = lower.baseAddress, let result = result.baseAddress else { return }
                ThreadPool.shared.run(x.rows) { row in
                    let q = result + row * rank
                    for i in 0..<rank {
                        let own = lower + i * rank
                        q[i] = (x[row, pivots[i]] - dotProduct(own, q, i)) / own[i]
                    }
                }
            }
        }
        return result
    }
}
