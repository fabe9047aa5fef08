import Files
import Models
import Tensors
import TestSupport
import Testing

@Suite("Inception against pytorch-fid", .serialized)
struct InceptionGoldenTests {
    @Test("blocks and features of every golden picture, with weights filled by the golden rule")
    func golden() throws {
        let topic = try Golden.topic("metrics")
        let json = try topic.json("inception.json")
        let seed = try #require(json["weight_seed"]?.int)
        let weights = try InceptionWeights.make(seed: seed, topic: topic)
        for (name, check) in json["weight_check"]?.object ?? [:] {
            let head = try #require(check["head"]?.doubles)
            expectClose(
                actual: weights[name]?.values.prefix(3).map(Double.init) ?? [], expected: head,
                absolute: 1e-6, name)
        }
        let folder = try TemporaryFolder()
        try Safetensors.write(weights, to: folder.path("inception.safetensors"))
        let network = try Inception(path: folder.path("inception.safetensors"))
        #expect(network.parameterCount == 21_785_568 + 2 * 17_216)
        let file = try topic.tensors("inception.safetensors")
        let pictures = try #require(json["images"]?.array)
        #expect(!pictures.isEmpty)
        for (index, picture) in pictures.enumerated() {
            let bitmap = try PNG.read(path: topic.path(#require(picture["png"]?.string)))
            let pixels = Inception.prepared(bitmap)
            expectClose(
                actual: corner(pixels, 16), expected: try file.tensor("img\(index).resized_corner"),
                absolute: 2e-6, "resized")
            var blocks: [Tensor] = []
            let features = network.features(Tensor.stacked([pixels])) { blocks.append($0) }
            #expect(try network.features([bitmap]).values == features.values)
            for (number, block) in blocks.enumerated() {
                let output = try #require(picture["outputs"]?["block\(number)"])
                let tolerance = 20 * (try #require(output["f32_vs_f64"]?.double))
                let planes = block.channelsFirst
                #expect(planes.shape == output["shape"]?.ints)
                if file.contains("img\(index).block\(number).corner") {
                    expectClose(
                        actual: corner(planes[0], 2),
                        expected: try file.tensor("img\(index).block\(number).corner"), absolute: tolerance,
                        "block \(number)")
                }
                expectClose(
                    actual: means(planes), expected: try file.tensor("img\(index).block\(number).mean_hw"),
                    absolute: tolerance, "block \(number)")
            }
            let expected = try file.tensor("img\(index).pool3")
            let rounding = picture["outputs"]?["block3"]?["f32_vs_f64"]?.double ?? 0
            expectClose(
                actual: features, expected: expected, absolute: 20 * rounding, relative: 1e-4, "features")
        }
        try hostile(weights, folder)
    }

    /// Missing, additional and misshapen weights, and the later network of the same names.
    private func hostile(_ weights: [String: Tensor], _ folder: TemporaryFolder) throws {
        func message(_ change: (inout [String: Tensor]) -> Void) throws -> String {
            // Small stand-ins: only names and shapes are looked at before the first picture.
            var small = weights
            change(&small)
            let path = folder.path("wrong.safetensors")
            try Safetensors.write(small.mapValues { Safetensors.Content.float16($0) }, to: path)
            do {
                _ = try Inception(path: path)
                return ""
            } catch let error as EngineError { return error.description }
        }
        #expect(try message { $0["num_batches_tracked"] = Tensor(zeros: []) } == "")
        #expect(try message { $0["fc.weight"] = Tensor(zeros: [1_000, 2_048]) }.contains("[1000, 2048]"))
        #expect(
            try message { $0["AuxLogits.fc.bias"] = Tensor(zeros: [4]) }.contains(
                "AuxLogits.fc.bias: not used"))
        #expect(
            try message { $0["Mixed_7c.branch_pool.bn.bias"] = nil }.contains(
                "Mixed_7c.branch_pool.bn.bias: missing, expected [192]"))
        #expect(
            try message { $0 = ["conv_in.weight": Tensor(zeros: [3])] }.contains(
                "pt_inception-2015-12-05-6726825d.pth"))
    }

    /// `[channels, height, width]` to `[1, channels, side, side]`.
    private func corner(_ planes: Tensor, _ side: Int) -> Tensor {
        let (channels, height, width) = (planes.shape[0], planes.shape[1], planes.shape[2])
        let values = planes.values
        var out: [Float] = []
        for c in 0..<channels {
            for y in 0..<side { for x in 0..<side { out.append(values[(c * height + y) * width + x]) } }
        }
        return Tensor(shape: [1, channels, side, side], values: out)
    }

    private func means(_ planes: Tensor) -> Tensor {
        let area = planes.shape[2] * planes.shape[3]
        let values = planes.values
        return Tensor(
            shape: [planes.shape[0], planes.shape[1]],
            values: (0..<planes.count / area).map { plane in
                Float(
                    values[plane * area..<(plane + 1) * area].reduce(0.0) { $0 + Double($1) } / Double(area))
            })
    }
}
