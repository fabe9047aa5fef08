/// What a reader should know of the cache after a run: results that it could not keep, and what was found damaged. The results are not touched by it.
package struct CacheRemarks: Sendable, Equatable {
    /// Results that were not kept.
    package private(set) var unkept = 0
    /// Why, the first time.
    package private(set) var reason: String?
    private var notes: [String] = []

    package init() {}

    mutating func addUnkept(_ reason: String) {
        unkept += 1
        self.reason = self.reason ?? reason
    }

    mutating func add(_ note: String) { if !notes.contains(note) { notes.append(note) } }

    package mutating func add(_ other: CacheRemarks) {
        unkept += other.unkept
        reason = reason ?? other.reason
        for note in other.notes { add(note) }
    }

    /// A sentence each.
    package var lines: [String] {
        let first = reason.map { "\(unkept) \(unkept == 1 ? "result is" : "results are") not kept in the cache: \($0)" }
        return (first.map { [$0] } ?? []) + notes
    }
}
