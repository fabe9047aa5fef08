package import Tensors
package import Testing

/// Compares element by element: each difference must be at most max(absolute, relative x |expected|); NaN
/// only where NaN is expected. The report names the index with the largest excess, both values, and how many
/// elements are off.
package func expectClose(
    actual: Tensor, expected: Tensor, absolute: Double, relative: Double = 0, _ name: String = "",
    sourceLocation: SourceLocation = #_sourceLocation
) {
    guard actual.shape == expected.shape else {
        Issue.record(
            "\(name): expected shape \(expected.shape), found \(actual.shape)", sourceLocation: sourceLocation
        )
        return
    }
    actual.withUnsafePointer { a in
        expected.withUnsafePointer { b in
            compare(count: actual.count, shape: actual.shape, absolute, relative, name, sourceLocation) {
                (Double(a[$0]), Double(b[$0]))
            }
        }
    }
}

package func expectClose(
    actual: [Double], expected: [Double], absolute: Double, relative: Double = 0, _ name: String = "",
    sourceLocation: SourceLocation = #_sourceLocation
) {
    guard actual.count == expected.count else {
        Issue.record(
            "\(name): expected \(expected.count) elements, found \(actual.count)",
            sourceLocation: sourceLocation)
        return
    }
    compare(count: actual.count, shape: [actual.count], absolute, relative, name, sourceLocation) {
        (actual[$0], expected[$0])
    }
}

package func expectClose(
    actual: Double, expected: Double, absolute: Double, relative: Double = 0, _ name: String = "",
    sourceLocation: SourceLocation = #_sourceLocation
) {
    expectClose(
        actual: [actual], expected: [expected], absolute: absolute, relative: relative, name,
        sourceLocation: sourceLocation)
}

/// The largest absolute difference of two tensors of one shape; NaN where one holds NaN and the other does
/// not.
package func largestError(_ actual: Tensor, _ expected: Tensor) -> Double {
    guard actual.shape == expected.shape else { return .nan }
    var largest = 0.0
    for (a, b) in Swift.zip(actual.values, expected.values) {
        let error = a == b || (a.isNaN && b.isNaN) ? 0 : abs(Double(a) - Double(b))
        if error.isNaN { return .nan }
        largest = max(largest, error)
    }
    return largest
}

private func compare(
    count: Int, shape: [Int], _ absolute: Double, _ relative: Double, _ name: String,
    _ sourceLocation: SourceLocation, _ pair: (Int) -> (Double, Double)
) {
    var wrong = 0
    var worst = (index: 0, excess: -Double.infinity)
    var largest = 0.0
    for i in 0..<count {
        let (a, b) = pair(i)
        // Equal infinities and two NaN agree; a NaN on one side only is off by infinity.
        let difference = a == b || (a.isNaN && b.isNaN) ? 0 : abs(a - b)
        let error = difference.isNaN ? Double.infinity : difference
        largest = max(largest, error)
        let allowed = max(absolute, b.isFinite ? relative * abs(b) : 0)
        if error > allowed {
            wrong += 1
            if error - allowed > worst.excess { worst = (i, error - allowed) }
        }
    }
    guard wrong > 0 else { return }
    let (a, b) = pair(worst.index)
    Issue.record(
        """
        \(name): \(wrong) of \(count) elements are off; at \(position(worst.index, shape)) expected \
        \(b), found \(a); largest error \(largest), allowed \(absolute) or \(relative) relative
        """,
        sourceLocation: sourceLocation)
}

/// Row-major index as one number per axis.
private func position(_ index: Int, _ shape: [Int]) -> [Int] {
    var rest = index
    var place: [Int] = []
    for extent in shape.reversed() where extent > 0 {
        place.append(rest % extent)
        rest /= extent
    }
    return place.reversed()
}
