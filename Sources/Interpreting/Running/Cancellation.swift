import Kernels
import Synchronization
import Tensors

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
    /// Raised with the second press: the kernels stop at once.
    private let abandonment = Abandonment()

    package init() {}

    /// One press of Ctrl-C; gives how many there were since work began.
    @discardableResult package func request() -> Int {
        let count = presses.add(1, ordering: .relaxed).newValue
        if count >= Level.abandon.rawValue { abandonment.isSet = true }
        return count
    }

    package func reset() {
        presses.store(0, ordering: .relaxed)
        abandonment.isSet = false
    }

    /// What `body` computes, unless the user gives up in the middle: then it ends soon, and its result is
    /// thrown away.
    package func abandonable<R>(_ body: () throws -> R) throws -> R {
        try ThreadPool.$abandonment.withValue(abandonment) {
            try EngineError.checkAbandoned()
            let result = try body()
            try EngineError.checkAbandoned()
            return result
        }
    }

    package var level: Level { Level(rawValue: min(presses.load(ordering: .relaxed), 2)) ?? .abandon }
    package var isRequested: Bool { level >= .stop }

    /// For work that may finish what was stopped before it: it ends at the next press only.
    package func watch() -> Watch { Watch(cancellation: self, began: presses.load(ordering: .relaxed)) }

    package struct Watch: Sendable {
        fileprivate let cancellation: Cancellation
        fileprivate let began: Int
        package var isStopped: Bool { cancellation.presses.load(ordering: .relaxed) > began }
    }
}
