package import LinearAlgebra

/// How each item moves the distance. Resampling the set anew for each replicate would give intervals two to
/// four times too wide: a resampled set has fewer different items, which moves and spreads a distance between
/// many dimensions far more than another sample does.
extension FrechetDistance {
    /// The distance of a set of features to a reference. The derivative with respect to the weight of item i
    /// is 2 (m1 - m2)·(x - m1) / n + |a|² - aᵀ T a, where a is its centred row over √(n - 1) and T maps the
    /// first normal distribution onto the second. In coordinates q of the factor (F1ᵀ q = a) the last term is
    /// qᵀ (C Cᵀ)^½ q with C = F1 F2ᵀ.
    package static func estimate(_ features: DoubleMatrix, against reference: Side) throws -> Estimate {
        let side = try Side(features)
        let value = try between(side, reference)
        let rows = side.factor, n = rows.rows
        let cholesky = n > rows.columns ? try PivotedCholesky(rows.transposed.gram()) : nil
        let own = cholesky?.factor ?? rows
        let product = try own.timesTransposed(reference.reduced(for: own.rows).factor)
        let roots = try SymmetricEigenvalues(product.gram(), wantsVectors: true)
        // The items in the coordinates of the eigenvectors.
        let coordinates: DoubleMatrix
        if let cholesky {
            coordinates = try cholesky.solved(rows).timesTransposed(roots.vectors)
        } else {
            // Each row is its own coordinate.
            coordinates = roots.vectors.transposed
        }
        let lengths = roots.values.map { max($0, 0).squareRoot() }
        let scale = 2 * Double(n - 1).squareRoot() / Double(n)
        let slopes = (0..<n).map { item in
            var shift = 0.0, length = 0.0, stretch = 0.0
            for (j, value) in rows.row(item).enumerated() {
                shift += (side.mean[j] - reference.mean[j]) * value
                length += value * value
            }
            for (j, value) in coordinates.row(item).enumerated() { stretch += lengths[j] * value * value }
            return scale * shift + length - stretch
        }
        return Estimate(value: value, influence: slopes.map { $0 * Double(n) })
    }
}
