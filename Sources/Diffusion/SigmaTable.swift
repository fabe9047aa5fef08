internal import Tensors

#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

/// Steps given by noise levels (sigmas) instead of whole timesteps, as Karras and others (2022) see
/// diffusion. Sigmas are single precision, rounded where the reference rounds them.
struct SigmaTable {
    /// The training timesteps' sigmas, rising.
    private let training: [Double]
    private let logarithms: [Double]

    init(_ schedule: NoiseSchedule) {
        training = schedule.sigmas.map(Double.init)
        logarithms = training.map { Double(Float(log($0))) }
    }

    var smallest: Double { training[0] }
    var largest: Double { training[training.count - 1] }

    /// Sigma at a timestep that may lie between two, or beyond the last.
    func sigma(at timestep: Double) -> Double {
        guard timestep > 0 else { return smallest }
        guard timestep < Double(training.count - 1) else { return largest }
        let below = Int(timestep)
        return (training[below + 1] - training[below]) * (timestep - Double(below)) + training[below]
    }

    /// The timestep at which a sigma lies, between two by its logarithm.
    /// - Parameter inSinglePrecision: round where the reference rounds, to the bit: where the result is cut,
    ///   the last digit decides.
    func timestep(of sigma: Double, inSinglePrecision: Bool = false) -> Double {
        guard training.count > 1 else { return 0 }
        let logarithm = log(max(sigma, 1e-10))
        let below = min(max(logarithms.partitioningIndex { $0 > logarithm } - 1, 0), training.count - 2)
        let distance = logarithms[below] - logarithms[below + 1]
        let share = (logarithms[below] - logarithm) / (inSinglePrecision ? Double(Float(distance)) : distance)
        let weight = min(max(share, 0), 1)
        return (1 - weight) * Double(below) + weight * Double(below + 1)
    }

    /// Step sizes of Karras and others (2022, formula 5 with rho 7), noisiest first.
    static func karras(from largest: Double, to smallest: Double, count: Int) -> [Double] {
        let (top, bottom) = (pow(largest, 1 / 7), pow(smallest, 1 / 7))
        return TimestepSpacing.evenly(from: 0, to: 1, count: count).map { pow(top + $0 * (bottom - top), 7) }
    }
}

extension Array {
    /// The first place whose element fulfils a condition that, once true, stays true.
    fileprivate func partitioningIndex(_ condition: (Element) -> Bool) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if condition(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}

extension ScheduleTable {
    /// Rows for parallel lists of timesteps and sigmas; the last step goes to `final`.
    init(
        timesteps: [Double], sigmas: [Double], final: Double, initialSigma: Double,
        level: (Double) -> NoiseLevel
    ) {
        let rounded = (sigmas + [final]).map { Double(Float($0)) }
        let rows = timesteps.indices.map { place in
            ScheduleStep(
                timestep: Float(timesteps[place]), level: level(rounded[place]),
                next: level(rounded[place + 1]))
        }
        self.init(rows: rows, initialSigma: initialSigma)
    }

    /// The table of Euler, Euler ancestral and Heun.
    init(exploding configuration: SchedulerConfiguration, steps: Int, final: Double = 0) {
        let table = SigmaTable(configuration.schedule)
        // numpy casts these to single precision before it looks up the sigmas.
        var timesteps = configuration.spacing.timesteps(
            steps, of: configuration.trainingSteps, offset: configuration.stepsOffset
        ).map {
            Double(Float($0))
        }
        var sigmas = timesteps.map(table.sigma)
        if configuration.karras, let first = sigmas.first, let last = sigmas.last {
            let range = configuration.sigmaRange
            sigmas = SigmaTable.karras(from: range.largest ?? first, to: range.smallest ?? last, count: steps)
            timesteps = sigmas.map { table.timestep(of: $0) }
        }
        let largest = Double(Float(max(sigmas.max() ?? 0, final)))
        // With leading spacing the first level is not pure noise yet, and the reference adds the missing
        // part.
        let initial = configuration.spacing == .leading ? (largest * largest + 1).squareRoot() : largest
        self.init(timesteps: timesteps, sigmas: sigmas, final: final, initialSigma: initial) {
            NoiseLevel(sigma: $0)
        }
    }
}

extension NoiseLevel {
    /// A sample of this level at variance 1, for the network.
    func scaled(_ sample: Tensor) -> Tensor { sample / Float((sigma * sigma + 1).squareRoot()) }
}
