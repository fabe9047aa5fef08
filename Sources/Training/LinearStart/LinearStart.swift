package import Models
package import Tensors

#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

/// A CLIP's first weights in closed form, for a thousand pairs or so: ridge regression from the words of a
/// caption (weighted by how rare they are and how early they come) to numbers that one patch and one layer
/// compute of a picture (`PictureFeatures`). A contrastive loss alone learns so few pairs by heart; these
/// maps a network holds exactly, and training goes on from there (figures in the article `Training`).
///
/// Vectors lie in the network's width H as sums of cosines (the discrete cosine transform is orthonormal, and
/// all but its first function have a mean of zero, so that layer normalisation only scales). Of the text
/// tower's, functions 1 to K hold a direction each, the next one the place in the caption, the others tell
/// tokens apart. Layers after the first begin as nothing.
package struct LinearStart {
    /// Added to the Gram matrix of captions of unit length. 3 did best of 0.3, 1, 3 and 10 in five parts of
    /// 1,118 monsters.
    private static let ridge = 3.0
    /// Half whitened: the first directions would drown the others, the last are noise.
    private static let whitening = 0.375
    /// A word counts less by a factor of e every so many tokens: captions begin with the name. Of 10, 15, 20
    /// and no decay 10 did best, with 6,000 pieces.
    private static let reach = 10.0
    /// How much louder the mean of the words is than one word, where the text is read.
    private static let gain: Float = 4
    /// A token's place is so much of its length: small, so that layer normalisation scales late tokens like
    /// early ones.
    private static let placeStep: Float = 0.004

    /// By the names of the reference library; parameters that are not here stay as they are.
    package private(set) var weights: [String: Tensor] = [:]

    /// - Parameters:
    ///   - texts: each caption's ids without the tokens at its ends.
    ///   - pictures: `[3, size, size]` in 0...1, of the size that the network takes; it sees `2 x - 1`.
    package init(
        text: CLIPTextConfiguration, vision: CLIPVisionConfiguration, texts: [[Int]], pictures: [Tensor],
        mirrors: Bool, seed: Int
    ) throws {
        guard vision.patchSize == vision.imageSize else {
            throw EngineError(
                .configuration,
                """
                start=linear needs one patch per picture: `new clip` with patch=\(vision.imageSize), not \
                \(vision.patchSize)
                """)
        }
        let count = min(text.projectionWidth, min(text.width, vision.width) - 3, pictures.count - 1)
        guard count > 0, text.layers > 0, vision.layers > 0 else {
            throw EngineError(
                .configuration, "start=linear needs towers of at least one layer and a width of four")
        }
        let mirrored = mirrors ? pictures.map { PictureChange.apply(.init(isMirrored: true), to: $0) } : []
        let features = PictureFeatures(
            of: pictures + mirrored, width: vision.width,
            hidden: vision.activation == .quickGelu ? vision.hiddenWidth : 0, seed: seed)
        let plain = pictures.map { features.normalised($0) },
            turned = mirrored.map { features.normalised($0) }
        let main = MainDirections(of: plain + turned, count: min(count, features.count))
        func target(_ vector: [Float]) -> [Double] {
            zip(main.coordinates(of: vector), main.variances).map { $0 * pow($1, -Self.whitening) }
        }
        let targets = plain.indices.map { index -> [Double] in
            guard mirrors else { return target(plain[index]) }
            return zip(target(plain[index]), target(turned[index])).map { ($0 + $1) / 2 }
        }
        setText(
            text, Self.regression(texts, targets, vocabulary: text.vocabularySize),
            count: main.directions.count, seed: seed)
        setVision(vision, features, main)
    }

    // MARK: The regression

    /// A vector per token of the vocabulary: a caption's is their sum, up to its length.
    private static func regression(_ texts: [[Int]], _ targets: [[Double]], vocabulary: Int) -> [[Double]] {
        let rows = texts.count, columns = targets[0].count
        var documents = [Int](repeating: 0, count: vocabulary)
        // Whole numbers, counted in any order.
        for text in texts { for token in Set(text) { documents[token] += 1 } }
        let rarity = documents.map { log(Double(1 + rows) / Double(1 + $0)) + 1 }
        let weighted = texts.map { text -> [Int: Double] in
            var counts: [Int: Double] = [:]
            for (place, token) in text.enumerated() {
                counts[token, default: 0] += rarity[token] * exp(-Double(place) / Self.reach)
            }
            let length = max(
                1e-9,
                counts.keys.sorted().reduce(0) { $0 + (counts[$1] ?? 0) * (counts[$1] ?? 0) }.squareRoot())
            return counts.mapValues { $0 / length }
        }
        let order = weighted.map { $0.keys.sorted() }
        var gram = [Double](repeating: 0, count: rows * rows)
        for i in 0..<rows {
            for j in 0...i {
                gram[i * rows + j] = order[i].reduce(0) {
                    $0 + (weighted[i][$1] ?? 0) * (weighted[j][$1] ?? 0)
                }
            }
            gram[i * rows + i] += ridge
        }
        var solution = targets
        let mean = (0..<columns).map { column in targets.reduce(0) { $0 + $1[column] } / Double(rows) }
        for row in 0..<rows { for column in 0..<columns { solution[row][column] -= mean[column] } }
        solveCholesky(&gram, rows, &solution)
        var vectors = [[Double]](repeating: [Double](repeating: 0, count: columns), count: vocabulary)
        for row in 0..<rows {
            for token in order[row] {
                // The caption's vector sums over its tokens, so a token's rarity counts in the caption and in
                // the answer.
                let weight = (weighted[row][token] ?? 0) * rarity[token]
                for column in 0..<columns { vectors[token][column] += weight * solution[row][column] }
            }
        }
        return vectors
    }

    /// `a` (its lower half, row by row) x = b, for symmetric positive `a`.
    private static func solveCholesky(_ a: inout [Double], _ n: Int, _ b: inout [[Double]]) {
        a.withUnsafeMutableBufferPointer { a in
            for i in 0..<n {
                for j in 0...i {
                    var sum = a[i * n + j]
                    for k in 0..<j { sum -= a[i * n + k] * a[j * n + k] }
                    a[i * n + j] = i == j ? sum.squareRoot() : sum / a[j * n + j]
                }
            }
            let columns = b[0].count
            for i in 0..<n {
                for k in 0..<i where a[i * n + k] != 0 {
                    for column in 0..<columns { b[i][column] -= a[i * n + k] * b[k][column] }
                }
                for column in 0..<columns { b[i][column] /= a[i * n + i] }
            }
            for i in (0..<n).reversed() {
                for k in i + 1..<max(n, i + 1) where a[k * n + i] != 0 {
                    for column in 0..<columns { b[i][column] -= a[k * n + i] * b[k][column] }
                }
                for column in 0..<columns { b[i][column] /= a[i * n + i] }
            }
        }
    }

    // MARK: The weights

    /// Passes the first `count` functions on and nothing else.
    private static func projector(_ count: Int, width: Int) -> Tensor {
        let basis = CosineBasis.rows(count, width: width).values
        return Tensor(shape: [width, width]) { out in
            for i in 0..<width {
                for j in 0..<width {
                    out[i * width + j] = (0..<count).reduce(0) {
                        $0 + basis[$1 * width + i] * basis[$1 * width + j]
                    }
                }
            }
        }
    }

    private static func identity(_ width: Int, times factor: Float) -> Tensor {
        Tensor(shape: [width, width]) { out in
            for i in 0..<width { for j in 0..<width { out[i * width + j] = i == j ? factor : 0 } }
        }
    }

    private mutating func setText(_ text: CLIPTextConfiguration, _ words: [[Double]], count: Int, seed: Int) {
        let width = text.width
        let lengths = words.map { $0.reduce(0) { $0 + $1 * $1 }.squareRoot() }
        let largest = max(1e-9, lengths.max() ?? 1) * 1.05
        let table = CosineBasis.rows(width - 1, width: width).values
        var generator = Generator(seed: UInt64(truncatingIfNeeded: seed))
        weights["text_model.embeddings.token_embedding.weight"] = Tensor(shape: [words.count, width]) { out in
            for (token, vector) in words.enumerated() {
                // All tokens have the same length, so that layer normalisation leaves the vectors' lengths as
                // they are.
                let rest = max(0, 1 - lengths[token] * lengths[token] / (largest * largest)).squareRoot()
                let own = [0] + generator.normalDoubles(count: width - 2 - count)
                let ownLength = max(1e-9, own.reduce(0) { $0 + $1 * $1 }.squareRoot())
                let weights = vector.map { Float($0 / largest) } + own.map { Float($0 / ownLength * rest) }
                for column in 0..<width {
                    var sum: Float = 0
                    for (row, weight) in weights.enumerated() { sum += weight * table[row * width + column] }
                    out[token * width + column] = sum
                }
            }
        }
        let mark = (0..<width).map { CosineBasis.value(count + 1, $0, width: width) }
        weights["text_model.embeddings.position_embedding.weight"] = Tensor(shape: [
            text.maximumLength, width,
        ]) { out in
            for place in 0..<text.maximumLength {
                for column in 0..<width {
                    out[place * width + column] = -Self.placeStep * Float(place) * mark[column]
                }
            }
        }
        setEncoder(
            "text_model.encoder", layers: text.layers, width: width, hidden: text.hiddenWidth, count: count,
            valueScale: 1 / Float(width).squareRoot(),
            gain: Self.gain)
        setAttention("text_model.encoder.layers.0.self_attn", width: width, heads: text.heads, mark: mark)
        weights["text_projection.weight"] = Self.projection(
            CosineBasis.rows(count, width: width).values, outputs: text.projectionWidth, width: width)
    }

    /// Attention by place alone: every query is the same, a key is how far the token is from the beginning.
    private mutating func setAttention(_ place: String, width: Int, heads: Int, mark: [Float]) {
        let headWidth = width / heads
        // The score of place i is factor^2 * (-placeStep * i * sqrt(width)) / sqrt(headWidth), and shall be
        // -i / reach.
        let factor =
            (Float(headWidth).squareRoot() / (Float(Self.reach) * Self.placeStep * Float(width).squareRoot()))
            .squareRoot()
        weights["\(place).q_proj.bias"] = Tensor(
            shape: [width], values: (0..<width).map { $0 % headWidth == 0 ? factor : 0 })
        weights["\(place).k_proj.bias"] = Tensor(zeros: [width])
        weights["\(place).k_proj.weight"] = Tensor(shape: [width, width]) { out in
            for row in 0..<width {
                for column in 0..<width {
                    out[row * width + column] = row % headWidth == 0 ? factor * mark[column] : 0
                }
            }
        }
    }

    private mutating func setVision(
        _ vision: CLIPVisionConfiguration, _ features: PictureFeatures, _ main: MainDirections
    ) {
        let width = vision.width, name = "vision_model.encoder"
        setEncoder(
            name, layers: vision.layers, width: width, hidden: vision.hiddenWidth,
            count: features.directionCount, valueScale: 1, gain: 2)
        weights.merge(features.weights(patch: vision.patchSize, layer: "\(name).layers.0")) { $1 }
        // The features' mean is taken away behind the last normalisation, and the projection turns and scales
        // them.
        let basis = features.basis.values
        func mapped(_ vector: [Float], _ factor: Float) -> [Float] {
            var result = [Float](repeating: 0, count: width)
            for (row, weight) in vector.enumerated() {
                for column in 0..<width { result[column] += factor * weight * basis[row * width + column] }
            }
            return result
        }
        weights["vision_model.post_layernorm.bias"] = Tensor(shape: [width], values: mapped(main.mean, -1))
        let rows = zip(main.directions, main.variances).flatMap {
            mapped($0, Float(pow($1, -Self.whitening)))
        }
        weights["visual_projection.weight"] = Self.projection(
            rows, outputs: vision.projectionWidth, width: width)
    }

    private static func projection(_ rows: [Float], outputs: Int, width: Int) -> Tensor {
        Tensor(
            shape: [outputs, width], values: rows + [Float](repeating: 0, count: outputs * width - rows.count)
        )
    }

    private mutating func setEncoder(
        _ name: String, layers: Int, width: Int, hidden: Int, count: Int, valueScale: Float, gain: Float
    ) {
        for layer in 0..<layers {
            let place = "\(name).layers.\(layer)"
            weights["\(place).self_attn.q_proj.weight"] = Tensor(zeros: [width, width])
            weights["\(place).self_attn.q_proj.bias"] = Tensor(zeros: [width])
            weights["\(place).mlp.fc2.weight"] = Tensor(zeros: [width, hidden])
            weights["\(place).mlp.fc2.bias"] = Tensor(zeros: [width])
            weights["\(place).self_attn.out_proj.bias"] = Tensor(zeros: [width])
            weights["\(place).self_attn.out_proj.weight"] =
                layer == 0 ? Self.identity(width, times: gain) : Tensor(zeros: [width, width])
            guard layer == 0 else { continue }
            weights["\(place).self_attn.v_proj.weight"] = Self.projector(count, width: width) * valueScale
            weights["\(place).self_attn.v_proj.bias"] = Tensor(zeros: [width])
        }
    }
}
