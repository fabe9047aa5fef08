import Diffusion
import Files
import Tensors
import TestSupport
import Testing

/// The loops of the reference's schedulers with its own dummy model, one case per JSON file of the folder.
/// The allowed error of a sample is the larger of 2e-6 of its size and 20 times the reference's own
/// single-precision error, which stands in the file (golden/README.md).
@Suite("Schedulers against the reference")
struct SchedulerGoldenTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        let json: JSON
        let arrays: SafetensorsFile
        let configuration: SchedulerConfiguration

        var testDescription: String { name }

        init(_ topic: GoldenFolder, _ name: String) throws {
            self.name = name
            json = try topic.json(name + ".json")
            arrays = try topic.tensors(name + ".safetensors")
            var settings = try #require(json["config"]?.object)
            settings["_class_name"] = json["class"]
            let folder = try SchedulerConfiguration(json: .object(settings), place: name)
            let eta = json["eta"]?.double ?? 0
            configuration = eta > 0 ? try folder.converted(eta: eta) : folder
        }

        var counts: [Int] { json["Ns"]?.ints ?? [] }

        func tolerance(_ key: String, largest: Float) -> Double {
            let floor = json["f32_vs_f64_max_err"]?[key]?.double ?? 0
            return max(2e-6 * max(1, Double(largest)), 20 * floor)
        }

        func generator() throws -> Generator { Generator(seed: UInt64(try #require(json["loop_seed"]?.int))) }
    }

    static func cases() throws -> [Case] {
        let topic = try Golden.topic("schedulers")
        let names = try topic.files(ending: ".safetensors").map { String($0.dropLast(".safetensors".count)) }
        return try names.map { try Case(topic, $0) }
    }

    /// The dummy model of the reference's own tests.
    static func model(_ sample: Tensor, _ timestep: Float) -> Tensor {
        sample.map { $0 * timestep / (timestep + 1) }
    }

    static func largest(_ tensor: Tensor) -> Float { tensor.values.reduce(0) { max($0, abs($1)) } }

    /// Runs to the end; `each` sees every sample and whether noise was drawn for it.
    static func finish(
        _ run: SchedulerRun, _ sample: Tensor, _ generator: Generator,
        each: (Int, Tensor, Tensor?) throws -> Void = { _, _, _ in }
    ) throws -> Tensor {
        var (run, sample, generator) = (run, sample, generator)
        while let timestep = run.timestep {
            let (call, before) = (run.index, generator)
            let output = model(try run.scaledInput(sample), timestep)
            sample = try run.step(output: output, sample: sample, generator: &generator)
            var again = before
            let drawn = generator == before ? nil : again.normal(shape: sample.shape)
            if drawn != nil {
                #expect(again == generator, "more than one draw for the sample at call \(call)")
            }
            try each(call, sample, drawn)
        }
        return sample
    }

    @Test("there are cases")
    func found() throws {
        #expect(try !Self.cases().isEmpty)
    }

    @Test(
        "alpha bars, timesteps, sigmas and the scale of the first noise agree for every number of steps",
        arguments: try cases())
    func tables(_ golden: Case) throws {
        let alphaBars = golden.configuration.schedule.alphaBars.map(Double.init)
        expectClose(
            actual: alphaBars, expected: try golden.arrays.doubles("alphas_cumprod"), absolute: 0,
            relative: 1e-6, golden.name)
        for count in golden.counts {
            let run = try SchedulerRun(golden.configuration, steps: count)
            let name = "\(golden.name) N\(count)"
            // Equal, except where a timestep between two comes from the logarithm of a sigma of Karras and
            // others (2022): numpy's single-precision logarithm is a rounding off the C library's.
            let told = run.calls.map { Double($0.timestep) }
            let expected = try golden.arrays.doubles("N\(count).timesteps")
            let isInterpolated = golden.configuration.karras && expected.contains { $0 != $0.rounded() }
            expectClose(actual: told, expected: expected, absolute: isInterpolated ? 1e-4 : 0, name)
            let scale = try #require(golden.json["init_noise_sigma"]?["\(count)"]?.double)
            expectClose(actual: run.initialSigma, expected: scale, absolute: 0, relative: 1e-6, name)
            guard golden.arrays.contains("N\(count).sigmas") else { continue }
            let isDoubled = golden.json["order"]?.int == 2
            let sigmas = run.table.rows.enumerated().flatMap {
                Array(repeating: $1.level.sigma, count: isDoubled && $0 > 0 ? 2 : 1)
            }
            let last = try #require(run.table.rows.last).next.sigma
            expectClose(
                actual: sigmas + [last], expected: try golden.arrays.doubles("N\(count).sigmas"), absolute: 0,
                relative: 1e-6, name)
        }
    }

    @Test("full loops end where the reference ends", arguments: try cases())
    func fullLoops(_ golden: Case) throws {
        let start = try golden.arrays.tensor("start")
        for count in golden.counts {
            let run = try SchedulerRun(golden.configuration, steps: count)
            let final = try Self.finish(run, start * Float(run.initialSigma), try golden.generator())
            let expected = try golden.arrays.tensor("N\(count).final")
            let tolerance = golden.tolerance("N\(count).final", largest: Self.largest(expected))
            expectClose(actual: final, expected: expected, absolute: tolerance, "\(golden.name) N\(count)")
        }
    }

    @Test("every call of one loop agrees, with the noise it draws", arguments: try cases())
    func everyCall(_ golden: Case) throws {
        let count = try #require(golden.json["per_step_n"]?.int)
        let samples = try golden.arrays.tensor("loop.N\(count).per_step")
        let noise =
            golden.arrays.contains("loop.N\(count).noise")
            ? try golden.arrays.tensor("loop.N\(count).noise") : nil
        let run = try SchedulerRun(golden.configuration, steps: count)
        #expect(run.calls.count == samples.shape[0])
        let start = try golden.arrays.tensor("start") * Float(run.initialSigma)
        _ = try Self.finish(run, start, try golden.generator()) { call, sample, drawn in
            let expected = samples[call]
            // A sample inherits the rounding of the one before, which may be much larger.
            let before = call > 0 ? samples[call - 1] : start
            let tolerance = golden.tolerance(
                "N\(count).final", largest: max(Self.largest(expected), Self.largest(before)))
            expectClose(
                actual: sample, expected: expected, absolute: tolerance, "\(golden.name) call \(call)")
            let expectedNoise = noise?[call] ?? Tensor(zeros: sample.shape)
            // The bound of the generator's golden data.
            expectClose(
                actual: drawn ?? Tensor(zeros: sample.shape), expected: expectedNoise, absolute: 2e-6,
                "\(golden.name) noise \(call)")
        }
    }

    @Test("noise is added as the reference adds it", arguments: try cases())
    func addedNoise(_ golden: Case) throws {
        let count = try #require(golden.json["per_step_n"]?.int)
        let table = try ScheduleTable(golden.configuration, steps: count)
        let (clean, noise) = (
            try golden.arrays.tensor("add_noise.clean"), try golden.arrays.tensor("add_noise.noise")
        )
        let expected = try golden.arrays.tensor("add_noise.out")
        for (item, timestep) in try golden.arrays.doubles("add_noise.timesteps").enumerated() {
            // Timesteps between two are equal up to the rounding of a logarithm, see `tables`.
            let rows = table.rows.filter { abs(Double($0.timestep) - timestep) < 1e-4 }
            // Rounding can give two steps one timestep; the reference then takes the second. A timestep of
            // Runge-Kutta lies between steps.
            let level =
                try (rows.dropFirst().first ?? rows.first)?.level
                ?? NoiseLevel(
                    alphaBar: Double(
                        golden.configuration.schedule.alphaBars[#require(Int(exactly: timestep))]))
            let tolerance = 2e-6 * max(1, Double(Self.largest(expected[item])))
            expectClose(
                actual: level.noised(clean[item], with: noise[item]), expected: expected[item],
                absolute: tolerance, "\(golden.name) \(timestep)")
        }
    }

    @Test(
        "loops that begin in the middle, in the reference's mode, agree call for call", arguments: try cases()
    )
    func partialLoops(_ golden: Case) throws {
        let (clean, noise) = (
            try golden.arrays.tensor("add_noise.clean"), try golden.arrays.tensor("add_noise.noise")
        )
        for partial in golden.json["partial"]?.array ?? [] {
            let (count, left) = (try #require(partial["n"]?.int), try #require(partial["k"]?.int))
            let run = try SchedulerRun(
                golden.configuration, steps: count, start: .middle(left: left, mode: .diffusers))
            let key = "partial.N\(count).k\(left)"
            #expect(run.calls.count == partial["step_calls"]?.int, "\(golden.name) \(key)")
            let noised = try run.addNoise(clean, noise)
            let expectedNoised = try golden.arrays.tensor(key + ".noised")
            expectClose(
                actual: noised, expected: expectedNoised,
                absolute: 2e-6 * max(1, Double(Self.largest(expectedNoised))), "\(golden.name) \(key) noised")
            let final = try Self.finish(run, noised, try golden.generator())
            let expected = try golden.arrays.tensor(key + ".final")
            let tolerance = golden.tolerance(key + ".final", largest: Self.largest(expected))
            expectClose(actual: final, expected: expected, absolute: tolerance, "\(golden.name) \(key)")
        }
    }
}
