import Interpreting

/// Watches the seeds that verbs use in the points of a sweep. Item i draws from seed + i, so two points whose
/// seeds are closer than there are items draw the same numbers for different items: they look independent and
/// are not.
final class SeedWatch {
    private static let key = "seed watch"

    /// By the command as it is written, and by the seed of item 0: the items that it drew for.
    private typealias Draws = [String: [Int: Set<Int>]]

    /// Of the point that runs.
    private var point: (place: String, draws: Draws)?
    /// Of the points before: where each seed came first.
    private var known: [String: [Int: (place: String, items: Set<Int>)]] = [:]
    private let around: SeedWatch?
    private let count: Int
    private var hasWarned = false

    /// - Parameter count: points of the sweep.
    private init(around: SeedWatch?, count: Int) { (self.around, self.count) = (around, count) }

    /// Watches while `body` runs, which says when a point begins.
    static func watching<R>(_ session: Session, points count: Int, _ body: (SeedWatch) throws -> R) rethrows
        -> R
    {
        let around = session.store[key] as? SeedWatch
        let watch = SeedWatch(around: around, count: count)
        session.store[key] = watch
        defer { session.store[key] = around }
        return try body(watch)
    }

    func begin(_ place: String) { point = (place, [:]) }

    /// The point is done: a warning if it shares draws with one before it.
    func end(_ session: Session) {
        guard !hasWarned, let point else { return }
        for (command, draws) in point.draws.sorted(by: { $0.key < $1.key }) {
            let before = known[command] ?? [:]
            for (base, items) in draws.sorted(by: { $0.key < $1.key }) where before[base] == nil {
                // Seeds that the point has too do not set it apart from those before.
                for (other, first) in before.sorted(by: { $0.key < $1.key }) where draws[other] == nil {
                    guard let item = items.filter({ first.items.contains($0 &+ (base &- other)) }).min()
                    else { continue }
                    hasWarned = true
                    session.warn(
                        """
                        item \(item &+ (base &- other)) at \(first.place) and item \(item) at \
                        \(point.place) draw the same random numbers, since item i draws from seed + i; \
                        `repeat=\(count)` in place of the seeds gives each point its own (`help W006`)
                        """
                    )
                    return
                }
            }
            for (base, items) in draws where before[base] == nil {
                known[command, default: [:]][base] = (point.place, items)
            }
        }
    }

    /// A verb draws for these items; `base` is the seed of item 0.
    static func note(_ invocation: Invocation, base: Int, items: [Int]) {
        var watch = invocation.session.store[key] as? SeedWatch
        while let one = watch {
            one.point?.draws[invocation.source, default: [:]][base, default: []].formUnion(items)
            watch = one.around
        }
    }
}
