internal import Tensors

/// Values that were computed and may be asked for again. Beyond `most`, those go that the work that came last
/// did not ask for.
package final class ItemMemory<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private let known = Remembered<Key, Value>()
    private let most: Int

    package init(most: Int) { self.most = most }

    package subscript(key: Key) -> Value? { known.withLock { $0[key] } }

    package func add(_ values: [(key: Key, value: Value)], wanted: @autoclosure () -> Set<Key>) {
        let count = known.withLock { known in
            for (key, value) in values { known[key] = value }
            return known.count
        }
        guard count > most else { return }
        let wanted = wanted()
        known.withLock { known in known = known.filter { wanted.contains($0.key) } }
    }
}
