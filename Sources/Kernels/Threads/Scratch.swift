#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Memory for the length of a call, from an arena that each thread keeps: the inner products of small layers
/// take about a microsecond, and so would the allocator for what they need. What does not fit is allocated.
/// Whoever makes one releases it before whoever made one earlier on the same thread.
struct Scratch {
    private struct Arena {
        var memory: UnsafeMutableRawPointer
        var used = 0
    }

    private static let size = 1 << 20
    private static let line = 64

    private static let key: pthread_key_t = {
        var key = pthread_key_t()
        let code = pthread_key_create(&key) { arena in
            #if canImport(Glibc)
            guard let arena else { return }
            #endif
            let held = arena.assumingMemoryBound(to: Arena.self)
            held.pointee.memory.deallocate()
            held.deallocate()
        }
        precondition(code == 0, "no room for one more value per thread: error \(code)")
        return key
    }()

    private let arena: UnsafeMutablePointer<Arena>
    private let mark: Int
    private var others: [UnsafeMutableRawPointer] = []

    init() {
        if let held = pthread_getspecific(Self.key) {
            arena = held.assumingMemoryBound(to: Arena.self)
        } else {
            arena = .allocate(capacity: 1)
            arena.initialize(to: Arena(memory: .allocate(byteCount: Self.size, alignment: 4096)))
            pthread_setspecific(Self.key, arena)
        }
        mark = arena.pointee.used
    }

    func release() {
        arena.pointee.used = mark
        for other in others { other.deallocate() }
    }

    /// Uninitialised room, aligned to a cache line.
    mutating func take<Value: BitwiseCopyable>(_ count: Int, of type: Value.Type) -> UnsafeMutablePointer<
        Value
    > {
        let bytes = (max(count, 1) * MemoryLayout<Value>.stride + Self.line - 1) / Self.line * Self.line
        guard arena.pointee.used + bytes <= Self.size else {
            let other = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: Self.line)
            others.append(other)
            return other.bindMemory(to: Value.self, capacity: count)
        }
        defer { arena.pointee.used += bytes }
        return (arena.pointee.memory + arena.pointee.used).bindMemory(to: Value.self, capacity: count)
    }

    mutating func floats(_ count: Int) -> UnsafeMutablePointer<Float> { take(count, of: Float.self) }
}
