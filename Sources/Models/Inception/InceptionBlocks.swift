import Kernels
import Networks
import Tensors

/// The mixed blocks of Inception V3 (Szegedy et al. 2016, figures 5 to 7) with the checkpoint's names, and
/// with the pooling of the TensorFlow graph that FID is defined by: means that do not count padding, and a
/// maximum in the very last block.
private func convolution(
    _ scope: WeightScope, _ inputs: Int, _ outputs: Int, _ height: Int = 1, _ width: Int = 1
) -> NormalisedConvolution {
    NormalisedConvolution(
        scope, inputs: inputs, outputs: outputs, kernel: (height, width), padding: (height / 2, width / 2))
}

private func halving(_ scope: WeightScope, _ inputs: Int, _ outputs: Int) -> NormalisedConvolution {
    NormalisedConvolution(scope, inputs: inputs, outputs: outputs, kernel: (3, 3), stride: 2)
}

extension Array where Element == NormalisedConvolution {
    /// One after the other.
    fileprivate func callAsFunction(_ x: Tensor) -> Tensor { reduce(x) { $1($0) } }
}

/// 35 x 35: pytorch-fid's FIDInceptionA.
struct InceptionA: Sendable {
    private let one: NormalisedConvolution
    private let five, double: [NormalisedConvolution]
    private let pool: NormalisedConvolution

    init(_ scope: WeightScope, inputs: Int, poolOutputs: Int) {
        one = convolution(scope["branch1x1"], inputs, 64)
        five = [
            convolution(scope["branch5x5_1"], inputs, 48), convolution(scope["branch5x5_2"], 48, 64, 5, 5),
        ]
        double = [
            convolution(scope["branch3x3dbl_1"], inputs, 64),
            convolution(scope["branch3x3dbl_2"], 64, 96, 3, 3),
            convolution(scope["branch3x3dbl_3"], 96, 96, 3, 3),
        ]
        pool = convolution(scope["branch_pool"], inputs, poolOutputs)
    }

    func callAsFunction(_ x: Tensor) -> Tensor {
        joinedChannels(one(x), five(x), double(x), pool(pooled(x, .mean, window: 3, stride: 1, padding: 1)))
    }
}

/// 35 x 35 to 17 x 17: torchvision's InceptionB.
struct InceptionB: Sendable {
    private let three: NormalisedConvolution
    private let double: [NormalisedConvolution]

    init(_ scope: WeightScope, inputs: Int) {
        three = halving(scope["branch3x3"], inputs, 384)
        double = [
            convolution(scope["branch3x3dbl_1"], inputs, 64),
            convolution(scope["branch3x3dbl_2"], 64, 96, 3, 3), halving(scope["branch3x3dbl_3"], 96, 96),
        ]
    }

    func callAsFunction(_ x: Tensor) -> Tensor {
        joinedChannels(three(x), double(x), pooled(x, .maximum, window: 3, stride: 2))
    }
}

/// 17 x 17: pytorch-fid's FIDInceptionC.
struct InceptionC: Sendable {
    private let one: NormalisedConvolution
    private let seven, double: [NormalisedConvolution]
    private let pool: NormalisedConvolution

    init(_ scope: WeightScope, width: Int) {
        one = convolution(scope["branch1x1"], 768, 192)
        seven = [
            convolution(scope["branch7x7_1"], 768, width),
            convolution(scope["branch7x7_2"], width, width, 1, 7),
            convolution(scope["branch7x7_3"], width, 192, 7, 1),
        ]
        double = [
            convolution(scope["branch7x7dbl_1"], 768, width),
            convolution(scope["branch7x7dbl_2"], width, width, 7, 1),
            convolution(scope["branch7x7dbl_3"], width, width, 1, 7),
            convolution(scope["branch7x7dbl_4"], width, width, 7, 1),
            convolution(scope["branch7x7dbl_5"], width, 192, 1, 7),
        ]
        pool = convolution(scope["branch_pool"], 768, 192)
    }

    func callAsFunction(_ x: Tensor) -> Tensor {
        joinedChannels(one(x), seven(x), double(x), pool(pooled(x, .mean, window: 3, stride: 1, padding: 1)))
    }
}

/// 17 x 17 to 8 x 8: torchvision's InceptionD.
struct InceptionD: Sendable {
    private let three, seven: [NormalisedConvolution]

    init(_ scope: WeightScope) {
        three = [convolution(scope["branch3x3_1"], 768, 192), halving(scope["branch3x3_2"], 192, 320)]
        seven = [
            convolution(scope["branch7x7x3_1"], 768, 192),
            convolution(scope["branch7x7x3_2"], 192, 192, 1, 7),
            convolution(scope["branch7x7x3_3"], 192, 192, 7, 1), halving(scope["branch7x7x3_4"], 192, 192),
        ]
    }

    func callAsFunction(_ x: Tensor) -> Tensor {
        joinedChannels(three(x), seven(x), pooled(x, .maximum, window: 3, stride: 2))
    }
}

/// 8 x 8: pytorch-fid's FIDInceptionE_1, with the maximum FIDInceptionE_2.
struct InceptionE: Sendable {
    private let one: NormalisedConvolution
    private let three: NormalisedConvolution
    private let threeWide, threeHigh: NormalisedConvolution
    private let double: [NormalisedConvolution]
    private let doubleWide, doubleHigh: NormalisedConvolution
    private let pool: NormalisedConvolution
    private let pooling: Pooling

    init(_ scope: WeightScope, inputs: Int, _ pooling: Pooling) {
        one = convolution(scope["branch1x1"], inputs, 320)
        three = convolution(scope["branch3x3_1"], inputs, 384)
        threeWide = convolution(scope["branch3x3_2a"], 384, 384, 1, 3)
        threeHigh = convolution(scope["branch3x3_2b"], 384, 384, 3, 1)
        double = [
            convolution(scope["branch3x3dbl_1"], inputs, 448),
            convolution(scope["branch3x3dbl_2"], 448, 384, 3, 3),
        ]
        doubleWide = convolution(scope["branch3x3dbl_3a"], 384, 384, 1, 3)
        doubleHigh = convolution(scope["branch3x3dbl_3b"], 384, 384, 3, 1)
        pool = convolution(scope["branch_pool"], inputs, 192)
        self.pooling = pooling
    }

    func callAsFunction(_ x: Tensor) -> Tensor {
        let a = three(x), b = double(x)
        return joinedChannels(
            one(x), threeWide(a), threeHigh(a), doubleWide(b), doubleHigh(b),
            pool(pooled(x, pooling, window: 3, stride: 1, padding: 1)))
    }
}
