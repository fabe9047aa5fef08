extension Tensor {
    /// Whether no element is NaN or infinite. By the bits, so that the loop takes many at a time.
    package var isFinite: Bool {
        withUnsafePointer { values in
            var largest: UInt32 = 0
            for i in 0..<count { largest = max(largest, values[i].bitPattern & 0x7FFF_FFFF) }
            return largest < 0x7F80_0000
        }
    }
}
