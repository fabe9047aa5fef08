internal import CProcessor

// As `WidePanelProduct.swift`, for two panels side by side: each value of A that is read serves 32 columns,
// without which the processor waits for its loads. `step` is the distance from one panel to the other in
// floats; with `initial` (32 values) the sums start there. `ahead` and what lies `step` behind it are fetched
// into the cache meanwhile, `pace` floats per k: the two panels' parts that come next. The rules of that file
// hold here too, and each sum is the same to the bit.

/// 12 rows by 32 columns.
@inline(never)
package func widePairProduct12(
    segments: Int, length: Int, offset: Int, rows: UnsafePointer<UnsafePointer<Float>>,
    panel: UnsafePointer<Float>, step: Int, ahead: UnsafePointer<Float>,
    pace: Int,
    initial: UnsafePointer<Float>?, out: UnsafeMutablePointer<Float>, stride: Int
) {
    var c0: F16, c1: F16, c2: F16, c3: F16, c4: F16, c5: F16, c6: F16, c7: F16, c8: F16, c9: F16, c10: F16,
        c11: F16
    var d0: F16, d1: F16, d2: F16, d3: F16, d4: F16, d5: F16, d6: F16, d7: F16, d8: F16, d9: F16, d10: F16,
        d11: F16
    if let initial {
        let low = load16(initial), high = load16(initial + 16)
        c0 = low; c1 = low; c2 = low; c3 = low; c4 = low; c5 = low; c6 = low; c7 = low; c8 = low; c9 = low;
        c10 = low; c11 = low
        d0 = high; d1 = high; d2 = high; d3 = high; d4 = high; d5 = high; d6 = high; d7 = high; d8 = high;
        d9 = high; d10 = high; d11 = high
    } else {
        c0 = load16(out + 0 &* stride); d0 = load16(out + (0 &* stride &+ 16))
        c1 = load16(out + 1 &* stride); d1 = load16(out + (1 &* stride &+ 16))
        c2 = load16(out + 2 &* stride); d2 = load16(out + (2 &* stride &+ 16))
        c3 = load16(out + 3 &* stride); d3 = load16(out + (3 &* stride &+ 16))
        c4 = load16(out + 4 &* stride); d4 = load16(out + (4 &* stride &+ 16))
        c5 = load16(out + 5 &* stride); d5 = load16(out + (5 &* stride &+ 16))
        c6 = load16(out + 6 &* stride); d6 = load16(out + (6 &* stride &+ 16))
        c7 = load16(out + 7 &* stride); d7 = load16(out + (7 &* stride &+ 16))
        c8 = load16(out + 8 &* stride); d8 = load16(out + (8 &* stride &+ 16))
        c9 = load16(out + 9 &* stride); d9 = load16(out + (9 &* stride &+ 16))
        c10 = load16(out + 10 &* stride); d10 = load16(out + (10 &* stride &+ 16))
        c11 = load16(out + 11 &* stride); d11 = load16(out + (11 &* stride &+ 16))
    }
    var rows = rows, b = panel, ahead = ahead
    var segment = 0
    while segment < segments {
        let a0 = rows[0] + offset, a1 = rows[1] + offset, a2 = rows[2] + offset, a3 = rows[3] + offset,
            a4 = rows[4] + offset, a5 = rows[5] + offset
        let a6 = rows[6] + offset, a7 = rows[7] + offset, a8 = rows[8] + offset, a9 = rows[9] + offset,
            a10 = rows[10] + offset, a11 = rows[11] + offset
        var k = 0
        while k < length {
            nb_prefetch(ahead); nb_prefetch(ahead + step)
            let w = load16(b), v = load16(b + step)
            var x: F16
            x = F16(repeating: a0[k]); c0.addProduct(x, w); d0.addProduct(x, v)
            x = F16(repeating: a1[k]); c1.addProduct(x, w); d1.addProduct(x, v)
            x = F16(repeating: a2[k]); c2.addProduct(x, w); d2.addProduct(x, v)
            x = F16(repeating: a3[k]); c3.addProduct(x, w); d3.addProduct(x, v)
            x = F16(repeating: a4[k]); c4.addProduct(x, w); d4.addProduct(x, v)
            x = F16(repeating: a5[k]); c5.addProduct(x, w); d5.addProduct(x, v)
            x = F16(repeating: a6[k]); c6.addProduct(x, w); d6.addProduct(x, v)
            x = F16(repeating: a7[k]); c7.addProduct(x, w); d7.addProduct(x, v)
            x = F16(repeating: a8[k]); c8.addProduct(x, w); d8.addProduct(x, v)
            x = F16(repeating: a9[k]); c9.addProduct(x, w); d9.addProduct(x, v)
            x = F16(repeating: a10[k]); c10.addProduct(x, w); d10.addProduct(x, v)
            x = F16(repeating: a11[k]); c11.addProduct(x, w); d11.addProduct(x, v)
            b += 16
            ahead += pace
            k &+= 1
        }
        rows += 12
        segment &+= 1
    }
    store16(out + 0 &* stride, c0); store16(out + (0 &* stride &+ 16), d0)
    store16(out + 1 &* stride, c1); store16(out + (1 &* stride &+ 16), d1)
    store16(out + 2 &* stride, c2); store16(out + (2 &* stride &+ 16), d2)
    store16(out + 3 &* stride, c3); store16(out + (3 &* stride &+ 16), d3)
    store16(out + 4 &* stride, c4); store16(out + (4 &* stride &+ 16), d4)
    store16(out + 5 &* stride, c5); store16(out + (5 &* stride &+ 16), d5)
    store16(out + 6 &* stride, c6); store16(out + (6 &* stride &+ 16), d6)
    store16(out + 7 &* stride, c7); store16(out + (7 &* stride &+ 16), d7)
    store16(out + 8 &* stride, c8); store16(out + (8 &* stride &+ 16), d8)
    store16(out + 9 &* stride, c9); store16(out + (9 &* stride &+ 16), d9)
    store16(out + 10 &* stride, c10); store16(out + (10 &* stride &+ 16), d10)
    store16(out + 11 &* stride, c11); store16(out + (11 &* stride &+ 16), d11)
}

