internal import Tensors

/// The schedulers there are, by the names they have in the language.
package enum SchedulerKind: String, CaseIterable, Sendable, Hashable {
    case pndm
    case ddim
    case ddpm
    case dpmpp2M = "dpmpp_2m"
    case euler
    case eulerAncestral = "euler_a"
    case heun
    case lcm

    /// What sets a scheduler apart from the others, apart from its arithmetic: the one place that lists them
    /// all.
    struct Traits {
        /// The reference's name for it, as `_class_name` in scheduler_config.json.
        var className: String
        var sampler: any Sampler.Type
        /// The reference's defaults for keys that a configuration leaves out.
        var betas: (shape: NoiseSchedule.Shape, start: Double, end: Double) = (.linear, 0.0001, 0.02)
        var spacing = TimestepSpacing.leading
        var clipsSample = false
        var setsAlphaToOne = true
        var predictions = Prediction.allCases
        var takesKarras = false
        var takesEta = false
        /// The keys that the reference's class knows, of those that are read or refused here, beyond what all
        /// of them know. Others in a folder's file mean nothing to it.
        var keys: Set<String> = []
    }

    private static let clipping: Set = ["clip_sample", "clip_sample_range"]
    /// The reference looks for the range of Karras' step sizes in all that a file says, whatever the class.
    private static let karras: Set = [
        "use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas", "sigma_min", "sigma_max",
    ]
    private static let thresholding: Set = ["thresholding", "rescale_betas_zero_snr"]

    var traits: Traits {
        switch self {
        case .pndm:
            Traits(
                className: "PNDMScheduler", sampler: PNDM.self, setsAlphaToOne: false,
                predictions: [.epsilon, .velocity],
                keys: ["skip_prk_steps", "set_alpha_to_one"])
        case .ddim:
            Traits(
                className: "DDIMScheduler", sampler: DDIM.self, clipsSample: true, takesEta: true,
                keys: Self.clipping.union(Self.thresholding).union(["set_alpha_to_one"]))
        case .ddpm:
            Traits(
                className: "DDPMScheduler", sampler: DDPM.self, clipsSample: true,
                keys: Self.clipping.union(Self.thresholding).union(["variance_type"]))
        case .dpmpp2M:
            Traits(
                className: "DPMSolverMultistepScheduler", sampler: DPMSolver.self, spacing: .linspace,
                takesKarras: true,
                keys: Self.karras.union(Self.thresholding).union([
                    "solver_order", "solver_type", "algorithm_type", "lower_order_final", "euler_at_final",
                    "final_sigmas_type", "lambda_min_clipped",
                    "use_lu_lambdas", "use_flow_sigmas", "use_dynamic_shifting",
                ]))
        case .euler:
            Traits(
                className: "EulerDiscreteScheduler", sampler: Euler.self, spacing: .linspace,
                takesKarras: true,
                keys: Self.karras.union([
                    "final_sigmas_type", "interpolation_type", "timestep_type", "rescale_betas_zero_snr",
                ]))
        case .eulerAncestral:
            Traits(
                className: "EulerAncestralDiscreteScheduler", sampler: EulerAncestral.self,
                spacing: .linspace, predictions: [.epsilon, .velocity],
                keys: ["rescale_betas_zero_snr"])
        case .heun:
            Traits(
                className: "HeunDiscreteScheduler", sampler: Heun.self, betas: (.linear, 0.00085, 0.012),
                spacing: .linspace, takesKarras: true,
                keys: Self.karras.union(Self.clipping))
        case .lcm:
            Traits(
                className: "LCMScheduler", sampler: LCM.self, betas: (.scaledLinear, 0.00085, 0.012),
                keys: Self.clipping.union(Self.thresholding).union([
                    "set_alpha_to_one", "original_inference_steps", "timestep_scaling",
                ]))
        }
    }

    /// The reference's name, as `_class_name` in scheduler_config.json.
    package var className: String { traits.className }
    /// Whether the step sizes of Karras and others (2022) can be asked for.
    package var takesKarras: Bool { traits.takesKarras }
    /// Whether the share of fresh noise can be set.
    package var takesEta: Bool { traits.takesEta }

    /// - Throws: that one of these options means nothing to this scheduler.
    package func check(eta: Double?, karras: Bool?) throws {
        if eta != nil, !takesEta { throw useless("eta", takers: Self.allCases.filter(\.takesEta)) }
        if karras == true, !takesKarras {
            throw useless("karras", takers: Self.allCases.filter(\.takesKarras))
        }
    }

    private func useless(_ option: String, takers: [Self]) -> EngineError {
        EngineError(
            .unsupported, "\(option) means nothing to the scheduler \(rawValue)",
            cure: "it belongs to \(takers.map(\.rawValue).joined(separator: ", "))")
    }

    package init?(className: String) {
        guard let kind = Self.allCases.first(where: { $0.className == className }) else { return nil }
        self = kind
    }

    /// For messages: "pndm, ddim, ...".
    package static var listed: String { allCases.map(\.rawValue).joined(separator: ", ") }
}
