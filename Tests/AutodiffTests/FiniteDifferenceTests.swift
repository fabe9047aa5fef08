import Autodiff
import Kernels
import Tensors
import TestSupport
import Testing

/// Every rule's gradient against the change of the loss when one number is moved.
@Suite("Gradients against finite differences")
struct FiniteDifferenceTests {
    struct Rule: Sendable, CustomTestStringConvertible {
        let name: String
        let shape: [Int]
        /// Parameters with their shapes.
        var parameters: [String: [Int]] = [:]
        let body: @Sendable (Tape, Node) -> Node
        var testDescription: String { name }
    }

    static let rules: [Rule] = [
        Rule(name: "linear", shape: [2, 3, 5], parameters: ["a.weight": [4, 5], "a.bias": [4]]) {
            $0.linear($1, "a")
        },
        Rule(name: "linear without bias", shape: [7, 5], parameters: ["a.weight": [19, 5]]) {
            $0.linear($1, "a")
        },
        Rule(
            name: "convolution", shape: [2, 5, 6, 3], parameters: ["a.weight": [5, 3, 3, 3], "a.bias": [5]]
        ) { $0.convolution($1, "a") },
        Rule(
            name: "convolution by Winograd", shape: [1, 16, 16, 2],
            parameters: ["a.weight": [3, 2, 3, 3], "a.bias": [3]]
        ) { $0.convolution($1, "a") },
        Rule(
            name: "convolution with stride", shape: [2, 6, 8, 3],
            parameters: ["a.weight": [4, 3, 3, 3], "a.bias": [4]]
        ) {
            $0.convolution($1, "a", stride: 2)
        },
        Rule(
            name: "convolution with stride of an odd picture", shape: [1, 7, 5, 2],
            parameters: ["a.weight": [4, 2, 3, 3]]
        ) {
            $0.convolution($1, "a", stride: 2)
        },
        Rule(
            name: "convolution padded at the end", shape: [1, 6, 8, 3],
            parameters: ["a.weight": [4, 3, 3, 3], "a.bias": [4]]
        ) {
            $0.convolution($1, "a", stride: 2, padding: 0, padsEnd: true)
        },
        Rule(name: "patches", shape: [2, 8, 8, 3], parameters: ["a.weight": [6, 3, 4, 4]]) {
            $0.convolution($1, "a", stride: 4, padding: 0)
        },
        Rule(
            name: "convolution of 1 x 1", shape: [1, 3, 4, 3],
            parameters: ["a.weight": [5, 3, 1, 1], "a.bias": [5]]
        ) { $0.convolution($1, "a", padding: 0) },
        Rule(name: "group norm", shape: [2, 3, 3, 8], parameters: ["a.weight": [8], "a.bias": [8]]) {
            $0.groupNorm($1, "a", groups: 2, epsilon: 1e-5)
        },
        Rule(
            name: "group norm with SiLU", shape: [2, 4, 3, 12],
            parameters: ["a.weight": [12], "a.bias": [12]]
        ) {
            $0.groupNorm($1, "a", groups: 4, epsilon: 1e-5, activation: .silu)
        },
        Rule(name: "layer norm", shape: [3, 2, 13], parameters: ["a.weight": [13], "a.bias": [13]]) {
            $0.layerNorm($1, "a", epsilon: 1e-5)
        },
        Rule(name: "silu", shape: [3, 11]) { $0.silu($1) },
        Rule(name: "gelu", shape: [3, 11]) { $0.gelu($1) },
        Rule(name: "quick gelu", shape: [3, 11]) { $0.quickGelu($1) },
        Rule(name: "gated gelu", shape: [3, 22]) { $0.gatedGelu($1) },
        Rule(name: "attention to itself", shape: [2, 5, 6]) {
            $0.attention(queries: $1, keys: $1, values: $1, heads: 2)
        },
        Rule(name: "causal attention", shape: [2, 11, 6]) {
            $0.attention(queries: $1, keys: $1, values: $1, heads: 3, causal: true)
        },
        Rule(name: "sum and joined channels", shape: [2, 2, 3, 4]) {
            $0.joinedChannels($0.sum($1, $1), $0.silu($1))
        },
        Rule(name: "a range of channels", shape: [2, 2, 3, 5]) { $0.channels(1..<4, of: $1) },
        Rule(name: "rows", shape: [2, 4, 3]) { $0.rows([3, 1], of: $1) },
        Rule(name: "enlarging", shape: [2, 3, 4, 2]) { $0.enlarged($1, height: 6, width: 7) },
        Rule(name: "a value for each item", shape: [2, 3, 3, 4], parameters: ["a.weight": [4, 36]]) {
            $0.adding($0.linear($0.reshaped($1, [2, 36]), "a"), toEachPixelOf: $1)
        },
        Rule(name: "positions and a first token", shape: [2, 3, 4], parameters: ["p": [6, 4], "t": [4]]) {
            $0.adding("p", length: 4, toEachItemOf: $0.prepending("t", to: $1))
        },
        Rule(name: "dropout", shape: [4, 9]) { $0.dropout($1) },
        Rule(name: "clamping", shape: [4, 9]) { $0.clamped($1, -0.5...0.5) },
        Rule(name: "a sample of a distribution", shape: [2, 3, 3, 4]) {
            $0.sampled(
                mean: $0.channels(0..<2, of: $1), logVariance: $0.channels(2..<4, of: $1),
                noise: FiniteDifferenceTests.draw([2, 3, 3, 2], seed: 8))
        },
    ]

