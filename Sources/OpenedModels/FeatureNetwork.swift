import Caching
import Files
import Interpreting
import ItemWork
import LinearAlgebra
import Metrics
import Models
import Networks
import Results
import Tensors

/// A network that turns texts or pictures into the features they are compared by: a whole CLIP or Inception,
/// alone or as part of a model folder. What was computed once is remembered, and cached by content.
package final class FeatureNetwork: ModelHandle {
    package enum Network: Sendable {
        case clip(ContrastiveModel)
        case inception(Inception)
    }

    package let name: String
    package let network: Network
    package let digests: PartDigests
    private let parts: [PartDigests.Part]
    let texts: ItemMemory<String, [Float]>
    let pictures: ItemMemory<ObjectIdentifier, PictureFeatures.Value>
    /// So many texts or pictures are remembered at most, and tables of more rows are compared in a mapped
    /// file.
    let most: Int

    /// - Parameter parts: what its features depend on.
    init(
        name: String, _ network: Network, _ digests: PartDigests, _ parts: [PartDigests.Part],
        most: Int = 20_000
    ) {
        (self.name, self.network, self.digests, self.parts, self.most) = (name, network, digests, parts, most)
        texts = ItemMemory(most: most)
        pictures = ItemMemory(most: most)
    }

    /// A folder with a whole CLIP and its vocabulary. Within a model folder a CLIP may lack that: the
    /// tokenizer beside it is its own.
    package convenience init(name: String, clip folder: String, most: Int = 20_000) throws {
        let beside = FileSystem.join(FileSystem.folder(of: folder), PartDigests.Part.tokenizer.rawValue)
        let isComplete = Tokenizer.isThere(in: folder) || !FileSystem.isFolder(beside)
        let (model, digests) = try PartDigests.opening(
            isComplete ? [.clip: folder] : [.clip: folder, .tokenizer: beside]
        ) {
            try ContrastiveModel(folder: folder, tokenizer: isComplete ? nil : Tokenizer(folder: beside))
        }
        self.init(name: name, .clip(model), digests, isComplete ? [.clip] : [.clip, .tokenizer], most: most)
    }

    /// A safetensors file with the weights of Inception.
    package convenience init(name: String, inception path: String) throws {
        let (network, digests) = try PartDigests.opening([.inception: path]) { try Inception(path: path) }
        self.init(name: name, .inception(network), digests, [.inception])
    }

    // MARK: As the language sees it

    package var isClip: Bool { if case .clip = network { true } else { false } }

    package var path: String {
        switch network {
        case .clip(let model): model.folder
        case .inception(let network): network.path
        }
    }

    /// What its weight file holds beyond the network.
    package var unused: [UnusedWeights] {
        if case .clip(let model) = network { model.clip.unused.map { [$0] } ?? [] } else { [] }
    }

    package var parameterCount: Int {
        switch network {
        case .clip(let model): model.clip.parameterCount
        case .inception(let network): network.parameterCount
        }
    }

    /// How pictures are brought to the network's size, for what is printed beside figures.
    var preparation: String {
        switch network {
        case .clip(let model):
            "resized to \(model.preprocessing.crop) pixels (\(model.preprocessing.filter.rawValue))"
        case .inception: "resized to \(Inception.side) pixels (bilinear, not antialiased)"
        }
    }

    package var summary: String {
        let kind =
            switch network {
            case .clip(let model):
                "a whole CLIP, texts and pictures as \(model.clip.text.configuration.projectionWidth) numbers"
            case .inception: "Inception V3 of pytorch-fid, pictures as \(Inception.width) numbers"
            }
        return "\(name): \(kind), \(LoadedModel.count(parameterCount)) parameters, pictures \(preparation)"
    }

    package var fieldNames: [String] { ["name", "path", "parameters"] }

    package func field(_ name: String) -> Value? {
        switch name {
        case "name": .text(self.name)
        case "path": .text(path)
        case "parameters": .number(Double(parameterCount))
        default: nil
        }
    }

    // MARK: Features

    /// [texts, width], not normalised.
    package func features(of texts: [String], _ session: Session, naming: ((Int) -> String)? = nil) throws
        -> Tensor
    {
        Self.rows(try TextFeatures(texts, self, session, naming: naming).results(in: session).whole("text"))
    }

    /// [pictures, width], not normalised.
    package func features(of pictures: [Picture], _ session: Session, naming: ((Int) -> String)? = nil) throws
        -> Tensor
    {
        let work = try PictureFeatures(pictures, self, session, naming: naming)
        return Self.rows(try work.rows(of: work.results(in: session).whole("picture")))
    }

    func compute(_ texts: [String]) throws -> Tensor {
        guard case .clip(let model) = network else {
            throw EngineError(.unsupported, "\(name) looks at pictures only, not at texts")
        }
        return try model.textFeatures(texts)
    }

    func compute(_ pictures: [Bitmap]) throws -> Tensor {
        switch network {
        case .clip(let model): try model.imageFeatures(pictures)
        case .inception(let network): try network.features(pictures)
        }
    }

    /// What a text's features depend on, beside the network.
    func add(_ text: String, to key: inout ItemKeyBuilder) {
        key.add("text", text)
        if case .clip(let model) = network, let ids = model.tokenizer.ownIDs(text, to: model.maximumTokens) {
            key.add("ids", ids)
        }
    }

    func store(_ cache: ItemCache?, _ verb: String) throws -> ItemStore? {
        try digests.store(cache, verb: verb, parts)
    }

    /// What is wrong where features are no numbers.
    func fault(_ noun: String) -> EngineError {
        let cure: String? =
            if case .clip(let model) = network { NumberFailures.weights(in: model.folder) } else { nil }
        return NumberFailures.error("what \(name) makes of the \(noun)", cure: cure)
    }

    func cost(_ verb: String, units: Int = 1) -> ItemCost {
        ItemCost(WorkKind(verb, parameters: parameterCount, shape: []), units: units, steps: units)
    }

    /// What the reader's progress calls its work.
    var label: String { isClip ? "CLIP" : "Inception" }

    /// Pictures that it takes together.
    var pictureBatch: Int { isClip ? Batches.smallPictures : Batches.pictures }

    static func rows(_ rows: [[Float]]) -> Tensor {
        Tensor(shape: [rows.count, rows.first?.count ?? 0], values: rows.flatMap { $0 })
    }

    /// Mean and covariance of the features of a reference set, cached by its pictures and their order.
    package func statistics(of pictures: [Picture], _ session: Session) throws -> FeatureStatistics {
        func computed() throws -> FeatureStatistics {
            try FeatureStatistics(DoubleMatrix(features(of: pictures, session)))
        }
        guard let store = try store(session.cache, "feature statistics") else { return try computed() }
        let key = try store.key { builder in
            for picture in pictures {
                builder.add("picture", try PictureFeatures.key(of: picture, store).digest)
            }
        }
        if let (mean, covariance) = store.cache.value(
            key,
            { reader in
                let mean = try reader.doubles()
                return (mean, try reader.doubles())
            }), covariance.count == mean.count * mean.count
        {
            return try FeatureStatistics(
                mean: mean,
                covariance: DoubleMatrix(rows: mean.count, columns: mean.count, values: covariance))
        }
        let statistics = try computed()
        try store.keep(key) {
            $0.write(statistics.mean)
            $0.write(statistics.covariance.values)
        }
        return statistics
    }

    /// Numbers per picture or text.
    package var width: Int {
        switch network {
        case .clip(let model): model.clip.text.configuration.projectionWidth
        case .inception: Inception.width
        }
    }
}
