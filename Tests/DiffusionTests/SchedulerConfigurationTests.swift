import Diffusion
import Files
import Tensors
import Testing

@Suite("A scheduler's configuration")
struct SchedulerConfigurationTests {
    static func bare(_ kind: SchedulerKind) throws -> SchedulerConfiguration {
        try SchedulerConfiguration(json: ["_class_name": .string(kind.className)])
    }

    static func pndm(_ more: [String: JSON] = [:]) -> JSON {
        .object(
            ["_class_name": "PNDMScheduler", "beta_schedule": "scaled_linear", "skip_prk_steps": true]
                .merging(more) { $1 })
    }

    func error(_ json: JSON) -> EngineError? {
        do {
            _ = try SchedulerConfiguration(json: json, place: "scheduler/scheduler_config.json")
            return nil
        } catch {
            return error as? EngineError
        }
    }

    @Test("what a folder leaves out takes the reference's default of its class")
    func defaults() throws {
        let ddim = try Self.bare(.ddim)
        #expect(
            ddim.clip == 1 && ddim.setsAlphaToOne && ddim.spacing == .leading && ddim.prediction == .epsilon
                && ddim.trainingSteps == 1000)
        #expect(ddim.schedule.betas.first == 0.0001 && ddim.schedule.betas.last == 0.02)
        let pndm = try Self.bare(.pndm)
        #expect(pndm.clip == nil && !pndm.setsAlphaToOne && !pndm.skipsRungeKutta)
        #expect(try Self.bare(.euler).spacing == .linspace)
        #expect(try Self.bare(.heun).schedule.betas.last == 0.012)
        #expect(try Self.bare(.lcm).originalSteps == 50)
    }

    @Test("another scheduler takes over the folder's settings and clips nothing unless the folder says so")
    func conversion() throws {
        let folder = try SchedulerConfiguration(json: Self.pndm(["beta_start": 0.001, "steps_offset": 1]))
        let ddim = try folder.converted(to: .ddim)
        #expect(ddim.schedule == folder.schedule && ddim.stepsOffset == 1 && ddim.clip == nil)
        // Not said by the folder, so DDIM's own default.
        #expect(ddim.setsAlphaToOne)
        #expect(
            try SchedulerConfiguration(json: Self.pndm(["clip_sample": true, "clip_sample_range": 2]))
                .converted(to: .ddim).clip == 2)
        #expect(
            try SchedulerConfiguration(json: Self.pndm(["timestep_spacing": "leading"])).converted(to: .euler)
                .spacing == .leading)
        #expect(try folder.converted(to: .euler).spacing == .linspace)
        #expect(try folder.converted() == folder)
        #expect(try ddim.converted(to: .pndm) == folder)
        #expect(try Self.bare(.ddim).converted(to: .ddim).clip == 1)
    }

    private func file(_ json: JSON, isExact: Bool = false) -> SchedulerFile {
        SchedulerFile(json, place: "scheduler_config.json", isExact: isExact)
    }

    @Test(
        "the pipeline's corrections are made and told, and another scheduler gets those of what the file says",
        arguments: SchedulerKind.allCases)
    func corrections(kind: SchedulerKind) throws {
        let name = JSON.string(kind.className), other = SchedulerKind.allCases.filter { $0 != kind }
        let bare = file(["_class_name": name]),
            said = file(["_class_name": name, "steps_offset": 0, "clip_sample": .bool(true)])
        let right = file(["_class_name": name, "steps_offset": 1, "clip_sample": .bool(false)])
        for file in [bare, said, right] {
            let own = try SchedulerConfiguration(file)
            #expect(own.stepsOffset == 1 && own.clip == nil)
            #expect(file.corrections(for: kind).isEmpty == (file.json == right.json))
            for kind in other { #expect(try SchedulerConfiguration(file, as: kind).clip == nil) }
        }
        for kind in other {
            #expect(try SchedulerConfiguration(bare, as: kind).stepsOffset == 0)
            #expect(try SchedulerConfiguration(said, as: kind).stepsOffset == 1)
        }
        #expect(said.corrections(for: kind) == ["steps_offset 1 (the folder has 0)", "clip_sample off"])
        #expect(right.corrected == nil)
        // What is corrected is the same as what is right, also for keys in a cache.
        #expect(try SchedulerConfiguration(said).keyText == SchedulerConfiguration(right).keyText)
        #expect(try SchedulerConfiguration(said) != SchedulerConfiguration(file(said.json, isExact: true)))
        let exact = try SchedulerConfiguration(file(said.json, isExact: true))
        #expect(exact.stepsOffset == 0 && exact.corrections.isEmpty)
        #expect((exact.clip == 1) == [.ddim, .ddpm, .heun, .lcm].contains(kind))
    }

    @Test("a file of another class serves any scheduler with what that one knows")
    func otherClasses() throws {
        let deis = file([
            "_class_name": "DEISMultistepScheduler", "algorithm_type": "deis", "solver_type": "logrho",
            "steps_offset": 0, "beta_schedule": "linear",
            "beta_end": 0.012,
        ])
        for kind in SchedulerKind.allCases where kind != .dpmpp2M {
            let configuration = try SchedulerConfiguration(deis, as: kind)
            #expect(configuration.schedule.betas.last == 0.012 && configuration.stepsOffset == 1)
        }
        let refused = #expect(throws: EngineError.self) { try SchedulerConfiguration(deis, as: .dpmpp2M) }
        #expect(refused?.cure?.contains("scheduler=ddim") == true)
        let unipc = file(["_class_name": "UniPCMultistepScheduler", "solver_type": "bh2"])
        #expect(try SchedulerConfiguration(unipc, as: .dpmpp2M).solverType == .midpoint)
        let odd = file([
            "_class_name": "DDIMScheduler", "thresholding": .bool(true),
            "rescale_betas_zero_snr": .bool(true), "variance_type": "learned",
        ])
        #expect(throws: EngineError.self) { try SchedulerConfiguration(odd) }
        #expect(throws: EngineError.self) { try SchedulerConfiguration(odd, as: .ddpm) }
        _ = try SchedulerConfiguration(odd, as: .pndm)
    }

    @Test("eta and karras go where they mean something, and nowhere else", arguments: SchedulerKind.allCases)
    func options(kind: SchedulerKind) throws {
        let folder = try SchedulerConfiguration(json: Self.pndm())
        if kind.takesEta {
            #expect(try folder.converted(to: kind, eta: 0.5).eta == 0.5)
            #expect(throws: EngineError.self) { try folder.converted(to: kind, eta: 1.5) }
            #expect(throws: EngineError.self) { try folder.converted(to: kind, eta: .nan) }
        } else {
            #expect(throws: EngineError.self) { try folder.converted(to: kind, eta: 0.5) }
        }
        if kind.takesKarras {
            #expect(try folder.converted(to: kind, karras: true).karras)
            #expect(try !folder.converted(to: kind, karras: true).converted(karras: false).karras)
        } else {
            #expect(throws: EngineError.self) { try folder.converted(to: kind, karras: true) }
        }
    }

    @Test("what is not supported is named together with what is")
    func unsupported() {
        let unknown = error(["_class_name": "UniPCMultistepScheduler"])
        #expect(unknown?.kind == .unsupported)
        #expect(
            unknown?.description.contains("UniPCMultistepScheduler") == true
                && unknown?.cure?.contains("scheduler=ddim") == true)
        #expect(error([:])?.message.contains("_class_name") == true)
        #expect(error(Self.pndm(["prediction_type": "flow"]))?.cure?.contains("v_prediction") == true)
        #expect(error(Self.pndm(["prediction_type": "sample"]))?.cure?.contains("epsilon") == true)
        #expect(error(Self.pndm(["beta_schedule": "sigmoid"]))?.cure?.contains("squaredcos_cap_v2") == true)
        #expect(
            error(["_class_name": "DDIMScheduler", "thresholding": true])?.message.contains("thresholding")
                == true)
        #expect(
            error(["_class_name": "DDIMScheduler", "rescale_betas_zero_snr": true])?.kind == .unsupported)
        #expect(
            error(["_class_name": "DDPMScheduler", "variance_type": "learned_range"])?.cure?.contains(
                "fixed_small") == true)
        #expect(
            error(["_class_name": "DPMSolverMultistepScheduler", "algorithm_type": "sde-dpmsolver++"])?.kind
                == .unsupported)
        #expect(error(["_class_name": "DPMSolverMultistepScheduler", "solver_order": 3]) != nil)
        #expect(
            error(["_class_name": "EulerDiscreteScheduler", "sigma_min": 0])?.message.contains("sigma_min")
                == true)
    }

    @Test(
        "damaged values are errors that name the file and the key",
        arguments: [
            ("num_train_timesteps", JSON.number(0)), ("num_train_timesteps", .number(1e12)),
            ("num_train_timesteps", .number(10.5)),
            ("num_train_timesteps", .string("1000")), ("beta_start", .number(-1)), ("beta_end", .number(1)),
            ("beta_end", .string("x")),
            ("trained_betas", .array([.number(0.1)])), ("trained_betas", .array([.null])),
            ("steps_offset", .number(1000)),
            ("steps_offset", .number(-1)), ("set_alpha_to_one", .string("yes")),
            ("timestep_spacing", .number(1)), ("prediction_type", .bool(true)),
        ])
    func damaged(key: String, value: JSON) {
        let error = error(Self.pndm([key: value]))
        #expect(error?.place == "scheduler/scheduler_config.json")
        #expect(error?.message.contains(key) == true, "\(error?.description ?? "no error")")
    }

    @Test("null is the same as leaving a key out")
    func nulls() throws {
        let nulled = try SchedulerConfiguration(
            json: Self.pndm(["trained_betas": nil, "steps_offset": nil, "clip_sample": nil]))
        #expect(
            nulled.schedule == (try SchedulerConfiguration(json: Self.pndm())).schedule
                && nulled.stepsOffset == 0)
    }

    @Test("the reference's own file for DPM-Solver is read, although its -Infinity is not JSON")
    func infinity() throws {
        let text = """
            {"_class_name": "DPMSolverMultistepScheduler", "note\\\\": "-Infinity \\" ", "lambda_min_clipped": -Infinity, "solver_order": 2, "trained_betas": null}
            """
        #expect(try JSON.parse(text, place: "scheduler_config.json")["note\\"]?.string == "-Infinity \" ")
        #expect(
            try SchedulerConfiguration(json: JSON.parse(text, place: "scheduler_config.json")).smallestLambda
                == -.infinity)
    }

    @Test("given betas are taken as they are")
    func givenBetas() throws {
        let configuration = try SchedulerConfiguration(
            json: Self.pndm(["trained_betas": [0.1, 0.2, 0.5], "num_train_timesteps": 3]))
        #expect(configuration.schedule.betas == [0.1, 0.2, 0.5])
        #expect(configuration.schedule.alphaBars.map { ($0 * 1000).rounded() } == [900, 720, 360])
    }
}
