internal import Synchronization

/// What was computed before and may be asked for again, kept in memory. All of it is forgotten at once where
/// computing shall begin anew: before each timed turn of `bench`.
package final class Remembered<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private let content = Mutex<(epoch: Int, values: [Key: Value])>((0, [:]))

    package init() {}

    package func withLock<R: Sendable>(_ body: (inout [Key: Value]) throws -> R) rethrows -> R {
        try content.withLock { content in
            let now = RememberedEpoch.number.load(ordering: .relaxed)
            if content.epoch != now { content = (now, [:]) }
            return try body(&content.values)
        }
    }
}

/// Not a member of the generic type, of which each kind would have its own.
package enum RememberedEpoch {
    fileprivate static let number = Atomic<Int>(0)

    package static func forgetAll() { number.wrappingAdd(1, ordering: .relaxed) }
}
