internal import Kernels
internal import Tensors

/// The main directions of a few thousand vectors of a few thousand numbers, by subspace iteration with the
/// engine's products (Halko, Martinsson and Tropp 2011): sums run in one order, so the same vectors give the
/// same directions.
struct MainDirections {
    let mean: [Float]
    /// Unit vectors, the greatest variance first.
    private(set) var directions: [[Float]]
    private(set) var variances: [Double]

    private static let rounds = 12

    init(of vectors: [[Float]], count: Int) {
        let width = vectors[0].count, rows = vectors.count
        var sums = [Double](repeating: 0, count: width)
        for vector in vectors { for i in 0..<width { sums[i] += Double(vector[i]) } }
        let mean = sums.map { Float($0 / Double(rows)) }
        self.mean = mean
        let centred = Tensor(shape: [rows, width]) { out in
            for (row, vector) in vectors.enumerated() {
                for i in 0..<width { out[row * width + i] = vector[i] - mean[i] }
            }
        }
        let across = Self.transposed(centred)
        let extra = min(width, rows, count + 8)
        var generator = Generator(seed: 0)
        var vectors = Self.orthonormal(
            Tensor(
                shape: [extra, width], values: generator.normalDoubles(count: extra * width).map { Float($0) }
            ))
        var spread: [Double] = []
        for _ in 0..<Self.rounds {
            // [rows, extra], then back: the covariance times each vector.
            let seen = Self.product(centred, transposed: vectors)
            let back = Self.product(Self.transposed(seen), transposed: across)
            spread = (0..<extra).map { row in
                seen.withUnsafePointer { source in
                    (0..<rows).reduce(0.0) {
                        $0 + Double(source[$1 * extra + row]) * Double(source[$1 * extra + row])
                    }
                }
                    / Double(rows)
            }
            vectors = Self.orthonormal(back)
        }
        let order = spread.indices.sorted { spread[$0] == spread[$1] ? $0 < $1 : spread[$0] > spread[$1] }
            .prefix(count)
        directions = order.map { vectors[$0].values }
        variances = order.map { max(spread[$0], 1e-9) }
    }

    func coordinates(of vector: [Float]) -> [Double] {
        directions.map { direction in
            var sum = 0.0
            for i in vector.indices { sum += Double(direction[i]) * Double(vector[i] - mean[i]) }
            return sum
        }
    }

    /// a · bᵀ for `[m, k]` and `[n, k]`.
    private static func product(_ a: Tensor, transposed b: Tensor) -> Tensor {
        let packed = b.withUnsafePointer {
            PackedMatrix(weights: $0, outputs: b.shape[0], channels: b.shape[1], taps: 1, bias: nil)
        }
        return Tensor(shape: [a.shape[0], b.shape[0]]) { out in
            a.withUnsafePointer {
                matrixProduct(
                    $0, rows: a.shape[0], inputStride: a.shape[1], by: packed, into: out,
                    outputStride: b.shape[0])
            }
        }
    }

    private static func transposed(_ a: Tensor) -> Tensor {
        let rows = a.shape[0], columns = a.shape[1]
        return a.withUnsafePointer { source in
            Tensor(shape: [columns, rows]) { out in
                for i in 0..<rows { for j in 0..<columns { out[j * rows + i] = source[i * columns + j] } }
            }
        }
    }

    /// Gram and Schmidt, modified, each vector twice.
    private static func orthonormal(_ vectors: Tensor) -> Tensor {
        let count = vectors.shape[0], width = vectors.shape[1]
        var result = vectors
        result.withUnsafeMutablePointer { v in
            for i in 0..<count {
                for _ in 0..<2 {
                    for j in 0..<i {
                        var share: Float = 0
                        for k in 0..<width { share += v[i * width + k] * v[j * width + k] }
                        for k in 0..<width { v[i * width + k] -= share * v[j * width + k] }
                    }
                }
                var squares = 0.0
                for k in 0..<width { squares += Double(v[i * width + k]) * Double(v[i * width + k]) }
                let length = Float(max(squares.squareRoot(), 1e-20))
                for k in 0..<width { v[i * width + k] /= length }
            }
        }
        return result
    }
}
