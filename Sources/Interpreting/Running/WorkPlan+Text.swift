import Caching
import Results

/// A plan as people read it: "denoise: 72 cached, 36 to compute; about 40 s".
extension WorkPlan {
    /// - Parameter log: what was timed here before; nil where nothing is kept.
    package func text(_ log: RunLog?) -> String {
        let works = counts.verbs.map { name, count in
            let parts = [(count.cached, "cached"), (count.computed, "to compute")].filter { $0.0 > 0 }.map {
                "\($0.0) \($0.1)"
            }
            return "\(name): \(parts.joined(separator: ", "))"
        }
        guard !works.isEmpty else { return "nothing that takes long" }
        return (works + (time(log).map { [$0] } ?? [])).joined(separator: "; ")
    }

    /// nil where nothing whose time is kept is left to compute.
    package func time(_ log: RunLog?) -> String? {
        guard !units.isEmpty else { return nil }
        guard let log, let (seconds, isWhole) = estimate(log) else {
            return "time not known: nothing like it has run here"
        }
        return (isWhole ? "about " : "at least ") + DurationText.estimate(seconds)
    }
}
