/// The kinds of numbers that a safetensors file holds, under the names its header gives them. Little-endian.
package enum ElementType: String, Sendable, CaseIterable {
    // In the order in which the reference writer puts them into a file: the widest first, so that each is
    // aligned.
    case int64 = "I64"
    case float64 = "F64"
    case float32 = "F32"
    case int32 = "I32"
    case bfloat16 = "BF16"
    case float16 = "F16"
    case int16 = "I16"
    case int8 = "I8"
    case uint8 = "U8"
    case bool = "BOOL"

    package var byteCount: Int {
        switch self {
        case .int64, .float64: 8
        case .float32, .int32: 4
        case .bfloat16, .float16, .int16: 2
        case .int8, .uint8, .bool: 1
        }
    }

    /// Place in the reference writer's order.
    var order: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}

/// Widening of stored elements. Sources need no alignment: a safetensors header may have any length.
enum Widening {
    /// `count` elements at `source` as floats. Integers beyond 2^24 and doubles are rounded to the nearest
    /// float.
    static func floats(
        _ type: ElementType, _ source: UnsafeRawBufferPointer, to out: UnsafeMutablePointer<Float>, count: Int
    ) {
        guard let base = source.baseAddress, count > 0 else { return }
        switch type {
        case .float32: UnsafeMutableRawPointer(out).copyMemory(from: base, byteCount: count * 4)
        case .bfloat16: bfloat16(base, to: out, count: count)
        case .float16: float16(base, to: out, count: count)
        case .float64:
            for i in 0..<count { out[i] = Float(base.loadUnaligned(fromByteOffset: i * 8, as: Double.self)) }
        case .int64:
            for i in 0..<count { out[i] = Float(base.loadUnaligned(fromByteOffset: i * 8, as: Int64.self)) }
        case .int32:
            for i in 0..<count { out[i] = Float(base.loadUnaligned(fromByteOffset: i * 4, as: Int32.self)) }
        case .int16:
            for i in 0..<count { out[i] = Float(base.loadUnaligned(fromByteOffset: i * 2, as: Int16.self)) }
        case .int8: for i in 0..<count { out[i] = Float(base.load(fromByteOffset: i, as: Int8.self)) }
        case .uint8, .bool:
            for i in 0..<count { out[i] = Float(base.load(fromByteOffset: i, as: UInt8.self)) }
        }
    }

    /// bfloat16 is the upper half of a float.
    private static func bfloat16(_ base: UnsafeRawPointer, to out: UnsafeMutablePointer<Float>, count: Int) {
        for i in 0..<count {
            out[i] = Float(
                bitPattern: UInt32(base.loadUnaligned(fromByteOffset: i * 2, as: UInt16.self)) &<< 16)
        }
    }

    /// Exponent and fraction move 13 places left; the product with 2^112 corrects the exponent's bias,
    /// subnormals included (exact, as a power of two); the largest exponent stands for infinity and NaN.
    /// Needs no half-precision instruction.
    private static func float16(_ base: UnsafeRawPointer, to out: UnsafeMutablePointer<Float>, count: Int) {
        let bias = Float(bitPattern: (127 + 112) << 23)
        // Plain and without branches: the compiler makes vectors of it.
        for i in 0..<count {
            let half = UInt32(base.loadUnaligned(fromByteOffset: i * 2, as: UInt16.self))
            let magnitude = (half & 0x7fff) &<< 13
            let scaled = (Float(bitPattern: magnitude) * bias).bitPattern
            let special: UInt32 = magnitude >= 31 &<< 23 ? 0x7f80_0000 : 0
            out[i] = Float(bitPattern: scaled | special | (half & 0x8000) &<< 16)
        }
    }
}
