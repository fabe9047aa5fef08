import Kernels
import Tensors

/// A two-dimensional convolution over `[batch, height, width, channels]`; `weight` is `[outputs, inputs,
/// kernel, kernel]`.
package struct Convolution2D: Sendable {
    package let inputs: Int
    package let outputs: Int
    private let kernel: Int
    private let stride: Int
    private let padding: Int
    /// Pads below and to the right only, as the VAE's downsampling does.
    private let padsEnd: Bool
    private let matrix: WeightMatrix
    private let winograd: [WinogradSize: WinogradKernel]

    package init(
        _ scope: WeightScope, inputs: Int, outputs: Int, kernel: Int = 3, stride: Int = 1, padding: Int = 1,
        padsEnd: Bool = false, bias: Bool = true
    ) {
        (self.inputs, self.outputs) = (inputs, outputs)
        (self.kernel, self.stride, self.padding, self.padsEnd) = (kernel, stride, padding, padsEnd)
        let weight = scope.parameter("weight", [outputs, inputs, kernel, kernel])
        let bias = bias ? scope.parameter("bias", [outputs]) : nil
        matrix = WeightMatrix(weight, taps: kernel * kernel, bias: bias)
        winograd = Dictionary(
            uniqueKeysWithValues: WinogradSize.allCases.map { ($0, WinogradKernel($0, weight, bias: bias)) })
    }

    /// - Parameters:
    ///   - enlargedTo: height and width to which the input is enlarged by nearest neighbour before the
    ///     convolution.
    ///   - residual: of the output's shape, added to it.
    package func callAsFunction(
        _ x: Tensor, enlargedTo size: (height: Int, width: Int)? = nil, adding residual: Tensor? = nil
    ) -> Tensor {
        precondition(
            x.rank == 4 && x.shape[3] == inputs,
            "expected [batch, height, width, \(inputs)], found \(x.shape)")
        var geometry = ConvolutionGeometry(
            batch: x.shape[0], height: x.shape[1], width: x.shape[2], channels: inputs, kernel: kernel,
            stride: stride, padding: padding)
        if padsEnd {
            (geometry.padTop, geometry.padLeft, geometry.padBottom, geometry.padRight) = (0, 0, 1, 1)
        }
        if let size { (geometry.seenHeight, geometry.seenWidth) = size }
        let shape = [geometry.batch, geometry.outputHeight, geometry.outputWidth, outputs]
        precondition(
            residual.map { $0.shape == shape } ?? true, "cannot add \(residual?.shape ?? []) to \(shape)")
        return x.withUnsafePointer { source in
            Tensor(shape: shape) { out in
                withPointer(residual) { residual in
                    if let size = WinogradSize.chosen(for: geometry, outputs: outputs),
                        let kernel = winograd[size]
                    {
                        kernel.convolve(source, geometry, adding: residual, into: out)
                    } else {
                        let rows = geometry.batch * geometry.outputHeight * geometry.outputWidth
                        matrix.use(rows: rows) {
                            convolution(source, geometry, by: $0, adding: residual, into: out)
                        }
                    }
                }
            }
        }
    }
}
