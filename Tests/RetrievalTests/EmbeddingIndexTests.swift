import Files
import Retrieval
import Tensors
import TestSupport
import Testing

@Suite("Retrieval") struct EmbeddingIndexTests {
    @Test("the nearest rows, their order and their scores equal the reference's")
    func golden() throws {
        let topic = try Golden.topic("retrieval")
        let names = try topic.files(ending: ".json")
        #expect(!names.isEmpty)
        for name in names {
            let json = try topic.json(name)
            let file = try topic.tensors(String(name.dropLast(5)) + ".safetensors")
            let indices = try file.integers("topk.idx")
            let scores = try file.tensor("topk.score")
            let top = scores.shape[1]
            // Pairs closer than the reference's own rounding, listed as [query, place]: there two neighbours
            // may swap.
            let near = Set((json["near_ties"]?.array ?? []).compactMap(\.ints))
            let queries = try file.tensor("queries")
            let found = try EmbeddingIndex(vectors: file.tensor("db")).nearest(queries, top: top)
            #expect(found.count == queries.shape[0])
            for (query, neighbours) in found.enumerated() {
                for (place, neighbour) in neighbours.enumerated() {
                    if !near.contains([query, place]), !near.contains([query, place - 1]) {
                        #expect(
                            neighbour.row == indices[query * top + place], "query \(query), place \(place)")
                    }
                    // Cosine divides by the lengths of rows that are units only to single precision: 1e-6 as
                    // the golden file allows.
                    #expect(abs(neighbour.similarity - Double(scores.values[query * top + place])) <= 1e-6)
                }
            }
            for pair in (json["duplicates"]?.array ?? []).compactMap(\.ints) where pair.count == 2 {
                let both = try EmbeddingIndex(vectors: file.tensor("db")).nearest(
                    try file.tensor("db")[rows: pair[1]..<pair[1] + 1], top: 2)
                #expect(both[0].map(\.row) == pair.sorted() && both[0][0].similarity == both[0][1].similarity)
            }
        }
    }

    @Test("a plain search in double precision finds the same")
    func plain() throws {
        var small = SmallGenerator(seed: 3)
        for (count, width, top) in [(1, 1, 1), (7, 3, 7), (50, 8, 4), (200, 19, 3), (333, 64, 10)] {
            // Few distinct values, so that ties are frequent.
            func random(_ n: Int) -> Tensor {
                Tensor(
                    shape: [n, width], values: (0..<n * width).map { _ in Float(small.next(below: 3)) - 1 })
            }
            let table = random(count)
            let queries = random(20)
            let found = try EmbeddingIndex(vectors: table).nearest(queries, top: top)
            for query in 0..<20 {
                let q = queries[query].values.map(Double.init)
                let scores = (0..<count).map { row -> Double in
                    let v = table[row].values.map(Double.init)
                    let lengths =
                        (v.map { $0 * $0 }.reduce(0, +)).squareRoot()
                        * (q.map { $0 * $0 }.reduce(0, +)).squareRoot()
                    return lengths > 0 ? zip(v, q).map { $0 * $1 }.reduce(0, +) / lengths : 0
                }
                let order = (0..<count).sorted { (scores[$1], $0) < (scores[$0], $1) }.prefix(top)
                #expect(found[query].map(\.row) == Array(order))
                for neighbour in found[query] {
                    #expect(abs(neighbour.similarity - scores[neighbour.row]) < 1e-12)
                }
            }
        }
    }

    @Test(
        """
        a mapped file gives what memory gives, over many blocks, for one query or many, and whatever the row \
        lengths
        """)
    func mapped() throws {
        var generator = Generator(seed: 5)
        let count = 9_000, width = 20
        var rows = generator.normal(shape: [count, width])
        rows.withUnsafeMutablePointer { rows in
            for i in 0..<count {
                // Ties over the whole range, and lengths that single precision cannot square.
                if i % 50 == 49 { for j in 0..<width { rows[i * width + j] = rows[j] } }
                let scale: Float = i % 997 == 3 ? 1e25 : i % 997 == 4 ? 1e-30 : Float(1 + i % 7)
                for j in 0..<width { rows[i * width + j] *= scale }
            }
        }
        let queries = generator.normal(shape: [37, width])
        let folder = try TemporaryFolder()
        try Safetensors.write(
            ["rows": rows, "empty": Tensor(zeros: [0, width])], to: folder.path("rows.safetensors"))
        let file = try SafetensorsFile(path: folder.path("rows.safetensors"))
        let mapped = try EmbeddingIndex(EmbeddingRows(file: file, name: "rows"))
        let found = try mapped.nearest(queries, top: 250)
        #expect(found == (try EmbeddingIndex(vectors: rows).nearest(queries, top: 250)))
        for query in [0, 8, 36] {
            let one = queries[rows: query..<query + 1]
            #expect(try mapped.nearest(one, top: 250)[0] == found[query])
            #expect(try mapped.nearest(one, top: 1)[0] == Array(found[query].prefix(1)))
            let q = queries[query].values.map(Double.init)
            let scores = (0..<count).map { row -> Double in
                let v = rows[row].values.map(Double.init)
                let lengths =
                    (v.map { $0 * $0 }.reduce(0, +)).squareRoot()
                    * (q.map { $0 * $0 }.reduce(0, +)).squareRoot()
                return zip(v, q).map { $0 * $1 }.reduce(0, +) / lengths
            }
            // Rows that are multiples of one another differ by the rounding of their lengths, so the scores
            // are compared and not their order.
            for (score, neighbour) in zip(scores.sorted(by: >), found[query]) {
                #expect(
                    abs(score - neighbour.similarity) < 1e-12
                        && abs(scores[neighbour.row] - neighbour.similarity) < 1e-12)
            }
        }
        #expect(throws: EngineError.self) { try EmbeddingIndex(EmbeddingRows(file: file, name: "empty")) }
        #expect(throws: EngineError.self) { try EmbeddingRows(file: file, name: "columns") }
    }

    @Test("more rows asked for than there are gives all")
    func all() throws {
        let index = try EmbeddingIndex(vectors: Tensor(shape: [2, 2], values: [1, 0, 0, 2]))
        #expect(
            try index.nearest(Tensor(shape: [1, 2], values: [0, 5]), top: 9) == [
                [Neighbour(row: 1, similarity: 1), Neighbour(row: 0, similarity: 0)]
            ])
    }

    @Test("zeros are similar to nothing; NaN, infinity, empty tables, other widths and top=0 are errors")
    func hostile() throws {
        let index = try EmbeddingIndex(vectors: Tensor(shape: [2, 2], values: [0, 0, -1, 0]))
        #expect(
            try index.nearest(Tensor(shape: [1, 2], values: [1, 0]), top: 2)[0] == [
                Neighbour(row: 0, similarity: 0), Neighbour(row: 1, similarity: -1),
            ])
        #expect(
            try index.nearest(Tensor(shape: [1, 2], values: [0, 0]), top: 1)[0] == [
                Neighbour(row: 0, similarity: 0)
            ])
        #expect(throws: EngineError.self) { try EmbeddingIndex(vectors: Tensor(zeros: [0, 4])) }
        #expect(throws: EngineError.self) { try EmbeddingIndex(vectors: Tensor(zeros: [4])) }
        #expect(throws: EngineError.self) {
            try EmbeddingIndex(vectors: Tensor(shape: [1, 2], values: [.nan, 1]))
        }
        #expect(throws: EngineError.self) {
            try index.nearest(Tensor(shape: [1, 2], values: [.infinity, 1]), top: 1)
        }
        #expect(throws: EngineError.self) { try index.nearest(Tensor(zeros: [1, 3]), top: 1) }
        #expect(throws: EngineError.self) { try index.nearest(Tensor(zeros: [1, 2]), top: 0) }
    }

    @Test("tiny and huge embeddings keep their direction")
    func scale() throws {
        let index = try EmbeddingIndex(vectors: Tensor(shape: [2, 2], values: [1e-30, 0, 0, 1e30]))
        #expect(
            try index.nearest(Tensor(shape: [1, 2], values: [0, 1e-20]), top: 1)[0] == [
                Neighbour(row: 1, similarity: 1)
            ])
        #expect(
            try index.nearest(Tensor(shape: [1, 2], values: [1e20, 0]), top: 1)[0] == [
                Neighbour(row: 0, similarity: 1)
            ])
    }

    @Test("the random control draws different rows, the same for the same seed")
    func control() throws {
        let rows = try RandomNeighbours.rows(of: 100, top: 5, seed: 7)
        #expect(Set(rows).count == 5 && rows.allSatisfy((0..<100).contains))
        #expect(try RandomNeighbours.rows(of: 100, top: 5, seed: 7) == rows)
        #expect(try RandomNeighbours.rows(of: 100, top: 5, seed: 8) != rows)
        #expect(try RandomNeighbours.rows(of: 3, top: 5, seed: 0).sorted() == [0, 1, 2])
        #expect(throws: EngineError.self) { try RandomNeighbours.rows(of: 0, top: 1, seed: 0) }
    }
}
