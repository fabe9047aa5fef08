import Files
import Networks
import Tensors
import TestSupport
import Testing

@Suite("Reading weights") struct WeightReaderTests {
    /// A file of two small layers.
    private func source() throws -> SafetensorsFile {
        let folder = try TemporaryFolder()
        try Safetensors.write(
            [
                "first.weight": Tensor(zeros: [3, 2]), "first.bias": Tensor(zeros: [3]),
                "old.weight": Tensor(zeros: [4, 3, 1, 1]),
                "spare": Tensor(zeros: [1]),
            ], to: folder.path("model.safetensors"))
        return try SafetensorsFile(path: folder.path("model.safetensors"))
    }

    @Test("missing and misshapen names are told at once, each with both shapes, and what nobody asked for")
    func problems() throws {
        let reader = WeightReader(try source())
        _ = Linear(reader.root["first"], inputs: 5, outputs: 3)
        _ = Linear(reader.root["second"], inputs: 3, outputs: 4, bias: false)
        let error = #expect(throws: EngineError.self) { try reader.finish() }
        let details = error?.details ?? []
        #expect(details.contains("first.weight: expected [3, 5], found [3, 2]"))
        #expect(details.contains("second.weight: missing, expected [4, 3]"))
        #expect(details.contains("spare: not used by this configuration"))
    }

    @Test("another name and a 1 x 1 kernel serve a linear layer, and unused names are handed back")
    func alternatives() throws {
        let reader = WeightReader(try source()) { $0 == "second.weight" ? ["old.weight"] : [] }
        _ = Linear(reader.root["first"], inputs: 2, outputs: 3)
        _ = Linear(reader.root["second"], inputs: 3, outputs: 4, bias: false)
        #expect(try reader.finish()?.names == ["spare"])
        #expect(reader.parameterCount == 3 * 2 + 3 + 4 * 3)
    }

    @Test("a reader without weights lists what a network asks for")
    func listing() throws {
        let reader = WeightReader(listingFor: "new model")
        _ = Linear(reader.root["layers"][0], inputs: 2, outputs: 3)
        #expect(reader.requests.map(\.name) == ["layers.0.weight", "layers.0.bias"])
        #expect(reader.requests.map(\.shape) == [[3, 2], [3]])
        #expect(try reader.finish() == nil)
    }
}
