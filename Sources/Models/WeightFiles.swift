import Files
import Tensors

/// Finds the weights of one part of a model.
package enum WeightFiles {
    /// Under the names that diffusers and transformers write: safetensors, else torch's own form, else a
    /// half-precision variant. Where a single file lies beside an index, diffusers takes the shards of the
    /// index and transformers the single file.
    package static func open(folder: String) throws -> WeightFolder {
        for stem in [Stem.diffusers, .transformers] {
            for variant in ["", ".fp16", ".bf16"] {
                for form in Form.allCases {
                    let single = [stem.name(form) + variant + form.ending],
                        shards = indexNames(stem.name(form), variant, form)
                    for name in stem == .diffusers ? shards + single : single + shards
                    where FileSystem.exists(FileSystem.join(folder, name)) {
                        return try WeightFolder(folder: folder, name: name)
                    }
                }
            }
        }
        throw missing(folder)
    }

    private enum Form: CaseIterable {
        case safetensors, torch
        var ending: String { self == .safetensors ? ".safetensors" : ".bin" }
    }

    private enum Stem {
        case diffusers, transformers

        func name(_ form: Form) -> String {
            switch self {
            case .diffusers: "diffusion_pytorch_model"
            case .transformers: form == .safetensors ? "model" : "pytorch_model"
            }
        }
    }

    /// The names of an index of shards: of a variant those that diffusers wrote in 2024, writes today, and
    /// wrote in between.
    private static func indexNames(_ stem: String, _ variant: String, _ form: Form) -> [String] {
        let ending = form.ending
        if variant.isEmpty { return [stem + ending + ".index.json"] }
        return [
            stem + variant + ending + ".index.json", stem + ending + ".index" + variant + ".json",
            stem + ending + variant + ".index.json",
        ]
    }

    /// Names the usual file, that of transformers where the configuration is one of transformers, and what is
    /// there instead.
    private static func missing(_ folder: String) -> EngineError {
        let isTransformers =
            (try? JSON.read(path: FileSystem.join(folder, "config.json")))?["_class_name"] == nil
        let usual = (isTransformers ? Stem.transformers : .diffusers).name(.safetensors) + ".safetensors"
        let endings = [
            ".safetensors", ".bin", ".ckpt", ".pt", ".pth", ".msgpack", ".h5", ".onnx", ".gguf",
            ".index.json", ".pb",
        ]
        let others = ((try? FileSystem.list(folder)) ?? []).filter { name in
            endings.contains(where: name.hasSuffix)
        }.sorted()
        let there =
            others.isEmpty
            ? ""
            : """
            ; not read are \
            \(others.prefix(8).joined(separator: ", "))\(others.count > 8 ? " and \(others.count - 8) more" : "")
            """
        let cure: String
        if others.contains(where: { $0.contains("-of-") && $0.hasSuffix(".safetensors") }) {
            cure = "the index of the shards belongs beside them"
        } else if let variant = others.first(where: { $0.hasSuffix(".safetensors") }) {
            cure =
                "a variant such as \(variant) is read under the usual name: rename it, or link it, to \(usual)"
        } else {
            cure =
                others.isEmpty
                ? "check that the folder was copied whole" : "save the model in the safetensors form"
        }
        return EngineError(
            .file, "the weights are missing: neither \(usual) nor \(usual).index.json is there" + there,
            place: folder, cure: cure)
    }
}
