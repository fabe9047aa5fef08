import Files
import Tensors

/// A whole CLIP with its tokenizer and its picture preparation: what retrieval and scores compare texts and
/// pictures with.
package final class ContrastiveModel: Sendable {
    package let folder: String
    package let clip: CLIP
    package let tokenizer: Tokenizer
    package let preprocessing: ContrastivePreprocessing

    /// - Parameter tokenizer: used where the folder has no vocabulary of its own.
    package init(folder: String, tokenizer shared: Tokenizer? = nil) throws {
        self.folder = folder
        try FileSystem.checkReach(below: folder)
        clip = try CLIP(folder: folder)
        tokenizer =
            try Tokenizer.isThere(in: folder)
            ? Tokenizer(folder: folder) : shared ?? Tokenizer(folder: folder)
        let path = FileSystem.join(folder, "preprocessor_config.json")
        preprocessing =
            FileSystem.exists(path)
            ? try ContrastivePreprocessing(json: JSON.read(path: path), place: path)
            : ContrastivePreprocessing(size: clip.vision.configuration.imageSize)
        let side = clip.vision.configuration.imageSize
        guard preprocessing.crop == side else {
            throw EngineError(
                .configuration,
                "pictures are prepared at \(preprocessing.crop) pixels, the network takes \(side)",
                place: path)
        }
    }

    /// Projected embeddings of texts, `[texts, width]`, not normalised.
    package func textFeatures(_ texts: [String]) throws -> Tensor {
        try clip.textFeatures(texts.map { tokenizer.padded($0, to: maximumTokens).ids })
    }

    package var maximumTokens: Int { min(tokenizer.maximumLength, clip.text.configuration.maximumLength) }

    /// Projected embeddings of pictures, `[pictures, width]`, not normalised.
    package func imageFeatures(_ pictures: [Bitmap]) throws -> Tensor {
        try clip.imageFeatures(Tensor.stacked(pictures.map { try preprocessing($0) }))
    }
}
