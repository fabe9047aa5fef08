#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Eight floats: one AVX register, two NEON registers.
typealias F8 = SIMD8<Float>

@inline(__always)
func load8(_ pointer: UnsafePointer<Float>, _ offset: Int) -> F8 {
    UnsafeRawPointer(pointer + offset).loadUnaligned(as: F8.self)
}

@inline(__always)
func store8(_ pointer: UnsafeMutablePointer<Float>, _ offset: Int, _ value: F8) {
    UnsafeMutableRawPointer(pointer + offset).storeBytes(of: value, as: F8.self)
}

/// Eight rows of eight floats, `stride` floats apart, as eight columns. Each round moves the lowest bit of a
/// value's place in its row to the top of its row's number; after three, rows and columns have changed
/// places.
@inline(__always)
func transposed8(
    _ rows: UnsafePointer<Float>, stride: Int
) -> (F8, F8, F8, F8, F8, F8, F8, F8) {
    @inline(__always) func even(_ a: F8, _ b: F8) -> F8 { SIMD16(lowHalf: a, highHalf: b).evenHalf }
    @inline(__always) func odd(_ a: F8, _ b: F8) -> F8 { SIMD16(lowHalf: a, highHalf: b).oddHalf }
    var r = (
        load8(rows, 0), load8(rows, stride), load8(rows, 2 &* stride), load8(rows, 3 &* stride),
        load8(rows, 4 &* stride), load8(rows, 5 &* stride),
        load8(rows, 6 &* stride), load8(rows, 7 &* stride)
    )
    for _ in 0..<3 {
        r = (
            even(r.0, r.1), even(r.2, r.3), even(r.4, r.5), even(r.6, r.7), odd(r.0, r.1), odd(r.2, r.3),
            odd(r.4, r.5), odd(r.6, r.7)
        )
    }
    return r
}

extension SIMD8<Float> {
    /// The sum of the eight lanes, as a tree in a fixed order.
    @inline(__always) var treeSum: Float {
        let four = lowHalf + highHalf
        let two = four.lowHalf + four.highHalf
        return two.x + two.y
    }

    /// The largest of the eight lanes.
    @inline(__always) var treeMaximum: Float {
        let four = lowHalf.replacing(with: highHalf, where: lowHalf .< highHalf)
        let two = four.lowHalf.replacing(with: four.highHalf, where: four.lowHalf .< four.highHalf)
        return two.x > two.y ? two.x : two.y
    }

    @inline(__always) func atLeast(_ bound: Float) -> F8 {
        replacing(with: F8(repeating: bound), where: self .< bound)
    }
    @inline(__always) func atMost(_ bound: Float) -> F8 {
        replacing(with: F8(repeating: bound), where: self .> bound)
    }
}

/// e^x with a relative error under 2e-7 for x in -87...88, clamped outside. Cody and Waite's reduction (x = n
/// ln 2 + r) and a polynomial of degree 6 for e^r on |r| <= ln(2)/2, as in Cephes' expf.
@inline(__always)
func exponential(_ value: F8) -> F8 {
    let x = value.atLeast(-87).atMost(88)
    // Adding 1.5 * 2^23 rounds to a whole number and leaves it in the low bits.
    let shifted = F8(repeating: 12_582_912).addingProduct(x, F8(repeating: 1.442_695_04))
    let n = shifted - 12_582_912
    var r = x.addingProduct(n, F8(repeating: -0.693_359_375))
    r = r.addingProduct(n, F8(repeating: 2.121_944_40e-4))
    var p = F8(repeating: 1.987_569_15e-4)
    p = F8(repeating: 1.398_199_95e-3).addingProduct(p, r)
    p = F8(repeating: 8.333_451_9e-3).addingProduct(p, r)
    p = F8(repeating: 4.166_579_6e-2).addingProduct(p, r)
    p = F8(repeating: 1.666_666_55e-1).addingProduct(p, r)
    p = F8(repeating: 5.000_000_1e-1).addingProduct(p, r)
    p = (r + 1).addingProduct(p, r * r)
    let bits = unsafeBitCast(shifted, to: SIMD8<UInt32>.self) &<< 23
    let scale = unsafeBitCast(bits &+ SIMD8(repeating: 127 << 23), to: F8.self)
    return p * scale
}
