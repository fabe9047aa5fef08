import Files
import Interpreting
import Models
import Results
import SourceText
import Tensors

/// Writes a model or a part of one as the folder that diffusers and transformers load: whole or not at all.
package enum SavedModel {
    package static func write(_ handle: any ModelHandle, half: Bool, to path: String) throws {
        try checkPlace(path)
        switch handle {
        case let model as LoadedModel:
            let folder = model.model.folder
            if FileSystem.exists(FileSystem.join(folder, FolderSeal.file)) { try ModelStore.check(folder) }
            try AtomicFolder.write(to: path, replacing: true) { place in
                try copy(folder, model.digests, half: half, to: place)
                try writeCorrections(model, to: place)
            }
        case let part as ModelPart:
            try AtomicFolder.write(to: path, replacing: true) { place in
                if part.kind == .tokenizer { _ = try part.openedTokenizer() }
                if part.kind == .clip {
                    try part.writeContrastive(to: place)
                } else {
                    try part.write(to: place)
                }
                if half { try halve(place) }
            }
        default:
            throw Complaint(
                .unsupportedFeature, "`save` writes whole models and what `new` and `fit` make",
                label: handle.name, help: "its folder can be copied as it is")
        }
    }

    /// What is there already is replaced only where it is a model too: a mistyped path must not remove
    /// anything else.
    private static func checkPlace(_ path: String) throws {
        guard FileSystem.exists(path) else { return }
        let isModel = ["model_index.json", "config.json", "vocab.json"].contains {
            FileSystem.exists(FileSystem.join(path, $0))
        }
        guard FileSystem.isFolder(path), try isModel || FileSystem.list(path).isEmpty else {
            throw EngineError(
                .file, "there is something else at this place, and no model", place: path,
                cure: "choose another name")
        }
    }

    /// The configuration as it was read, corrected, as the reference saves it: another program then reads the
    /// same. Other files stay byte for byte.
    private static func writeCorrections(_ model: LoadedModel, to folder: String) throws {
        if let corrected = model.scheduler.corrected {
            try AtomicFile.write(
                corrected.prettyText, to: FileSystem.join(folder, "scheduler/scheduler_config.json"))
        }
        guard model.model.correctsSize else { return }
        let path = FileSystem.join(folder, "unet/config.json")
        var members = try JSON.read(path: path).object ?? [:]
        members["sample_size"] = 64
        try AtomicFile.write(JSON.object(members).prettyText, to: path)
    }

    /// A folder with the folders in it. Copied, not linked: what is saved must not change with the cache.
    private static func copy(_ source: String, _ digests: PartDigests, half: Bool, to target: String) throws {
        try FileSystem.createFolder(target)
        for name in try FileSystem.list(source) where name != FolderSeal.file {
            let from = FileSystem.join(source, name), to = FileSystem.join(target, name)
            try FileSystem.checkReach(from)
            if FileSystem.isFolder(from) {
                try copy(from, digests, half: half, to: to)
            } else if half, name.hasSuffix(".safetensors") {
                try digests.again { try writeHalf(from, to: to) }
            } else if half, name.hasSuffix(".bin") {
                // As safetensors, under the name that goes with it.
                let stem = name == "pytorch_model.bin" ? "model" : String(name.dropLast(4))
                guard !name.contains("-of-") else {
                    throw EngineError(
                        .unsupported, "shards of torch's form cannot be saved in half precision", place: from,
                        cure: "save it without precision=")
                }
                try digests.again { try writeHalf(from, to: FileSystem.join(target, stem + ".safetensors")) }
            } else if half, name == "config.json" {
                try digests.again { try writeConfiguration(from, to: to) }
            } else {
                try FileSystem.copy(from, to: to, expecting: digests.stamp(of: from), durable: true)
            }
        }
    }

    private static func halve(_ folder: String) throws {
        for name in try FileSystem.list(folder) {
            let path = FileSystem.join(folder, name)
            if name.hasSuffix(".safetensors") { try writeHalf(path, to: path) }
            if name == "config.json" { try writeConfiguration(path, to: path) }
        }
    }

    /// transformers computes in the type of the stored weights unless the configuration says otherwise;
    /// halves are how these are stored only.
    private static func writeConfiguration(_ source: String, to path: String) throws {
        let configuration = try JSON.read(path: source)
        guard var members = configuration.object, members["model_type"] != nil else {
            return try AtomicFile.write(configuration.prettyText, to: path)
        }
        members["torch_dtype"] = "float32"
        try AtomicFile.write(JSON.object(members).prettyText, to: path)
    }

    /// Weights rounded to half precision. What does not fit into it would become infinite: an error.
    private static func writeHalf(_ source: String, to path: String) throws {
        let file = try WeightFile.open(source)
        var contents: [String: Safetensors.Content] = [:]
        for name in file.names {
            guard let entry = file.entry(name),
                [.float32, .float16, .bfloat16, .float64].contains(entry.type)
            else {
                contents[name] = .int64(try file.integers(name), shape: file.entry(name)?.shape ?? [])
                continue
            }
            let tensor = try file.tensor(name)
            guard tensor.values.allSatisfy({ abs($0) <= 65_504 }) else {
                throw EngineError(
                    .weights, "\(name) has values beyond 65504, the largest in half precision", place: path,
                    cure: "precision=float32")
            }
            contents[name] = .float16(tensor)
        }
        try Safetensors.write(contents, metadata: ["format": "pt"], to: path)
    }
}
