/// The sum of the products of two rows over blocks of 512 in order, within one over four lanes: a value that
/// depends on nothing but the two rows.
func dotProduct(_ a: UnsafePointer<Double>?, _ b: UnsafePointer<Double>?, _ count: Int) -> Double {
    guard let a, let b else { return 0 }
    var total = 0.0
    for start in stride(from: 0, to: count, by: 512) {
        let end = min(count, start + 512)
        var lanes = SIMD4<Double>.zero, i = start
        while i &+ 4 <= end {
            lanes.addProduct(
                UnsafeRawPointer(a + i).loadUnaligned(as: SIMD4<Double>.self),
                UnsafeRawPointer(b + i).loadUnaligned(as: SIMD4<Double>.self))
            i &+= 4
        }
        // The rest of the row, in the first lane.
        while i < end {
            lanes[0] += a[i] * b[i]
            i &+= 1
        }
        total += lanes.sum()
    }
    return total
}

/// The sum of the products of two lists, one after the other: what trainings compute with.
package func dotInOrder(_ a: [Double], _ b: [Double]) -> Double {
    var sum = 0.0
    for i in a.indices { sum += a[i] * b[i] }
    return sum
}
