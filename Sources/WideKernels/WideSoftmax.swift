// The exponentials of a softmax for processors with 512-bit vectors; the rules of `WidePanelProduct.swift` hold here too. The sum has the same eight
// lanes in the same order as `softmaxNumerators` of `Kernels`, so the results are equal to the bit.

private typealias F8 = SIMD8<Float>

/// The largest of `count` scores, a multiple of 16 of them.
@inline(never)
package func wideMaximum(_ line: UnsafePointer<Float>, count: Int) -> Float {
    var maximum = F16(repeating: -.infinity)
    var i = 0
    while i < count {
        let v = UnsafeRawPointer(line + i).loadUnaligned(as: F16.self)
        maximum.replace(with: v, where: maximum .< v)
        i &+= 16
    }
    var largest = -Float.infinity
    for lane in 0..<16 where maximum[lane] > largest { largest = maximum[lane] }
    return largest
}

/// Replaces `count` scores s, a multiple of 16 of them, by exp(scale s + shift), 0 for minus infinity, and adds them to eight sums.
@inline(never)
package func wideExponentials(_ line: UnsafeMutablePointer<Float>, count: Int, scale: Float, shift: Float, sums: UnsafeMutablePointer<Float>) {
    var i = 0
    while i < count {
        let v = UnsafeRawPointer(line + i).loadUnaligned(as: F16.self)
        var e = exponential(F16(repeating: shift).addingProduct(v, F16(repeating: scale)))
        e.replace(with: F16.zero, where: v .== -.infinity)
        UnsafeMutableRawPointer(line + i).storeBytes(of: e, as: F16.self)
        i &+= 16
    }
    // Apart from the loop above, which would else be compiled for 8 lanes.
    var sum = UnsafeRawPointer(sums).loadUnaligned(as: F8.self)
    i = 0
    while i < count {
        sum += UnsafeRawPointer(line + i).loadUnaligned(as: F8.self)
        i &+= 8
    }
    UnsafeMutableRawPointer(sums).storeBytes(of: sum, as: F8.self)
}
