#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

/// How far a moving average of the weights looks back.
package enum AverageLength: Sendable, Hashable {
    /// The decay rises as (1 + t) / (10 + t) from `minimum` up to `decay`, and is 0 in the first step:
    /// diffusers' `EMAModel`.
    case exponential(decay: Double, minimum: Double = 0)
    /// The power-function profile of Karras et al. (2024, "Analyzing and improving the training dynamics of
    /// diffusion models", section 3.1): it keeps the same shape over the whole run, with a standard deviation
    /// of `relative` of the run's length so far.
    case power(relative: Double)

    /// The decay of optimiser step `step`, counted from 1.
    package func decay(_ step: Int) -> Double {
        switch self {
        case .exponential(let decay, let minimum):
            let t = step - 1
            return t <= 0 ? 0 : min(decay, max(minimum, Double(1 + t) / Double(10 + t)))
        case .power(let relative):
            return pow(1 - 1 / Double(step), Self.exponent(relative) + 1)
        }
    }

    /// The exponent gamma whose profile has that standard deviation: (gamma + 1) / ((gamma + 2)² (gamma + 3))
    /// = relative².
    static func exponent(_ relative: Double) -> Double {
        // The left side falls for gamma >= 0, so halving finds it.
        var low = 0.0, high = 1e6
        for _ in 0..<200 {
            let gamma = (low + high) / 2
            let spread = (gamma + 1) / ((gamma + 2) * (gamma + 2) * (gamma + 3))
            if spread > relative * relative { low = gamma } else { high = gamma }
        }
        return (low + high) / 2
    }
}
