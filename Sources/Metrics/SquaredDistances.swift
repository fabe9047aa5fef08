package import LinearAlgebra
internal import Tensors

/// Squared Euclidean distances between rows.
package enum SquaredDistances {
    /// For each row of `x` the smallest squared distance to a row of `y`: found by |x|² + |y|² - 2 x·y, then
    /// taken from the differences, so that equal rows are at distance zero.
    /// - Throws: where the widths differ or `y` is empty.
    package static func nearest(_ x: DoubleMatrix, in y: DoubleMatrix) throws -> [Double] {
        guard x.columns == y.columns else {
            throw EngineError(.shape, "rows of \(x.columns) cannot be compared with rows of \(y.columns)")
        }
        guard y.rows > 0 else { throw EngineError(.data, "there is nothing to be near to: the set is empty") }
        func length(_ row: ArraySlice<Double>) -> Double { row.reduce(0) { $0 + $1 * $1 } }
        let lengths = (0..<y.rows).map { length(y.row($0)) }
        let products = try x.timesTransposed(y)
        return (0..<x.rows).map { i in
            let approximate = lengths.indices.map { lengths[$0] - 2 * products[i, $0] }
            // Rows within rounding of the smallest.
            let smallest = approximate.min() ?? 0
            let margin = 1e-12 * (length(x.row(i)) + (lengths.max() ?? 0))
            return approximate.indices.filter { approximate[$0] <= smallest + margin }.map { j in
                zip(x.row(i), y.row(j)).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
            }.min() ?? 0
        }
    }
}
