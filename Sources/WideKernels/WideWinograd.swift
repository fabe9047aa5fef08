// The transforms of Winograd's algorithm for processors with 512-bit vectors, 16 channels at a time; the
// rules of `WidePanelProduct.swift` hold here too. Each value is computed by the same operations as in
// `WinogradConvolution.swift` of `Kernels`, so the results are equal to the bit.
//
// `channels` and `outputs` are multiples of 16.

@inline(__always) private func inputTransform4(
    _ d0: F16, _ d1: F16, _ d2: F16, _ d3: F16, _ d4: F16, _ d5: F16
) -> (F16, F16, F16, F16, F16, F16) {
    let evenA = d4.addingProduct(d2, F16(repeating: -2)),
        oddA = d3.addingProduct(d1, F16(repeating: -2)) * (0.5 * 1.414_213_56)
    let evenB = d4.addingProduct(d2, F16(repeating: -0.5)),
        oddB = d3.addingProduct(d1, F16(repeating: -0.5)) * 1.414_213_56
    return (
        (d0 + d4).addingProduct(d2, F16(repeating: -2.5)), evenA + oddA, evenA - oddA, evenB + oddB,
        evenB - oddB,
        (d1 + d5).addingProduct(d3, F16(repeating: -2.5))
    )
}

@inline(__always) private func outputTransform4(
    _ m0: F16, _ m1: F16, _ m2: F16, _ m3: F16, _ m4: F16, _ m5: F16
) -> (F16, F16, F16, F16) {
    let sumA = m1 + m2, differenceA = m1 - m2, sumB = m3 + m4, differenceB = m3 - m4
    return (
        m0 + sumA + sumB,
        (differenceB * 1.414_213_56).addingProduct(differenceA, F16(repeating: 0.707_106_78)),
        (sumB * 2).addingProduct(sumA, F16(repeating: 0.5)),
        m5.addingProduct(differenceA, F16(repeating: 0.353_553_39)).addingProduct(
            differenceB, F16(repeating: 2.828_427_12))
    )
}

/// Bᵀ d B of F(4, 3): `pixels` are the 36 of the tile, plane p goes to `out + p * plane`. Two rows of Bᵀ d at
/// a time, all of which stay in registers, so that no half of the result waits in memory; each pixel is read
/// two or three times instead.
@inline(never)
package func wideInputTransform4(
    _ pixels: UnsafePointer<UnsafePointer<Float>>, channels: Int, into out: UnsafeMutablePointer<Float>,
    plane: Int
) {
    var channel = 0
    while channel < channels {
        @inline(__always) func pixel(_ y: Int, _ x: Int) -> F16 { load16(pixels[y &* 6 &+ x] + channel) }
        /// One row of planes from its row of Bᵀ d.
        @inline(__always) func finish(
            _ y: Int, _ r0: F16, _ r1: F16, _ r2: F16, _ r3: F16, _ r4: F16, _ r5: F16
        ) {
            let d = inputTransform4(r0, r1, r2, r3, r4, r5)
            let to = out + (y &* 6 &* plane &+ channel)
            store16(to, d.0); store16(to + plane, d.1); store16(to + 2 &* plane, d.2);
            store16(to + 3 &* plane, d.3); store16(to + 4 &* plane, d.4)
            store16(to + 5 &* plane, d.5)
        }
        @inline(__always) func outer(_ y: Int, _ x: Int) -> F16 {
            (pixel(y, x) + pixel(y &+ 4, x)).addingProduct(pixel(y &+ 2, x), F16(repeating: -2.5))
        }
        @inline(__always) func inner(_ x: Int, _ share: Float, _ factor: Float) -> (F16, F16) {
            let even = pixel(4, x).addingProduct(pixel(2, x), F16(repeating: share))
            let odd = pixel(3, x).addingProduct(pixel(1, x), F16(repeating: share)) * F16(repeating: factor)
            return (even + odd, even - odd)
        }
        finish(0, outer(0, 0), outer(0, 1), outer(0, 2), outer(0, 3), outer(0, 4), outer(0, 5))
        let a0 = inner(0, -2, 0.5 * 1.414_213_56), a1 = inner(1, -2, 0.5 * 1.414_213_56),
            a2 = inner(2, -2, 0.5 * 1.414_213_56)
        let a3 = inner(3, -2, 0.5 * 1.414_213_56), a4 = inner(4, -2, 0.5 * 1.414_213_56),
            a5 = inner(5, -2, 0.5 * 1.414_213_56)
        finish(1, a0.0, a1.0, a2.0, a3.0, a4.0, a5.0)
        finish(2, a0.1, a1.1, a2.1, a3.1, a4.1, a5.1)
        let b0 = inner(0, -0.5, 1.414_213_56), b1 = inner(1, -0.5, 1.414_213_56),
            b2 = inner(2, -0.5, 1.414_213_56)
        let b3 = inner(3, -0.5, 1.414_213_56), b4 = inner(4, -0.5, 1.414_213_56),
            b5 = inner(5, -0.5, 1.414_213_56)
        finish(3, b0.0, b1.0, b2.0, b3.0, b4.0, b5.0)
        finish(4, b0.1, b1.1, b2.1, b3.1, b4.1, b5.1)
        finish(5, outer(1, 0), outer(1, 1), outer(1, 2), outer(1, 3), outer(1, 4), outer(1, 5))
        channel &+= 16
    }
}