/// 8 rows by 32 columns.
@inline(never)
package func widePairProduct8(
    segments: Int, length: Int, offset: Int, rows: UnsafePointer<UnsafePointer<Float>>,
    panel: UnsafePointer<Float>, step: Int, ahead: UnsafePointer<Float>,
    pace: Int,
    initial: UnsafePointer<Float>?, out: UnsafeMutablePointer<Float>, stride: Int
) {
    var c0: F16, c1: F16, c2: F16, c3: F16, c4: F16, c5: F16, c6: F16, c7: F16
    var d0: F16, d1: F16, d2: F16, d3: F16, d4: F16, d5: F16, d6: F16, d7: F16
    if let initial {
        let low = load16(initial), high = load16(initial + 16)
        c0 = low; c1 = low; c2 = low; c3 = low; c4 = low; c5 = low; c6 = low; c7 = low
        d0 = high; d1 = high; d2 = high; d3 = high; d4 = high; d5 = high; d6 = high; d7 = high
    } else {
        c0 = load16(out + 0 &* stride); d0 = load16(out + (0 &* stride &+ 16))
        c1 = load16(out + 1 &* stride); d1 = load16(out + (1 &* stride &+ 16))
        c2 = load16(out + 2 &* stride); d2 = load16(out + (2 &* stride &+ 16))
        c3 = load16(out + 3 &* stride); d3 = load16(out + (3 &* stride &+ 16))
        c4 = load16(out + 4 &* stride); d4 = load16(out + (4 &* stride &+ 16))
        c5 = load16(out + 5 &* stride); d5 = load16(out + (5 &* stride &+ 16))
        c6 = load16(out + 6 &* stride); d6 = load16(out + (6 &* stride &+ 16))
        c7 = load16(out + 7 &* stride); d7 = load16(out + (7 &* stride &+ 16))
    }
    var rows = rows, b = panel, ahead = ahead
    var segment = 0
    while segment < segments {
        let a0 = rows[0] + offset, a1 = rows[1] + offset, a2 = rows[2] + offset, a3 = rows[3] + offset,
            a4 = rows[4] + offset, a5 = rows[5] + offset
        let a6 = rows[6] + offset, a7 = rows[7] + offset
        var k = 0
        while k < length {
            nb_prefetch(ahead); nb_prefetch(ahead + step)
            let w = load16(b), v = load16(b + step)
            var x: F16
            x = F16(repeating: a0[k]); c0.addProduct(x, w); d0.addProduct(x, v)
            x = F16(repeating: a1[k]); c1.addProduct(x, w); d1.addProduct(x, v)
            x = F16(repeating: a2[k]); c2.addProduct(x, w); d2.addProduct(x, v)
            x = F16(repeating: a3[k]); c3.addProduct(x, w); d3.addProduct(x, v)
            x = F16(repeating: a4[k]); c4.addProduct(x, w); d4.addProduct(x, v)
            x = F16(repeating: a5[k]); c5.addProduct(x, w); d5.addProduct(x, v)
            x = F16(repeating: a6[k]); c6.addProduct(x, w); d6.addProduct(x, v)
            x = F16(repeating: a7[k]); c7.addProduct(x, w); d7.addProduct(x, v)
            b += 16
            ahead += pace
            k &+= 1
        }
        rows += 8
        segment &+= 1
    }
    store16(out + 0 &* stride, c0); store16(out + (0 &* stride &+ 16), d0)
    store16(out + 1 &* stride, c1); store16(out + (1 &* stride &+ 16), d1)
    store16(out + 2 &* stride, c2); store16(out + (2 &* stride &+ 16), d2)
    store16(out + 3 &* stride, c3); store16(out + (3 &* stride &+ 16), d3)
    store16(out + 4 &* stride, c4); store16(out + (4 &* stride &+ 16), d4)
    store16(out + 5 &* stride, c5); store16(out + (5 &* stride &+ 16), d5)
    store16(out + 6 &* stride, c6); store16(out + (6 &* stride &+ 16), d6)
    store16(out + 7 &* stride, c7); store16(out + (7 &* stride &+ 16), d7)
}

