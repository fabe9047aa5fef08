import Results

/// A program is walked through without computing all of it: what is left out is stood in for by numbers that
/// are no numbers (NaN), and so is all that follows from them. For `plan`, and for the quick forms of
/// `verify`.
package final class StandIns {
    package enum Mode: Sendable {
        /// Nothing is computed that takes long, and no scores.
        case plan
        /// Nothing is computed that takes long but scores of what the cache has.
        case cached
        /// Of all rows that are denoised these alone are computed, and no scores.
        case sample(Set<RowTag>)
    }

    package let mode: Mode
    package let plan = WorkPlan()
    /// Set once something was left out that no value shows: a claim, an expectation.
    package var hasGap = false

    package init(_ mode: Mode) { self.mode = mode }

    var computesNothing: Bool { if case .sample = mode { false } else { true } }
    package var computesScores: Bool { if case .cached = mode { true } else { false } }

    /// Whether nothing was stood in for so far.
    package var isExact: Bool {
        computesScores && plan.counts.verbs.allSatisfy { $0.count.computed == 0 } && !hasGap
    }

    /// Whether a row that is denoised is to be computed.
    package func isWanted(_ row: RowTag?) -> Bool {
        guard case .sample(let rows) = mode else { return false }
        return row.map(rows.contains) ?? true
    }
}