/// Bᵀ d B of F(2, 3), 16 pixels.
@inline(never)
package func wideInputTransform2(
    _ pixels: UnsafePointer<UnsafePointer<Float>>, channels: Int, into out: UnsafeMutablePointer<Float>,
    plane: Int
) {
    var channel = 0
    while channel < channels {
        @inline(__always) func column(_ x: Int) -> (F16, F16, F16, F16) {
            let d0 = load16(pixels[x] + channel), d1 = load16(pixels[4 &+ x] + channel)
            let d2 = load16(pixels[8 &+ x] + channel), d3 = load16(pixels[12 &+ x] + channel)
            return (d2 - d0, d1 + d2, d2 - d1, d3 - d1)
        }
        @inline(__always) func finish(_ y: Int, _ r0: F16, _ r1: F16, _ r2: F16, _ r3: F16) {
            let to = out + (y &* 4 &* plane &+ channel)
            store16(to, r2 - r0); store16(to + plane, r1 + r2); store16(to + 2 &* plane, r2 - r1);
            store16(to + 3 &* plane, r3 - r1)
        }
        let a = column(0), b = column(1), c = column(2), d = column(3)
        finish(0, a.0, b.0, c.0, d.0)
        finish(1, a.1, b.1, c.1, d.1)
        finish(2, a.2, b.2, c.2, d.2)
        finish(3, a.3, b.3, c.3, d.3)
        channel &+= 16
    }
}

/// Aᵀ M A of F(4, 3) plus the bias and then the residual, for the first `rows` by `columns` outputs of the
/// tile; a row of the picture is `width` floats long, here and in the residual. Rows 0 and 2 of Aᵀ M
/// together, then 1 and 3, which share their sums, in registers.
@inline(never)
package func wideOutputTransform4(
    _ products: UnsafePointer<Float>, plane: Int, bias: UnsafePointer<Float>, outputs: Int, stride: Int,
    adding residual: UnsafePointer<Float>?, into out: UnsafeMutablePointer<Float>, width: Int, rows: Int,
    columns: Int
) {
    var channel = 0
    while channel < outputs {
        let from = products + channel, shift = load16(bias + channel)
        @inline(__always) func product(_ y: Int, _ x: Int) -> F16 { load16(from + (y &* 6 &+ x) &* plane) }
        @inline(__always) func finish(
            _ y: Int, _ r0: F16, _ r1: F16, _ r2: F16, _ r3: F16, _ r4: F16, _ r5: F16
        ) {
            let r = outputTransform4(r0, r1, r2, r3, r4, r5)
            let place = y &* width &+ channel, to = out + place
            var values = (r.0 + shift, r.1 + shift, r.2 + shift, r.3 + shift)
            if let residual {
                let beside = residual + place
                values.0 += load16(beside)
                if columns > 1 { values.1 += load16(beside + stride) }
                if columns > 2 { values.2 += load16(beside + 2 &* stride) }
                if columns > 3 { values.3 += load16(beside + 3 &* stride) }
            }
            store16(to, values.0)
            if columns > 1 { store16(to + stride, values.1) }
            if columns > 2 { store16(to + 2 &* stride, values.2) }
            if columns > 3 { store16(to + 3 &* stride, values.3) }
        }
        @inline(__always) func even(_ x: Int) -> (F16, F16) {
            let sumA = product(1, x) + product(2, x), sumB = product(3, x) + product(4, x)
            return (product(0, x) + sumA + sumB, (sumB * 2).addingProduct(sumA, F16(repeating: 0.5)))
        }
        @inline(__always) func odd(_ x: Int) -> (F16, F16) {
            let differenceA = product(1, x) - product(2, x), differenceB = product(3, x) - product(4, x)
            return (
                (differenceB * 1.414_213_56).addingProduct(differenceA, F16(repeating: 0.707_106_78)),
                product(5, x).addingProduct(differenceA, F16(repeating: 0.353_553_39)).addingProduct(
                    differenceB, F16(repeating: 2.828_427_12))
            )
        }
        let a0 = even(0), a1 = even(1), a2 = even(2), a3 = even(3), a4 = even(4), a5 = even(5)
        finish(0, a0.0, a1.0, a2.0, a3.0, a4.0, a5.0)
        if rows > 2 { finish(2, a0.1, a1.1, a2.1, a3.1, a4.1, a5.1) }
        if rows > 1 {
            let b0 = odd(0), b1 = odd(1), b2 = odd(2), b3 = odd(3), b4 = odd(4), b5 = odd(5)
            finish(1, b0.0, b1.0, b2.0, b3.0, b4.0, b5.0)
            if rows > 3 { finish(3, b0.1, b1.1, b2.1, b3.1, b4.1, b5.1) }
        }
        channel &+= 16
    }
}

