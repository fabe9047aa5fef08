internal import LinearAlgebra

/// The directions of greatest variance of a covariance matrix, by subspace iteration (Golub and Van Loan,
/// section 8.2): the products and the orthogonalisation run in one order, so the same data gives the same
/// directions on every machine.
struct PrincipalDirections {
    /// Unit vectors, the greatest variance first; the sign is such that the component of greatest size is
    /// positive.
    let directions: [[Double]]
    let variances: [Double]

    init(_ covariance: [[Double]], count: Int, rounds: Int = 60) {
        let width = covariance.count
        // A start without chance: unit vectors of the largest entries on the diagonal, ties by index, each
        // with a little of all others.
        let order = (0..<width).sorted { (a: Int, b: Int) -> Bool in
            covariance[a][a] == covariance[b][b] ? a < b : covariance[a][a] > covariance[b][b]
        }
        var vectors: [[Double]] = order.prefix(count).map { (index: Int) -> [Double] in
            var vector = (0..<width).map { 1e-3 / Double(1 + ($0 + index) % 7) }
            vector[index] = 1
            return vector
        }
        for _ in 0..<rounds { vectors = Self.orthonormal(vectors.map { Self.product(covariance, $0) }) }
        // The basis is turned so that each vector is a direction of its own: one Rayleigh-Ritz step by
        // Jacobi's rotations.
        let images = vectors.map { Self.product(covariance, $0) }
        var small = vectors.map { v in images.map { dotInOrder(v, $0) } }
        let turn = Self.jacobi(&small)
        var found: [(variance: Double, vector: [Double])] = []
        for k in vectors.indices {
            var vector = [Double](repeating: 0, count: width)
            for (i, v) in vectors.enumerated() { for j in 0..<width { vector[j] += turn[i][k] * v[j] } }
            let largest = vector.max { abs($0) < abs($1) } ?? 1
            found.append((max(small[k][k], 1e-12), largest < 0 ? vector.map { -$0 } : vector))
        }
        found.sort { $0.variance > $1.variance }
        directions = found.map(\.vector)
        variances = found.map(\.variance)
    }

    private static func product(_ matrix: [[Double]], _ vector: [Double]) -> [Double] {
        matrix.map { dotInOrder($0, vector) }
    }

    /// Gram and Schmidt, modified; a vector that vanishes is left out.
    private static func orthonormal(_ vectors: [[Double]]) -> [[Double]] {
        var result: [[Double]] = []
        for vector in vectors {
            var v = vector
            for _ in 0..<2 {
                for other in result {
                    let share = dotInOrder(v, other)
                    for i in v.indices { v[i] -= share * other[i] }
                }
            }
            let norm = dotInOrder(v, v).squareRoot()
            if norm > 1e-12 { result.append(v.map { $0 / norm }) }
        }
        return result
    }

    /// Makes a symmetric matrix diagonal; gives the rotation's columns as `[row][column]`.
    private static func jacobi(_ a: inout [[Double]]) -> [[Double]] {
        let n = a.count
        var v = (0..<n).map { i in (0..<n).map { $0 == i ? 1.0 : 0.0 } }
        for _ in 0..<30 {
            var rest = 0.0
            for p in 0..<n { for q in p + 1..<max(n, p + 1) { rest += a[p][q] * a[p][q] } }
            if rest < 1e-22 { break }
            for p in 0..<n {
                for q in p + 1..<max(n, p + 1) where abs(a[p][q]) > 1e-300 {
                    let theta = (a[q][q] - a[p][p]) / (2 * a[p][q])
                    let t = (theta < 0 ? -1.0 : 1.0) / (abs(theta) + (theta * theta + 1).squareRoot())
                    let c = 1 / (t * t + 1).squareRoot(), s = t * c
                    for k in 0..<n {
                        (a[k][p], a[k][q]) = (c * a[k][p] - s * a[k][q], s * a[k][p] + c * a[k][q])
                    }
                    for k in 0..<n {
                        (a[p][k], a[q][k]) = (c * a[p][k] - s * a[q][k], s * a[p][k] + c * a[q][k])
                    }
                    for k in 0..<n {
                        (v[k][p], v[k][q]) = (c * v[k][p] - s * v[k][q], s * v[k][p] + c * v[k][q])
                    }
                }
            }
        }
        return v
    }
}
