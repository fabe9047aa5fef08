package import Tensors

/// Resizing of float pictures `[..., height, width]` as torch's `interpolate(align_corners: false)` does it
/// on the CPU, in float32 as there: positions beyond 2^10 carry the same rounding, which a computation in
/// double would not have.
extension Tensor {
    package enum Interpolation: String, Sendable, CaseIterable { case bilinear, bicubic }

    /// - Parameter antialias: the kernel widens with the scale when shrinking; the bicubic kernel then has a
    ///   = -0.5, else -0.75.
    package func interpolated(height: Int, width: Int, _ mode: Interpolation, antialias: Bool) -> Tensor {
        precondition(rank >= 2 && height > 0 && width > 0, "cannot resize \(shape) to \(height) x \(width)")
        precondition(count > 0, "cannot resize an empty tensor")
        let columns = FloatWeights(from: shape[rank - 1], to: width, mode, antialias)
        let rows = FloatWeights(from: shape[rank - 2], to: height, mode, antialias)
        return resampled(columns, inner: 1, axis: rank - 1).resampled(rows, inner: width, axis: rank - 2)
    }

    /// Replaces one axis; `inner` is the number of elements of the axes after it.
    private func resampled(_ weights: FloatWeights, inner: Int, axis: Int) -> Tensor {
        var shape = shape
        let (source, target) = (shape[axis], weights.count)
        shape[axis] = target
        let outer = shape[..<axis].reduce(1, *)
        return withUnsafePointer { from in
            Tensor(shape: shape) { out in
                for o in 0..<outer {
                    for t in 0..<target {
                        let to = out + (o * target + t) * inner
                        for x in 0..<inner {
                            var sum: Float = 0
                            for i in 0..<weights.width {
                                sum +=
                                    from[(o * source + weights.places[t * weights.width + i]) * inner + x]
                                    * weights.values[t * weights.width + i]
                            }
                            to[x] = sum
                        }
                    }
                }
            }
        }
    }
}

/// For each of `count` output places `width` source places with their weights.
private struct FloatWeights {
    let count: Int
    let width: Int
    var places: [Int] = []
    var values: [Float] = []

    init(from source: Int, to target: Int, _ mode: Tensor.Interpolation, _ antialias: Bool) {
        count = target
        let scale = Float(source) / Float(target)
        if antialias {
            let widening = max(scale, 1)
            let support = (mode == .bicubic ? 2 : 1) * widening
            width = Int(support.rounded(.up)) * 2 + 1
            for t in 0..<target {
                appendAntialiased(
                    t, source: source, scale: scale, support: support, inverse: 1 / widening, mode)
            }
        } else {
            width = mode == .bicubic ? 4 : 2
            for t in 0..<target { appendPlain(t, source: source, scale: scale, mode) }
        }
    }

    private mutating func appendAntialiased(
        _ t: Int, source: Int, scale: Float, support: Float, inverse: Float, _ mode: Tensor.Interpolation
    ) {
        let centre = scale * (Float(t) + 0.5)
        let lower = max(Int(centre - support + 0.5), 0)
        let used = min(min(Int(centre + support + 0.5), source) - lower, width)
        let weights = (0..<used).map {
            Self.kernel((Float($0 + lower) - centre + 0.5) * inverse, mode, a: -0.5)
        }
        let sum = weights.reduce(0, +)
        for i in 0..<width {
            places.append(i < used ? lower + i : lower)
            values.append(i < used ? (sum != 0 ? weights[i] / sum : weights[i]) : 0)
        }
    }

    private mutating func appendPlain(_ t: Int, source: Int, scale: Float, _ mode: Tensor.Interpolation) {
        // One rounding, as in the reference's build: what a second one would move, shows in the sixth digit.
        let real = (-Float(0.5)).addingProduct(scale, Float(t) + 0.5)
        switch mode {
        case .bilinear:
            let place = max(real, 0)
            let lower = min(Int(place), source - 1)
            let part = min(max(place - Float(lower), 0), 1)
            places += [lower, min(lower + 1, source - 1)]
            values += [1 - part, part]
        case .bicubic:
            let floor = real.rounded(.down)
            let part = real - floor
            let rest = 1 - part
            places += (-1...2).map { min(max(Int(floor) + $0, 0), source - 1) }
            values += [part + 1, part, rest, rest + 1].map { Self.cubic($0, a: -0.75) }
        }
    }

    private static func kernel(_ distance: Float, _ mode: Tensor.Interpolation, a: Float) -> Float {
        let x = abs(distance)
        return mode == .bicubic ? cubic(x, a: a) : max(1 - x, 0)
    }

    /// Keys (1981), for a distance of zero or more. Products and sums round once, as in the reference's
    /// build.
    private static func cubic(_ x: Float, a: Float) -> Float {
        func horner(_ coefficients: [Float]) -> Float {
            coefficients.dropFirst().reduce(coefficients[0]) { $1.addingProduct($0, x) }
        }
        if x <= 1 { return Float(1).addingProduct(horner([a + 2, -(a + 3)]) * x, x) }
        return x < 2 ? horner([a, -5 * a, 8 * a, -4 * a]) : 0
    }
}
