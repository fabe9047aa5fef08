import Files
import Tensors

/// Finds the weights of one part of a model.
package enum WeightFiles {
    /// Under the names that diffusers and transformers write, in float32 if there, else in a half-precision variant.
    package static func open(folder: String) throws -> SafetensorsFolder {
        let stems = ["diffusion_pytorch_model", "model"]
        let candidates = stems.flatMap { stem in ["", ".fp16", ".bf16"].map { stem + $0 } }
        let found = candidates.first { stem in
            [".safetensors", ".safetensors.index.json"].contains { FileSystem.exists(FileSystem.join(folder, stem + $0)) }
        }
        // Without any, the error names the usual file: that of transformers where the configuration is one of transformers.
        let isTransformers = (try? JSON.read(path: FileSystem.join(folder, "config.json")))?["_class_name"] == nil
        return try SafetensorsFolder(folder: folder, stem: found ?? stems[isTransformers ? 1 : 0])
    }
}
