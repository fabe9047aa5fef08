internal import CProcessor

// The inner loops of `Kernels` over many tiles of 12 rows that lie evenly apart, for processors with 512-bit
// vectors; the rules of `WidePanelProduct.swift` hold here too, and each sum is the same to the bit.
//
// One call goes through all tiles, and rows are reached from four pointers by multiples of the stride, so
// that between two tiles nothing is loaded that is not in a register. It matters: a load waits for earlier
// stores whose addresses end in the same 12 bits until these are done (Intel's Optimization Reference Manual,
// "4-KByte aliasing"), and what a tile begins with, pointers to its rows or the registers that a call has
// saved, fell behind the 24 stores of the tile before. Measured alone, 48 to 256 k: 3 to 25 % more than a
// call for each tile where the linker had put that badly, nothing where well; in the networks about 1 %.
//
// `input` is the first row of the first tile, `inputStride` the distance from row to row in floats; `out` and
// `residual`, where one is to be added to the sums, likewise with `stride`. The other arguments are as in
// `widePairProduct12`, `ahead` going on from tile to tile. With `fetchesOut` a tile's lines of `out` are
// asked for when it begins: right where they are in no near cache.

/// 12 rows by 32 columns, `tiles` times.
@inline(never)
package func wideEvenPairs12(
    tiles: Int, length: Int, input: UnsafePointer<Float>, inputStride: Int, panel: UnsafePointer<Float>,
    step: Int, ahead: UnsafePointer<Float>, pace: Int,
    initial: UnsafePointer<Float>?, residual: UnsafePointer<Float>?, out: UnsafeMutablePointer<Float>,
    stride: Int, fetchesOut: Bool
) {
    var first = input, to = out, beside = residual, ahead = ahead, tile = 0
    while tile < tiles {
        var c0: F16, c1: F16, c2: F16, c3: F16, c4: F16, c5: F16, c6: F16, c7: F16, c8: F16, c9: F16,
            c10: F16, c11: F16
        var d0: F16, d1: F16, d2: F16, d3: F16, d4: F16, d5: F16, d6: F16, d7: F16, d8: F16, d9: F16,
            d10: F16, d11: F16
        if let initial {
            if fetchesOut {
                nb_prefetch(to); nb_prefetch(to + 16)
                nb_prefetch(to + 1 &* stride); nb_prefetch(to + (1 &* stride &+ 16))
                nb_prefetch(to + 2 &* stride); nb_prefetch(to + (2 &* stride &+ 16))
                nb_prefetch(to + 3 &* stride); nb_prefetch(to + (3 &* stride &+ 16))
                nb_prefetch(to + 4 &* stride); nb_prefetch(to + (4 &* stride &+ 16))
                nb_prefetch(to + 5 &* stride); nb_prefetch(to + (5 &* stride &+ 16))
                nb_prefetch(to + 6 &* stride); nb_prefetch(to + (6 &* stride &+ 16))
                nb_prefetch(to + 7 &* stride); nb_prefetch(to + (7 &* stride &+ 16))
                nb_prefetch(to + 8 &* stride); nb_prefetch(to + (8 &* stride &+ 16))
                nb_prefetch(to + 9 &* stride); nb_prefetch(to + (9 &* stride &+ 16))
                nb_prefetch(to + 10 &* stride); nb_prefetch(to + (10 &* stride &+ 16))
                nb_prefetch(to + 11 &* stride); nb_prefetch(to + (11 &* stride &+ 16))
            }
            let low = load16(initial), high = load16(initial + 16)
            c0 = low; c1 = low; c2 = low; c3 = low; c4 = low; c5 = low; c6 = low; c7 = low; c8 = low;
            c9 = low; c10 = low; c11 = low
            d0 = high; d1 = high; d2 = high; d3 = high; d4 = high; d5 = high; d6 = high; d7 = high; d8 = high;
            d9 = high; d10 = high; d11 = high
        } else {
            c0 = load16(to); d0 = load16(to + 16)
            c1 = load16(to + 1 &* stride); d1 = load16(to + (1 &* stride &+ 16))
            c2 = load16(to + 2 &* stride); d2 = load16(to + (2 &* stride &+ 16))
            c3 = load16(to + 3 &* stride); d3 = load16(to + (3 &* stride &+ 16))
            c4 = load16(to + 4 &* stride); d4 = load16(to + (4 &* stride &+ 16))
            c5 = load16(to + 5 &* stride); d5 = load16(to + (5 &* stride &+ 16))
            c6 = load16(to + 6 &* stride); d6 = load16(to + (6 &* stride &+ 16))
            c7 = load16(to + 7 &* stride); d7 = load16(to + (7 &* stride &+ 16))
            c8 = load16(to + 8 &* stride); d8 = load16(to + (8 &* stride &+ 16))
            c9 = load16(to + 9 &* stride); d9 = load16(to + (9 &* stride &+ 16))
            c10 = load16(to + 10 &* stride); d10 = load16(to + (10 &* stride &+ 16))
            c11 = load16(to + 11 &* stride); d11 = load16(to + (11 &* stride &+ 16))
        }
        var a = first, a3 = first + 3 &* inputStride, a6 = first + 6 &* inputStride,
            a9 = first + 9 &* inputStride, b = panel, left = length
        while left > 0 {
            nb_prefetch(ahead); nb_prefetch(ahead + step)
            let w = load16(b), v = load16(b + step)
            var x: F16
            x = F16(repeating: a[0]); c0.addProduct(x, w); d0.addProduct(x, v)
            x = F16(repeating: a[inputStride]); c1.addProduct(x, w); d1.addProduct(x, v)
            x = F16(repeating: a[2 &* inputStride]); c2.addProduct(x, w); d2.addProduct(x, v)
            x = F16(repeating: a3[0]); c3.addProduct(x, w); d3.addProduct(x, v)
            x = F16(repeating: a3[inputStride]); c4.addProduct(x, w); d4.addProduct(x, v)
            x = F16(repeating: a3[2 &* inputStride]); c5.addProduct(x, w); d5.addProduct(x, v)
            x = F16(repeating: a6[0]); c6.addProduct(x, w); d6.addProduct(x, v)
            x = F16(repeating: a6[inputStride]); c7.addProduct(x, w); d7.addProduct(x, v)
            x = F16(repeating: a6[2 &* inputStride]); c8.addProduct(x, w); d8.addProduct(x, v)
            x = F16(repeating: a9[0]); c9.addProduct(x, w); d9.addProduct(x, v)
            x = F16(repeating: a9[inputStride]); c10.addProduct(x, w); d10.addProduct(x, v)
            x = F16(repeating: a9[2 &* inputStride]); c11.addProduct(x, w); d11.addProduct(x, v)
            a += 1; a3 += 1; a6 += 1; a9 += 1
            b += 16
            ahead += pace
            left &-= 1
        }
        if let values = beside {
            c0 += load16(values); d0 += load16(values + 16)
            c1 += load16(values + 1 &* stride); d1 += load16(values + (1 &* stride &+ 16))
            c2 += load16(values + 2 &* stride); d2 += load16(values + (2 &* stride &+ 16))
            c3 += load16(values + 3 &* stride); d3 += load16(values + (3 &* stride &+ 16))
            c4 += load16(values + 4 &* stride); d4 += load16(values + (4 &* stride &+ 16))
            c5 += load16(values + 5 &* stride); d5 += load16(values + (5 &* stride &+ 16))
            c6 += load16(values + 6 &* stride); d6 += load16(values + (6 &* stride &+ 16))
            c7 += load16(values + 7 &* stride); d7 += load16(values + (7 &* stride &+ 16))
            c8 += load16(values + 8 &* stride); d8 += load16(values + (8 &* stride &+ 16))
            c9 += load16(values + 9 &* stride); d9 += load16(values + (9 &* stride &+ 16))
            c10 += load16(values + 10 &* stride); d10 += load16(values + (10 &* stride &+ 16))
            c11 += load16(values + 11 &* stride); d11 += load16(values + (11 &* stride &+ 16))
            beside = values + 12 &* stride
        }
        store16(to, c0); store16(to + 16, d0)
        store16(to + 1 &* stride, c1); store16(to + (1 &* stride &+ 16), d1)
        store16(to + 2 &* stride, c2); store16(to + (2 &* stride &+ 16), d2)
        store16(to + 3 &* stride, c3); store16(to + (3 &* stride &+ 16), d3)
        store16(to + 4 &* stride, c4); store16(to + (4 &* stride &+ 16), d4)
        store16(to + 5 &* stride, c5); store16(to + (5 &* stride &+ 16), d5)
        store16(to + 6 &* stride, c6); store16(to + (6 &* stride &+ 16), d6)
        store16(to + 7 &* stride, c7); store16(to + (7 &* stride &+ 16), d7)
        store16(to + 8 &* stride, c8); store16(to + (8 &* stride &+ 16), d8)
        store16(to + 9 &* stride, c9); store16(to + (9 &* stride &+ 16), d9)
        store16(to + 10 &* stride, c10); store16(to + (10 &* stride &+ 16), d10)
        store16(to + 11 &* stride, c11); store16(to + (11 &* stride &+ 16), d11)
        first += 12 &* inputStride
        to += 12 &* stride
        tile &+= 1
    }
}

