package import Tensors

/// How much of the picture and how much noise a sample holds: `signal * picture + noise * normal`, both
/// standard deviations. Samplers differ in what they keep constant: the total variance (DDIM and its kin) or
/// the picture's (Euler and its kin).
package struct NoiseLevel: Sendable, Hashable {
    /// The factor of the picture.
    package let signal: Double
    /// The factor of the noise.
    package let noise: Double
    /// The picture's share of the variance.
    package let alphaBar: Double
    /// Noise for each part of picture.
    package let sigma: Double

    /// The total variance is 1.
    package init(alphaBar: Double) {
        self.alphaBar = alphaBar
        signal = alphaBar.squareRoot()
        noise = (1 - alphaBar).squareRoot()
        sigma = noise / signal
    }

    /// The picture's variance is 1, the noise comes on top (Karras and others 2022).
    package init(sigma: Double) {
        self.sigma = sigma
        signal = 1
        noise = sigma
        alphaBar = 1 / (1 + sigma * sigma)
    }

    /// The total variance is 1, the proportion of noise to picture is `sigma`.
    package static func preserving(sigma: Double) -> NoiseLevel {
        NoiseLevel(alphaBar: 1 / (1 + sigma * sigma), sigma: sigma)
    }

    private init(alphaBar: Double, sigma: Double) {
        self.alphaBar = alphaBar
        self.sigma = sigma
        signal = 1 / (1 + sigma * sigma).squareRoot()
        noise = sigma * signal
    }

    /// A picture brought to this level; `normal` has the picture's shape and variance 1.
    package func noised(_ clean: Tensor, with normal: Tensor) -> Tensor { .sum(signal, clean, noise, normal) }
}

extension Tensor {
    /// `a x + b y`. Scalars are double and rounded once, the products are single precision as the
    /// reference's.
    static func sum(_ a: Double, _ x: Tensor, _ b: Double, _ y: Tensor) -> Tensor {
        let (a, b) = (Float(a), Float(b))
        return x.zip(y) { a * $0 + b * $1 }
    }

    func clamped(to limit: Double?) -> Tensor {
        guard let limit = limit.map(Float.init) else { return self }
        return map { max(-limit, min(limit, $0)) }
    }
}
