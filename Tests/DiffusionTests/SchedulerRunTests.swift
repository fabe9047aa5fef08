import Diffusion
import Files
import Tensors
import TestSupport
import Testing

@Suite("A scheduler's run")
struct SchedulerRunTests {
    /// A model that is not linear in the sample and depends on the timestep.
    static func model(_ sample: Tensor, _ timestep: Float) -> Tensor {
        sample.map { $0 / (1 + abs($0)) * (0.5 + timestep / 1000) }
    }

    static func configuration(_ kind: SchedulerKind) throws -> SchedulerConfiguration {
        try AlignmentTests.configuration(kind)
    }

    static func finish(
        _ run: inout SchedulerRun, _ sample: Tensor, _ generator: inout Generator, calls: Int = .max
    ) throws -> Tensor {
        var sample = sample
        var done = 0
        while let timestep = run.timestep, done < calls {
            let output = model(try run.scaledInput(sample), timestep)
            sample = try run.step(output: output, sample: sample, generator: &generator)
            done += 1
        }
        return sample
    }

    static func start(_ run: SchedulerRun, shape: [Int] = [4, 3, 5], seed: UInt64 = 1) -> (Tensor, Generator)
    {
        var generator = Generator(seed: seed)
        let noise = generator.normal(shape: shape) * Float(run.initialSigma)
        return (noise, generator)
    }

    @Test("k = N, in either mode, is the full run", arguments: SchedulerKind.allCases)
    func fullRun(kind: SchedulerKind) throws {
        let full = try SchedulerRun(Self.configuration(kind), steps: 12)
        for mode in StartMode.allCases {
            let middle = try SchedulerRun(
                Self.configuration(kind), steps: 12, start: .middle(left: 12, mode: mode))
            var (a, b) = (full, middle)
            var (sample, generator) = Self.start(full)
            var other = generator
            let ends = (try Self.finish(&a, sample, &generator), try Self.finish(&b, sample, &other))
            #expect(ends.0.values == ends.1.values)
            #expect(generator == other)
            sample = ends.0
            #expect(a.isFinished && a.left == 0 && a.timestep == nil)
        }
    }

    @Test(
        "a run paused at any call and gone on with as a copy ends where the uninterrupted one ends",
        arguments: SchedulerKind.allCases)
    func paused(kind: SchedulerKind) throws {
        var whole = try SchedulerRun(
            Self.configuration(kind), steps: 9, start: .middle(left: 7, mode: .aligned))
        let fresh = whole
        var (start, generator) = Self.start(whole)
        let firstGenerator = generator
        let end = try Self.finish(&whole, start, &generator)
        for pause in 0...fresh.calls.count {
            var (run, before) = (fresh, firstGenerator)
            let middle = try Self.finish(&run, start, &before, calls: pause)
            // As a copy, and as a new run that takes over the stored state.
            var (copy, copyGenerator) = (run, before)
            _ = try Self.finish(&run, middle, &before)
            #expect(try Self.finish(&copy, middle, &copyGenerator).values == end.values)
            var (again, storedGenerator) = (fresh, firstGenerator)
            let stored = try Self.finish(&again, start, &storedGenerator, calls: pause)
            var restored = fresh
            try restored.resume(index: again.index, memory: again.memory)
            #expect(try Self.finish(&restored, stored, &storedGenerator).values == end.values)
        }
    }

    @Test(
        "items one by one come out as the batch, where nothing is drawn",
        arguments: [SchedulerKind.pndm, .ddim, .dpmpp2M, .euler, .heun])
    func itemwise(kind: SchedulerKind) throws {
        let fresh = try SchedulerRun(Self.configuration(kind), steps: 8)
        var (batch, generator) = Self.start(fresh, shape: [3, 4, 2, 2])
        let first = batch
        var run = fresh
        batch = try Self.finish(&run, batch, &generator)
        for item in 0..<3 {
            var own = fresh
            #expect(try Self.finish(&own, first[item], &generator).values == batch[item].values)
        }
    }

    @Test("what is left counts steps, not calls", arguments: SchedulerKind.allCases)
    func stepsLeft(kind: SchedulerKind) throws {
        var run = try SchedulerRun(
            Self.configuration(kind), steps: 6, start: .middle(left: 5, mode: .aligned))
        var (sample, generator) = Self.start(run)
        var left = [run.left]
        while !run.isFinished {
            sample = try Self.finish(&run, sample, &generator, calls: 1)
            left.append(run.left)
        }
        let expected =
            switch kind {
            case .pndm: [5, 5, 4, 3, 2, 1, 0]
            case .heun: [5, 5, 4, 4, 3, 3, 2, 2, 1, 0]
            default: [5, 4, 3, 2, 1, 0]
            }
        #expect(left == expected)
    }

    @Test("DDIM written by hand from the schedule's table is the sampler")
    func byHand() throws {
        let configuration = try Self.configuration(.pndm).converted(to: .ddim)
        var run = try SchedulerRun(configuration, steps: 50)
        var (sample, generator) = Self.start(run)
        var byHand = sample
        sample = try Self.finish(&run, sample, &generator)
        for row in try ScheduleTable(configuration, steps: 50).rows {
            let epsilon = Self.model(byHand, row.timestep)
            let (alphaBar, next) = (Float(row.level.alphaBar), Float(row.next.alphaBar))
            let clean = (byHand - epsilon * (1 - alphaBar).squareRoot()) / alphaBar.squareRoot()
            byHand = clean * next.squareRoot() + epsilon * (1 - next).squareRoot()
        }
        // The order of the roundings differs.
        expectClose(actual: byHand, expected: sample, absolute: 1e-5, relative: 1e-5)
    }

