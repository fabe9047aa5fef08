#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

/// The filters of Pillow's `Image.resize`. All but `nearest` widen with the scale when shrinking, so that
/// every source pixel counts.
package enum ResizeFilter: String, Sendable, CaseIterable {
    case nearest, box, bilinear, hamming, bicubic, lanczos

    /// Half the width of the kernel in source pixels, when not shrinking.
    var support: Double {
        switch self {
        case .nearest: 0
        case .box: 0.5
        case .bilinear, .hamming: 1
        case .bicubic: 2
        case .lanczos: 3
        }
    }

    /// The kernel's value at a distance from its centre.
    func callAsFunction(_ distance: Double) -> Double {
        let x = abs(distance)
        switch self {
        case .nearest: return 0
        // Half open, so that a pixel between two outputs counts once.
        case .box: return distance > -0.5 && distance <= 0.5 ? 1 : 0
        case .bilinear: return x < 1 ? 1 - x : 0
        case .hamming: return x == 0 ? 1 : x >= 1 ? 0 : Self.sinc(x) * (0.54 + 0.46 * cos(Double.pi * x))
        case .bicubic:
            // Keys (1981) with a = -0.5.
            let a = -0.5
            if x < 1 { return ((a + 2) * x - (a + 3)) * x * x + 1 }
            if x < 2 { return (((x - 5) * x + 8) * x - 4) * a }
            return 0
        case .lanczos:
            return distance >= -3 && distance < 3 ? Self.sinc(distance) * Self.sinc(distance / 3) : 0
        }
    }

    private static func sinc(_ x: Double) -> Double {
        if x == 0 { return 1 }
        let t = x * Double.pi
        return sin(t) / t
    }
}

/// For each output place the first source place and the weights of those from there on, which sum to one.
struct ResizeWeights {
    var first: [Int] = []
    var counts: [Int] = []
    /// `stride` weights for each output place, zero beyond its count.
    var values: [Double] = []
    var stride: Int

    /// Pillow's `precompute_coeffs` for the whole source.
    init(from source: Int, to target: Int, filter: ResizeFilter) {
        let scale = Double(source) / Double(target)
        let widening = max(scale, 1)
        let support = filter.support * widening
        stride = Int(support.rounded(.up)) * 2 + 1
        values = [Double](repeating: 0, count: target * stride)
        for place in 0..<target {
            let centre = (Double(place) + 0.5) * scale
            // Truncation, as in the reference; below zero both end at zero.
            let lower = max(Int(centre - support + 0.5), 0)
            let upper = min(Int(centre + support + 0.5), source)
            let count = upper - lower
            var sum = 0.0
            for i in 0..<count {
                let weight = filter((Double(i + lower) - centre + 0.5) * (1 / widening))
                values[place * stride + i] = weight
                sum += weight
            }
            if sum != 0 { for i in 0..<count { values[place * stride + i] /= sum } }
            first.append(lower)
            counts.append(count)
        }
    }

    /// The weights as 32-bit fixed point with 22 places after the point, rounded away from zero at halves.
    var fixed: [Int32] {
        values.map { Int32($0 < 0 ? $0 * 4_194_304 - 0.5 : $0 * 4_194_304 + 0.5) }
    }
}
