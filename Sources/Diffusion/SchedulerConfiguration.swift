package import Files
internal import Tensors

/// A scheduler's settings as scheduler_config.json gives them, with the reference's defaults for what it leaves out.
package struct SchedulerConfiguration: Sendable, Hashable {
    package enum VarianceType: String, CaseIterable, Sendable {
        case fixedSmall = "fixed_small"
        case fixedSmallLog = "fixed_small_log"
        case fixedLarge = "fixed_large"
    }
    package enum FinalSigma: String, CaseIterable, Sendable {
        case zero
        case smallest = "sigma_min"
    }
    package enum SolverType: String, CaseIterable, Sendable { case midpoint, heun }

    package let kind: SchedulerKind
    package let schedule: NoiseSchedule
    package let prediction: Prediction
    package let spacing: TimestepSpacing
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
    package let finalSigma: FinalSigma
    package let solverOrder: Int
    package let solverType: SolverType
    package let lowerOrderAtEnd: Bool
    package let eulerAtEnd: Bool
    /// DPM-Solver: training timesteps whose log signal-to-noise lies below are left out.
    package let smallestLambda: Double
    /// LCM: the steps of the schedule the model was distilled on.
    package let originalSteps: Int
    package let timestepScaling: Double

    /// What the folder says, and where.
    package let source: JSON
    package let place: String

    package var trainingSteps: Int { schedule.count }

    /// How much signal is left after the last step, for samplers that walk over training timesteps.
    package var finalAlphaBar: Double { setsAlphaToOne ? 1 : Double(schedule.alphaBars[0]) }

    /// `place` is the file's path, for messages.
    package init(json: JSON, place: String = "scheduler_config.json") throws {
        try self.init(json, place, kind: Self.ownKind(json, place), eta: 0, karras: nil)
    }

    /// The same settings for another scheduler: the folder's values, the other's defaults for what the folder leaves out, and predicted
    /// pictures clipped only where the folder says so (latents go beyond 1).
    /// `eta` and `karras` replace what the folder says; where the scheduler has no use for them that is an error.
    package func converted(to kind: SchedulerKind? = nil, eta: Double? = nil, karras: Bool? = nil) throws -> SchedulerConfiguration {
        let kind = kind ?? self.kind
        try kind.check(eta: eta, karras: karras)
        if let eta, !(0...1).contains(eta) { throw EngineError(.configuration, "eta \(eta) is not between 0 and 1") }
        return try Self(source, place, kind: kind, eta: eta ?? (kind == self.kind ? self.eta : 0), karras: karras ?? (kind == self.kind ? self.karras : nil))
    }

    private static func ownKind(_ json: JSON, _ place: String) throws -> SchedulerKind {
        let names = SchedulerKind.allCases.map(\.className).joined(separator: ", ")
        guard let name = json["_class_name"]?.string else {
            throw EngineError(.configuration, "_class_name is missing: which scheduler is this?", place: place, cure: "one of \(names)")
        }
        guard let kind = SchedulerKind(className: name) else {
            throw EngineError(.unsupported, "the scheduler \(name) is not supported", place: place, cure: "supported are \(names)")
        }
        return kind
    }

    private init(_ json: JSON, _ place: String, kind: SchedulerKind, eta: Double, karras: Bool?) throws {
        let settings = SchedulerSettings(json: json, place: place)
        let traits = kind.traits
        let isOwn = json["_class_name"]?.string == traits.className
        try settings.refuse([
            "thresholding", "rescale_betas_zero_snr", "use_exponential_sigmas", "use_beta_sigmas", "use_lu_lambdas", "use_flow_sigmas",
            "use_dynamic_shifting",
        ])
        self.kind = kind
        self.eta = eta
        source = json
        self.place = place
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
        self.karras = try karras ?? (kind.takesKarras && settings.flag("use_karras_sigmas", false))
        sigmaRange = kind == .euler ? (try settings.optionalSigma("sigma_min"), try settings.optionalSigma("sigma_max")) : (nil, nil)
        finalSigma = try settings.choice("final_sigmas_type", .zero)
        lowerOrderAtEnd = try settings.flag("lower_order_final", true)
        eulerAtEnd = try settings.flag("euler_at_final", false)
        smallestLambda = try settings.optionalNumber("lambda_min_clipped") ?? -.infinity
        originalSteps = try settings.integer("original_inference_steps", 50, in: 1...schedule.count)
        timestepScaling = try settings.number("timestep_scaling", 10, in: 0...1e9)
        let isSolver = kind == .dpmpp2M
        solverOrder = isSolver ? try settings.integer("solver_order", 2, in: 1...2) : 2
        solverType = isSolver ? try settings.choice("solver_type", .midpoint) : .midpoint
        if isSolver { try settings.require("algorithm_type", ["dpmsolver++"]) }
        if kind == .euler {
            try settings.require("interpolation_type", ["linear"])
            if prediction == .velocity { try settings.require("timestep_type", ["discrete"]) }
        }
    }

    package static func == (a: Self, b: Self) -> Bool {
        a.kind == b.kind && a.eta == b.eta && a.karras == b.karras && a.source == b.source
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(kind)
        hasher.combine(eta)
        hasher.combine(karras)
        hasher.combine(source)
    }
}
