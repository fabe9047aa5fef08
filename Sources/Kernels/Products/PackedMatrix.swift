internal import CProcessor

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// The constant factor B of a matrix product A · B + bias, `[inputs, outputs]`, stored in the order in which
/// the inner loop reads it: panels of 16 outputs, each `[inputs][16]`, the last one padded with zeros.
/// Unchecked Sendable: written only while it is being made.
package final class PackedMatrix: @unchecked Sendable {
    package static let width = 16

    /// Number of rows of B, the length of each sum.
    package let inputs: Int
    /// Number of columns of B.
    package let outputs: Int
    let panels: Int
    private let storage: Storage
    /// One value per output, padded to whole panels; zeros without a bias.
    let bias: UnsafeMutablePointer<Float>

    private enum Storage {
        case floats(UnsafeMutablePointer<Float>)
        case halves(UnsafeMutablePointer<Float16>)
        /// Somebody else's, not packed: `[outputs, channels, taps]`.
        case borrowed(UnsafePointer<Float>, channels: Int, taps: Int)
    }

    private init(inputs: Int, outputs: Int, bias values: [Float]?, _ storage: (_ values: Int) -> Storage) {
        (self.inputs, self.outputs) = (inputs, outputs)
        panels = (outputs + PackedMatrix.width - 1) / PackedMatrix.width
        self.storage = storage(panels * inputs * PackedMatrix.width)
        bias = allocateFloats(panels * PackedMatrix.width)
        bias.update(repeating: 0, count: panels * PackedMatrix.width)
        if let values {
            precondition(values.count == outputs, "\(values.count) bias values for \(outputs) outputs")
            for (i, value) in values.enumerated() { bias[i] = value }
        }
    }

    /// Room for a matrix, to be filled by `set`.
    convenience init(roomFor inputs: Int, outputs: Int, precision: StoredPrecision) {
        self.init(inputs: inputs, outputs: outputs, bias: nil) { Self.room(for: $0, precision) }
    }

    private static func room(for values: Int, _ precision: StoredPrecision) -> Storage {
        switch precision {
        case .float32: .floats(BufferPool.take(values))
        case .float16:
            .halves(
                UnsafeMutableRawPointer(BufferPool.take((values + 1) / 2)).bindMemory(
                    to: Float16.self, capacity: values))
        }
    }

    /// Packs weights stored as the reference does, `[outputs, channels, taps]` row-major (taps = kernel
    /// height times width; 1 for a linear layer). The sums run over taps first, then channels, as a
    /// channels-last convolution reads its input.
    package convenience init(
        weights: UnsafePointer<Float>, outputs: Int, channels: Int, taps: Int, bias: [Float]?,
        precision: StoredPrecision = .float32
    ) {
        self.init(inputs: channels * taps, outputs: outputs, bias: bias) { Self.room(for: $0, precision) }
        let size = inputs * PackedMatrix.width
        ThreadPool.shared.run(panels) { panel in
            switch storage {
            case .floats(let to): pack(panel, of: weights, channels, taps, into: to + panel * size)
            case .halves(let to):
                let buffer = BufferPool.take(size)
                defer { BufferPool.give(buffer, size) }
                pack(panel, of: weights, channels, taps, into: buffer)
                for place in 0..<size { to[panel * size + place] = half(buffer[place]) }
            case .borrowed: break
            }
        }
    }

    /// The same matrix without packing it: each product packs the panels it is at into a small buffer, which
    /// is best for a single one. Valid only as long as `weights` are.
    package convenience init(
        borrowing weights: UnsafePointer<Float>, outputs: Int, channels: Int, taps: Int, bias: [Float]?
    ) {
        self.init(inputs: channels * taps, outputs: outputs, bias: bias) { _ in
            .borrowed(weights, channels: channels, taps: taps)
        }
    }

    var precision: StoredPrecision { if case .halves = storage { .float16 } else { .float32 } }
    var isBorrowed: Bool { if case .borrowed = storage { true } else { false } }

    /// Packs one panel of borrowed weights, `[inputs][16]`.
    func packBorrowed(_ panel: Int, into buffer: UnsafeMutablePointer<Float>) {
        guard case .borrowed(let weights, let channels, let taps) = storage else {
            preconditionFailure("these weights are packed")
        }
        pack(panel, of: weights, channels, taps, into: buffer)
    }

    /// Some outputs of borrowed weights, packed and without their bias.
    func packed(_ range: Range<Int>) -> PackedMatrix {
        guard case .borrowed(let weights, let channels, let taps) = storage else {
            preconditionFailure("these weights are packed")
        }
        return PackedMatrix(
            weights: weights + range.lowerBound * inputs, outputs: range.count, channels: channels,
            taps: taps, bias: nil)
    }

    /// Writes eight outputs of one row, from `first` on.
    @inline(__always)
    func set(_ values: F8, row: Int, panel: Int, first: Int) {
        let place = (panel &* inputs &+ row) &* PackedMatrix.width &+ first
        switch storage {
        case .floats(let to): store8(to, place, values)
        case .halves(let to): for lane in 0..<8 { to[place &+ lane] = half(values[lane]) }
        case .borrowed: preconditionFailure("borrowed weights are not written")
        }
    }

    /// One panel into `buffer`, `[inputs][16]`.
    private func pack(
        _ panel: Int, of weights: UnsafePointer<Float>, _ channels: Int, _ taps: Int,
        into buffer: UnsafeMutablePointer<Float>
    ) {
        let width = PackedMatrix.width, inputs = inputs
        let lanes = min(width, outputs - panel * width)
        let from = weights + panel * width * inputs
        // Eight inputs of eight outputs at a time; what is left over singly.
        let whole = lanes == width ? inputs / 8 * 8 : 0
        // Input i is tap i % taps of channel i / taps, and stands in row tap * channels + channel.
        var channel = 0, tap = 0
        @inline(__always) func nextRow() -> Int {
            defer {
                tap &+= 1
                if tap == taps { (tap, channel) = (0, channel &+ 1) }
            }
            return (tap &* channels &+ channel) &* width
        }
        var input = 0
        while input < whole {
            // Sixteen rows at once are more than the processor foresees, page after page.
            if input % 16 == 0 {
                for lane in 0..<width { nb_prefetch(from + (lane &* inputs &+ input &+ 256)) }
            }
            let a = transposed8(from + input, stride: inputs),
                b = transposed8(from + (8 &* inputs &+ input), stride: inputs)
            var to = nextRow()
            store8(buffer, to, a.0); store8(buffer, to &+ 8, b.0)
            to = nextRow()
            store8(buffer, to, a.1); store8(buffer, to &+ 8, b.1)
            to = nextRow()
            store8(buffer, to, a.2); store8(buffer, to &+ 8, b.2)
            to = nextRow()
            store8(buffer, to, a.3); store8(buffer, to &+ 8, b.3)
            to = nextRow()
            store8(buffer, to, a.4); store8(buffer, to &+ 8, b.4)
            to = nextRow()
            store8(buffer, to, a.5); store8(buffer, to &+ 8, b.5)
            to = nextRow()
            store8(buffer, to, a.6); store8(buffer, to &+ 8, b.6)
            to = nextRow()
            store8(buffer, to, a.7); store8(buffer, to &+ 8, b.7)
            input &+= 8
        }
        while input < inputs {
            let to = buffer + nextRow()
            for lane in 0..<lanes { to[lane] = from[lane &* inputs &+ input] }
            for lane in lanes..<width { to[lane] = 0 }
            input &+= 1
        }
    }

    deinit {
        let values = panels * inputs * PackedMatrix.width
        switch storage {
        case .floats(let held): BufferPool.give(held, values)
        case .halves(let held):
            BufferPool.give(
                UnsafeMutableRawPointer(held).bindMemory(to: Float.self, capacity: (values + 1) / 2),
                (values + 1) / 2)
        case .borrowed: break
        }
        bias.deallocate()
    }

    /// Room for all panels of floats, to be filled as `set` does.
    var writablePanels: UnsafeMutablePointer<Float> {
        guard case .floats(let values) = storage else {
            preconditionFailure("these weights are not packed floats")
        }
        return values
    }

    /// Bytes held.
    package var byteCount: Int {
        let values = panels * inputs * PackedMatrix.width
        let held =
            switch storage {
            case .floats: values * MemoryLayout<Float>.stride
            case .halves: values * MemoryLayout<Float16>.stride
            case .borrowed: 0
            }
        return held + panels * PackedMatrix.width * MemoryLayout<Float>.stride
    }

    /// Rows `first` on of a packed panel, `[count][16]`: in place, or widened into `scratch`.
    @inline(__always)
    func rows(_ first: Int, _ count: Int, ofPanel panel: Int, scratch: UnsafeMutablePointer<Float>)
        -> UnsafePointer<Float>
    {
        let place = (panel * inputs + first) * PackedMatrix.width
        switch storage {
        case .floats(let values): return UnsafePointer(values + place)
        case .halves(let values):
            widen(values + place, count: count * PackedMatrix.width, into: scratch)
            return UnsafePointer(scratch)
        case .borrowed: preconditionFailure("borrowed weights have no panels")
        }
    }
}

/// Uninitialised floats, aligned to a cache line; large ones in huge pages where the system has them, which
/// saves most of the page faults of packing and most of the misses of the address cache in streaming weights.
func allocateFloats(_ count: Int) -> UnsafeMutablePointer<Float> {
    let bytes = max(count, 1) * MemoryLayout<Float>.stride
    let hugePage = 2 << 20
    let isLarge = bytes >= 2 * hugePage
    // As `deallocate` frees what was allocated with such an alignment; and a failure is told before the end.
    var found: UnsafeMutableRawPointer?
    guard posix_memalign(&found, isLarge ? hugePage : 64, bytes) == 0, let pointer = found else {
        OutOfMemory.end()
    }
    #if canImport(Glibc)
    // A hint: where it is refused the memory is as good, only slower.
    if isLarge { _ = madvise(pointer, bytes, MADV_HUGEPAGE) }
    #endif
    return pointer.bindMemory(to: Float.self, capacity: max(count, 1))
}
