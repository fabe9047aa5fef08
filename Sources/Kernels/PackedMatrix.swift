#if canImport(Glibc)
import Glibc
#endif

/// The constant factor B of a matrix product A · B + bias, `[inputs, outputs]`, stored in the order in which the inner
/// loop reads it: panels of 16 outputs, each `[inputs][16]`, the last one padded with zeros.
/// Unchecked Sendable: written only while it is being made.
package final class PackedMatrix: @unchecked Sendable {
    package static let width = 16

    /// Number of rows of B, the length of each sum.
    package let inputs: Int
    /// Number of columns of B.
    package let outputs: Int
    let panels: Int
    let storage: UnsafeMutablePointer<Float>
    /// One value per output, padded to whole panels; zeros without a bias.
    let bias: UnsafeMutablePointer<Float>

    /// Packs weights stored as the reference does, `[outputs, channels, taps]` row-major (taps = kernel height times width;
    /// 1 for a linear layer). The sums run over taps first, then channels, as a channels-last convolution reads its input.
    package init(weights: UnsafePointer<Float>, outputs: Int, channels: Int, taps: Int, bias values: [Float]?) {
        self.inputs = channels * taps
        self.outputs = outputs
        panels = (outputs + PackedMatrix.width - 1) / PackedMatrix.width
        storage = BufferPool.take(panels * inputs * PackedMatrix.width)
        bias = allocateFloats(panels * PackedMatrix.width)
        bias.update(repeating: 0, count: panels * PackedMatrix.width)
        if let values {
            precondition(values.count == outputs, "\(values.count) bias values for \(outputs) outputs")
            for (i, value) in values.enumerated() { bias[i] = value }
        }
        let inputs = inputs, storage = storage
        ThreadPool.shared.run(panels) { panel in
            let to = storage + panel * inputs * PackedMatrix.width
            for lane in 0..<PackedMatrix.width {
                let output = panel * PackedMatrix.width + lane
                guard output < outputs else {
                    for k in 0..<inputs { to[k * PackedMatrix.width + lane] = 0 }
                    continue
                }
                let from = weights + output * inputs
                for tap in 0..<taps {
                    for channel in 0..<channels {
                        to[(tap * channels + channel) * PackedMatrix.width + lane] = from[channel * taps + tap]
                    }
                }
            }
        }
    }

    deinit {
        BufferPool.give(storage, panels * inputs * PackedMatrix.width)
        bias.deallocate()
    }

    /// Bytes held.
    package var byteCount: Int { (panels * inputs + panels) * PackedMatrix.width * MemoryLayout<Float>.stride }

    func panel(_ index: Int) -> UnsafePointer<Float> { UnsafePointer(storage + index * inputs * PackedMatrix.width) }
}

/// Uninitialised floats, aligned to a cache line; large ones in huge pages where the system has them, which saves most of
/// the page faults of packing and most of the misses of the address cache in streaming weights.
func allocateFloats(_ count: Int) -> UnsafeMutablePointer<Float> {
    let bytes = max(count, 1) * MemoryLayout<Float>.stride
    let hugePage = 2 << 20
    let isLarge = bytes >= 2 * hugePage
    let pointer = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: isLarge ? hugePage : 64)
    #if canImport(Glibc)
    // A hint: where it is refused the memory is as good, only slower.
    if isLarge { _ = madvise(pointer, bytes, MADV_HUGEPAGE) }
    #endif
    return pointer.bindMemory(to: Float.self, capacity: max(count, 1))
}
