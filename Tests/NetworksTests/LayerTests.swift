import Files
import Kernels
import Networks
import Tensors
import TestSupport
import Testing

@Suite("Layers") struct LayerTests {
    private static func normal(_ shape: [Int], seed: UInt64) -> Tensor {
        var generator = Generator(seed: seed)
        return generator.normal(shape: shape)
    }

    private func scope(_ weights: [String: Tensor]) throws -> WeightScope {
        let folder = try TemporaryFolder()
        try Safetensors.write(weights, to: folder.path("model.safetensors"))
        return WeightReader(try SafetensorsFile(path: folder.path("model.safetensors"))).root
    }

    @Test(
        "a linear layer is its definition, with the residual added",
        arguments: [(1, 4, 3), (7, 33, 20), (30, 64, 48)])
    func linear(_ rows: Int, _ inputs: Int, _ outputs: Int) throws {
        let weight = Self.normal([outputs, inputs], seed: 1), bias = Self.normal([outputs], seed: 2)
        let x = Self.normal([rows, inputs], seed: 3), residual = Self.normal([rows, outputs], seed: 4)
        let layer = try Linear(scope(["weight": weight, "bias": bias]), inputs: inputs, outputs: outputs)
        let (w, b, v, r) = (weight.values, bias.values, x.values, residual.values)
        let expected = (0..<rows * outputs).map { place in
            let (row, output) = (place / outputs, place % outputs)
            let sum = (0..<inputs).reduce(0.0) {
                $0 + Double(v[row * inputs + $1]) * Double(w[output * inputs + $1])
            }
            return sum + Double(b[output]) + Double(r[place])
        }
        expectClose(
            actual: layer(x, adding: residual).values.map(Double.init), expected: expected,
            absolute: 1e-5 * Double(inputs).squareRoot())
    }

    @Test(
        "the first use, which packs nothing, gives the bits of the second, which does",
        .enabled(if: KernelChoice.current.isBlindToPlaces && KernelChoice.current != .naive))
    func firstUse() throws {
        let layer = try Linear(
            scope(["weight": Self.normal([512, 512], seed: 5)]), inputs: 512, outputs: 512, bias: false)
        let x = Self.normal([4, 512], seed: 6)
        let first = layer(x)
        #expect(layer(x).values == first.values)
        #expect(layer(x).values == first.values)
    }

    @Test("a convolution of an enlarged picture is that of the picture with each pixel twice")
    func enlarged() throws {
        let weight = Self.normal([6, 5, 3, 3], seed: 7), x = Self.normal([2, 4, 3, 5], seed: 8)
        let layer = try Convolution2D(scope(["weight": weight]), inputs: 5, outputs: 6, bias: false)
        let from = x.values
        let twice = Tensor(
            shape: [2, 8, 6, 5],
            values: (0..<2 * 8 * 6 * 5).map { place in
                let (channel, column, row, item) = (place % 5, place / 5 % 6, place / 30 % 8, place / 240)
                return from[((item * 4 + row / 2) * 3 + column / 2) * 5 + channel]
            })
        expectClose(actual: layer(x, enlargedTo: (8, 6)), expected: layer(twice), absolute: 1e-4)
    }

    @Test("shared positions stand once and are spread to every item")
    func rows() {
        let rows = SequenceRows(batch: 2, length: 3, shared: 1)
        let x = Tensor(shape: [rows.count, 1], values: [0, 1, 2, 3, 4])
        #expect(rows.spread(x).values == [0, 1, 2, 0, 3, 4])
    }
}
