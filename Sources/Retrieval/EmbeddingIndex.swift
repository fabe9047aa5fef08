import Tensors

/// One row found, with its cosine to the query.
package struct Neighbour: Sendable, Equatable {
    package let row: Int
    package let similarity: Double

    package init(row: Int, similarity: Double) {
        self.row = row
        self.similarity = similarity
    }
}

/// Exact nearest rows by cosine: the highest similarity first, of equal ones the lowest row. A pass in single precision drops what cannot
/// be among the nearest, by the rounding error bound of a dot product of unit vectors; what remains is computed again in double precision
/// in one fixed order, so that the answer depends neither on the number of queries nor on the machine.
package struct EmbeddingIndex: Sendable {
    private let vectors: Tensor
    /// Rows scaled to length 1; zero rows stay zero.
    private let units: Tensor
    private let lengths: [Double]

    package var count: Int { vectors.shape[0] }
    package var width: Int { vectors.shape[1] }

    /// `vectors`: [rows, width]. Their lengths do not matter. A row of zeros has similarity 0 to everything; NaN and infinity are errors.
    package init(vectors: Tensor) throws {
        guard vectors.rank == 2, vectors.shape[1] > 0 else {
            throw EngineError(.shape, "expected embeddings of shape [rows, width], found \(vectors.shape)")
        }
        guard vectors.shape[0] > 0 else { throw EngineError(.data, "there is nothing to retrieve from: the table is empty") }
        self.vectors = vectors
        lengths = try Self.lengths(of: vectors, called: "row")
        units = Self.scaled(vectors, lengths: lengths)
    }

    /// For each row of `queries` ([count, width]) its `top` nearest rows, or all of them if there are fewer.
    package func nearest(_ queries: Tensor, top: Int) throws -> [[Neighbour]] {
        guard queries.rank == 2, queries.shape[1] == width else {
            throw EngineError(.shape, "expected queries of shape [count, \(width)], found \(queries.shape)")
        }
        guard top > 0 else { throw EngineError(.data, "top is \(top); expected at least 1") }
        let queryLengths = try Self.lengths(of: queries, called: "query")
        let queryUnits = Self.scaled(queries, lengths: queryLengths)
        // |error| <= (width + 4) u for each computed cosine, so true winners lie within twice that of the approximate threshold.
        let margin = 2 * Float(width + 4) * Float.ulpOfOne
        return (0..<queries.shape[0]).map { query in
            let approximate = similarities(queryUnits, query)
            let threshold = Self.largest(approximate, rank: min(top, count)) - margin
            let candidates = approximate.indices.filter { approximate[$0] >= threshold }
            let exact = candidates.map { Neighbour(row: $0, similarity: cosine(row: $0, queries, query, length: queryLengths[query])) }
            return Array(exact.sorted { ($1.similarity, $0.row) < ($0.similarity, $1.row) }.prefix(top))
        }
    }

    /// Single-precision cosines of one query with all rows: eight running sums, each element in a fixed place.
    private func similarities(_ queries: Tensor, _ query: Int) -> [Float] {
        let (count, width) = (count, width)
        return units.withUnsafePointer { rows in
            queries.withUnsafePointer { queries in
                let query = queries + query * width
                return [Float](unsafeUninitializedCapacity: count) { out, written in
                    for row in 0..<count {
                        let vector = rows + row * width
                        var sums = SIMD8<Float>.zero
                        var i = 0
                        while i + 8 <= width {
                            let a = UnsafeRawPointer(vector + i).loadUnaligned(as: SIMD8<Float>.self)
                            let b = UnsafeRawPointer(query + i).loadUnaligned(as: SIMD8<Float>.self)
                            sums += a * b
                            i += 8
                        }
                        var sum = sums.sum()
                        while i < width {
                            sum += vector[i] * query[i]
                            i += 1
                        }
                        out[row] = sum
                    }
                    written = count
                }
            }
        }
    }

    private func cosine(row: Int, _ queries: Tensor, _ query: Int, length: Double) -> Double {
        let product = lengths[row] * length
        guard product > 0 else { return 0 }
        let sum = vectors.withUnsafePointer { rows in
            queries.withUnsafePointer { queries in
                var sum = 0.0
                for i in 0..<width { sum += Double(rows[row * width + i]) * Double(queries[query * width + i]) }
                return sum
            }
        }
        return min(max(sum / product, -1), 1)
    }

    /// The value of `rank` (from 1) in descending order.
    private static func largest(_ values: [Float], rank: Int) -> Float {
        if rank == 1 { return values.max() ?? 0 }
        return values.sorted(by: >)[rank - 1]
    }

    private static func lengths(of vectors: Tensor, called name: String) throws -> [Double] {
        let width = vectors.shape[1]
        return try vectors.withUnsafePointer { values in
            try (0..<vectors.shape[0]).map { row in
                var sum = 0.0
                for i in row * width..<(row + 1) * width { sum += Double(values[i]) * Double(values[i]) }
                guard sum.isFinite else { throw EngineError(.data, "the embedding of \(name) \(row) holds NaN or infinity") }
                return sum.squareRoot()
            }
        }
    }

    private static func scaled(_ vectors: Tensor, lengths: [Double]) -> Tensor {
        let width = vectors.shape[1]
        return vectors.withUnsafePointer { values in
            Tensor(shape: vectors.shape) { out in
                for (row, length) in lengths.enumerated() {
                    for i in row * width..<(row + 1) * width { out[i] = length > 0 ? Float(Double(values[i]) / length) : 0 }
                }
            }
        }
    }
}
