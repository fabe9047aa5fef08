#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Memory for the length of a call, from a block that each thread keeps: the inner products of small layers take about a microsecond, and so would
/// the allocator for what they need. What does not fit is allocated. Whoever makes one releases it before whoever made one earlier on the same thread.
struct Scratch {
    private struct Block {
        var memory: UnsafeMutableRawPointer
        var used = 0
    }

    private static let size = 1 << 20
    private static let line = 64

    private static let key: pthread_key_t = {
        var key = pthread_key_t()
        let code = pthread_key_create(&key) { block in
            #if canImport(Glibc)
            guard let block else { return }
            #endif
            let held = block.assumingMemoryBound(to: Block.self)
            held.pointee.memory.deallocate()
            held.deallocate()
        }
        precondition(code == 0, "no room for one more value per thread: error \(code)")
        return key
    }()

    private let block: UnsafeMutablePointer<Block>
    private let mark: Int
    private var others: [UnsafeMutableRawPointer] = []

    init() {
        if let held = pthread_getspecific(Self.key) {
            block = held.assumingMemoryBound(to: Block.self)
        } else {
            block = .allocate(capacity: 1)
            block.initialize(to: Block(memory: .allocate(byteCount: Self.size, alignment: 4096)))
            pthread_setspecific(Self.key, block)
        }
        mark = block.pointee.used
    }

    func release() {
        block.pointee.used = mark
        for other in others { other.deallocate() }
    }

    /// Uninitialised room, aligned to a cache line.
    mutating func take<Value: BitwiseCopyable>(_ count: Int, of type: Value.Type) -> UnsafeMutablePointer<Value> {
        let bytes = (max(count, 1) * MemoryLayout<Value>.stride + Self.line - 1) / Self.line * Self.line
        guard block.pointee.used + bytes <= Self.size else {
            let other = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: Self.line)
            others.append(other)
            return other.bindMemory(to: Value.self, capacity: count)
        }
        defer { block.pointee.used += bytes }
        return (block.pointee.memory + block.pointee.used).bindMemory(to: Value.self, capacity: count)
    }

    mutating func floats(_ count: Int) -> UnsafeMutablePointer<Float> { take(count, of: Float.self) }
}
