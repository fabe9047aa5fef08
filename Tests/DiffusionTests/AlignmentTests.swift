import Diffusion
import Files
import Tensors
import TestSupport
import Testing

/// What sets `start=aligned` apart from `start=diffusers`: whether the level of noise that the network is
/// told is the level that the sample has. The data is one point, so the noise in a sample is known exactly
/// for any level told, and a sampler that is told the truth keeps it.
@Suite("The level told and the level present")
struct AlignmentTests {
    static let steps = 20

    /// Settings of the latent diffusion models; every scheduler with whole timesteps, so that the told level
    /// can be looked up.
    static func configuration(_ kind: SchedulerKind, rungeKutta: Bool = false) throws
        -> SchedulerConfiguration
    {
        try SchedulerConfiguration(json: [
            "_class_name": .string(kind.className), "beta_start": 0.00085, "beta_end": 0.012,
            "beta_schedule": "scaled_linear",
            "steps_offset": 1, "set_alpha_to_one": false, "clip_sample": false, "timestep_spacing": "leading",
            "skip_prk_steps": .bool(!rungeKutta),
        ])
    }

    /// The one point: large against the noise, so that its share in a sample can be read off.
    static let point = Tensor(shape: [4, 16, 16], values: (0..<1024).map { $0 % 2 == 0 ? 1000 : -1000 })

    /// The factor of the point in a sample. Noise of variance 1 blurs it by 1 / (1000 * 32), single precision
    /// by less.
    static func signal(_ sample: Tensor) -> Double {
        let (x, p) = (sample.values, point.values)
        let product = Swift.zip(x, p).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
        return product / p.reduce(0.0) { $0 + Double($1) * Double($1) }
    }

    /// The noise in a sample of the level told (Tweedie's formula for one point).
    static func perfectModel(_ input: Tensor, alphaBar: Double) -> Tensor {
        let (signal, noise) = (Float(alphaBar.squareRoot()), Float((1 - alphaBar).squareRoot()))
        return input.zip(point) { ($0 - signal * $1) / noise }
    }

    struct Call {
        let told: Double
        let present: Double
        /// Neighbouring steps differ by 2 % and more; the reading by 1e-4 at most.
        var agrees: Bool { abs(told - present) < 2e-3 }
    }

    static func walk(_ configuration: SchedulerConfiguration, _ start: SchedulerStart, steps: Int = steps)
        throws -> (calls: [Call], end: Tensor)
    {
        var run = try SchedulerRun(configuration, steps: steps, start: start)
        var generator = Generator(seed: 5)
        let noise = generator.normal(shape: point.shape)
        var sample = try run.addNoise(point, noise)
        var calls: [Call] = []
        while let timestep = run.timestep {
            let input = try run.scaledInput(sample)
            let alphaBar = Double(configuration.schedule.alphaBars[Int(timestep)])
            calls.append(Call(told: alphaBar.squareRoot(), present: signal(input)))
            sample = try run.step(
                output: perfectModel(input, alphaBar: alphaBar), sample: sample, generator: &generator)
        }
        return (calls, sample)
    }

