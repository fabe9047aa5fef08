// The softmax of attention for processors with 512-bit vectors; the rules of `WidePanelProduct.swift` hold
// here too.

/// As `RunningSoftmax.take` of `Kernels`, equal to the bit.
@inline(never)
package func wideSoftmaxBlock(
    _ scores: UnsafePointer<Float>, keys: Int, across: Int, scale: Float, maxima: UnsafeMutablePointer<Float>,
    sums: UnsafeMutablePointer<Float>,
    factors: UnsafeMutablePointer<Float>, into shares: UnsafeMutablePointer<Float>, step: Int
) {
    var lane = 0
    while lane < across {
        let before = load16(maxima + lane)
        // Four maxima, as each comparison would wait for the one before.
        var a = before, b = before, c = before, d = before
        @inline(__always) func raise(_ largest: inout F16, _ v: F16) {
            largest.replace(with: v, where: largest .< v)
        }
        var key = 0, from = scores + lane
        while key &+ 4 <= keys {
            raise(&a, load16(from))
            raise(&b, load16(from + across))
            raise(&c, load16(from + 2 &* across))
            raise(&d, load16(from + 3 &* across))
            from += 4 &* across
            key &+= 4
        }
        while key < keys {
            raise(&a, load16(from))
            from += across
            key &+= 1
        }
        raise(&a, b)
        raise(&c, d)
        raise(&a, c)
        var largest = a
        store16(maxima + lane, largest)
        largest.replace(with: F16.zero, where: largest .== -.infinity)
        var factor = exponential((before - largest) * scale)
        factor.replace(with: F16.zero, where: before .== -.infinity)
        store16(factors + lane, factor)
        let shift = -largest * scale
        let to = shares + lane / 16 * step
        var sum = F16.zero
        key = 0
        while key < keys {
            let v = load16(scores + (key &* across &+ lane))
            var e = exponential(shift.addingProduct(v, F16(repeating: scale)))
            e.replace(with: F16.zero, where: v .== -.infinity)
            sum += e
            store16(to + key &* 16, e)
            key &+= 1
        }
        store16(sums + lane, sum.addingProduct(load16(sums + lane), factor))
        lane &+= 16
    }
}
