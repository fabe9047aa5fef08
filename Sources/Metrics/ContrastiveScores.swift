package import LinearAlgebra
package import Tensors

/// Scores of pictures by the cosines of CLIP features, one number per item: their mean is the score.
/// `cosines` of pictures and their texts is CLIPScore without its factor of 2.5 and its cut at zero
/// (Hessel et al. 2021).
package enum ContrastiveScores {
    /// Rows scaled to length 1; rows of zeros stay zeros.
    /// `features` and result: [items, width].
    /// - Throws: where they hold NaN or infinity.
    package static func units(_ features: Tensor) throws -> DoubleMatrix {
        var rows = DoubleMatrix(features)
        guard rows.values.allSatisfy(\.isFinite) else {
            throw EngineError(.data, "the features hold NaN or infinity")
        }
        let width = rows.columns
        for row in 0..<rows.rows {
            let length = rows.row(row).reduce(0) { $0 + $1 * $1 }.squareRoot()
            guard length > 0 else { continue }
            for column in 0..<width { rows[row, column] /= length }
        }
        return rows
    }

    /// The cosine of each row of `x` with the same row of `y`; both of unit rows.
    /// - Returns: one per row, -1...1.
    /// - Throws: where widths or numbers of rows differ.
    package static func cosines(_ x: DoubleMatrix, _ y: DoubleMatrix) throws -> [Double] {
        try checkWidths(x, y)
        guard x.rows == y.rows else {
            throw EngineError(.shape, "\(x.rows) rows cannot be compared with \(y.rows) one by one")
        }
        return (0..<x.rows).map { row in zip(x.row(row), y.row(row)).reduce(0) { $0 + $1.0 * $1.1 } }
    }

    /// For each picture whether its own text, `own[i]`, is among the `top` of all texts that are most similar
    /// to it. Texts as similar as the own one share its place with it, so that a network that tells nothing
    /// apart finds what chance finds.
    /// - Parameters:
    ///   - pictures, texts: unit rows, [items, width] each.
    ///   - own: by picture the row of its text.
    /// - Returns: 0...1 per picture: the chance where texts share the place, else 0 or 1.
    package static func recall(pictures: DoubleMatrix, texts: DoubleMatrix, own: [Int], top: Int) throws
        -> [Double]
    {
        try checkWidths(pictures, texts)
        let similarities = try pictures.timesTransposed(texts)
        return own.enumerated().map { row, text in
            let score = pictures.dot(row, texts, text)
            var better = 0, equal = 0
            for (other, approximate) in similarities.row(row).enumerated() where other != text {
                let value =
                    isNear(approximate, score, pictures) ? pictures.dot(row, texts, other) : approximate
                if value > score { better += 1 } else if value == score { equal += 1 }
            }
            // The own text's place is any of better + 1 ... better + 1 + equal with the same chance.
            let favourable = min(max(top - better, 0), equal + 1)
            return Double(favourable) / Double(equal + 1)
        }
    }

    /// The largest cosine of each row of `x` with any row of `y`.
    /// - Throws: where the widths differ or `y` is empty.
    package static func nearest(_ x: DoubleMatrix, in y: DoubleMatrix) throws -> [Double] {
        try checkWidths(x, y)
        guard y.rows > 0 else { throw EngineError(.data, "there is nothing to be near to: the set is empty") }
        let similarities = try x.timesTransposed(y)
        return (0..<x.rows).map { i in
            let row = similarities.row(i), largest = row.max() ?? 0
            return row.enumerated().filter { isNear($1, largest, x) }.map { x.dot(i, y, $0.offset) }.max()
                ?? 0
        }
    }

    /// Whether rounding may have changed which of two cosines is the larger one: then they are computed again
    /// in one order, which gives equal rows equal cosines.
    private static func isNear(_ a: Double, _ b: Double, _ rows: DoubleMatrix) -> Bool {
        abs(a - b) <= 1e-15 * Double(rows.columns + 4)
    }

    private static func checkWidths(_ x: DoubleMatrix, _ y: DoubleMatrix) throws {
        guard x.columns == y.columns else {
            throw EngineError(
                .shape,
                "features of width \(x.columns) cannot be compared with features of width \(y.columns)")
        }
    }
}
