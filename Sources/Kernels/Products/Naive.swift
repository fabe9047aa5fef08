// The definitions, as plain loops with sums in Double. They stand beside the tuned kernels as their
// yardstick.

extension PackedMatrix {
    /// One weight of B.
    package func element(input: Int, output: Int) -> Float {
        withUnsafeTemporaryAllocation(of: Float.self, capacity: PackedMatrix.width) { scratch in
            guard let scratch = scratch.baseAddress else { return 0 }
            return rows(input, 1, ofPanel: output / PackedMatrix.width, scratch: scratch)[
                output % PackedMatrix.width]
        }
    }
}

func naiveProduct(
    _ input: UnsafePointer<Float>, rows: Int, inputStride: Int, by matrix: PackedMatrix,
    into out: UnsafeMutablePointer<Float>, outputStride: Int
) {
    for row in 0..<rows {
        for output in 0..<matrix.outputs {
            var sum = Double(matrix.bias[output])
            for k in 0..<matrix.inputs {
                sum += Double(input[row * inputStride + k]) * Double(matrix.element(input: k, output: output))
            }
            out[row * outputStride + output] = Float(sum)
        }
    }
}

func naiveConvolution(
    _ input: UnsafePointer<Float>, _ geometry: ConvolutionGeometry, by matrix: PackedMatrix,
    into out: UnsafeMutablePointer<Float>
) {
    let g = geometry
    for image in 0..<g.batch {
        for y in 0..<g.outputHeight {
            for x in 0..<g.outputWidth {
                for output in 0..<matrix.outputs {
                    var sum = Double(matrix.bias[output])
                    for ky in 0..<g.kernelHeight {
                        for kx in 0..<g.kernelWidth {
                            guard
                                let pixel = g.sourcePixel(
                                    y: y * g.stride + ky - g.padTop, x: x * g.stride + kx - g.padLeft)
                            else { continue }
                            let from = input + (image * g.height * g.width + pixel) * g.channels
                            let k = (ky * g.kernelWidth + kx) * g.channels
                            for c in 0..<g.channels {
                                sum += Double(from[c]) * Double(matrix.element(input: k + c, output: output))
                            }
                        }
                    }
                    out[((image * g.outputHeight + y) * g.outputWidth + x) * matrix.outputs + output] = Float(
                        sum)
                }
            }
        }
    }
}

/// dWeight `[outputs, channels, kernelHeight, kernelWidth]`.
package func naiveWeightGradient(
    _ input: UnsafePointer<Float>, _ geometry: ConvolutionGeometry, dOutput: UnsafePointer<Float>,
    outputs: Int, adding: Bool,
    into dWeight: UnsafeMutablePointer<Float>
) {
    let g = geometry
    for output in 0..<outputs {
        for channel in 0..<g.channels {
            for ky in 0..<g.kernelHeight {
                for kx in 0..<g.kernelWidth {
                    var sum = 0.0
                    for image in 0..<g.batch {
                        for y in 0..<g.outputHeight {
                            for x in 0..<g.outputWidth {
                                guard
                                    let pixel = g.sourcePixel(
                                        y: y * g.stride + ky - g.padTop, x: x * g.stride + kx - g.padLeft)
                                else { continue }
                                let d = dOutput[
                                    ((image * g.outputHeight + y) * g.outputWidth + x) * outputs + output]
                                sum +=
                                    Double(d)
                                    * Double(
                                        input[(image * g.height * g.width + pixel) * g.channels + channel])
                            }
                        }
                    }
                    let at = ((output * g.channels + channel) * g.kernelHeight + ky) * g.kernelWidth + kx
                    dWeight[at] = Float(sum) + (adding ? dWeight[at] : 0)
                }
            }
        }
    }
}
