/// How a network's constant weights are kept in memory. Sums are in float32 either way.
package enum StoredPrecision: String, Sendable, CaseIterable {
    case float32
    /// Half the memory; each weight is rounded to 11 bits, and widened again block by block where it is
    /// multiplied. Beyond 65,504, the largest number of this form, weights stay there.
    case float16
}

/// The nearest number of half precision. Beyond 65,504 that is infinity, which is found in what comes of it;
/// the largest number would pass for a result.
func half(_ value: Float) -> Float16 { Float16(value) }

/// `count` numbers, a multiple of eight, as floats.
func widen(_ from: UnsafePointer<Float16>, count: Int, into out: UnsafeMutablePointer<Float>) {
    var i = 0
    while i < count {
        store8(out, i, F8(UnsafeRawPointer(from + i).loadUnaligned(as: SIMD8<Float16>.self)))
        i &+= 8
    }
}
