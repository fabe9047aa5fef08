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
    package let precision: StoredPrecision
    /// Floats or halves.
    private let storage: UnsafeMutableRawPointer
    /// One value per output, padded to whole panels; zeros without a bias.
    let bias: UnsafeMutablePointer<Float>

    /// Packs weights stored as the reference does, `[outputs, channels, taps]` row-major (taps = kernel height times width;
    /// 1 for a linear layer). The sums run over taps first, then channels, as a channels-last convolution reads its input.
    package init(
        weights: UnsafePointer<Float>, outputs: Int, channels: Int, taps: Int, bias values: [Float]?, precision: StoredPrecision = .float32
    ) {
        self.inputs = channels * taps
        self.outputs = outputs
        panels = (outputs + PackedMatrix.width - 1) / PackedMatrix.width
        self.precision = precision
        storage = UnsafeMutableRawPointer(BufferPool.take(Self.floats(panels * inputs, precision)))
        bias = allocateFloats(panels * PackedMatrix.width)
        bias.update(repeating: 0, count: panels * PackedMatrix.width)
        if let values {
            precondition(values.count == outputs, "\(values.count) bias values for \(outputs) outputs")
            for (i, value) in values.enumerated() { bias[i] = value }
        }
        switch precision {
        case .float32: pack(weights, channels: channels, taps: taps, into: storage.assumingMemoryBound(to: Float.self), 0) { $0 }
        case .float16:
            pack(weights, channels: channels, taps: taps, into: storage.bindMemory(to: Float16.self, capacity: panels * inputs * Self.width), 0, half)
        }
    }

    /// Floats that hold so many rows of panels.
    private static func floats(_ rows: Int, _ precision: StoredPrecision) -> Int {
        precision == .float32 ? rows * PackedMatrix.width : rows * PackedMatrix.width / 2
    }

    @inline(__always)
    private func pack<Stored>(
        _ weights: UnsafePointer<Float>, channels: Int, taps: Int, into storage: UnsafeMutablePointer<Stored>, _ zero: Stored, _ convert: (Float) -> Stored
    ) {
        let inputs = inputs, outputs = outputs
        let block = max(8, 128 / taps)
        withoutActuallyEscaping(convert) { convert in
            // Unchecked: each chunk writes its own panel of `storage`, and `convert` changes nothing.
            nonisolated(unsafe) let storage = storage, convert = convert
            ThreadPool.shared.run(panels) { panel in
                let to = storage + panel * inputs * PackedMatrix.width
                // Block by block, so that a line of the panel is filled by all lanes while it is in the nearest cache.
                var first = 0
                while first < channels {
                    let end = min(first &+ block, channels)
                    for lane in 0..<PackedMatrix.width {
                        let output = panel &* PackedMatrix.width &+ lane
                        let from = weights + output &* inputs
                        for tap in 0..<taps {
                            var place = (tap &* channels &+ first) &* PackedMatrix.width &+ lane
                            var source = first &* taps &+ tap
                            for _ in first..<end {
                                to[place] = output < outputs ? convert(from[source]) : zero
                                place &+= PackedMatrix.width
                                source &+= taps
                            }
                        }
                    }
                    first = end
                }
            }
        }
    }

    deinit {
        let count = Self.floats(panels * inputs, precision)
        BufferPool.give(storage.bindMemory(to: Float.self, capacity: count), count)
        bias.deallocate()
    }

    /// Bytes held.
    package var byteCount: Int { (Self.floats(panels * inputs, precision) + panels * PackedMatrix.width) * MemoryLayout<Float>.stride }

    /// Rows `first` on of a panel, `[count][16]`: in place, or widened into `scratch`.
    @inline(__always)
    func rows(_ first: Int, _ count: Int, ofPanel panel: Int, scratch: UnsafeMutablePointer<Float>) -> UnsafePointer<Float> {
        let place = (panel * inputs + first) * PackedMatrix.width
        guard precision == .float16 else { return UnsafePointer(storage.assumingMemoryBound(to: Float.self) + place) }
        widen(storage.assumingMemoryBound(to: Float16.self) + place, count: count * PackedMatrix.width, into: scratch)
        return UnsafePointer(scratch)
    }
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
