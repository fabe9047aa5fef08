import Caching

/// What a program would compute, gathered by walking through it without computing it. A verb that finds its
/// value in the item cache gives it; for one that is not there it counts the work and gives numbers that are
/// not numbers (NaN), which no entry of the cache was ever made from, so that all that follows from them is
/// counted too.
package final class WorkPlan {
    /// Items that are cached and items to compute, by verb.
    package private(set) var counts = CacheCounts()
    /// Units of each kind of work that is timed.
    package private(set) var units: [WorkKind: Int] = [:]

    /// Of the items counted as cached, those that the program itself makes before, by verb.
    package private(set) var repeated: [String: Int] = [:]

    private var seen: Set<String> = []

    /// Whether work on this content is counted for the first time: the next time a run would find it.
    package func isFirst(_ content: String) -> Bool { seen.insert(content).inserted }

    /// Thrown where no stand-in is possible, for a verb that can do without.
    package struct Gap: Error {
        package init() {}
    }

    package init() {}

    /// Notes that an item that was counted as cached is made by the program itself, not by an earlier run.
    package func addRepeated(_ verb: String) { repeated[verb, default: 0] += 1 }

    package func add(_ verb: String, cached: Int, missing: Int, _ kind: WorkKind? = nil, units: Int = 0) {
        counts.add(verb, cached: cached, computed: missing)
        if let kind, units > 0 { self.units[kind, default: 0] += units }
    }

    package func add(_ other: WorkPlan) {
        counts.add(other.counts)
        repeated.merge(other.repeated, uniquingKeysWith: +)
        units.merge(other.units, uniquingKeysWith: +)
    }

    /// How long the work takes by what the log knows; `isWhole` says whether it knows all of it. nil where it
    /// knows nothing of it.
    package func estimate(_ log: RunLog) -> (seconds: Double, isWhole: Bool)? {
        let known = units.map { kind, units in log.secondsPerUnit(kind).map { $0 * Double(units) } }
        // Sorted, so that the sum does not depend on a dictionary's order.
        let seconds = known.compactMap { $0 }.sorted()
        return seconds.isEmpty && !units.isEmpty ? nil : (seconds.reduce(0, +), seconds.count == units.count)
    }
}