/// 12 rows by 16 columns, `tiles` times.
@inline(never)
package func wideEvenPanels12(
    tiles: Int, length: Int, input: UnsafePointer<Float>, inputStride: Int, panel: UnsafePointer<Float>,
    initial: UnsafePointer<Float>?,
    residual: UnsafePointer<Float>?, out: UnsafeMutablePointer<Float>, stride: Int
) {
    var first = input, to = out, beside = residual, tile = 0
    while tile < tiles {
        var c0: F16, c1: F16, c2: F16, c3: F16, c4: F16, c5: F16, c6: F16, c7: F16, c8: F16, c9: F16,
            c10: F16, c11: F16
        if let initial {
            let low = load16(initial)
            c0 = low; c1 = low; c2 = low; c3 = low; c4 = low; c5 = low; c6 = low; c7 = low; c8 = low;
            c9 = low; c10 = low; c11 = low
        } else {
            c0 = load16(to); c1 = load16(to + 1 &* stride); c2 = load16(to + 2 &* stride)
            c3 = load16(to + 3 &* stride); c4 = load16(to + 4 &* stride); c5 = load16(to + 5 &* stride)
            c6 = load16(to + 6 &* stride); c7 = load16(to + 7 &* stride); c8 = load16(to + 8 &* stride)
            c9 = load16(to + 9 &* stride); c10 = load16(to + 10 &* stride); c11 = load16(to + 11 &* stride)
        }
        var a = first, a3 = first + 3 &* inputStride, a6 = first + 6 &* inputStride,
            a9 = first + 9 &* inputStride, b = panel, left = length
        while left > 0 {
            let w = load16(b)
            c0.addProduct(F16(repeating: a[0]), w)
            c1.addProduct(F16(repeating: a[inputStride]), w)
            c2.addProduct(F16(repeating: a[2 &* inputStride]), w)
            c3.addProduct(F16(repeating: a3[0]), w)
            c4.addProduct(F16(repeating: a3[inputStride]), w)
            c5.addProduct(F16(repeating: a3[2 &* inputStride]), w)
            c6.addProduct(F16(repeating: a6[0]), w)
            c7.addProduct(F16(repeating: a6[inputStride]), w)
            c8.addProduct(F16(repeating: a6[2 &* inputStride]), w)
            c9.addProduct(F16(repeating: a9[0]), w)
            c10.addProduct(F16(repeating: a9[inputStride]), w)
            c11.addProduct(F16(repeating: a9[2 &* inputStride]), w)
            a += 1; a3 += 1; a6 += 1; a9 += 1
            b += 16
            left &-= 1
        }
        if let values = beside {
            c0 += load16(values); c1 += load16(values + 1 &* stride); c2 += load16(values + 2 &* stride)
            c3 += load16(values + 3 &* stride); c4 += load16(values + 4 &* stride);
            c5 += load16(values + 5 &* stride)
            c6 += load16(values + 6 &* stride); c7 += load16(values + 7 &* stride);
            c8 += load16(values + 8 &* stride)
            c9 += load16(values + 9 &* stride); c10 += load16(values + 10 &* stride);
            c11 += load16(values + 11 &* stride)
            beside = values + 12 &* stride
        }
        store16(to, c0); store16(to + 1 &* stride, c1); store16(to + 2 &* stride, c2)
        store16(to + 3 &* stride, c3); store16(to + 4 &* stride, c4); store16(to + 5 &* stride, c5)
        store16(to + 6 &* stride, c6); store16(to + 7 &* stride, c7); store16(to + 8 &* stride, c8)
        store16(to + 9 &* stride, c9); store16(to + 10 &* stride, c10); store16(to + 11 &* stride, c11)
        first += 12 &* inputStride
        to += 12 &* stride
        tile &+= 1
    }
}

