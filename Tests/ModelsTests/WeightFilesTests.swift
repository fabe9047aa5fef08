import Files
import Models
import Tensors
import TestSupport
import Testing

@Suite("Weight files")
struct WeightFilesTests {
    /// A folder with weights whose only number tells the file.
    private func folder(
        _ files: [String: Float], indices: [String: String] = [:],
        configuration: JSON = ["_class_name": "UNet2DConditionModel"]
    ) throws
        -> TemporaryFolder
    {
        let folder = try TemporaryFolder()
        try AtomicFile.write(configuration.text, to: folder.path("config.json"))
        for (name, value) in files {
            try Safetensors.write(["a": Tensor(shape: [1], values: [value])], to: folder.path(name))
        }
        for (name, shard) in indices {
            try AtomicFile.write(
                JSON.object(["weight_map": ["a": .string(shard)]]).text, to: folder.path(name))
        }
        return folder
    }

    private func value(_ folder: TemporaryFolder) throws -> Float {
        try WeightFiles.open(folder: folder.path).tensor("a").values[0]
    }

    @Test(
        "an index is found under every spelling of its variant", arguments: ["fp16", "bf16"],
        [
            "diffusion_pytorch_model.V.safetensors.index.json",
            "diffusion_pytorch_model.safetensors.index.V.json",
            "diffusion_pytorch_model.safetensors.V.index.json",
            "model.V.safetensors.index.json", "model.safetensors.index.V.json",
            "model.safetensors.V.index.json",
        ])
    func variants(variant: String, pattern: String) throws {
        let index = pattern.split(separator: ".").map { $0 == "V" ? variant : String($0) }.joined(
            separator: ".")
        #expect(try value(folder(["shard-1.safetensors": 3], indices: [index: "shard-1.safetensors"])) == 3)
    }

    @Test(
        "beside a single file the index wins for what diffusers writes, and not for what transformers writes")
    func both() throws {
        for (stem, expected) in [("diffusion_pytorch_model", Float(2)), ("model", 1)] {
            for variant in ["", ".fp16"] {
                let index =
                    variant.isEmpty
                    ? "\(stem).safetensors.index.json" : "\(stem).safetensors.index\(variant).json"
                let files = try folder(
                    ["\(stem)\(variant).safetensors": 1, "shard.safetensors": 2],
                    indices: [index: "shard.safetensors"])
                #expect(try value(files) == expected, "\(index)")
            }
            // Float32 comes before a variant, however each is stored.
            let mixed = try folder(
                ["\(stem).safetensors": 1, "shard.safetensors": 2],
                indices: ["\(stem).safetensors.index.fp16.json": "shard.safetensors"])
            #expect(try value(mixed) == 1)
        }
    }

    @Test("without weights the message names what lies there unread, and the cure")
    func missing() throws {
        func error(_ files: TemporaryFolder) -> EngineError? {
            #expect(throws: EngineError.self) { try WeightFiles.open(folder: files.path) }
        }
        let variant = try error(folder(["diffusion_pytorch_model.non_ema.safetensors": 1]))
        #expect(variant?.message.contains("not read are diffusion_pytorch_model.non_ema.safetensors") == true)
        #expect(variant?.cure?.contains("to diffusion_pytorch_model.safetensors") == true)
        let shards = try error(folder(["model-00001-of-00002.safetensors": 1]))
        #expect(shards?.cure?.contains("index") == true)
        let pickled = try folder([:])
        try AtomicFile.write("x", to: pickled.path("flax_model.msgpack"))
        let binary = error(pickled)
        #expect(
            binary?.message.contains("flax_model.msgpack") == true
                && binary?.cure?.contains("safetensors form") == true)
        let none = try error(folder([:], configuration: ["model_type": "clip"]))
        #expect(
            none?.message.contains("neither model.safetensors") == true
                && none?.cure?.contains("copied whole") == true)
    }

    @Test("torch's own form is read where there is no safetensors of float32, its shards and variants too")
    func torch() throws {
        let bytes = try Golden.laterTopic("torch").bytes("zip.bin")
        func opens(_ safetensors: [String: Float], _ names: [String], index: String? = nil) throws -> String {
            let files = try folder(safetensors)
            for name in names { try AtomicFile.write(bytes, to: files.path(name)) }
            if let index {
                let map: JSON = ["weight_map": ["conv.weight": .string(names[0])]]
                try AtomicFile.write(map.text, to: files.path(index))
            }
            return FileSystem.name(of: try WeightFiles.open(folder: files.path).path)
        }
        for stem in ["diffusion_pytorch_model", "pytorch_model"] {
            let name = stem + ".bin"
            #expect(try opens([:], [name]) == name)
            #expect(
                try opens(["diffusion_pytorch_model.safetensors": 1], [name])
                    == "diffusion_pytorch_model.safetensors")
            #expect(try opens([:], [stem + ".fp16.bin"]) == stem + ".fp16.bin")
            #expect(
                try opens([:], [stem + "-00001-of-00001.bin"], index: name + ".index.json") == name
                    + ".index.json")
        }
        #expect(
            try opens(["diffusion_pytorch_model.fp16.safetensors": 1], ["diffusion_pytorch_model.bin"])
                == "diffusion_pytorch_model.bin")
        #expect(try opens(["model.fp16.safetensors": 1], ["pytorch_model.bin"]) == "pytorch_model.bin")
    }
}
