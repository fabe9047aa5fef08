import Files
import Networks
import Tensors

/// Inception V3 as pytorch-fid defines it, the network that FID and KID are measured with: the graph of 2015,
/// pictures resized to 299 x 299 by bilinear interpolation without antialiasing, samples in -1...1, features
/// of the last pooling.
package final class Inception: Sendable {
    package static let width = 2_048
    package static let side = 299

    package let path: String
    package let parameterCount: Int
    private let stem: [NormalisedConvolution]  // Conv2d_1a_3x3, Conv2d_2a_3x3, Conv2d_2b_3x3
    private let second: [NormalisedConvolution]  // Conv2d_3b_1x1, Conv2d_4a_3x3
    private let a: [InceptionA]  // Mixed_5b, 5c, 5d
    private let b: InceptionB  // Mixed_6a
    private let c: [InceptionC]  // Mixed_6b, 6c, 6d, 6e
    private let d: InceptionD  // Mixed_7a
    private let e: [InceptionE]  // Mixed_7b, 7c

    /// A file with the names of pytorch-fid's checkpoint: the one that it fetches, or a safetensors file of
    /// the same.
    package init(path: String) throws {
        let file = try WeightFile.open(path)
        let reader = WeightReader(file)
        let root = reader.root
        stem = [
            NormalisedConvolution(root["Conv2d_1a_3x3"], inputs: 3, outputs: 32, kernel: (3, 3), stride: 2),
            NormalisedConvolution(root["Conv2d_2a_3x3"], inputs: 32, outputs: 32, kernel: (3, 3)),
            NormalisedConvolution(
                root["Conv2d_2b_3x3"], inputs: 32, outputs: 64, kernel: (3, 3), padding: (1, 1)),
        ]
        second = [
            NormalisedConvolution(root["Conv2d_3b_1x1"], inputs: 64, outputs: 80, kernel: (1, 1)),
            NormalisedConvolution(root["Conv2d_4a_3x3"], inputs: 80, outputs: 192, kernel: (3, 3)),
        ]
        a = [
            InceptionA(root["Mixed_5b"], inputs: 192, poolOutputs: 32),
            InceptionA(root["Mixed_5c"], inputs: 256, poolOutputs: 64),
            InceptionA(root["Mixed_5d"], inputs: 288, poolOutputs: 64),
        ]
        b = InceptionB(root["Mixed_6a"], inputs: 288)
        c = [("6b", 128), ("6c", 160), ("6d", 160), ("6e", 192)].map {
            InceptionC(root["Mixed_" + $0.0], width: $0.1)
        }
        d = InceptionD(root["Mixed_7a"])
        e = [
            InceptionE(root["Mixed_7b"], inputs: 1_280, .mean),
            InceptionE(root["Mixed_7c"], inputs: 2_048, .maximum),
        ]
        try Self.check(file, reader)
        self.path = path
        parameterCount = reader.parameterCount
    }

    /// The classes are not used, but their number tells the graph of 2015 from later networks of the same
    /// names.
    private static func check(_ file: any TensorSource, _ reader: WeightReader) throws {
        let cure = "the weights are those that pytorch-fid fetches, pt_inception-2015-12-05-6726825d.pth"
        do {
            if let unused = try reader.finish(ignoring: {
                $0.hasSuffix("num_batches_tracked") || $0 == "fc.weight" || $0 == "fc.bias"
            }) {
                throw EngineError(
                    .weights, "\(unused.names.count) weights do not fit the configuration", place: file.path,
                    details: unused.names.map { "\($0): not used" })
            }
        } catch var error as EngineError {
            error.message =
                "not the Inception V3 of pytorch-fid: "
                + error.message.split(separator: " ").dropLast(2).joined(separator: " ")
            error.cure = cure
            // Another network misses them all.
            if error.details.count > 6 { error.details = error.details.prefix(5) + ["and more"] }
            throw error
        }
        if let classes = file.entry("fc.weight")?.shape, classes != [1_008, width] {
            throw EngineError(
                .weights,
                """
                not the Inception V3 of pytorch-fid: fc.weight is \(classes), and the graph of 2015 has \
                [1008, \(width)]
                """, place: file.path,
                cure: "figures of another network are not FID; " + cure)
        }
    }

    /// Features `[pictures, 2048]`.
    package func features(_ pictures: [Bitmap]) throws -> Tensor {
        guard !pictures.isEmpty else { return Tensor(zeros: [0, Self.width]) }
        return features(Tensor.stacked(pictures.map(Self.prepared)))
    }

    /// `[3, 299, 299]` in -1...1; transparency is taken as white.
    package static func prepared(_ picture: Bitmap) -> Tensor {
        picture.unitTensor.interpolated(height: side, width: side, .bilinear, antialias: false).map {
            2 * $0 - 1
        }
    }

    /// `pixels`: `[batch, 3, 299, 299]`; `seen` gets the outputs of pytorch-fid's four blocks, `[batch,
    /// height, width, channels]`.
    package func features(_ pixels: Tensor, seen: (Tensor) -> Void = { _ in }) -> Tensor {
        precondition(
            pixels.rank == 4 && Array(pixels.shape.dropFirst()) == [3, Self.side, Self.side],
            "expected [batch, 3, 299, 299], found \(pixels.shape)")
        var x = pooled(stem.reduce(pixels.channelsLast) { $1($0) }, .maximum, window: 3, stride: 2)
        seen(x)
        x = pooled(second.reduce(x) { $1($0) }, .maximum, window: 3, stride: 2)
        seen(x)
        for block in a { x = block(x) }
        x = b(x)
        for block in c { x = block(x) }
        seen(x)
        x = d(x)
        for block in e { x = block(x) }
        // 8 x 8 to one.
        x = pooled(x, .mean, window: x.shape[1], stride: 1)
        seen(x)
        return x.reshaped([x.shape[0], Self.width])
    }
}