    @Test("a row's levels follow one another and fall", arguments: SchedulerKind.allCases)
    func tables(kind: SchedulerKind) throws {
        let rows = try ScheduleTable(Self.configuration(kind), steps: 10).rows
        #expect(rows.count == 10)
        for (row, after) in Swift.zip(rows, rows.dropFirst()) {
            #expect(row.timestep > after.timestep && row.level.sigma > after.level.sigma)
            #expect(abs(row.next.alphaBar - after.level.alphaBar) < 1e-7)
        }
        for row in rows {
            #expect(abs(row.level.alphaBar - 1 / (1 + row.level.sigma * row.level.sigma)) < 1e-6)
            #expect(row.level.sigma > row.next.sigma)
        }
    }

    @Test("guidance of 1 is the text's prediction, of 0 the empty prompt's, and goes on beyond")
    func guidance() {
        let (empty, text) = (Tensor(shape: [2], values: [1, -2]), Tensor(shape: [2], values: [3, 2]))
        #expect(Guidance.combine(empty: empty, text: text, scale: 1).values == text.values)
        #expect(Guidance.combine(empty: empty, text: text, scale: 0).values == empty.values)
        #expect(Guidance.combine(empty: empty, text: text, scale: 7.5).values == [16, 28])
    }

    // MARK: What cannot be done

    func expectError(
        _ kind: EngineError.Kind, _ words: String, _ body: () throws -> Void,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let error = #expect(throws: EngineError.self, sourceLocation: sourceLocation) { try body() }
        #expect(error?.kind == kind, sourceLocation: sourceLocation)
        #expect(
            error?.description.contains(words) == true, "\(error?.description ?? "no error")",
            sourceLocation: sourceLocation)
    }

    @Test("numbers of steps that there are not", arguments: SchedulerKind.allCases)
    func counts(kind: SchedulerKind) throws {
        let configuration = try Self.configuration(kind)
        for steps in [0, -1, 1001, .max, .min] {
            expectError(.schedule, "\(steps) steps") { _ = try SchedulerRun(configuration, steps: steps) }
        }
        for left in [-1, 11, .max] {
            expectError(.schedule, "\(left) of 10") {
                _ = try SchedulerRun(configuration, steps: 10, start: .middle(left: left, mode: .aligned))
            }
            expectError(.schedule, "\(left) of 10") {
                _ = try SchedulerRun(configuration, steps: 10).noiseTimestep(for: left)
            }
        }
    }

    @Test(
        "as many steps as training had: an error where the offset leads beyond the last timestep, else a run",
        arguments: SchedulerKind.allCases)
    func allSteps(kind: SchedulerKind) throws {
        let configuration = try Self.configuration(kind)
        switch kind {
        case .pndm, .ddim, .ddpm:
            expectError(.schedule, "timestep 1000") { _ = try SchedulerRun(configuration, steps: 1000) }
        case .dpmpp2M:
            expectError(.schedule, "1000 usable") { _ = try SchedulerRun(configuration, steps: 1000) }
        case .lcm: expectError(.schedule, "distilled") { _ = try SchedulerRun(configuration, steps: 51) }
        case .euler, .eulerAncestral, .heun:
            #expect(try SchedulerRun(configuration, steps: 1000).calls.count >= 1000)
        }
        for steps in 1...40 { _ = try SchedulerRun(configuration, steps: steps) }
    }

    @Test("a step after the last is an error, and so are samples of another shape")
    func misuse() throws {
        var run = try SchedulerRun(Self.configuration(.pndm), steps: 2)
        var (sample, generator) = Self.start(run)
        expectError(.shape, "[2]") {
            _ = try run.step(output: Tensor(zeros: [2]), sample: sample, generator: &generator)
        }
        sample = try Self.finish(&run, sample, &generator, calls: 1)
        expectError(.shape, "[2]") {
            _ = try run.step(output: Tensor(zeros: [2]), sample: Tensor(zeros: [2]), generator: &generator)
        }
        sample = try Self.finish(&run, sample, &generator)
        expectError(.schedule, "no steps are left") {
            _ = try run.step(output: sample, sample: sample, generator: &generator)
        }
        expectError(.schedule, "no steps are left") { _ = try run.scaledInput(sample) }
        expectError(.shape, "[2]") { _ = try run.addNoise(sample, Tensor(zeros: [2])) }
        expectError(.schedule, "call 9") { try run.resume(index: 9, memory: SamplerMemory()) }
    }

    @Test("PNDM with a Runge-Kutta start has no middle in the reference")
    func rungeKuttaInTheMiddle() throws {
        let configuration = try AlignmentTests.configuration(.pndm, rungeKutta: true)
        expectError(.unsupported, "skip_prk_steps") {
            _ = try SchedulerRun(configuration, steps: 20, start: .middle(left: 5, mode: .diffusers))
        }
    }
}