/// Aᵀ M A of F(2, 3) plus the bias and then the residual.
@inline(never)
package func wideOutputTransform2(
    _ products: UnsafePointer<Float>, plane: Int, bias: UnsafePointer<Float>, outputs: Int, stride: Int,
    adding residual: UnsafePointer<Float>?, into out: UnsafeMutablePointer<Float>, width: Int, rows: Int,
    columns: Int
) {
    var channel = 0
    while channel < outputs {
        let from = products + channel, shift = load16(bias + channel)
        @inline(__always) func column(_ x: Int) -> (F16, F16) {
            let m0 = load16(from + x &* plane), m1 = load16(from + (4 &+ x) &* plane)
            let m2 = load16(from + (8 &+ x) &* plane), m3 = load16(from + (12 &+ x) &* plane)
            return (m0 + m1 + m2, m1 - m2 + m3)
        }
        @inline(__always) func finish(_ y: Int, _ r0: F16, _ r1: F16, _ r2: F16, _ r3: F16) {
            let place = y &* width &+ channel, to = out + place
            var values = (r0 + r1 + r2 + shift, r1 - r2 + r3 + shift)
            if let residual {
                values.0 += load16(residual + place)
                if columns > 1 { values.1 += load16(residual + (place &+ stride)) }
            }
            store16(to, values.0)
            if columns > 1 { store16(to + stride, values.1) }
        }
        let a = column(0), b = column(1), c = column(2), d = column(3)
        finish(0, a.0, b.0, c.0, d.0)
        if rows > 1 { finish(1, a.1, b.1, c.1, d.1) }
        channel &+= 16
    }
}

/// Bᵀ d B for a picture enlarged to twice its size, 9 pixels.
@inline(never)
package func wideInputTransformDoubled(
    _ pixels: UnsafePointer<UnsafePointer<Float>>, channels: Int, into out: UnsafeMutablePointer<Float>,
    plane: Int
) {
    var channel = 0
    while channel < channels {
        @inline(__always) func column(_ x: Int) -> (F16, F16, F16) {
            let d0 = load16(pixels[x] + channel), d1 = load16(pixels[3 &+ x] + channel),
                d2 = load16(pixels[6 &+ x] + channel)
            return (d1 - d0, d1, d2 - d1)
        }
        @inline(__always) func finish(_ y: Int, _ r0: F16, _ r1: F16, _ r2: F16) {
            let to = out + (y &* 3 &* plane &+ channel)
            store16(to, r1 - r0); store16(to + plane, r1); store16(to + 2 &* plane, r2 - r1)
        }
        let a = column(0), b = column(1), c = column(2)
        finish(0, a.0, b.0, c.0)
        finish(1, a.1, b.1, c.1)
        finish(2, a.2, b.2, c.2)
        channel &+= 16
    }
}

/// Aᵀ M A for a picture enlarged to twice its size plus the bias and then the residual; all tiles are whole.
@inline(never)
package func wideOutputTransformDoubled(
    _ products: UnsafePointer<Float>, plane: Int, bias: UnsafePointer<Float>, outputs: Int, stride: Int,
    adding residual: UnsafePointer<Float>?, into out: UnsafeMutablePointer<Float>, width: Int
) {
    var channel = 0
    while channel < outputs {
        let from = products + channel, shift = load16(bias + channel)
        @inline(__always) func column(_ x: Int) -> (F16, F16) {
            let m0 = load16(from + x &* plane), m1 = load16(from + (3 &+ x) &* plane),
                m2 = load16(from + (6 &+ x) &* plane)
            return (m0 + m1, m1 + m2)
        }
        @inline(__always) func finish(_ y: Int, _ r0: F16, _ r1: F16, _ r2: F16) {
            let place = y &* width &+ channel, to = out + place
            var values = (r0 + r1 + shift, r1 + r2 + shift)
            if let residual {
                values.0 += load16(residual + place)
                values.1 += load16(residual + (place &+ stride))
            }
            store16(to, values.0); store16(to + stride, values.1)
        }
        let a = column(0), b = column(1), c = column(2)
        finish(0, a.0, b.0, c.0)
        finish(1, a.1, b.1, c.1)
        channel &+= 16
    }
}
