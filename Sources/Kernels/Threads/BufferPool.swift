import Synchronization

/// Keeps freed buffers of floats for the next of equal size. The steps of a denoising loop ask for the same
/// sizes again and again, and fresh memory costs a page fault per 4 KB: measured, a tenth to a sixth of a
/// step of the report's UNet.
package enum BufferPool {
    private struct State: ~Copyable {
        /// Free buffers by number of floats, as addresses.
        var free: [Int: [UInt]] = [:]
        var bytes = 0
        /// Whose they are.
        var network = ""
        /// What is kept at most; beyond it buffers are freed.
        var limit = BufferPool.standardLimit
    }

    private static let state = Mutex(State())
    package static let standardLimit = 512 << 20
    /// Smaller ones are the allocator's business.
    private static let smallest = 4096

    /// Uninitialised floats, aligned to a cache line.
    package static func take(_ count: Int) -> UnsafeMutablePointer<Float> {
        if count >= smallest {
            let address: UInt? = state.withLock { state in
                guard let address = state.free[count]?.popLast() else { return nil }
                state.bytes -= count * MemoryLayout<Float>.stride
                return address
            }
            if let address, let pointer = UnsafeMutablePointer<Float>(bitPattern: address) { return pointer }
        }
        return allocateFloats(count)
    }

    /// Gives back what `take(count)` gave.
    package static func give(_ pointer: UnsafeMutablePointer<Float>, _ count: Int) {
        let bytes = count * MemoryLayout<Float>.stride
        let kept =
            count >= smallest
            && state.withLock { state in
                guard state.bytes + bytes <= state.limit else { return false }
                state.free[count, default: []].append(UInt(bitPattern: pointer))
                state.bytes += bytes
                return true
            }
        if !kept { UnsafeMutableRawPointer(pointer).deallocate() }
    }

    /// Sets how much is kept, and frees what is beyond: a training goes through all its activations in every
    /// step.
    package static func keep(upTo bytes: Int) {
        let mustFree = state.withLock { state in
            state.limit = bytes
            return state.bytes > bytes
        }
        if mustFree { empty() }
    }

    /// Says which network is about to compute: much that another one has left is freed, since its sizes are
    /// of no use to this one.
    package static func serve(_ network: String) {
        let mustFree = state.withLock { state in
            defer { state.network = network }
            return state.network != network && state.bytes > 64 << 20
        }
        if mustFree { empty() }
    }

    /// Frees all that is kept.
    package static func empty() {
        let released: [UInt] = state.withLock { state in
            defer { (state.free, state.bytes) = ([:], 0) }
            // In any order: all of them go.
            return state.free.values.flatMap { $0 }
        }
        for address in released { UnsafeMutableRawPointer(bitPattern: address)?.deallocate() }
    }
}
