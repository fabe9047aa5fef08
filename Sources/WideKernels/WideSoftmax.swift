// The exponentials of a softmax for processors with 512-bit vectors; the rules of `WidePanelProduct.swift` hold here too. The sum has the same eight
// lanes in the same order as `softmaxNumerators` of `Kernels`, so the results are equal to the bit.

private typealias F16 = SIMD16<Float>
private typealias F8 = SIMD8<Float>

/// e^x as `exponential` of `Kernels` computes it.
@inline(__always)
private func exponential(_ value: F16) -> F16 {
    let low = F16(repeating: -87), high = F16(repeating: 88)
    var x = value.replacing(with: low, where: value .< low)
    x.replace(with: high, where: x .> high)
    let shifted = F16(repeating: 12_582_912).addingProduct(x, F16(repeating: 1.442_695_04))
    let n = shifted - 12_582_912
    var r = x.addingProduct(n, F16(repeating: -0.693_359_375))
    r = r.addingProduct(n, F16(repeating: 2.121_944_40e-4))
    var p = F16(repeating: 1.987_569_15e-4)
    p = F16(repeating: 1.398_199_95e-3).addingProduct(p, r)
    p = F16(repeating: 8.333_451_9e-3).addingProduct(p, r)
    p = F16(repeating: 4.166_579_6e-2).addingProduct(p, r)
    p = F16(repeating: 1.666_666_55e-1).addingProduct(p, r)
    p = F16(repeating: 5.000_000_1e-1).addingProduct(p, r)
    p = (r + 1).addingProduct(p, r * r)
    let bits = unsafeBitCast(shifted, to: SIMD16<UInt32>.self) &<< 23
    return p * unsafeBitCast(bits &+ SIMD16(repeating: 127 << 23), to: F16.self)
}

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
