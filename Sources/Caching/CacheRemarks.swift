/// What a reader should know of the cache after a run: results that it could not keep, and what was found
/// damaged. The results are not touched by it.
package struct CacheRemarks: Sendable, Equatable {
    /// Results that were not kept.
    package private(set) var unkept = 0
    /// Why, the first time.
    package private(set) var reason: String?
    /// Results that somebody else kept.
    private var foreign = 0
    private var notes: [String] = []

    package init() {}

    mutating func addUnkept(_ reason: String) {
        unkept += 1
        self.reason = self.reason ?? reason
    }

    mutating func addForeign() { foreign += 1 }

    mutating func add(_ note: String) { if !notes.contains(note) { notes.append(note) } }

    package mutating func add(_ other: CacheRemarks) {
        unkept += other.unkept
        reason = reason ?? other.reason
        foreign += other.foreign
        for note in other.notes { add(note) }
    }

    /// A sentence each.
    package var lines: [String] {
        var lines = notes
        if foreign > 0 {
            let what =
                foreign == 1
                ? "1 result in the cache is another user's and is"
                : "\(foreign) results in the cache are another user's and are"
            lines.insert("\(what) computed anew: \(Self.trusting)", at: 0)
        }
        if let reason {
            lines.insert(
                "\(unkept) \(unkept == 1 ? "result is" : "results are") not kept in the cache: \(reason)",
                at: 0)
        }
        return lines
    }

    /// What to do about something that another user, or a version that did not sign, has kept.
    package static let trusting =
        "--trust-cache takes such, and NOISEBOOK_CACHE_KEY=FILE is a key that several share"
}
