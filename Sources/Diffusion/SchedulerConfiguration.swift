package import Files
internal import Tensors

/// A scheduler's settings as scheduler_config.json gives them, with the reference's defaults for what it
/// leaves out.
package struct SchedulerConfiguration: Sendable, Hashable {
    /// DDPM's `variance_type`: the posterior's variance, its clipped logarithm, or beta
    /// (Ho, Jain and Abbeel 2020, section 3.2).
    package enum VarianceType: String, CaseIterable, Sendable {
        case fixedSmall = "fixed_small"
        case fixedSmallLog = "fixed_small_log"
        case fixedLarge = "fixed_large"
    }
    /// `final_sigmas_type`: where the last step leads, to no noise or to that of training timestep 0.
    package enum FinalSigma: String, CaseIterable, Sendable {
        case zero
        case smallest = "sigma_min"
    }
    /// `solver_type` of the second-order DPM-Solver++ (Lu and others 2022).
    package enum SolverType: String, CaseIterable, Sendable { case midpoint, heun }

    package let kind: SchedulerKind
    /// What the model was trained with.
    package let schedule: NoiseSchedule
    /// What the network's output means.
    package let prediction: Prediction
    package let spacing: TimestepSpacing
    /// Added to each timestep of the spacing `leading`.
    package let stepsOffset: Int
    /// Whether the last step goes to a picture without noise; else to the level of training timestep 0.
    package let setsAlphaToOne: Bool
    /// Largest magnitude of a predicted picture, nil where it is left alone.
    package let clip: Double?
    /// PNDM: start with the multistep rule, not with Runge-Kutta.
    package let skipsRungeKutta: Bool
    /// DDIM: 0 draws nothing, 1 draws as much noise as DDPM.
    package let eta: Double
    /// DDPM: the variance of a step.
    package let variance: VarianceType
    /// Step sizes of Karras and others (2022).
    package let karras: Bool
    /// The range of these step sizes where the configuration names it.
    package let sigmaRange: (smallest: Double?, largest: Double?)
    /// Euler and DPM-Solver: where the last step leads.
    package let finalSigma: FinalSigma
    /// DPM-Solver: 1 or 2.
    package let solverOrder: Int
    package let solverType: SolverType
    /// DPM-Solver: whether the last step of a short schedule (fewer than 15) is of first order.
    package let lowerOrderAtEnd: Bool
    /// DPM-Solver: whether the last step is of first order whatever the schedule.
    package let eulerAtEnd: Bool
    /// DPM-Solver: training timesteps whose log signal-to-noise lies below are left out.
    package let smallestLambda: Double
    /// LCM: the steps of the schedule the model was distilled on.
    package let originalSteps: Int
    /// LCM: the factor of the timestep in its boundary conditions.
    package let timestepScaling: Double

    /// What the folder says, and where.
    package let file: SchedulerFile
    /// What was read of it: with corrections, where there are any.
    package let settings: JSON
    package var place: String { file.place }
    /// Whether timesteps between two whole ones are cut instead of rounded.
    let cutsTimesteps: Bool

    package var trainingSteps: Int { schedule.count }

    /// How much signal is left after the last step, for samplers that walk over training timesteps.
    package var finalAlphaBar: Double { setsAlphaToOne ? 1 : Double(schedule.alphaBars[0]) }

    /// As the file stands. `place` is its path, for messages.
    /// - Throws: what is missing, of another kind or out of range, with file, key and what was expected.
    package init(json: JSON, place: String = "scheduler_config.json") throws {
        try self.init(SchedulerFile(json, place: place, isExact: true))
    }

    /// The folder's own scheduler, or another that takes over the folder's settings: the folder's values, the
    /// other's defaults for what the folder leaves out, and predicted pictures clipped only where the folder
    /// says so (latents go beyond 1). `eta` and `karras` replace what the folder says; where the scheduler
    /// has no use for them that is an error.
    package init(
        _ file: SchedulerFile, as kind: SchedulerKind? = nil, eta: Double? = nil, karras: Bool? = nil
    ) throws {
        let kind = try kind ?? file.ownKind()
        try kind.check(eta: eta, karras: karras)
        if let eta, !(0...1).contains(eta) {
            throw EngineError(.configuration, "eta \(eta) is not between 0 and 1")
        }
        try self.init(file, kind: kind, eta: eta ?? 0, karras: karras)
    }

    /// The same settings for another scheduler, or with another `eta` or `karras`.
    package func converted(to kind: SchedulerKind? = nil, eta: Double? = nil, karras: Bool? = nil) throws
        -> SchedulerConfiguration
    {
        let kind = kind ?? self.kind
        try kind.check(eta: eta, karras: karras)
        guard kind == self.kind else { return try Self(file, as: kind, eta: eta, karras: karras) }
        return try Self(
            file, as: kind, eta: eta ?? (kind.takesEta ? self.eta : nil),
            karras: karras ?? (kind.takesKarras ? self.karras : nil))
    }

    /// What a scheduler is corrected in, in words.
    package var corrections: [String] { file.corrections(for: kind) }

    private init(_ file: SchedulerFile, kind: SchedulerKind, eta: Double, karras: Bool?) throws {
        let json = file.settings(for: kind)
        let settings = SchedulerSettings(json: json, place: file.place, keys: kind.traits.keys)
        let traits = kind.traits
        let isOwn = file.className == traits.className
        try settings.refuse([
            "thresholding", "rescale_betas_zero_snr", "use_exponential_sigmas", "use_beta_sigmas",
            "use_lu_lambdas", "use_flow_sigmas",
            "use_dynamic_shifting",
        ])
        self.kind = kind
        self.eta = eta
        self.file = file
        self.settings = json
        schedule = try settings.noiseSchedule(defaults: traits.betas)
        prediction = try settings.prediction(of: kind)
        spacing = try settings.choice("timestep_spacing", traits.spacing)
        stepsOffset = try settings.integer("steps_offset", 0, in: 0...(schedule.count - 1))
        setsAlphaToOne = try settings.flag("set_alpha_to_one", traits.setsAlphaToOne)
        clip =
            try settings.flag("clip_sample", traits.clipsSample && isOwn)
            ? try settings.number("clip_sample_range", 1, in: .leastNonzeroMagnitude...1e9) : nil
        skipsRungeKutta = try settings.flag("skip_prk_steps", false)
        variance = kind == .ddpm ? try settings.choice("variance_type", .fixedSmall) : .fixedSmall
        self.karras = try karras ?? settings.flag("use_karras_sigmas", false)
        sigmaRange = (try settings.optionalSigma("sigma_min"), try settings.optionalSigma("sigma_max"))
        finalSigma = try settings.choice("final_sigmas_type", .zero)
        lowerOrderAtEnd = try settings.flag("lower_order_final", true)
        eulerAtEnd = try settings.flag("euler_at_final", false)
        smallestLambda = try settings.optionalNumber("lambda_min_clipped") ?? -.infinity
        originalSteps = try settings.integer("original_inference_steps", 50, in: 1...schedule.count)
        timestepScaling = try settings.number("timestep_scaling", 10, in: 0...1e9)
        solverOrder = try settings.integer("solver_order", 2, in: 1...2)
        // As the reference takes over the settings of its other solvers.
        let isOfOtherSolver = ["logrho", "bh1", "bh2"].contains(settings.text("solver_type") ?? "")
        solverType = isOfOtherSolver ? .midpoint : try settings.choice("solver_type", .midpoint)
        if settings.text("algorithm_type") == "deis" {
            guard finalSigma != .zero else {
                throw EngineError(
                    .unsupported,
                    """
                    algorithm_type deis is refused by \(traits.className), in the reference too, where \
                    final_sigmas_type is zero
                    """,
                    place: file.place,
                    cure: """
                        another scheduler: \
                        \(SchedulerKind.allCases.filter { $0 != kind }.map { "scheduler=" + $0.rawValue }.joined(separator: ", "))
                        """)
            }
        } else {
            try settings.require("algorithm_type", ["dpmsolver++"])
        }
        cutsTimesteps = settings.text("beta_schedule") == NoiseSchedule.Shape.squaredCosine.rawValue
        if kind == .euler {
            try settings.require("interpolation_type", ["linear"])
            if prediction == .velocity { try settings.require("timestep_type", ["discrete"]) }
        }
    }

    /// What results depend on beside the kind, `eta` and `karras`.
    package var keyText: String {
        settings.text + (kind == .dpmpp2M && karras && cutsTimesteps ? " timesteps cut" : "")
    }

    package static func == (a: Self, b: Self) -> Bool {
        a.kind == b.kind && a.eta == b.eta && a.karras == b.karras && a.settings == b.settings
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(kind)
        hasher.combine(eta)
        hasher.combine(karras)
        hasher.combine(settings)
    }
}
