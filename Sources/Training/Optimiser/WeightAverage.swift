package import Autodiff
internal import Kernels
package import Tensors

/// A moving average of the weights, which draws better pictures than the weights of any one step.
package struct WeightAverage: Sendable {
    package let length: AverageLength
    /// A tensor per parameter, in their order.
    package private(set) var weights: [Tensor]

    package init(_ length: AverageLength, of parameters: Parameters) {
        self.length = length
        weights = parameters.names.map { parameters[$0] }
    }

    init(_ length: AverageLength, weights: [Tensor]) {
        self.length = length
        self.weights = weights
    }

    /// Takes in the weights after optimiser step `step`, counted from 1.
    package mutating func update(_ parameters: Parameters, step: Int) {
        let decay = Float(length.decay(step))
        for index in weights.indices {
            weights[index].withUnsafeMutablePointer { average in
                parameters.withValues(index) { values in
                    if let from = values.baseAddress {
                        movingAverage(average, of: from, count: values.count, decay: decay)
                    }
                }
            }
        }
    }
}
