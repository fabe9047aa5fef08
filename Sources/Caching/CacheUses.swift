internal import Synchronization

/// Entries that a run made or read: they stay, whatever the limit.
package final class CacheUses: Sendable {
    private let noted = Mutex<Set<String>>([])

    package init() {}

    var paths: Set<String> { noted.withLock { $0 } }
    func note(_ path: String) { noted.withLock { _ = $0.insert(path) } }
    func forget() { noted.withLock { $0 = [] } }
}
