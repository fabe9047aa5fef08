/// How many items of each verb came from the cache, and how many were computed.
package struct CacheCounts: Sendable, Equatable, CustomStringConvertible {
    package struct Count: Sendable, Equatable {
        package var cached = 0
        package var computed = 0

        package init(cached: Int = 0, computed: Int = 0) {
            self.cached = cached
            self.computed = computed
        }
    }

    /// In the order in which the verbs first ran.
    package private(set) var verbs: [(name: String, count: Count)] = []

    package init() {}

    package subscript(verb: String) -> Count { verbs.first { $0.name == verb }?.count ?? Count() }

    package mutating func add(_ verb: String, cached: Int, computed: Int) {
        guard cached + computed > 0 else { return }
        let index = verbs.firstIndex { $0.name == verb } ?? verbs.endIndex
        if index == verbs.endIndex { verbs.append((verb, Count())) }
        verbs[index].count.cached += cached
        verbs[index].count.computed += computed
    }

    package mutating func add(_ other: CacheCounts) {
        for (name, count) in other.verbs { add(name, cached: count.cached, computed: count.computed) }
    }

    package var hasCached: Bool { verbs.contains { $0.count.cached > 0 } }

    /// "cached 16, computed 8"; by verb where they differ.
    package var description: String {
        guard let first = verbs.first else { return "cached 0, computed 0" }
        if verbs.allSatisfy({ $0.count == first.count }) { return Self.text(first.count) }
        return verbs.map { "\($0.name): \(Self.text($0.count))" }.joined(separator: "; ")
    }

    private static func text(_ count: Count) -> String {
        "cached \(count.cached), computed \(count.computed)"
    }

    package static func == (a: Self, b: Self) -> Bool {
        a.verbs.map(\.name) == b.verbs.map(\.name) && a.verbs.map(\.count) == b.verbs.map(\.count)
    }
}
