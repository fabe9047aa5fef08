// The transforms of Winograd's algorithm for processors with 512-bit vectors, 16 channels at a time; the rules of `WidePanelProduct.swift` hold here
// too. Each value is computed by the same operations as in `WinogradConvolution.swift` of `Kernels`, so the results are equal to the bit.
//
// `channels` and `outputs` are multiples of 16; `half` has room for a tile of 16 floats per value, aligned to 64 bytes.

@inline(__always) private func inputTransform4(_ d0: F16, _ d1: F16, _ d2: F16, _ d3: F16, _ d4: F16, _ d5: F16) -> (F16, F16, F16, F16, F16, F16) {
    let evenA = d4.addingProduct(d2, F16(repeating: -2)), oddA = d3.addingProduct(d1, F16(repeating: -2)) * (0.5 * 1.414_213_56)
    let evenB = d4.addingProduct(d2, F16(repeating: -0.5)), oddB = d3.addingProduct(d1, F16(repeating: -0.5)) * 1.414_213_56
    return (
        (d0 + d4).addingProduct(d2, F16(repeating: -2.5)), evenA + oddA, evenA - oddA, evenB + oddB, evenB - oddB,
        (d1 + d5).addingProduct(d3, F16(repeating: -2.5))
    )
}

@inline(__always) private func outputTransform4(_ m0: F16, _ m1: F16, _ m2: F16, _ m3: F16, _ m4: F16, _ m5: F16) -> (F16, F16, F16, F16) {
    let sumA = m1 + m2, differenceA = m1 - m2, sumB = m3 + m4, differenceB = m3 - m4
    return (
        m0 + sumA + sumB,
        (differenceB * 1.414_213_56).addingProduct(differenceA, F16(repeating: 0.707_106_78)),
        (sumB * 2).addingProduct(sumA, F16(repeating: 0.5)),
        m5.addingProduct(differenceA, F16(repeating: 0.353_553_39)).addingProduct(differenceB, F16(repeating: 2.828_427_12))
    )
}

/// Bᵀ d B of F(4, 3): `pixels` are the 36 of the tile, plane p goes to `out + p * plane`.
@inline(never)
package func wideInputTransform4(
    _ pixels: UnsafePointer<UnsafePointer<Float>>, channels: Int, half: UnsafeMutablePointer<Float>, into out: UnsafeMutablePointer<Float>, plane: Int
) {
    var channel = 0
    while channel < channels {
        var x = 0
        while x < 6 {
            let d = inputTransform4(
                load16(pixels[x] + channel), load16(pixels[6 &+ x] + channel), load16(pixels[12 &+ x] + channel), load16(pixels[18 &+ x] + channel),
                load16(pixels[24 &+ x] + channel), load16(pixels[30 &+ x] + channel))
            let to = half + 16 &* x
            store16(to, d.0); store16(to + 96, d.1); store16(to + 192, d.2); store16(to + 288, d.3); store16(to + 384, d.4); store16(to + 480, d.5)
            x &+= 1
        }
        var y = 0
        while y < 6 {
            let row = half + 96 &* y
            let d = inputTransform4(load16(row), load16(row + 16), load16(row + 32), load16(row + 48), load16(row + 64), load16(row + 80))
            let to = out + (y &* 6 &* plane &+ channel)
            store16(to, d.0); store16(to + plane, d.1); store16(to + 2 &* plane, d.2); store16(to + 3 &* plane, d.3); store16(to + 4 &* plane, d.4)
            store16(to + 5 &* plane, d.5)
            y &+= 1
        }
        channel &+= 16
    }
}

