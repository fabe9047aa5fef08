// What the other files share; the rules of `WidePanelProduct.swift` hold here too.

/// Sixteen floats: one 512-bit register.
typealias F16 = SIMD16<Float>

@inline(__always) func load16(_ pointer: UnsafePointer<Float>) -> F16 {
    UnsafeRawPointer(pointer).loadUnaligned(as: F16.self)
}

@inline(__always) func store16(_ pointer: UnsafeMutablePointer<Float>, _ value: F16) {
    UnsafeMutableRawPointer(pointer).storeBytes(of: value, as: F16.self)
}

/// e^x as `exponential` of `Kernels` computes it.
@inline(__always)
func exponential(_ value: F16) -> F16 {
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

/// x sigmoid(x) as `silu` of `Kernels` computes it.
@inline(__always) func silu(_ x: F16) -> F16 { x / (1 + exponential(-x)) }

/// Φ(x) as `normalShare` of `Kernels` computes it.
@inline(__always) func normalShare(_ x: F16) -> F16 {
    let negative = x .< 0
    let size = x.replacing(with: -x, where: negative) * 0.707_106_78
    let z = size.replacing(with: F16(repeating: 6.4), where: size .> 6.4)
    var g = F16(repeating: 2.408840487078123e-07)
    g = F16(repeating: -6.509733339044033e-06).addingProduct(g, z)
    g = F16(repeating: 7.231050403788686e-05).addingProduct(g, z)
    g = F16(repeating: -0.0004162123368587345).addingProduct(g, z)
    g = F16(repeating: 0.0011619391152635217).addingProduct(g, z)
    g = F16(repeating: 0.00048178801080211997).addingProduct(g, z)
    g = F16(repeating: -0.01960429921746254).addingProduct(g, z)
    g = F16(repeating: 0.10294456779956818).addingProduct(g, z)
    g = F16(repeating: -0.3634089529514313).addingProduct(g, z)
    g = F16(repeating: 1.1283807754516602).addingProduct(g, z)
    let half = exponential(-(z * (z + g))) * 0.5
    return (1 - half).replacing(with: half, where: negative)
}
