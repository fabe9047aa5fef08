internal import Tensors

/// What a network's output means, and the way from it to the two things that samplers need.
package enum Prediction: String, CaseIterable, Sendable {
    /// The noise in the sample (Ho, Jain and Abbeel 2020).
    case epsilon
    /// The velocity `sqrt(alphaBar) noise - sqrt(1 - alphaBar) picture` (Salimans and Ho 2022, appendix D).
    case velocity = "v_prediction"
    /// The picture itself.
    case sample

    /// The picture that the output implies. The sample is as the sampler keeps it, before any scaling for the
    /// network.
    func clean(_ output: Tensor, _ sample: Tensor, at level: NoiseLevel) -> Tensor {
        switch self {
        case .epsilon: .sum(1 / level.signal, sample, -level.noise / level.signal, output)
        case .velocity:
            .sum(level.signal / level.power, sample, -level.noise / level.power.squareRoot(), output)
        case .sample: output
        }
    }

    /// The noise that the output implies.
    func epsilon(_ output: Tensor, _ sample: Tensor, at level: NoiseLevel) -> Tensor {
        switch self {
        case .epsilon: output
        case .velocity:
            .sum(level.noise / level.power, sample, level.signal / level.power.squareRoot(), output)
        case .sample: .sum(1 / level.noise, sample, -level.signal / level.noise, output)
        }
    }
}

extension NoiseLevel {
    /// The total variance.
    fileprivate var power: Double { signal * signal + noise * noise }
}
