internal import WideKernels

// Activations, elementwise; input and output may be the same memory. Where vectors are wide they take what is
// a multiple of 16.

/// x sigmoid(x)  (Elfwing et al. 2017).
package func silu(_ input: UnsafePointer<Float>, count: Int, into out: UnsafeMutablePointer<Float>) {
    elementwise(input, count, out, wide: { wideSilu($0, count: $1, into: $2) }) { silu($0) }
}

/// max(x, 0); NaN stays NaN.
package func relu(_ input: UnsafePointer<Float>, count: Int, into out: UnsafeMutablePointer<Float>) {
    elementwise(input, count, out) { $0.replacing(with: F8.zero, where: $0 .< 0) }
}

/// x Φ(x) with the exact normal distribution function  (Hendrycks and Gimpel 2016).
package func gelu(_ input: UnsafePointer<Float>, count: Int, into out: UnsafeMutablePointer<Float>) {
    elementwise(input, count, out, wide: { wideGelu($0, count: $1, into: $2) }) { gelu($0) }
}

/// x sigmoid(1.702 x): the approximation in OpenAI's CLIP.
package func quickGelu(_ input: UnsafePointer<Float>, count: Int, into out: UnsafeMutablePointer<Float>) {
    elementwise(input, count, out, wide: { wideQuickGelu($0, count: $1, into: $2) }) {
        $0 / (1 + exponential($0 * -1.702))
    }
}

/// GEGLU (Shazeer 2020): input `[rows, 2 * width]`, out `[rows, width]` = first half times gelu(second half).
/// Rows are `inputStride` and `outputStride` floats apart, side by side where nothing is said.
package func geglu(
    _ input: UnsafePointer<Float>, rows: Int, inputStride: Int? = nil, width: Int,
    into out: UnsafeMutablePointer<Float>, outputStride: Int? = nil
) {
    let inputStride = inputStride ?? 2 * width, outputStride = outputStride ?? width
    forEachBlock(rows, size: max(1, 16_384 / width)) { range in
        for row in range {
            let a = input + row * inputStride, gate = a + width, to = out + row * outputStride
            var i = RowTiles.wide ? width / 16 * 16 : 0
            if i > 0 { wideGatedGelu(a, gate: gate, count: i, into: to) }
            while i &+ 8 <= width { store8(to, i, load8(a, i) * gelu(load8(gate, i))); i &+= 8 }
            while i < width { to[i] = a[i] * gelu(F8(repeating: gate[i]))[0]; i &+= 1 }
        }
    }
}

/// out = a + b.
package func sum(
    _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, count: Int, into out: UnsafeMutablePointer<Float>
) {
    forEachBlock(count, size: 65_536) { range in
        var i = range.lowerBound
        while i &+ 8 <= range.upperBound { store8(out, i, load8(a, i) + load8(b, i)); i &+= 8 }
        while i < range.upperBound { out[i] = a[i] + b[i]; i &+= 1 }
    }
}

/// Adds `[batch, channels]` to every pixel of `[batch, pixels, channels]`.
package func addPerItem(
    _ values: UnsafePointer<Float>, batch: Int, pixels: Int, channels: Int, to x: UnsafeMutablePointer<Float>
) {
    forEachBlock(batch * pixels, size: max(1, 65_536 / channels)) { range in
        for row in range {
            let to = x + row * channels, from = values + row / pixels * channels
            var i = 0
            while i &+ 8 <= channels { store8(to, i, load8(to, i) + load8(from, i)); i &+= 8 }
            while i < channels { to[i] += from[i]; i &+= 1 }
        }
    }
}

@inline(__always) func silu(_ x: F8) -> F8 { x / (1 + exponential(-x)) }

/// With z = |x| / √2: Φ(-|x|) = erfc(z) / 2 = exp(-z (z + g(z))) / 2, where g(z) = -ln(erfcx(z)) / z is
/// smooth. g is a polynomial of degree 9 fitted to scipy's erfcx on 0...6.5 (near-minimax by reweighted least
/// squares, weight z erfc(z)). The tail keeps its relative accuracy; against scipy's erf on -9...9 the error
/// of the whole is under 1.6e-7 max(1, |result|).
@inline(__always) func gelu(_ x: F8) -> F8 { x * normalShare(x) }

/// Φ(x).
@inline(__always) func normalShare(_ x: F8) -> F8 {
    let negative = x .< 0
    let z = (x.replacing(with: -x, where: negative) * 0.707_106_78).atMost(6.4)
    var g = F8(repeating: 2.408840487078123e-07)
    g = F8(repeating: -6.509733339044033e-06).addingProduct(g, z)
    g = F8(repeating: 7.231050403788686e-05).addingProduct(g, z)
    g = F8(repeating: -0.0004162123368587345).addingProduct(g, z)
    g = F8(repeating: 0.0011619391152635217).addingProduct(g, z)
    g = F8(repeating: 0.00048178801080211997).addingProduct(g, z)
    g = F8(repeating: -0.01960429921746254).addingProduct(g, z)
    g = F8(repeating: 0.10294456779956818).addingProduct(g, z)
    g = F8(repeating: -0.3634089529514313).addingProduct(g, z)
    g = F8(repeating: 1.1283807754516602).addingProduct(g, z)
    let half = exponential(-(z * (z + g))) * 0.5
    return (1 - half).replacing(with: half, where: negative)
}

/// A fixed split of 0..<count, run in parallel.
@inline(__always) package func forEachBlock(_ count: Int, size: Int, _ body: (Range<Int>) -> Void) {
    let chunks = (count + size - 1) / size
    ThreadPool.shared.run(chunks) { chunk in body(chunk * size..<min(count, (chunk + 1) * size)) }
}

@inline(__always) private func elementwise(
    _ input: UnsafePointer<Float>, _ count: Int, _ out: UnsafeMutablePointer<Float>,
    wide: ((UnsafePointer<Float>, Int, UnsafeMutablePointer<Float>) -> Void)? = nil, _ body: (F8) -> F8
) {
    forEachBlock(count, size: 32_768) { range in
        var i = range.lowerBound
        if RowTiles.wide, let wide {
            wide(input + i, range.count / 16 * 16, out + i)
            i += range.count / 16 * 16
        }
        while i &+ 8 <= range.upperBound { store8(out, i, body(load8(input, i))); i &+= 8 }
        while i < range.upperBound { out[i] = body(F8(repeating: input[i]))[0]; i &+= 1 }
    }
}
