import Files
import LinearAlgebra
import Metrics
import Tensors
import TestSupport
import Testing

@Suite("Scores by CLIP features") struct ContrastiveScoresTests {
    @Test("cosines of the golden CLIPs' features")
    func golden() throws {
        let models = try Golden.topic("models")
        let cases = try Golden.topic("metrics").json("clip_score.json")["cases"]?.array ?? []
        #expect(!cases.isEmpty)
        for json in cases {
            let name = try #require(json["case"]?.string)
            let file = try models.folder(#require(json["model"]?.string)).tensors("io.safetensors")
            let pictures = try ContrastiveScores.units(file.tensor("\(name).image_features")),
                texts = try ContrastiveScores.units(file.tensor("\(name).text_features"))
            let expected = (json["cosine_image_by_text"]?.array ?? []).flatMap { $0.doubles ?? [] }
            expectClose(
                actual: try pictures.timesTransposed(texts).values, expected: expected, absolute: 1e-5, name)
            let count = min(pictures.rows, texts.rows), rows = Array(0..<count)
            let paired = try ContrastiveScores.cosines(
                pictures.selecting(rows: rows), texts.selecting(rows: rows))
            expectClose(
                actual: paired.map { 100 * $0 },
                expected: try #require(json["paired_scores_100cos"]?.doubles), absolute: 1e-3, name)
        }
    }

    @Test("recall counts the texts that are nearer than the own one, and splits ties")
    func recall() throws {
        let texts = DoubleMatrix(rows: 4, columns: 2, values: [1, 0, 0, 1, -1, 0, 0, 1])
        let pictures = DoubleMatrix(rows: 3, columns: 2, values: [1, 0, 0, 1, 0, 1])
        #expect(
            try ContrastiveScores.recall(pictures: pictures, texts: texts, own: [0, 1, 0], top: 1) == [
                1, 0.5, 0,
            ])
        #expect(
            try ContrastiveScores.recall(pictures: pictures, texts: texts, own: [2, 3, 0], top: 2) == [
                0, 1, 0,
            ])
        #expect(
            try ContrastiveScores.recall(pictures: pictures, texts: texts, own: [2, 2, 2], top: 4) == [
                1, 1, 1,
            ])
        let blind = DoubleMatrix(rows: 1, columns: 2, values: [0, 0])
        #expect(try ContrastiveScores.recall(pictures: blind, texts: texts, own: [2], top: 1) == [0.25])
    }

    @Test("the nearest of a set, and errors for other widths, NaN and an empty set")
    func nearest() throws {
        let x = DoubleMatrix(rows: 2, columns: 2, values: [1, 0, 0, 1]),
            y = DoubleMatrix(rows: 2, columns: 2, values: [0.6, 0.8, -1, 0])
        #expect(try ContrastiveScores.nearest(x, in: y) == [0.6, 0.8])
        #expect(throws: EngineError.self) { try ContrastiveScores.nearest(x, in: DoubleMatrix(zeros: 0, 2)) }
        #expect(throws: EngineError.self) { try ContrastiveScores.nearest(x, in: DoubleMatrix(zeros: 2, 3)) }
        #expect(throws: EngineError.self) { try ContrastiveScores.cosines(x, DoubleMatrix(zeros: 3, 2)) }
        #expect(throws: EngineError.self) {
            try ContrastiveScores.units(Tensor(shape: [1, 1], values: [.nan]))
        }
    }
}