    static func draw(_ shape: [Int], seed: UInt64) -> Tensor {
        var generator = Generator(seed: seed)
        return generator.normal(shape: shape)
    }

    @Test("a rule's gradients of input and parameters are the slopes of the loss", arguments: rules)
    func rule(_ rule: Rule) throws {
        let named = rule.parameters.sorted { $0.key < $1.key }
        let parameters = Parameters(
            named.enumerated().map { ($1.key, Self.draw($1.value, seed: UInt64(20 + $0))) })
        let input = Self.draw(rule.shape, seed: 1)
        func loss(_ tape: Tape, _ x: Node) -> Node {
            let output = rule.body(tape, x)
            return tape.meanSquaredError(
                output, Self.draw(output.shape, seed: 2), weights: (0..<output.shape[0]).map { 1 + Float($0) }
            )
        }
        try check(parameters, input, loss)
    }

    private func check(
        _ parameters: Parameters, _ input: Tensor, h: Float = 1e-2, _ loss: (Tape, Node) -> Node
    ) throws {
        func value(_ x: Tensor) -> Double {
            let tape = Tape(parameters, recording: false, dropout: 0.4, seed: 3)
            return loss(tape, tape.constant(x)).scalar
        }
        parameters.clearGradients()
        let tape = Tape(parameters, dropout: 0.4, seed: 3)
        let x = tape.variable(input)
        tape.backward(loss(tape, x))
        // A central difference over 2h is off by h² times the third derivative, and by the loss's rounding
        // (6e-8 of it) over h.
        let bound = 2e-3 * max(1, abs(value(input)))
        func compare(_ what: String, _ gradient: [Float], _ moved: (Int, Float) -> Double) {
            for i in stride(from: 0, to: gradient.count, by: max(1, gradient.count / 25)) {
                let slope = (moved(i, h) - moved(i, -h)) / Double(2 * h)
                #expect(
                    abs(Double(gradient[i]) - slope) <= bound, "\(what)[\(i)]: \(gradient[i]), slope \(slope)"
                )
            }
        }
        compare("input", tape.gradient(of: x).values) { i, step in
            var values = input.values
            values[i] += step
            return value(Tensor(shape: input.shape, values: values))
        }
        for name in parameters.names {
            let own = parameters[name]
            compare(name, parameters.gradient(name).values) { i, step in
                var values = own.values
                values[i] += step
                parameters[name] = Tensor(shape: own.shape, values: values)
                defer { parameters[name] = own }
                return value(input)
            }
        }
    }

    @Test("losses have the slopes that their gradients say")
    func losses() throws {
        let target = Self.draw([3, 4, 4, 2], seed: 5)
        let none = Parameters([])
        // Absolute values have corners: a small step seldom meets one.
        try check(none, Self.draw([3, 4, 4, 2], seed: 1), h: 1e-3) { $0.meanAbsoluteError($1, target) }
        try check(none, Self.draw([3, 4, 4, 2], seed: 1), h: 1e-3) { $0.meanEdgeError($1, target) }
        try check(none, Self.draw([3, 4, 4, 2], seed: 1)) {
            $0.divergence(mean: $0.channels(0..<1, of: $1), logVariance: $0.channels(1..<2, of: $1))
        }
        try check(none, Self.draw([5, 7], seed: 1)) { $0.cosineError($1, Self.draw([5, 7], seed: 6)) }
        try check(Parameters([("s", Tensor(shape: [], values: [1.5]))]), Self.draw([5, 7], seed: 1)) {
            $0.contrastiveLoss(
                $1, $0.constant(Self.draw([5, 7], seed: 6)), logScale: $0.scalar("s"),
                groups: [0, 1, 0, 2, 3])
        }
        try check(none, Self.draw([5, 7], seed: 1), h: 1e-3) { tape, x in
            tape.total([
                (2, tape.meanSquaredError(x, Self.draw([5, 7], seed: 6))),
                (0.5, tape.meanAbsoluteError(x, Self.draw([5, 7], seed: 7))),
            ])
        }
    }

    @Test("gradients do not depend on the number of threads, to the bit")
    func threads() throws {
        let before = ThreadPool.shared.threadCount
        defer { ThreadPool.shared.threadCount = before }
        for golden in try TrainingCase.all() {
            var results: [[[Float]]] = []
            for threads in [1, 2, 3] {
                ThreadPool.shared.threadCount = threads
                golden.parameters.clearGradients()
                let tape = Tape(golden.parameters)
                tape.backward(golden.loss(tape))
                results.append(golden.parameters.names.map { golden.parameters.gradient($0).values })
            }
            let isEqual = results[0] == results[1] && results[1] == results[2]
            #expect(isEqual, "\(golden.name)")
        }
    }
}
