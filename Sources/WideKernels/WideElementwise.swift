// Activations and the passes of normalisations for processors with 512-bit vectors, 16 values at a time; the
// rules of `WidePanelProduct.swift` hold here too. Each value is computed by the same operations as in
// `Activation.swift` and `Normalisation.swift` of `Kernels`, so the results are equal to the bit. `count` is
// a multiple of 16; input and output may be the same memory.

@inline(__always)
private func mapped(
    _ input: UnsafePointer<Float>, _ count: Int, _ out: UnsafeMutablePointer<Float>, _ body: (F16) -> F16
) {
    var i = 0
    while i < count {
        store16(out + i, body(load16(input + i)))
        i &+= 16
    }
}

@inline(never)
package func wideSilu(_ input: UnsafePointer<Float>, count: Int, into out: UnsafeMutablePointer<Float>) {
    mapped(input, count, out) { silu($0) }
}

@inline(never)
package func wideGelu(_ input: UnsafePointer<Float>, count: Int, into out: UnsafeMutablePointer<Float>) {
    mapped(input, count, out) { $0 * normalShare($0) }
}

@inline(never)
package func wideQuickGelu(_ input: UnsafePointer<Float>, count: Int, into out: UnsafeMutablePointer<Float>) {
    mapped(input, count, out) { $0 / (1 + exponential($0 * -1.702)) }
}

/// out = input gelu(gate).
@inline(never)
package func wideGatedGelu(
    _ input: UnsafePointer<Float>, gate: UnsafePointer<Float>, count: Int,
    into out: UnsafeMutablePointer<Float>
) {
    var i = 0
    while i < count {
        let x = load16(gate + i)
        store16(out + i, load16(input + i) * (x * normalShare(x)))
        i &+= 16
    }
}

/// out = shift + x scale, with SiLU after it where `activated`.
@inline(never)
package func wideAffine(
    _ x: UnsafePointer<Float>, scale: UnsafePointer<Float>, shift: UnsafePointer<Float>, count: Int,
    activated: Bool, into out: UnsafeMutablePointer<Float>
) {
    var i = 0
    if activated {
        while i < count {
            store16(out + i, silu(load16(shift + i).addingProduct(load16(x + i), load16(scale + i))))
            i &+= 16
        }
    } else {
        while i < count {
            store16(out + i, load16(shift + i).addingProduct(load16(x + i), load16(scale + i)))
            i &+= 16
        }
    }
}

/// Adds `rows` rows, `stride` floats apart, to `sums`.
@inline(never)
package func wideColumnSums(
    _ x: UnsafePointer<Float>, rows: Int, stride: Int, count: Int, into sums: UnsafeMutablePointer<Float>
) {
    var i = 0
    while i < count {
        var sum = load16(sums + i), from = x + i, row = 0
        while row < rows {
            sum += load16(from)
            from += stride
            row &+= 1
        }
        store16(sums + i, sum)
        i &+= 16
    }
}

/// Adds the squares of what `rows` rows are away from `means` to `sums`.
@inline(never)
package func wideColumnSquares(
    _ x: UnsafePointer<Float>, rows: Int, stride: Int, count: Int, around means: UnsafePointer<Float>,
    into sums: UnsafeMutablePointer<Float>
) {
    var i = 0
    while i < count {
        let mean = load16(means + i)
        var sum = load16(sums + i), from = x + i, row = 0
        while row < rows {
            let d = load16(from) - mean
            sum.addProduct(d, d)
            from += stride
            row &+= 1
        }
        store16(sums + i, sum)
        i &+= 16
    }
}
