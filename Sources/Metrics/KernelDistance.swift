package import LinearAlgebra
internal import Tensors

#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

/// The unbiased estimate of the squared maximum mean discrepancy between two sets of features (Gretton et al.
/// 2012, lemma 6). Unlike the Fréchet distance it has no bias at few items; around zero it may be negative.
package enum KernelDistance {
    package enum Kernel: Sendable, Equatable {
        /// (x·y / width + 1)³: with Inception's features the kernel distance KID (Bińkowski et al. 2018).
        case cubic
        /// exp(-|x - y|² / 2σ²). With σ = 10 on unit CLIP embeddings, times 1,000, it is CMMD (Jayasumana et
        /// al. 2024).
        case gaussian(deviation: Double)
    }

    /// The set that others are compared with, and what needs only itself.
    package struct Reference: Sendable {
        fileprivate let features: DoubleMatrix
        fileprivate let kernel: Kernel
        /// The mean kernel between two different items.
        fileprivate let pairs: Double

        /// `features`: [items, width].
        package init(_ features: DoubleMatrix, _ kernel: Kernel) throws {
            try checkFeatures(features)
            try reckon(features)
            (self.features, self.kernel) = (features, kernel)
            pairs = mean(try means(features, with: features, kernel, exceptSelf: true))
        }
    }

    /// `x`: [items, width]. An item's influence is twice what its mean kernel with the other items of its own
    /// set exceeds that with the reference by.
    /// - Returns: the squared discrepancy without a factor: KID itself, a thousandth of CMMD.
    /// - Throws: where there are fewer than two items, the widths differ, numbers are NaN or infinite, or
    ///   memory is short.
    package static func estimate(_ x: DoubleMatrix, against reference: Reference) throws -> Estimate {
        try checkFeatures(x)
        try reckon(x)
        guard x.columns == reference.features.columns else {
            throw EngineError(
                .shape,
                """
                features of width \(x.columns) cannot be compared with features of width \
                \(reference.features.columns)
                """)
        }
        let within = try means(x, with: x, reference.kernel, exceptSelf: true),
            across = try means(x, with: reference.features, reference.kernel)
        return Estimate(
            value: mean(within) + reference.pairs - 2 * mean(across),
            influence: zip(within, across).map { 2 * ($0 - $1) })
    }

    /// The kernels of all items with as many of the others as are looked at together.
    private static func reckon(_ x: DoubleMatrix) throws {
        try MemoryBudget.check(
            MemoryBudget.product([x.rows, min(x.rows, 2_048), MemoryLayout<Double>.stride]),
            for: "the kernels of \(x.rows) items", cure: "fewer items")
    }

    private static func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }

    /// For each item of `x` the mean kernel with the items of `y`, some of them at a time so that no matrix
    /// of both sets is held.
    private static func means(
        _ x: DoubleMatrix, with y: DoubleMatrix, _ kernel: Kernel, exceptSelf: Bool = false
    ) throws -> [Double] {
        var sums = [Double](repeating: 0, count: x.rows)
        for start in stride(from: 0, to: y.rows, by: 2_048) {
            let part = y.selecting(rows: Array(start..<min(start + 2_048, y.rows)))
            let kernels = try values(x, part, kernel)
            for i in 0..<x.rows {
                sums[i] += kernels.row(i).reduce(0, +)
                if exceptSelf, i >= start, i < start + part.rows { sums[i] -= kernels[i, i - start] }
            }
        }
        return sums.map { $0 / Double(exceptSelf ? y.rows - 1 : y.rows) }
    }

    private static func values(_ x: DoubleMatrix, _ y: DoubleMatrix, _ kernel: Kernel) throws -> DoubleMatrix
    {
        var products = try x.timesTransposed(y)
        let columns = y.rows
        switch kernel {
        case .cubic:
            let width = Double(x.columns)
            products.values.withUnsafeMutableBufferPointer { values in
                for i in values.indices {
                    let base = values[i] / width + 1
                    values[i] = base * base * base
                }
            }
        case .gaussian(let deviation):
            let scale = -1 / (2 * deviation * deviation)
            let a = squares(x), b = squares(y)
            products.values.withUnsafeMutableBufferPointer { values in
                for i in 0..<a.count {
                    for j in 0..<columns {
                        values[i * columns + j] = exp(
                            scale * max(0, a[i] + b[j] - 2 * values[i * columns + j]))
                    }
                }
            }
        }
        return products
    }

    private static func squares(_ x: DoubleMatrix) -> [Double] { (0..<x.rows).map { x.dot($0, x, $0) } }
}
