import Synchronization

/// What Ctrl-C asks of running work. A signal handler may call `request`: it only touches atomics.
package final class Cancellation: Sendable {
    package enum Level: Int, Sendable, Comparable {
        case none
        /// Stop before the next denoising step and return what is finished.
        case stop
        /// Give up at once, in the middle of a step.
        case abandon

        package static func < (a: Level, b: Level) -> Bool { a.rawValue < b.rawValue }
    }

    private let presses = Atomic<Int>(0)

    package init() {}

    /// One press of Ctrl-C; gives how many there were since work began.
    @discardableResult package func request() -> Int {
        presses.add(1, ordering: .relaxed).newValue
    }

    package func reset() { presses.store(0, ordering: .relaxed) }

    package var level: Level { Level(rawValue: min(presses.load(ordering: .relaxed), 2)) ?? .abandon }
    package var isRequested: Bool { level >= .stop }
}
