#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// What an optimiser does to long runs of numbers, in fixed blocks, so that threads change no bit.
private let block = 32_768

/// One step of AdamW (Loshchilov and Hutter 2019, algorithm 2) on `count` values, in the reference's order of
/// operations.
/// - Parameters:
///   - scale: multiplies the gradient, for clipping.
///   - bias1, bias2: 1 - beta^t, which correct for moments that began at zero.
package func adamW(
    _ values: UnsafeMutablePointer<Float>, gradient: UnsafePointer<Float>, first: UnsafeMutablePointer<Float>,
    second: UnsafeMutablePointer<Float>,
    count: Int, scale: Float, rate: Float, decay: Float, beta1: Float, beta2: Float, epsilon: Float,
    bias1: Float, bias2: Float
) {
    let keep = 1 - rate * decay
    let stepSize = rate / bias1
    let root = bias2.squareRoot()
    forEachBlock(count, size: block) { range in
        var i = range.lowerBound
        while i &+ 8 <= range.upperBound {
            let g = load8(gradient, i) * scale
            let m = load8(first, i).addingProduct(g - load8(first, i), F8(repeating: 1 - beta1))
            let v = (load8(second, i) * beta2).addingProduct(g * g, F8(repeating: 1 - beta2))
            store8(first, i, m)
            store8(second, i, v)
            store8(values, i, load8(values, i) * keep - stepSize * m / (v.squareRoot() / root + epsilon))
            i &+= 8
        }
        while i < range.upperBound {
            let g = gradient[i] * scale
            let m = first[i].addingProduct(g - first[i], 1 - beta1)
            let v = (second[i] * beta2).addingProduct(g * g, 1 - beta2)
            first[i] = m
            second[i] = v
            values[i] = values[i] * keep - stepSize * m / (v.squareRoot() / root + epsilon)
            i &+= 1
        }
    }
}

/// average += (values - average) (1 - decay): one step of a moving average.
package func movingAverage(
    _ average: UnsafeMutablePointer<Float>, of values: UnsafePointer<Float>, count: Int, decay: Float
) {
    let share = F8(repeating: 1 - decay)
    forEachBlock(count, size: block) { range in
        var i = range.lowerBound
        while i &+ 8 <= range.upperBound {
            let a = load8(average, i)
            store8(average, i, a.addingProduct(load8(values, i) - a, share))
            i &+= 8
        }
        while i < range.upperBound {
            average[i] = average[i].addingProduct(values[i] - average[i], 1 - decay)
            i &+= 1
        }
    }
}

/// The sum of squares in double precision, block by block in a fixed order.
package func sumOfSquares(_ values: UnsafePointer<Float>, count: Int) -> Double {
    let blocks = (count + block - 1) / block
    var sums = [Double](repeating: 0, count: blocks)
    sums.withUnsafeMutableBufferPointer { sums in
        // Each chunk writes its own place.
        nonisolated(unsafe) let sums = sums
        ThreadPool.shared.run(blocks) { index in
            let start = index * block, end = min(count, start + block)
            var low = SIMD4<Double>.zero, high = SIMD4<Double>.zero
            var i = start
            while i &+ 8 <= end {
                let x = load8(values, i)
                let a = SIMD4<Double>(x.lowHalf), b = SIMD4<Double>(x.highHalf)
                low.addProduct(a, a)
                high.addProduct(b, b)
                i &+= 8
            }
            var sum = (low + high).sum()
            while i < end {
                sum += Double(values[i]) * Double(values[i])
                i &+= 1
            }
            sums[index] = sum
        }
    }
    return sums.reduce(0, +)
}