/// 4 rows by 32 columns.
@inline(never)
package func widePairProduct4(
    segments: Int, length: Int, offset: Int, rows: UnsafePointer<UnsafePointer<Float>>,
    panel: UnsafePointer<Float>, step: Int, ahead: UnsafePointer<Float>,
    pace: Int,
    initial: UnsafePointer<Float>?, out: UnsafeMutablePointer<Float>, stride: Int
) {
    var c0: F16, c1: F16, c2: F16, c3: F16
    var d0: F16, d1: F16, d2: F16, d3: F16
    if let initial {
        let low = load16(initial), high = load16(initial + 16)
        c0 = low; c1 = low; c2 = low; c3 = low
        d0 = high; d1 = high; d2 = high; d3 = high
    } else {
        c0 = load16(out + 0 &* stride); d0 = load16(out + (0 &* stride &+ 16))
        c1 = load16(out + 1 &* stride); d1 = load16(out + (1 &* stride &+ 16))
        c2 = load16(out + 2 &* stride); d2 = load16(out + (2 &* stride &+ 16))
        c3 = load16(out + 3 &* stride); d3 = load16(out + (3 &* stride &+ 16))
    }
    var rows = rows, b = panel, ahead = ahead
    var segment = 0
    while segment < segments {
        let a0 = rows[0] + offset, a1 = rows[1] + offset, a2 = rows[2] + offset, a3 = rows[3] + offset
        var k = 0
        while k < length {
            nb_prefetch(ahead); nb_prefetch(ahead + step)
            let w = load16(b), v = load16(b + step)
            var x: F16
            x = F16(repeating: a0[k]); c0.addProduct(x, w); d0.addProduct(x, v)
            x = F16(repeating: a1[k]); c1.addProduct(x, w); d1.addProduct(x, v)
            x = F16(repeating: a2[k]); c2.addProduct(x, w); d2.addProduct(x, v)
            x = F16(repeating: a3[k]); c3.addProduct(x, w); d3.addProduct(x, v)
            b += 16
            ahead += pace
            k &+= 1
        }
        rows += 4
        segment &+= 1
    }
    store16(out + 0 &* stride, c0); store16(out + (0 &* stride &+ 16), d0)
    store16(out + 1 &* stride, c1); store16(out + (1 &* stride &+ 16), d1)
    store16(out + 2 &* stride, c2); store16(out + (2 &* stride &+ 16), d2)
    store16(out + 3 &* stride, c3); store16(out + (3 &* stride &+ 16), d3)
}
