package import Autodiff
internal import Kernels
package import Tensors

/// AdamW with decoupled weight decay (Loshchilov and Hutter 2019), as `torch.optim.AdamW`; float32
/// throughout.
package struct AdamW: Sendable {
    package struct Settings: Sendable, Hashable {
        package var weightDecay: Double
        package var beta1 = 0.9
        package var beta2: Double
        package var epsilon = 1e-8

        package init(weightDecay: Double = 0.01, beta2: Double = 0.999) {
            self.weightDecay = weightDecay
            self.beta2 = beta2
        }
    }

    package let settings: Settings
    /// Steps taken.
    package private(set) var step = 0
    /// Running means of the gradients and of their squares, a tensor per parameter.
    package private(set) var first: [Tensor]
    package private(set) var second: [Tensor]

    package init(_ settings: Settings, for parameters: Parameters) {
        self.settings = settings
        first = parameters.names.indices.map { Tensor(zeros: parameters.shape($0)) }
        second = first.map { Tensor(zeros: $0.shape) }
    }

    /// Goes on from stored moments.
    init(_ settings: Settings, step: Int, first: [Tensor], second: [Tensor]) {
        self.settings = settings
        self.step = step
        self.first = first
        self.second = second
    }

    /// Moves the parameters against their gradients, which are multiplied by `scale` first.
    package mutating func update(_ parameters: Parameters, rate: Double, scale: Double) {
        step += 1
        let bias1 = 1 - power(settings.beta1, step), bias2 = 1 - power(settings.beta2, step)
        for index in parameters.names.indices {
            parameters.withValues(index) { values in
                parameters.withGradient(index) { gradient in
                    first[index].withUnsafeMutablePointer { first in
                        second[index].withUnsafeMutablePointer { second in
                            guard let to = values.baseAddress, let from = gradient.baseAddress else { return }
                            adamW(
                                to, gradient: from, first: first, second: second, count: values.count,
                                scale: Float(scale), rate: Float(rate),
                                decay: Float(settings.weightDecay), beta1: Float(settings.beta1),
                                beta2: Float(settings.beta2),
                                epsilon: Float(settings.epsilon), bias1: Float(bias1), bias2: Float(bias2))
                        }
                    }
                }
            }
        }
    }

    /// beta^step by repeated squaring: no library's `pow`, whose last bit differs between systems.
    private func power(_ base: Double, _ exponent: Int) -> Double {
        var (result, square, rest) = (1.0, base, exponent)
        while rest > 0 {
            if rest & 1 == 1 { result *= square }
            square *= square
            rest >>= 1
        }
        return result
    }
}

extension Parameters {
    /// The Euclidean norm of all gradients together.
    package func gradientNorm() -> Double {
        var sum = 0.0
        for index in names.indices {
            sum += withGradient(index) { gradient in
                gradient.baseAddress.map { sumOfSquares($0, count: gradient.count) } ?? 0
            }
        }
        return sum.squareRoot()
    }
}
