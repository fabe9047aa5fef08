import Files
import Tensors
import TestSupport
import Testing

/// The golden generator data: every array in rng.safetensors is found by listing, and its name says what was
/// drawn.
@Suite("Generator against the reference")
struct GeneratorGoldenTests {
    /// The reference's vector logarithm and sine differ from the C library's by one rounding, up to 4.8e-7 in
    /// a normal (golden/README.md, which sets these bounds); everything else is a function of the words alone
    /// and must be equal.
    static let normalTolerance = 2e-6
    static let doubleNormalTolerance = 1e-13

    struct Data {
        let seeds: [UInt64]
        let sequence: [JSON]
        let arrays: SafetensorsFile

        init() throws {
            let topic = try Golden.topic("rng")
            let json = try topic.json("rng.json")
            seeds = try #require(json["seeds"]?.strings).map { try #require(UInt64($0)) }
            sequence = try #require(json["sequence"]?.array)
            arrays = try topic.tensors("rng.safetensors")
        }

        /// `s2.randn.4x32x32` is seed 2, `randn`, `4x32x32`.
        func split(_ name: String) throws -> (seed: UInt64, index: Int, what: String, arguments: [String]) {
            let parts = name.split(separator: ".").map(String.init)
            let index = try #require(Int(parts[0].dropFirst()))
            return (seeds[index], index, parts[1], Array(parts[2...]))
        }
    }

    @Test("each single draw from a fresh seed is the reference's")
    func singleDraws() throws {
        let data = try Data()
        var kinds: Set<String> = []
        for name in data.arrays.names {
            let (seed, _, what, arguments) = try data.split(name)
            if what == "seq" { continue }
            kinds.insert(what)
            var generator = Generator(seed: seed)
            let shape = try #require(data.arrays.entry(name)).shape
            try check(name, what, arguments.map { Int($0) ?? 0 }, shape: shape, &generator, data.arrays)
        }
        #expect(kinds == ["randn", "randn64", "rand", "rand64", "randint", "randperm"])
    }

    @Test("calls of all kinds one after the other on one generator are the reference's")
    func sequences() throws {
        let data = try Data()
        for (index, seed) in data.seeds.enumerated() {
            var generator = Generator(seed: seed)
            for (place, call) in data.sequence.enumerated() {
                let what = try #require(call[0]?.string)
                let arguments = try #require(call.array?.dropFirst().map { $0.int ?? 0 })
                try check(
                    "s\(index).seq.\(place)", what, arguments, shape: [arguments.last ?? 0], &generator,
                    data.arrays)
            }
        }
    }

    private func check(
        _ name: String, _ what: String, _ arguments: [Int], shape: [Int], _ generator: inout Generator,
        _ arrays: SafetensorsFile
    ) throws {
        switch what {
        case "randn":
            expectClose(
                actual: generator.normal(shape: shape), expected: try arrays.tensor(name),
                absolute: Self.normalTolerance, name)
        case "randn64":
            let drawn = generator.normalDoubles(count: shape[0])
            expectClose(
                actual: drawn, expected: try arrays.doubles(name), absolute: Self.doubleNormalTolerance, name)
        case "rand":
            #expect(generator.uniform(shape: shape).values == (try arrays.tensor(name)).values, "\(name)")
        case "rand64":
            #expect(generator.uniformDoubles(count: shape[0]) == (try arrays.doubles(name)), "\(name)")
        case "randint":
            let drawn = generator.integers(in: arguments[0]..<arguments[1], count: arguments[2])
            #expect(drawn == (try arrays.integers(name)), "\(name)")
        case "randperm":
            #expect(generator.permutation(arguments[0]) == (try arrays.integers(name)), "\(name)")
        default:
            Issue.record("\(name): the tests do not know \(what)")
        }
    }
}
