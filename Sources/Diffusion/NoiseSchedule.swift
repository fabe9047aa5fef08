#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

/// The noise a model was trained with: how much of the picture is left at each training timestep.
/// Betas and their products are single precision, rounded where the reference rounds them.
package struct NoiseSchedule: Sendable, Hashable {
    /// How the betas run over the timesteps, by the reference's names (`beta_schedule`).
    package enum Shape: String, CaseIterable, Sendable {
        /// From `start` to `end` (Ho, Jain and Abbeel 2020, section 4).
        case linear
        /// The square roots are linear: latent diffusion's own (Rombach and others 2022).
        case scaledLinear = "scaled_linear"
        /// The products follow a squared cosine (Nichol and Dhariwal 2021, formula 17).
        case squaredCosine = "squaredcos_cap_v2"
    }

    /// Variance added at each training timestep.
    package let betas: [Float]
    /// Alpha bar: the share of the picture's variance left after each training timestep, falling from almost
    /// 1 to almost 0.
    package let alphaBars: [Float]

    /// Training timesteps, 1,000 in most models.
    package var count: Int { alphaBars.count }

    /// Betas of the reference's `trained_betas`, one per training timestep, each between 0 and 1.
    package init(betas: [Float]) {
        self.betas = betas
        // The reference's running product is double, each entry rounded.
        var product = 1.0
        alphaBars = betas.map { beta in
            product *= Double(1 - beta)
            return Float(product)
        }
    }

    /// - Parameters:
    ///   - start, end: the first and the last beta; of no use to `squaredCosine`.
    ///   - count: training timesteps.
    package init(_ shape: Shape, start: Double, end: Double, count: Int) {
        switch shape {
        case .linear: self.init(betas: Self.evenly(from: Float(start), to: Float(end), count: count))
        case .scaledLinear:
            self.init(
                betas: Self.evenly(from: Float(start.squareRoot()), to: Float(end.squareRoot()), count: count)
                    .map { $0 * $0 })
        case .squaredCosine:
            func product(_ t: Double) -> Double {
                let c = cos((t + 0.008) / 1.008 * Double.pi / 2)
                return c * c
            }
            let last = Double(count)
            self.init(
                betas: (0..<count).map {
                    Float(min(1 - product(Double($0 + 1) / last) / product(Double($0) / last), 0.999))
                })
        }
    }

    /// `torch.linspace` in single precision, which works from both ends to the middle.
    private static func evenly(from start: Float, to end: Float, count: Int) -> [Float] {
        guard count > 1 else { return [start] }
        let step = (end - start) / Float(count - 1)
        return (0..<count).map {
            $0 < count / 2 ? start + step * Float($0) : end - step * Float(count - $0 - 1)
        }
    }

    /// Standard deviation of the noise where the picture keeps variance 1, at each training timestep.
    package var sigmas: [Float] {
        alphaBars.map { ((1 - $0) / $0).squareRoot() }
    }
}