    @Test(
        """
        aligned: with a perfect model for one point the level told equals the level present, at every call, \
        for every k
        """, arguments: SchedulerKind.allCases)
    func aligned(kind: SchedulerKind) throws {
        let configuration = try Self.configuration(kind)
        for left in 1...Self.steps {
            let (calls, end) = try Self.walk(configuration, .middle(left: left, mode: .aligned))
            for (index, call) in calls.enumerated() {
                #expect(
                    call.agrees,
                    "\(kind), k = \(left), call \(index): told \(call.told), present \(call.present)")
            }
            // The end has at least the signal of training timestep 0, the last level of PNDM and DDIM here.
            #expect(Self.signal(end) > 0.999 && Self.signal(end) < 1.0005, "\(kind), k = \(left)")
        }
    }

    @Test(
        "aligned holds for PNDM with its Runge-Kutta start, also where fewer than three steps are left for it"
    )
    func alignedRungeKutta() throws {
        let configuration = try Self.configuration(.pndm, rungeKutta: true)
        for left in 1...Self.steps {
            let (calls, end) = try Self.walk(configuration, .middle(left: left, mode: .aligned))
            #expect(calls.count == left + 3 * min(3, left - 1))
            for (index, call) in calls.enumerated() {
                #expect(call.agrees, "k = \(left), call \(index): told \(call.told), present \(call.present)")
            }
            #expect(Self.signal(end) > 0.999)
        }
    }

    @Test(
        """
        diffusers: PNDM is told a wrong level for every k between 2 and N - 1, from its second or third call \
        on
        """)
    func slipping() throws {
        let configuration = try Self.configuration(.pndm)
        for left in 2..<Self.steps {
            let calls = try Self.walk(configuration, .middle(left: left, mode: .diffusers)).calls
            let firstWrong = calls.firstIndex { !$0.agrees }
            #expect(firstWrong == (left == Self.steps - 1 ? 1 : 2), "k = \(left)")
            // Less noise is told than there is.
            #expect(calls[2].told > calls[2].present + 2e-3, "k = \(left)")
        }
    }

    @Test(
        "diffusers: the other schedulers begin in the middle as they do aligned",
        arguments: SchedulerKind.allCases.filter { $0 != .pndm })
    func sameForOthers(kind: SchedulerKind) throws {
        let configuration = try Self.configuration(kind)
        for left in 1...Self.steps {
            let aligned = try Self.walk(configuration, .middle(left: left, mode: .aligned))
            let diffusers = try Self.walk(configuration, .middle(left: left, mode: .diffusers))
            #expect(aligned.end.values == diffusers.end.values, "k = \(left)")
        }
    }

    @Test("the lists of PNDM for 70 steps are those of the findings")
    func lists() throws {
        let configuration = try Self.configuration(.pndm)
        func told(_ start: SchedulerStart) throws -> [Float] {
            try SchedulerRun(configuration, steps: 70, start: start).calls.map(\.timestep)
        }
        #expect(try told(.noise).prefix(4) == [967, 953, 953, 939])
        #expect(try told(.noise).count == 71)
        #expect(try told(.middle(left: 60, mode: .aligned)).prefix(4) == [827, 813, 813, 799])
        #expect(try told(.middle(left: 60, mode: .diffusers)).prefix(4) == [841, 827, 813, 799])
        #expect(try told(.middle(left: 1, mode: .aligned)) == [1])
        #expect(try told(.middle(left: 2, mode: .aligned)) == [15, 1, 1])
        #expect(try told(.middle(left: 0, mode: .aligned)).isEmpty)
        #expect(try told(.middle(left: 0, mode: .diffusers)).isEmpty)
        #expect(try told(.middle(left: 70, mode: .diffusers)) == told(.noise))
    }

    @Test("noise of another amount than the remaining steps: 60 of 70 left, noise for 20, 60 or none")
    func noiseApart() throws {
        let configuration = try Self.configuration(.pndm)
        let run = try SchedulerRun(configuration, steps: 70, start: .middle(left: 60, mode: .aligned))
        #expect(run.left == 60)
        #expect(try run.noiseTimestep(for: 60) == 827)
        #expect(try run.noiseTimestep(for: 20) == 267)
        #expect(try run.noiseTimestep(for: 0) == nil)
        let noise = Tensor(repeating: 1, shape: Self.point.shape)
        #expect(try run.addNoise(Self.point, noise, count: 0).values == Self.point.values)
        let level = Double(configuration.schedule.alphaBars[267])
        expectClose(
            actual: Self.signal(try run.addNoise(Self.point, noise, count: 20)), expected: level.squareRoot(),
            absolute: 1e-5)
        let reference = try SchedulerRun(configuration, steps: 70, start: .middle(left: 60, mode: .diffusers))
        #expect(try reference.noiseTimestep(for: 60) == 841)
        #expect(try reference.noiseTimestep(for: 70) == 967)
        #expect(try reference.noiseTimestep(for: 69) == 953)
        #expect(try reference.noiseTimestep(for: 68) == 953)
        #expect(try reference.noiseTimestep(for: 1) == 15)
    }
}
