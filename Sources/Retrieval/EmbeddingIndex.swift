internal import Kernels
package import Tensors

/// One row found, with its cosine to the query.
package struct Neighbour: Sendable, Equatable {
    package let row: Int
    package let similarity: Double

    package init(row: Int, similarity: Double) {
        self.row = row
        self.similarity = similarity
    }
}

/// Exact nearest rows by cosine: the highest similarity first, of equal ones the lowest row. A product in
/// single precision drops what cannot be among the nearest, by the rounding error bound of a dot product;
/// what remains is computed again in double precision in one fixed order, so that the answer depends neither
/// on the number of queries nor on the machine.
package struct EmbeddingIndex: Sendable {
    private let rows: EmbeddingRows
    private let lengths: [Double]
    /// 1 / length; 0 for rows of zeros, NaN for `unusual` ones, so that they exceed no threshold.
    private let scales: [Float]
    /// Rows so short or long that single precision could not hold their products.
    private let unusual: [Int]

    package var count: Int { rows.count }
    package var width: Int { rows.width }

    /// `vectors`: [rows, width]. Their lengths do not matter. A row of zeros has similarity 0 to everything;
    /// NaN and infinity are errors.
    package init(vectors: Tensor) throws { try self.init(EmbeddingRows(vectors)) }

    package init(_ rows: EmbeddingRows) throws {
        guard rows.count > 0 else {
            throw EngineError(.data, "there is nothing to retrieve from: the table is empty")
        }
        self.rows = rows
        let lengths = try rows.withUnsafePointer {
            try Self.lengths($0, count: rows.count, width: rows.width, called: "row")
        }
        let usual = 1e-12...1e12
        scales = lengths.map { usual.contains($0) ? Float(1 / $0) : $0 == 0 ? 0 : .nan }
        unusual = lengths.indices.filter { lengths[$0] > 0 && !usual.contains(lengths[$0]) }
        self.lengths = lengths
    }

    /// For each row of `queries` ([count, width]) its `top` nearest rows, or all of them if there are fewer.
    /// - Throws: where the widths differ, `top` is below 1, or a query holds NaN or infinity.
    package func nearest(_ queries: Tensor, top: Int) throws -> [[Neighbour]] {
        guard queries.rank == 2, queries.shape[1] == width else {
            throw EngineError(.shape, "expected queries of shape [count, \(width)], found \(queries.shape)")
        }
        guard top > 0 else { throw EngineError(.data, "top is \(top); expected at least 1") }
        let queryLengths = try queries.withUnsafePointer {
            try Self.lengths($0, count: queries.shape[0], width: width, called: "query")
        }
        return try rows.withUnsafePointer { rows in
            queries.withUnsafePointer { queries in
                var found: [[Neighbour]] = []
                // So many that their packed panels stay in the last cache.
                for start in stride(from: 0, to: queryLengths.count, by: 512) {
                    let part = start..<min(start + 512, queryLengths.count)
                    let candidates = candidates(
                        rows, queries + part.lowerBound * width, Array(queryLengths[part]),
                        top: min(top, count))
                    for (query, candidates) in zip(part, candidates) {
                        found.append(
                            exact(
                                rows, candidates, queries + query * width, length: queryLengths[query],
                                top: top))
                    }
                }
                return found
            }
        }
    }

    /// A row that may be among the nearest, by its approximate cosine.
    private struct Candidate {
        var row: Int32
        var score: Float
    }

    /// For each query all rows that may be among its `top` nearest.
    private func candidates(
        _ rows: UnsafePointer<Float>, _ queries: UnsafePointer<Float>, _ lengths: [Double], top: Int
    ) -> [[Int]] {
        let (width, total) = (width, lengths.count)
        let matrix = packed(queries, lengths)
        // |error| <= (width + 4) u for each computed cosine, so true winners lie within twice that of the approximate threshold.
        let margin = 2 * Float(width + 4) * Float.ulpOfOne
        let stride = (total + 7) / 8 * 8
        var thresholds = [Float](repeating: -.infinity, count: stride)
        for lane in total..<stride { thresholds[lane] = .infinity }
        var kept = [[Candidate]](repeating: [], count: total)
        let largest = max(1_024, min(65_536, 8_000_000 / stride))
        let products = BufferPool.take(largest * stride)
        defer { BufferPool.give(products, largest * stride) }
        products.update(repeating: 0, count: largest * stride)
        var start = 0
        // Blocks that grow: the first ones give thresholds that keep most of the others' rows out.
        var size = 1_024
        while start < count {
            let block = start..<min(start + min(size, largest), count)
            matrixProduct(
                rows + block.lowerBound * width, rows: block.count, inputStride: width, by: matrix,
                into: products, outputStride: stride)
            for (query, candidate) in above(thresholds, products, stride: stride, block) {
                kept[query].append(candidate)
            }
            for query in 0..<total where kept[query].count > top {
                let scores = kept[query].map(\.score)
                thresholds[query] = Self.largest(scores, rank: top) - margin
                if kept[query].count > 2 * top + 256 || block.upperBound == count {
                    kept[query].removeAll { $0.score < thresholds[query] }
                }
            }
            start = block.upperBound
            size *= 4
        }
        return kept.map { $0.map { Int($0.row) } + unusual }
    }

    /// The queries scaled to length 1 as the constant factor of the product.
    private func packed(_ queries: UnsafePointer<Float>, _ lengths: [Double]) -> PackedMatrix {
        let width = width
        let units = Tensor(shape: [lengths.count, width]) { out in
            for (query, length) in lengths.enumerated() {
                for i in query * width..<(query + 1) * width {
                    out[i] = length > 0 ? Float(Double(queries[i]) / length) : 0
                }
            }
        }
        return units.withUnsafePointer {
            PackedMatrix(weights: $0, outputs: lengths.count, channels: width, taps: 1, bias: nil)
        }
    }

    /// What exceeds its query's threshold, in the order of rows.
    private func above(
        _ thresholds: [Float], _ products: UnsafePointer<Float>, stride: Int, _ block: Range<Int>
    ) -> [(query: Int, Candidate)] {
        let chunks = (block.count + 2_047) / 2_048
        var found = [[(query: Int, Candidate)]](repeating: [], count: chunks)
        found.withUnsafeMutableBufferPointer { found in
            guard let base = found.baseAddress else { return }
            thresholds.withUnsafeBufferPointer { thresholds in
                scales.withUnsafeBufferPointer { scales in
                    guard let thresholds = thresholds.baseAddress else { return }
                    ThreadPool.shared.run(chunks) { chunk in
                        var here: [(query: Int, Candidate)] = []
                        for place in chunk * 2_048..<min(chunk * 2_048 + 2_048, block.count) {
                            let scale = scales[block.lowerBound + place]
                            let row = products + place * stride
                            var lane = 0
                            while lane < stride {
                                let scores =
                                    UnsafeRawPointer(row + lane).loadUnaligned(as: SIMD8<Float>.self) * scale
                                let bounds = UnsafeRawPointer(thresholds + lane).loadUnaligned(
                                    as: SIMD8<Float>.self)
                                let isAbove = scores .>= bounds
                                if any(isAbove) {
                                    for i in 0..<8 where isAbove[i] {
                                        here.append(
                                            (
                                                lane + i,
                                                Candidate(
                                                    row: Int32(truncatingIfNeeded: block.lowerBound + place),
                                                    score: scores[i])
                                            ))
                                    }
                                }
                                lane += 8
                            }
                        }
                        base[chunk] = here
                    }
                }
            }
        }
        return found.flatMap { $0 }
    }

    private func exact(
        _ rows: UnsafePointer<Float>, _ candidates: [Int], _ query: UnsafePointer<Float>, length: Double,
        top: Int
    ) -> [Neighbour] {
        let all = candidates.map { row -> Neighbour in
            let product = lengths[row] * length
            guard product > 0 else { return Neighbour(row: row, similarity: 0) }
            var sum = 0.0
            let vector = rows + row * width
            for i in 0..<width { sum += Double(vector[i]) * Double(query[i]) }
            return Neighbour(row: row, similarity: min(max(sum / product, -1), 1))
        }
        return Array(all.sorted { ($1.similarity, $0.row) < ($0.similarity, $1.row) }.prefix(top))
    }

    /// The value of `rank` (from 1) in descending order.
    private static func largest(_ values: [Float], rank: Int) -> Float {
        if rank == 1 { return values.max() ?? 0 }
        return values.sorted(by: >)[rank - 1]
    }

    private static func lengths(_ values: UnsafePointer<Float>, count: Int, width: Int, called name: String)
        throws -> [Double]
    {
        let lengths = [Double](unsafeUninitializedCapacity: count) { out, written in
            if let base = out.baseAddress {
                let chunks = (count + 1_023) / 1_024
                ThreadPool.shared.run(chunks) { chunk in
                    for row in chunk * 1_024..<min(chunk * 1_024 + 1_024, count) {
                        base[row] = length(values + row * width, width)
                    }
                }
            }
            written = count
        }
        if let bad = lengths.firstIndex(where: { !$0.isFinite }) {
            throw EngineError(.data, "the embedding of \(name) \(bad) holds NaN or infinity")
        }
        return lengths
    }

    private static func length(_ vector: UnsafePointer<Float>, _ width: Int) -> Double {
        var low = SIMD8<Double>.zero
        var i = 0
        while i + 8 <= width {
            let values = SIMD8<Double>(UnsafeRawPointer(vector + i).loadUnaligned(as: SIMD8<Float>.self))
            low += values * values
            i += 8
        }
        var sum = low.sum()
        while i < width {
            sum += Double(vector[i]) * Double(vector[i])
            i += 1
        }
        return sum.squareRoot()
    }
}
