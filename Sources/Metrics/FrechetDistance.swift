package import LinearAlgebra
internal import Tensors

/// The Fréchet distance between the normal distributions that fit two sets of features (Dowson and Landau
/// 1982; as FID, Heusel et al. 2017):
/// |m1 - m2|² + tr S1 + tr S2 - 2 tr (S1 S2)^½, covariances over n - 1.
///
/// The last trace is the sum of the singular values of F1 F2ᵀ for any F1ᵀ F1 = S1, F2ᵀ F2 = S2. With the
/// centred rows as F1 it is found in the smaller of n and d, exactly also where a covariance has not full
/// rank, which the root of the product of covariances is not.
package struct FrechetDistance: Sendable {
    /// What a set of features gives to the distance.
    package struct Side: Sendable {
        package let mean: [Double]
        /// tr S.
        package let trace: Double
        /// F with Fᵀ F = S, [any, width].
        package let factor: DoubleMatrix

        /// Rows of features, [count, width].
        package init(_ features: DoubleMatrix) throws {
            try checkFeatures(features)
            mean = features.columnMeans
            let rows = features.centred(on: mean, scale: 1 / Double(features.rows - 1).squareRoot())
            trace = rows.squaredNorm
            factor = rows
        }

        package init(_ statistics: FeatureStatistics) throws {
            mean = statistics.mean
            trace = (0..<statistics.mean.count).reduce(0) { $0 + statistics.covariance[$1, $1] }
            factor = try PivotedCholesky(statistics.covariance).factor
        }

        private init(mean: [Double], trace: Double, factor: DoubleMatrix) {
            (self.mean, self.trace, self.factor) = (mean, trace, factor)
        }

        /// For a product with `count` rows: with no more rows than columns in the factor, where the product
        /// with a taller one would cost more than making it smaller.
        func reduced(for count: Int) throws -> Side {
            guard factor.rows > factor.columns, 2 * count > factor.columns else { return self }
            return Side(
                mean: mean, trace: trace, factor: try PivotedCholesky(factor.transposed.gram()).factor)
        }
    }

    /// - Returns: the squared distance, in the features' unit squared; of Inception's features it is FID.
    /// - Throws: where the widths differ.
    package static func between(_ x: Side, _ y: Side) throws -> Double {
        guard x.mean.count == y.mean.count else {
            throw EngineError(
                .shape,
                "features of width \(x.mean.count) cannot be compared with features of width \(y.mean.count)")
        }
        var shift = 0.0
        for (a, b) in zip(x.mean, y.mean) { shift += (a - b) * (a - b) }
        // Below zero is rounding: a distance is not.
        return max(0, shift + x.trace + y.trace - 2 * (try nuclearNorm(x, y)))
    }

    /// The sum of the singular values of F1 F2ᵀ.
    private static func nuclearNorm(_ x: Side, _ y: Side) throws -> Double {
        let (small, large) = x.factor.rows <= y.factor.rows ? (x, y) : (y, x)
        let count = small.factor.rows
        let product = try small.reduced(for: count).factor.timesTransposed(large.reduced(for: count).factor)
        let gram = try (product.rows <= product.columns ? product : product.transposed).gram()
        return sumOfRoots(try SymmetricEigenvalues(gram).values)
    }

    /// Roots of the eigenvalues of a Gram matrix; what is not above rounding counts as zero.
    static func sumOfRoots(_ values: [Double]) -> Double {
        let floor = (values.last ?? 0) * Double(values.count) * 2.3e-16
        return values.reduce(0) { $1 > floor ? $0 + $1.squareRoot() : $0 }
    }
}

/// Mean and covariance (over n - 1) of a set of features: what is kept of a reference set.
package struct FeatureStatistics: Sendable, Equatable {
    package let mean: [Double]
    package let covariance: DoubleMatrix

    package init(mean: [Double], covariance: DoubleMatrix) throws {
        let width = mean.count
        guard width > 0, covariance.rows == width, covariance.columns == width else {
            throw EngineError(
                .shape,
                """
                a mean of \(width) values needs a covariance of \(width) x \(width), found \
                \(covariance.rows) x \(covariance.columns)
                """)
        }
        guard mean.allSatisfy(\.isFinite), covariance.values.allSatisfy(\.isFinite) else {
            throw EngineError(.data, "the statistics hold NaN or infinity")
        }
        let size = (0..<width).reduce(0) { max($0, abs(covariance[$1, $1])) }
        for i in 0..<width {
            guard covariance[i, i] >= 0 else {
                throw EngineError(
                    .data, "the covariance has a negative variance at \(i): \(covariance[i, i])")
            }
            for j in 0..<i {
                guard abs(covariance[i, j] - covariance[j, i]) <= 1e-6 * size else {
                    throw EngineError(
                        .data,
                        """
                        the covariance is not symmetric: \(covariance[i, j]) at [\(i), \(j)], \
                        \(covariance[j, i]) at [\(j), \(i)]
                        """)
                }
            }
        }
        (self.mean, self.covariance) = (mean, covariance)
    }

    package init(_ features: DoubleMatrix) throws {
        try checkFeatures(features)
        mean = features.columnMeans
        covariance = try features.centred(on: mean, scale: 1 / Double(features.rows - 1).squareRoot())
            .transposed.gram()
    }
}

func checkFeatures(_ features: DoubleMatrix) throws {
    guard features.rows >= 2, features.columns > 0 else {
        throw EngineError(
            .data, "a distance between sets needs at least 2 rows of features in each, found \(features.rows)"
        )
    }
    guard features.values.allSatisfy(\.isFinite) else {
        throw EngineError(.data, "the features hold NaN or infinity")
    }
}