/// 8 rows by 48 columns, `tiles` times: of three panels, which are `step` apart, each value of the rows is
/// read once and not twice. Sums always start from `initial`. Tiles fetch `pace` floats of each of three
/// panels ahead.
@inline(never)
package func wideEvenTriples8(
    tiles: Int, length: Int, input: UnsafePointer<Float>, inputStride: Int, panel: UnsafePointer<Float>,
    step: Int, ahead: UnsafePointer<Float>, pace: Int,
    initial: UnsafePointer<Float>, residual: UnsafePointer<Float>?, out: UnsafeMutablePointer<Float>,
    stride: Int, fetchesOut: Bool
) {
    var first = input, to = out, beside = residual, ahead = ahead, tile = 0
    while tile < tiles {
        var c0: F16, c1: F16, c2: F16, c3: F16, c4: F16, c5: F16, c6: F16, c7: F16
        var d0: F16, d1: F16, d2: F16, d3: F16, d4: F16, d5: F16, d6: F16, d7: F16
        var e0: F16, e1: F16, e2: F16, e3: F16, e4: F16, e5: F16, e6: F16, e7: F16
        if fetchesOut {
            nb_prefetch(to); nb_prefetch(to + 16); nb_prefetch(to + 32)
            nb_prefetch(to + 1 &* stride); nb_prefetch(to + (1 &* stride &+ 16));
            nb_prefetch(to + (1 &* stride &+ 32))
            nb_prefetch(to + 2 &* stride); nb_prefetch(to + (2 &* stride &+ 16));
            nb_prefetch(to + (2 &* stride &+ 32))
            nb_prefetch(to + 3 &* stride); nb_prefetch(to + (3 &* stride &+ 16));
            nb_prefetch(to + (3 &* stride &+ 32))
            nb_prefetch(to + 4 &* stride); nb_prefetch(to + (4 &* stride &+ 16));
            nb_prefetch(to + (4 &* stride &+ 32))
            nb_prefetch(to + 5 &* stride); nb_prefetch(to + (5 &* stride &+ 16));
            nb_prefetch(to + (5 &* stride &+ 32))
            nb_prefetch(to + 6 &* stride); nb_prefetch(to + (6 &* stride &+ 16));
            nb_prefetch(to + (6 &* stride &+ 32))
            nb_prefetch(to + 7 &* stride); nb_prefetch(to + (7 &* stride &+ 16));
            nb_prefetch(to + (7 &* stride &+ 32))
        }
        let low = load16(initial), middle = load16(initial + 16), high = load16(initial + 32)
        c0 = low; c1 = low; c2 = low; c3 = low; c4 = low; c5 = low; c6 = low; c7 = low
        d0 = middle; d1 = middle; d2 = middle; d3 = middle; d4 = middle; d5 = middle; d6 = middle; d7 = middle
        e0 = high; e1 = high; e2 = high; e3 = high; e4 = high; e5 = high; e6 = high; e7 = high
        var a = first, a3 = first + 3 &* inputStride, a6 = first + 6 &* inputStride, b = panel, left = length
        while left > 0 {
            nb_prefetch(ahead); nb_prefetch(ahead + step); nb_prefetch(ahead + 2 &* step)
            let w = load16(b), v = load16(b + step), u = load16(b + 2 &* step)
            var x: F16
            x = F16(repeating: a[0]); c0.addProduct(x, w); d0.addProduct(x, v); e0.addProduct(x, u)
            x = F16(repeating: a[inputStride]); c1.addProduct(x, w); d1.addProduct(x, v); e1.addProduct(x, u)
            x = F16(repeating: a[2 &* inputStride]); c2.addProduct(x, w); d2.addProduct(x, v);
            e2.addProduct(x, u)
            x = F16(repeating: a3[0]); c3.addProduct(x, w); d3.addProduct(x, v); e3.addProduct(x, u)
            x = F16(repeating: a3[inputStride]); c4.addProduct(x, w); d4.addProduct(x, v); e4.addProduct(x, u)
            x = F16(repeating: a3[2 &* inputStride]); c5.addProduct(x, w); d5.addProduct(x, v);
            e5.addProduct(x, u)
            x = F16(repeating: a6[0]); c6.addProduct(x, w); d6.addProduct(x, v); e6.addProduct(x, u)
            x = F16(repeating: a6[inputStride]); c7.addProduct(x, w); d7.addProduct(x, v); e7.addProduct(x, u)
            a += 1; a3 += 1; a6 += 1
            b += 16
            ahead += pace
            left &-= 1
        }
        if let values = beside {
            c0 += load16(values); d0 += load16(values + 16); e0 += load16(values + 32)
            c1 += load16(values + 1 &* stride); d1 += load16(values + (1 &* stride &+ 16));
            e1 += load16(values + (1 &* stride &+ 32))
            c2 += load16(values + 2 &* stride); d2 += load16(values + (2 &* stride &+ 16));
            e2 += load16(values + (2 &* stride &+ 32))
            c3 += load16(values + 3 &* stride); d3 += load16(values + (3 &* stride &+ 16));
            e3 += load16(values + (3 &* stride &+ 32))
            c4 += load16(values + 4 &* stride); d4 += load16(values + (4 &* stride &+ 16));
            e4 += load16(values + (4 &* stride &+ 32))
            c5 += load16(values + 5 &* stride); d5 += load16(values + (5 &* stride &+ 16));
            e5 += load16(values + (5 &* stride &+ 32))
            c6 += load16(values + 6 &* stride); d6 += load16(values + (6 &* stride &+ 16));
            e6 += load16(values + (6 &* stride &+ 32))
            c7 += load16(values + 7 &* stride); d7 += load16(values + (7 &* stride &+ 16));
            e7 += load16(values + (7 &* stride &+ 32))
            beside = values + 8 &* stride
        }
        store16(to, c0); store16(to + 16, d0); store16(to + 32, e0)
        store16(to + 1 &* stride, c1); store16(to + (1 &* stride &+ 16), d1);
        store16(to + (1 &* stride &+ 32), e1)
        store16(to + 2 &* stride, c2); store16(to + (2 &* stride &+ 16), d2);
        store16(to + (2 &* stride &+ 32), e2)
        store16(to + 3 &* stride, c3); store16(to + (3 &* stride &+ 16), d3);
        store16(to + (3 &* stride &+ 32), e3)
        store16(to + 4 &* stride, c4); store16(to + (4 &* stride &+ 16), d4);
        store16(to + (4 &* stride &+ 32), e4)
        store16(to + 5 &* stride, c5); store16(to + (5 &* stride &+ 16), d5);
        store16(to + (5 &* stride &+ 32), e5)
        store16(to + 6 &* stride, c6); store16(to + (6 &* stride &+ 16), d6);
        store16(to + (6 &* stride &+ 32), e6)
        store16(to + 7 &* stride, c7); store16(to + (7 &* stride &+ 16), d7);
        store16(to + (7 &* stride &+ 32), e7)
        first += 8 &* inputStride
        to += 8 &* stride
        tile &+= 1
    }
}
