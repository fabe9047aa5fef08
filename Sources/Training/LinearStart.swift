package import Models
package import Tensors

#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

/// A CLIP's first weights in closed form, for a thousand pairs or so: ridge regression from the words of a caption (weighted by how rare they are) to
/// the main directions of the pictures, and the projection of a picture on these directions. A contrastive loss alone learns so few pairs by heart;
/// both maps are linear, so a network of one patch per picture holds them exactly, and training goes on from there (figures in CONTRIBUTING.md).
///
/// Vectors lie in the network's width H as sums of cosines (the discrete cosine transform is orthonormal, and all but its first function have a mean of
/// zero, so that layer normalisation only scales): functions 1 to K hold a direction each, the others tell tokens apart. Attention is even over all
/// tokens (queries are zero), values pass the K directions on, other layers and the feed-forward parts begin as nothing.
package struct LinearStart {
    /// Added to the Gram matrix of captions of unit length. 3 did best of 0.3, 1, 3 and 10 in five parts of 1,118 monsters.
    private static let ridge = 3.0
    /// Half whitened: the first directions would drown the others, the last are noise.
    private static let whitening = 0.375
    /// How much louder the mean of the words is than one word, where the text is read.
    private static let gain: Float = 4

    /// By the names of the reference library; parameters that are not here stay as they are.
    package private(set) var weights: [String: Tensor] = [:]

    /// - Parameters:
    ///   - texts: each caption's ids without the tokens at its ends.
    ///   - pictures: `[3, size, size]` in 0...1, of the size that the network takes; it sees `2 x - 1`.
    package init(text: CLIPTextConfiguration, vision: CLIPVisionConfiguration, texts: [[Int]], pictures: [Tensor], mirrors: Bool, seed: Int) throws {
        guard vision.patchSize == vision.imageSize else {
            throw EngineError(.configuration, "start=linear needs one patch per picture: `new clip` with patch=\(vision.imageSize), not \(vision.patchSize)")
        }
        let count = min(text.projectionWidth, min(text.width, vision.width) - 2, pictures.count - 1)
        guard count > 0, text.layers > 0, vision.layers > 0 else {
            throw EngineError(.configuration, "start=linear needs towers of at least one layer and a width of three")
        }
        let mirrored = mirrors ? pictures.map { PictureChange.apply(.init(isMirrored: true), to: $0) } : []
        let main = MainDirections(of: (pictures + mirrored).map(\.values), count: count)
        let targets = zip(pictures.indices, pictures).map { index, picture -> [Double] in
            let plain = Self.whitened(main.coordinates(of: picture.values), main.variances)
            guard mirrors else { return plain }
            return zip(plain, Self.whitened(main.coordinates(of: mirrored[index].values), main.variances)).map { ($0 + $1) / 2 }
        }
        let words = Self.regression(texts, targets, vocabulary: text.vocabularySize)
        setText(text, words, count: count, seed: seed)
        setVision(vision, main, count: count)
    }

    private static func whitened(_ coordinates: [Double], _ variances: [Double]) -> [Double] { zip(coordinates, variances).map { $0 * pow($1, -whitening) } }

    // MARK: The regression

    /// A vector per token of the vocabulary: a caption's is their sum, up to its length.
    private static func regression(_ texts: [[Int]], _ targets: [[Double]], vocabulary: Int) -> [[Double]] {
        let rows = texts.count, columns = targets[0].count
        var documents = [Int](repeating: 0, count: vocabulary)
        for text in texts { for token in Set(text) { documents[token] += 1 } }
        let rarity = documents.map { log(Double(1 + rows) / Double(1 + $0)) + 1 }
        let weighted = texts.map { text -> [Int: Double] in
            var counts: [Int: Double] = [:]
            for token in text { counts[token, default: 0] += rarity[token] }
            let length = max(1e-9, counts.keys.sorted().reduce(0) { $0 + (counts[$1] ?? 0) * (counts[$1] ?? 0) }.squareRoot())
            return counts.mapValues { $0 / length }
        }
        let order = weighted.map { $0.keys.sorted() }
        var gram = [Double](repeating: 0, count: rows * rows)
        for i in 0..<rows {
            for j in 0...i { gram[i * rows + j] = order[i].reduce(0) { $0 + (weighted[i][$1] ?? 0) * (weighted[j][$1] ?? 0) } }
            gram[i * rows + i] += ridge
        }
        var solution = targets
        let mean = (0..<columns).map { column in targets.reduce(0) { $0 + $1[column] } / Double(rows) }
        for row in 0..<rows { for column in 0..<columns { solution[row][column] -= mean[column] } }
        solveCholesky(&gram, rows, &solution)
        var vectors = [[Double]](repeating: [Double](repeating: 0, count: columns), count: vocabulary)
        for row in 0..<rows {
            for token in order[row] {
                // The caption's vector sums over its tokens, so a token's rarity counts in the caption and in the answer.
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
                for k in 0..<i where a[i * n + k] != 0 { for column in 0..<columns { b[i][column] -= a[i * n + k] * b[k][column] } }
                for column in 0..<columns { b[i][column] /= a[i * n + i] }
            }
            for i in (0..<n).reversed() {
                for k in i + 1..<max(n, i + 1) where a[k * n + i] != 0 { for column in 0..<columns { b[i][column] -= a[k * n + i] * b[k][column] } }
                for column in 0..<columns { b[i][column] /= a[i * n + i] }
            }
        }
    }

    // MARK: The weights

    /// The cosine of order `order` at place `index` of a basis of `width` functions, each of length one.
    private static func cosine(_ order: Int, _ index: Int, width: Int) -> Float {
        Float((2 / Double(width)).squareRoot() * cos(.pi * (Double(index) + 0.5) * Double(order) / Double(width)))
    }

    /// `[count, width]`: the functions 1 to `count`.
    private static func basis(_ count: Int, width: Int) -> Tensor {
        Tensor(shape: [count, width]) { out in
            for row in 0..<count { for column in 0..<width { out[row * width + column] = cosine(row + 1, column, width: width) } }
        }
    }

    /// Passes the first `count` functions on and nothing else.
    private static func projector(_ count: Int, width: Int) -> Tensor {
        let basis = basis(count, width: width).values
        return Tensor(shape: [width, width]) { out in
            for i in 0..<width {
                for j in 0..<width { out[i * width + j] = (0..<count).reduce(0) { $0 + basis[$1 * width + i] * basis[$1 * width + j] } }
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
        let table = Self.basis(width - 1, width: width).values
        var generator = Generator(seed: UInt64(truncatingIfNeeded: seed))
        weights["text_model.embeddings.token_embedding.weight"] = Tensor(shape: [words.count, width]) { out in
            for (token, vector) in words.enumerated() {
                // All tokens have the same length, so that layer normalisation leaves the vectors' lengths as they are.
                let rest = max(0, 1 - lengths[token] * lengths[token] / (largest * largest)).squareRoot()
                let own = generator.normalDoubles(count: width - 1 - count)
                let ownLength = max(1e-9, own.reduce(0) { $0 + $1 * $1 }.squareRoot())
                let weights = vector.map { Float($0 / largest) } + own.map { Float($0 / ownLength * rest) }
                for column in 0..<width {
                    var sum: Float = 0
                    for (row, weight) in weights.enumerated() { sum += weight * table[row * width + column] }
                    out[token * width + column] = sum
                }
            }
        }
        weights["text_model.embeddings.position_embedding.weight"] = Tensor(zeros: [text.maximumLength, width])
        setEncoder(
            "text_model.encoder", layers: text.layers, width: width, hidden: text.hiddenWidth, count: count, valueScale: 1 / Float(width).squareRoot(),
            gain: Self.gain)
        weights["text_projection.weight"] = Self.projection(count, outputs: text.projectionWidth, width: width)
    }

    private mutating func setVision(_ vision: CLIPVisionConfiguration, _ main: MainDirections, count: Int) {
        let width = vision.width, inputs = vision.channels * vision.patchSize * vision.patchSize
        let basis = Self.basis(count, width: width).values
        let scales = main.variances.map { Float(pow($0, -Self.whitening)) }
        // The network sees 2 x - 1, so x = (input + 1) / 2.
        var offset = [Float](repeating: 0, count: width)
        weights["vision_model.embeddings.patch_embedding.weight"] = Tensor(shape: [width, vision.channels, vision.patchSize, vision.patchSize]) { out in
            for row in 0..<width {
                for input in 0..<inputs { out[row * inputs + input] = 0 }
                for (index, direction) in main.directions.enumerated() {
                    let weight = basis[index * width + row] * scales[index]
                    for input in 0..<inputs {
                        out[row * inputs + input] += weight * direction[input] / 2
                        offset[row] += weight * direction[input] * (0.5 - main.mean[input])
                    }
                }
            }
        }
        let mark = (0..<width).map { Self.cosine(count + 1, $0, width: width) }
        weights["vision_model.embeddings.class_embedding"] = Tensor(shape: [width], values: mark)
        weights["vision_model.embeddings.position_embedding.weight"] = Tensor(
            shape: [2, width], values: [Float](repeating: 0, count: width) + offset)
        setEncoder("vision_model.encoder", layers: vision.layers, width: width, hidden: vision.hiddenWidth, count: count, valueScale: 1, gain: 2)
        weights["visual_projection.weight"] = Self.projection(count, outputs: vision.projectionWidth, width: width)
    }

    private static func projection(_ count: Int, outputs: Int, width: Int) -> Tensor {
        let basis = basis(count, width: width).values
        return Tensor(shape: [outputs, width], values: basis + [Float](repeating: 0, count: (outputs - count) * width))
    }

    private mutating func setEncoder(_ name: String, layers: Int, width: Int, hidden: Int, count: Int, valueScale: Float, gain: Float) {
        for layer in 0..<layers {
            let place = "\(name).layers.\(layer)"
            weights["\(place).self_attn.q_proj.weight"] = Tensor(zeros: [width, width])
            weights["\(place).self_attn.q_proj.bias"] = Tensor(zeros: [width])
            weights["\(place).mlp.fc2.weight"] = Tensor(zeros: [width, hidden])
            weights["\(place).mlp.fc2.bias"] = Tensor(zeros: [width])
            weights["\(place).self_attn.out_proj.bias"] = Tensor(zeros: [width])
            weights["\(place).self_attn.out_proj.weight"] = layer == 0 ? Self.identity(width, times: gain) : Tensor(zeros: [width, width])
            guard layer == 0 else { continue }
            weights["\(place).self_attn.v_proj.weight"] = Self.projector(count, width: width) * valueScale
            weights["\(place).self_attn.v_proj.bias"] = Tensor(zeros: [width])
        }
    }
}
