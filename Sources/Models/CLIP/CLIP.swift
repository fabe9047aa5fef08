import Files
import Networks
import Tensors

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// A whole CLIP: both towers, their projections into one space, and the scale of their products
/// (transformers' CLIPModel).
package struct CLIP: Sendable {
    package let text: CLIPText
    package let vision: CLIPVision
    package let parameterCount: Int
    /// Bytes of its weight files.
    package let byteCount: Int
    /// What its weight files hold beyond that.
    package let unused: UnusedWeights?
    private let visionProjection: Linear  // visual_projection
    private let scale: Lazy<Tensor>  // logit_scale

    /// A folder with `config.json` and `model.safetensors` of a CLIPModel.
    package init(folder: String) throws {
        let path = FileSystem.join(folder, "config.json")
        try self.init(JSON.read(path: path), place: path, WeightReader(try WeightFiles.open(folder: folder)))
    }

    /// Names and shapes of the parameters that a CLIPModel's `config.json` asks for, in the network's order.
    package static func parameters(_ configuration: JSON, place: String) throws -> [(
        name: String, shape: [Int]
    )] {
        let reader = WeightReader(listingFor: place)
        _ = try CLIP(configuration, place: place, reader)
        return reader.requests
    }

    /// Both towers' parts of a CLIPModel's `config.json`.
    package static func configurations(_ json: JSON, place: String) throws -> (
        text: CLIPTextConfiguration, vision: CLIPVisionConfiguration
    ) {
        let file = try ConfigurationReader(json, place: place)
        guard let textJSON = file.value("text_config"), let visionJSON = file.value("vision_config") else {
            throw EngineError(
                .configuration, "the keys \"text_config\" and \"vision_config\" are needed for a whole CLIP",
                place: place)
        }
        let width = try file.int("projection_dim", default: 512, in: ConfigurationLimit.widths)
        return (
            try CLIPTextConfiguration(
                ConfigurationReader(textJSON, place: "\(place), text_config"), projectionWidth: width),
            try CLIPVisionConfiguration(
                ConfigurationReader(visionJSON, place: "\(place), vision_config"), projectionWidth: width)
        )
    }

    private init(_ configuration: JSON, place: String, _ reader: WeightReader) throws {
        let (textConfiguration, visionConfiguration) = try Self.configurations(configuration, place: place)
        let width = textConfiguration.projectionWidth
        let root = reader.root
        text = CLIPText(root, textConfiguration, projects: true)
        vision = CLIPVision(root["vision_model"], visionConfiguration)
        visionProjection = Linear(
            root["visual_projection"], inputs: visionConfiguration.width, outputs: width, bias: false)
        let logitScale = root.parameter("logit_scale", [])
        scale = Lazy { logitScale.load() }
        unused = try reader.finish { $0.hasSuffix("position_ids") }
        parameterCount = reader.parameterCount
        byteCount = reader.byteCount
    }

    /// The factor that cosines are multiplied with: e to the stored value.
    package var logitScale: Float { exp(scale.value.values[0]) }

    /// Projected text embeddings `[batch, projectionWidth]`, not normalised.
    package func textFeatures(_ ids: [[Int]], present: [[Bool]]? = nil) throws -> Tensor {
        let output = try text.encode(ids, present: present)
        return output.embeddings ?? output.pooled
    }

    /// Projected picture embeddings `[batch, projectionWidth]`, not normalised.
    /// - Parameter pixels: `[batch, channels, imageSize, imageSize]`, normalised as the folder's preprocessor
    ///   says.
    package func imageFeatures(_ pixels: Tensor) throws -> Tensor { projected(try vision.encode(pixels)) }

    /// The projection of a picture tower's output.
    package func projected(_ output: CLIPVision.Output) -> Tensor { visionProjection(output.pooled) }
}
