import Files
import Models
import Tensors
import TestSupport
import Testing

/// A copy of the golden pipeline's folder in which one thing is wrong.
@Suite("Damaged model folders")
struct DamagedModelTests {
    private func damaged(_ change: (ModelCopy) throws -> Void) throws -> EngineError {
        let copy = try ModelCopy()
        try change(copy)
        let error = #expect(throws: EngineError.self) { try DiffusionModel(folder: copy.path) }
        return try #require(error)
    }

    private func rewrite(_ folder: ModelCopy, _ name: String, _ change: (inout [String: JSON]) -> Void) throws
    {
        var object = try #require(try JSON.read(path: folder.at(name)).object)
        change(&object)
        try AtomicFile.write(Array(JSON.object(object).text.utf8), to: folder.at(name))
    }

    @Test("a missing weight file is named")
    func missingWeights() throws {
        let error = try damaged {
            try FileSystem.removeFile($0.at("unet/diffusion_pytorch_model.safetensors"))
        }
        #expect(error.kind == .file)
        #expect(
            error.description.contains("unet")
                && error.description.contains("diffusion_pytorch_model.safetensors"))
    }

    @Test("a weight file that is cut short is named")
    func truncated() throws {
        let error = try damaged { folder in
            let path = folder.at("vae/diffusion_pytorch_model.safetensors")
            try AtomicFile.write(Array(try FileSystem.readBytes(path).dropLast(1000)), to: path)
        }
        #expect(error.kind == .format)
        #expect(error.place?.hasSuffix("vae/diffusion_pytorch_model.safetensors") == true)
    }

    @Test("every weight that does not fit is told at once")
    func wrongShapes() throws {
        let error = try damaged { try rewrite($0, "vae/config.json") { $0["latent_channels"] = 5 } }
        #expect(error.kind == .weights)
        #expect(error.details.count > 3)
        #expect(
            error.details.contains {
                $0.contains("quant_conv.weight: expected [10, 10], found [8, 8")
                    || $0.contains("quant_conv.weight: expected [10, 10")
            })
    }

    @Test("an unknown block type is named with what is supported")
    func unknownBlock() throws {
        let error = try damaged {
            try rewrite($0, "unet/config.json") {
                $0["down_block_types"] = .array(
                    ($0["down_block_types"]?.array ?? []).map { _ in "AttnDownBlock2D" })
            }
        }
        #expect(error.kind == .unsupported)
        #expect(error.message.contains("AttnDownBlock2D") && error.message.contains("CrossAttnDownBlock2D"))
    }

    @Test("a configuration without a needed key names the key and the file")
    func missingKey() throws {
        let error = try damaged { try rewrite($0, "unet/config.json") { $0["block_out_channels"] = nil } }
        #expect(error.kind == .configuration)
        #expect(
            error.message.contains("block_out_channels") && error.place?.hasSuffix("unet/config.json") == true
        )
    }

    @Test("what exists elsewhere but not here is named as not supported")
    func unsupported() throws {
        let error = try damaged {
            try rewrite($0, "model_index.json") { $0["_class_name"] = "StableDiffusionXLPipeline" }
        }
        #expect(error.kind == .unsupported && error.message.contains("StableDiffusionXLPipeline"))
    }

    @Test("parts that do not belong together are told so")
    func misfits() throws {
        let error = try damaged { try FileSystem.removeFile($0.at("tokenizer/vocab.json")) }
        #expect(error.place?.contains("tokenizer") == true)
        let other = #expect(throws: EngineError.self) { try DiffusionModel(folder: "/nowhere/at/all") }
        #expect(other?.description.contains("/nowhere/at/all") == true)
    }
}
