// The kernels of convolutions for Winograd's algorithm, 16 at a time, for processors with 512-bit vectors;
// the rules of `WidePanelProduct.swift` hold here too. Each value is computed by the same operations as in
// `WinogradWeights` of `Kernels`, so the results are equal to the bit.

private typealias D8 = SIMD8<Double>

/// G g Gᵀ for the 3 x 3 taps g of 16 kernels and some channels.
/// - Parameters:
///   - taps: `[channels][9][16]`.
///   - transform: G, `[side][3]`.
///   - half: room for `[side][3][16]`, aligned to 64 bytes.
///   - planes: where each of the `side * side` planes has its `[channels][16]`, `offset` floats from there
///     on.
@inline(never)
package func wideFilterTransform(
    _ taps: UnsafePointer<Float>, channels: Int, _ transform: UnsafePointer<Double>, side: Int,
    half: UnsafeMutablePointer<Double>,
    into planes: UnsafePointer<UnsafeMutablePointer<Float>>, offset: Int
) {
    @inline(__always) func load(_ pointer: UnsafePointer<Float>) -> D8 {
        D8(UnsafeRawPointer(pointer).loadUnaligned(as: SIMD8<Float>.self))
    }
    @inline(__always) func load(_ pointer: UnsafePointer<Double>) -> D8 {
        UnsafeRawPointer(pointer).loadUnaligned(as: D8.self)
    }
    var channel = 0
    while channel < channels {
        var x = 0
        while x < 3 {
            let kernel = taps + (channel &* 9 &+ x) &* 16
            let low0 = load(kernel), low1 = load(kernel + 48), low2 = load(kernel + 96)
            let high0 = load(kernel + 8), high1 = load(kernel + 56), high2 = load(kernel + 104)
            var i = 0
            while i < side {
                let a = transform[3 &* i], b = transform[3 &* i &+ 1], c = transform[3 &* i &+ 2]
                let to = UnsafeMutableRawPointer(half + (i &* 3 &+ x) &* 16)
                to.storeBytes(of: a * low0 + b * low1 + c * low2, as: D8.self)
                (to + 64).storeBytes(of: a * high0 + b * high1 + c * high2, as: D8.self)
                i &+= 1
            }
            x &+= 1
        }
        let place = offset &+ channel &* 16
        var i = 0
        while i < side {
            let row = half + i &* 48
            let low0 = load(row), low1 = load(row + 16), low2 = load(row + 32)
            let high0 = load(row + 8), high1 = load(row + 24), high2 = load(row + 40)
            var j = 0
            while j < side {
                let a = transform[3 &* j], b = transform[3 &* j &+ 1], c = transform[3 &* j &+ 2]
                let low = SIMD8<Float>(a * low0 + b * low1 + c * low2),
                    high = SIMD8<Float>(a * high0 + b * high1 + c * high2)
                store16(planes[i &* side &+ j] + place, F16(lowHalf: low, highHalf: high))
                j &+= 1
            }
            i &+= 1
        }
        channel &+= 1
    }
}
