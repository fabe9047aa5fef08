#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

/// How the learning rate runs from the first optimiser step to the last. Factors of the highest rate, as in
/// diffusers' `optimization.py`.
package struct RateSchedule: Sendable, Hashable {
    package enum Shape: String, Sendable, CaseIterable {
        /// The highest rate to the end.
        case constant
        /// Down to zero in a straight line.
        case linear
        /// Down to zero along half a cosine.
        case cosine
    }

    package var shape: Shape
    /// Steps in which the rate climbs from zero.
    package var warmup: Int
    /// Steps in all.
    package var total: Int

    package init(_ shape: Shape, warmup: Int = 0, total: Int) {
        (self.shape, self.warmup, self.total) = (shape, warmup, total)
    }

    /// The factor of optimiser step `step`, counted from 0.
    package func factor(_ step: Int) -> Double {
        if step < warmup { return Double(step) / Double(max(1, warmup)) }
        let progress = Double(step - warmup) / Double(max(1, total - warmup))
        return switch shape {
        case .constant: 1
        case .linear: max(0, Double(total - step) / Double(max(1, total - warmup)))
        case .cosine: max(0, 0.5 * (1 + cos(Double.pi * progress)))
        }
    }
}
