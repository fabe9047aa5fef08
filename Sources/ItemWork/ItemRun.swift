package import Interpreting

/// What a group that is being computed knows of the run: whether the user stopped it, and where to tell how
/// far it is.
package final class ItemRun {
    package let session: Session
    private let watch: Cancellation.Watch
    private let finishesStopped: Bool
    private var wasStopped = false
    private(set) var place: String?
    /// Of the group at hand, what was timed.
    private(set) var units = 0
    private var hasAdvanced = false

    init(_ session: Session, finishesStopped: Bool) {
        (self.session, self.finishesStopped) = (session, finishesStopped)
        watch = session.cancellation.watch()
    }

    package var isStopped: Bool {
        wasStopped || (finishesStopped ? watch.isStopped : session.cancellation.isRequested)
    }

    /// For groups that take long, and have steps of their own.
    package func advance(by steps: Int, units: Int) {
        hasAdvanced = true
        self.units += units
        session.progress.advance(by: steps)
    }

    /// - Parameter place: empty where that is not known.
    func stop(at place: String) {
        wasStopped = true
        if !place.isEmpty { self.place = place }
    }

    func begin() { (units, hasAdvanced) = (0, false) }

    /// The group is whole.
    func finish(_ costs: [ItemCost]) {
        guard !hasAdvanced else { return }
        units = costs.reduce(0) { $0 + $1.units }
        session.progress.advance(by: costs.reduce(0) { $0 + $1.steps })
    }
}
