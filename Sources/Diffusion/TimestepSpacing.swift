/// How N steps are laid over the training timesteps (Lin and others 2024, table 2).
package enum TimestepSpacing: String, CaseIterable, Sendable {
    /// Multiples of a whole ratio from 0 up, plus an offset.
    case leading
    /// From the first to the last training timestep, both included.
    case linspace
    /// From the last training timestep down by a ratio that need not be whole.
    case trailing

    /// `count` timesteps of `training`, noisiest first, as the reference lays them; only `linspace` gives
    /// fractions.
    func timesteps(_ count: Int, of training: Int, offset: Int) -> [Double] {
        switch self {
        case .leading:
            let ratio = training / count
            return (0..<count).reversed().map { Double($0 * ratio + offset) }
        case .linspace:
            return Self.evenly(from: 0, to: Double(training - 1), count: count).reversed()
        case .trailing:
            // In the reference rounding errors make this list one longer for some counts (61, 103, ...), with
            // a last timestep of -1.
            let start = Double(training)
            let step = (start - start / Double(count)) - start
            return (0..<count).map { (start + Double($0) * step).rounded(.toNearestOrEven) - 1 }
        }
    }

    /// `numpy.linspace`.
    static func evenly(from start: Double, to end: Double, count: Int) -> [Double] {
        guard count > 1 else { return [start] }
        let step = (end - start) / Double(count - 1)
        return (0..<(count - 1)).map { Double($0) * step + start } + [end]
    }
}
