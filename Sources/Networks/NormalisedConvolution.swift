import Kernels
import Tensors

/// A convolution without bias, batch normalisation with its running statistics, and ReLU (Inception's
/// BasicConv2d) over `[batch, height, width, channels]`. The normalisation is folded into the weights, in
/// double precision, when the layer is first used.
package struct NormalisedConvolution: Sendable {
    private let inputs: Int
    private let outputs: Int
    private let kernel: (height: Int, width: Int)
    private let stride: Int
    private let padding: (height: Int, width: Int)
    private let matrix: Lazy<PackedMatrix>
    private let winograd: [WinogradSize: Lazy<WinogradWeights>]

    /// - Parameter kernel: height and width.
    package init(
        _ scope: WeightScope, inputs: Int, outputs: Int, kernel: (Int, Int), stride: Int = 1,
        padding: (Int, Int) = (0, 0), epsilon: Double = 1e-3
    ) {
        (self.inputs, self.outputs, self.kernel, self.stride, self.padding) = (
            inputs, outputs, kernel, stride, padding
        )
        let taps = kernel.0 * kernel.1
        let convolution = scope["conv"].parameter("weight", [outputs, inputs, kernel.0, kernel.1])
        let norm = scope["bn"]
        let (scale, shift) = (norm.parameter("weight", [outputs]), norm.parameter("bias", [outputs]))
        let (mean, variance) = (
            norm.parameter("running_mean", [outputs]), norm.parameter("running_var", [outputs])
        )
        let folded = Lazy { () -> (weights: Tensor, bias: [Float]) in
            let factors = zip(scale.load().values, variance.load().values).map {
                Double($0) / (Double($1) + epsilon).squareRoot()
            }
            let bias = zip(factors, zip(shift.load().values, mean.load().values)).map {
                Float(Double($1.0) - Double($1.1) * $0)
            }
            var weights = convolution.load()
            let size = inputs * taps
            weights.withUnsafeMutablePointer { values in
                for output in 0..<outputs {
                    for i in output * size..<(output + 1) * size {
                        values[i] = Float(Double(values[i]) * factors[output])
                    }
                }
            }
            return (weights, bias)
        }
        matrix = Lazy {
            let (weights, bias) = folded.value
            return weights.withUnsafePointer {
                PackedMatrix(weights: $0, outputs: outputs, channels: inputs, taps: taps, bias: bias)
            }
        }
        winograd = Dictionary(
            uniqueKeysWithValues: WinogradSize.allCases.map { size in
                (
                    size,
                    Lazy {
                        let (weights, bias) = folded.value
                        return weights.withUnsafePointer {
                            WinogradWeights(size, weights: $0, outputs: outputs, channels: inputs, bias: bias)
                        }
                    }
                )
            })
    }

    package func callAsFunction(_ x: Tensor) -> Tensor {
        precondition(
            x.rank == 4 && x.shape[3] == inputs,
            "expected [batch, height, width, \(inputs)], found \(x.shape)")
        var geometry = ConvolutionGeometry(
            batch: x.shape[0], height: x.shape[1], width: x.shape[2], channels: inputs, stride: stride)
        (geometry.kernelHeight, geometry.kernelWidth) = kernel
        (geometry.padTop, geometry.padBottom) = (padding.height, padding.height)
        (geometry.padLeft, geometry.padRight) = (padding.width, padding.width)
        return x.withUnsafePointer { source in
            Tensor(shape: [geometry.batch, geometry.outputHeight, geometry.outputWidth, outputs]) { out in
                if let size = WinogradSize.chosen(for: geometry, outputs: outputs),
                    let weights = winograd[size]
                {
                    winogradConvolution(source, geometry, by: weights.value, into: out)
                } else {
                    convolution(source, geometry, by: matrix.value, into: out)
                }
                relu(
                    out, count: geometry.batch * geometry.outputHeight * geometry.outputWidth * outputs,
                    into: out)
            }
        }
    }
}
