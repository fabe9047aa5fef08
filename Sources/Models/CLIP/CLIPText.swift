import Files
import Kernels
import Networks
import Tensors

/// The text tower of CLIP (transformers' CLIPTextModel, with or without projection; Radford et al. 2021).
package struct CLIPText: Sendable {
    /// What a batch of prompts encodes to.
    package struct Output: Sendable {
        /// `[batch, length, width]`, after the final layer norm: what a UNet is conditioned on.
        package let states: Tensor
        /// `[batch, width]`: the state at the end of each text.
        package let pooled: Tensor
        /// `[batch, projectionWidth]`, not normalised; nil without a projection.
        package let embeddings: Tensor?
    }

    package let configuration: CLIPTextConfiguration
    package private(set) var parameterCount = 0
    /// Bytes of its weight files.
    package private(set) var byteCount = 0
    /// What its weight files hold beyond that.
    package private(set) var unused: UnusedWeights?
    private let tokens: Parameter  // embeddings.token_embedding
    private let positions: Lazy<Tensor>  // embeddings.position_embedding
    private let encoder: CLIPEncoder
    private let finalNorm: LayerNorm  // final_layer_norm
    private let projection: Linear?  // text_projection

    /// A folder with `config.json` and `model.safetensors`. Parameter names may carry the prefix
    /// `text_model.`, as on the hub, or not, as transformers writes from version 5.6 on.
    package init(folder: String, precision: StoredPrecision = .float32) throws {
        let file = try ConfigurationReader(path: FileSystem.join(folder, "config.json"))
        try self.init(
            CLIPTextConfiguration(file), weights: WeightFiles.open(folder: folder), precision: precision)
    }

    package init(
        _ configuration: CLIPTextConfiguration, weights: any TensorSource,
        precision: StoredPrecision = .float32
    ) throws {
        let reader = WeightReader(weights, precision: precision) { name in
            name.hasPrefix("text_model.") ? [String(name.dropFirst("text_model.".count))] : []
        }
        self.init(reader.root, configuration, projects: weights.contains("text_projection.weight"))
        unused = try reader.finish { $0.hasSuffix("position_ids") }
        parameterCount = reader.parameterCount
        byteCount = reader.byteCount
    }

    init(_ root: WeightScope, _ configuration: CLIPTextConfiguration, projects: Bool) {
        let c = configuration
        let scope = root["text_model"]
        self.configuration = c
        tokens = scope["embeddings"]["token_embedding"].parameter("weight", [c.vocabularySize, c.width])
        let positionTable = scope["embeddings"]["position_embedding"].parameter(
            "weight", [c.maximumLength, c.width])
        positions = Lazy { positionTable.load() }
        encoder = CLIPEncoder(
            scope["encoder"], width: c.width, hiddenWidth: c.hiddenWidth, layers: c.layers, heads: c.heads,
            activation: c.activation, epsilon: c.epsilon)
        finalNorm = LayerNorm(scope["final_layer_norm"], width: c.width, epsilon: c.epsilon)
        projection =
            projects
            ? Linear(root["text_projection"], inputs: c.width, outputs: c.projectionWidth, bias: false) : nil
    }

    /// - Parameters:
    ///   - ids: rows of equal length, at most `configuration.maximumLength`.
    ///   - present: false at padding that must not be attended to; nil attends to all, as the pipelines do.
    ///   - seen: gets the embeddings and the state after each layer, `[batch, length, width]`.
    package func encode(_ ids: [[Int]], present: [[Bool]]? = nil, seen: ((Tensor) -> Void)? = nil) throws
        -> Output
    {
        let c = configuration
        guard let length = ids.first?.count, length > 0, length <= c.maximumLength,
            ids.allSatisfy({ $0.count == length })
        else {
            throw EngineError(
                .text,
                """
                expected rows of 1...\(c.maximumLength) tokens of equal length, found \
                \(Set(ids.map(\.count)).sorted())
                """)
        }
        if let bad = ids.joined().first(where: { $0 < 0 || $0 >= c.vocabularySize }) {
            throw EngineError(
                .text, "token \(bad) is outside the text encoder's vocabulary of \(c.vocabularySize)",
                cure: "the tokenizer and the text encoder must belong together")
        }
        let rows = SequenceRows(
            batch: ids.count, length: length, shared: present == nil ? Self.sharedBeginning(ids) : 0)
        let states = rows.spread(
            finalNorm(
                encoder(
                    embeddings(ids, rows), rows, mask: AttentionMask(causal: true, present: present),
                    seen: seen)))
        let pooled = Tensor.stacked(ids.enumerated().map { states[$0][c.pooledPosition($1)] })
        return Output(states: states, pooled: pooled, embeddings: projection?(pooled))
    }

    /// How many tokens all texts begin with: the start at least. As nobody looks ahead, their states are the
    /// same in all of them, to the bit.
    private static func sharedBeginning(_ ids: [[Int]]) -> Int {
        guard let first = ids.first, ids.count > 1 else { return 0 }
        // The last position stays everyone's own: even equal texts then have rows.
        return (0..<first.count - 1).first { place in ids.contains { $0[place] != first[place] } } ?? first
            .count - 1
    }

    private func embeddings(_ ids: [[Int]], _ rows: SequenceRows) -> Tensor {
        let width = configuration.width
        var embedded = tokens.rows(ids[0][..<rows.shared] + ids.flatMap { $0[rows.shared...] }).reshaped([
            rows.count, width,
        ])
        positions.value.withUnsafePointer { positions in
            embedded.withUnsafeMutablePointer { out in
                for i in 0..<rows.shared * width { out[i] += positions[i] }
                for item in 0..<rows.batch {
                    let to = out + (rows.shared + item * rows.own) * width,
                        from = positions + rows.shared * width
                    for i in 0..<rows.own * width { to[i] += from[i] }
                }
            }
        }
        return embedded
    }
}