/// Bᵀ d B of F(2, 3), 16 pixels.
@inline(never)
package func wideInputTransform2(
    _ pixels: UnsafePointer<UnsafePointer<Float>>, channels: Int, half: UnsafeMutablePointer<Float>, into out: UnsafeMutablePointer<Float>, plane: Int
) {
    var channel = 0
    while channel < channels {
        var x = 0
        while x < 4 {
            let d0 = load16(pixels[x] + channel), d1 = load16(pixels[4 &+ x] + channel)
            let d2 = load16(pixels[8 &+ x] + channel), d3 = load16(pixels[12 &+ x] + channel)
            let to = half + 16 &* x
            store16(to, d2 - d0); store16(to + 64, d1 + d2); store16(to + 128, d2 - d1); store16(to + 192, d3 - d1)
            x &+= 1
        }
        var y = 0
        while y < 4 {
            let row = half + 64 &* y
            let d0 = load16(row), d1 = load16(row + 16), d2 = load16(row + 32), d3 = load16(row + 48)
            let to = out + (y &* 4 &* plane &+ channel)
            store16(to, d2 - d0); store16(to + plane, d1 + d2); store16(to + 2 &* plane, d2 - d1); store16(to + 3 &* plane, d3 - d1)
            y &+= 1
        }
        channel &+= 16
    }
}

/// Aᵀ M A of F(4, 3) plus the bias, for the first `rows` by `columns` outputs of the tile; a row of the picture is `width` floats long.
@inline(never)
package func wideOutputTransform4(
    _ products: UnsafePointer<Float>, plane: Int, bias: UnsafePointer<Float>, outputs: Int, stride: Int, half: UnsafeMutablePointer<Float>,
    into out: UnsafeMutablePointer<Float>, width: Int, rows: Int, columns: Int
) {
    var channel = 0
    while channel < outputs {
        let from = products + channel
        var x = 0
        while x < 6 {
            let y = outputTransform4(
                load16(from + x &* plane), load16(from + (6 &+ x) &* plane), load16(from + (12 &+ x) &* plane), load16(from + (18 &+ x) &* plane),
                load16(from + (24 &+ x) &* plane), load16(from + (30 &+ x) &* plane))
            let to = half + 16 &* x
            store16(to, y.0); store16(to + 96, y.1); store16(to + 192, y.2); store16(to + 288, y.3)
            x &+= 1
        }
        let shift = load16(bias + channel)
        var y = 0
        while y < rows {
            let row = half + 96 &* y
            let r = outputTransform4(load16(row), load16(row + 16), load16(row + 32), load16(row + 48), load16(row + 64), load16(row + 80))
            let to = out + (y &* width &+ channel)
            store16(to, r.0 + shift)
            if columns > 1 { store16(to + stride, r.1 + shift) }
            if columns > 2 { store16(to + 2 &* stride, r.2 + shift) }
            if columns > 3 { store16(to + 3 &* stride, r.3 + shift) }
            y &+= 1
        }
        channel &+= 16
    }
}

/// Aᵀ M A of F(2, 3) plus the bias.
@inline(never)
package func wideOutputTransform2(
    _ products: UnsafePointer<Float>, plane: Int, bias: UnsafePointer<Float>, outputs: Int, stride: Int, half: UnsafeMutablePointer<Float>,
    into out: UnsafeMutablePointer<Float>, width: Int, rows: Int, columns: Int
) {
    var channel = 0
    while channel < outputs {
        let from = products + channel
        var x = 0
        while x < 4 {
            let m0 = load16(from + x &* plane), m1 = load16(from + (4 &+ x) &* plane)
            let m2 = load16(from + (8 &+ x) &* plane), m3 = load16(from + (12 &+ x) &* plane)
            let to = half + 16 &* x
            store16(to, m0 + m1 + m2); store16(to + 64, m1 - m2 + m3)
            x &+= 1
        }
        let shift = load16(bias + channel)
        var y = 0
        while y < rows {
            let row = half + 64 &* y
            let m0 = load16(row), m1 = load16(row + 16), m2 = load16(row + 32), m3 = load16(row + 48)
            let to = out + (y &* width &+ channel)
            store16(to, m0 + m1 + m2 + shift)
            if columns > 1 { store16(to + stride, m1 - m2 + m3 + shift) }
            y &+= 1
        }
        channel &+= 16
    }
}
