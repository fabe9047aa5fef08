// The inner loops of every matrix product here: a few rows of A against one panel of 16 columns of B, in
// registers. Each element's sum runs over k in one fixed order with fused multiply-adds, whatever the number
// of rows, so a result does not depend on the batch or on the number of threads. The two sizes differ only in
// their rows: written out because an array or tuple of accumulators is spilled to memory (see the article
// `Products`).
//
// A is given as row pointers: `segments` groups of one pointer per row, each group contributing `length`
// consecutive k from `offset` on. One segment is a plain product; one segment per tap is a convolution.
// `panel` is [segments * length][16]. With `initial` (16 values) the sums start there, without they go on
// from `out`.

/// 6 rows by 16 columns.
@inline(never)
func panelProduct6(
    segments: Int, length: Int, offset: Int, rows: UnsafePointer<UnsafePointer<Float>>,
    panel: UnsafePointer<Float>,
    initial: UnsafePointer<Float>?, out: UnsafeMutablePointer<Float>, stride: Int
) {
    var c00: F8, c01: F8
    var c10: F8, c11: F8
    var c20: F8, c21: F8
    var c30: F8, c31: F8
    var c40: F8, c41: F8
    var c50: F8, c51: F8
    if let initial {
        let low = load8(initial, 0), high = load8(initial, 8)
        c00 = low; c01 = high
        c10 = low; c11 = high
        c20 = low; c21 = high
        c30 = low; c31 = high
        c40 = low; c41 = high
        c50 = low; c51 = high
    } else {
        c00 = load8(out, 0 &* stride); c01 = load8(out, 0 &* stride &+ 8)
        c10 = load8(out, 1 &* stride); c11 = load8(out, 1 &* stride &+ 8)
        c20 = load8(out, 2 &* stride); c21 = load8(out, 2 &* stride &+ 8)
        c30 = load8(out, 3 &* stride); c31 = load8(out, 3 &* stride &+ 8)
        c40 = load8(out, 4 &* stride); c41 = load8(out, 4 &* stride &+ 8)
        c50 = load8(out, 5 &* stride); c51 = load8(out, 5 &* stride &+ 8)
    }
    var rows = rows
    var b = panel
    var segment = 0
    while segment < segments {
        let a0 = rows[0] + offset, a1 = rows[1] + offset, a2 = rows[2] + offset, a3 = rows[3] + offset,
            a4 = rows[4] + offset, a5 = rows[5] + offset
        var k = 0
        while k &+ 4 <= length {
            do {
                let b0 = load8(b, 0), b1 = load8(b, 8)
                var x: F8
                x = F8(repeating: a0[k]); c00.addProduct(x, b0); c01.addProduct(x, b1)
                x = F8(repeating: a1[k]); c10.addProduct(x, b0); c11.addProduct(x, b1)
                x = F8(repeating: a2[k]); c20.addProduct(x, b0); c21.addProduct(x, b1)
                x = F8(repeating: a3[k]); c30.addProduct(x, b0); c31.addProduct(x, b1)
                x = F8(repeating: a4[k]); c40.addProduct(x, b0); c41.addProduct(x, b1)
                x = F8(repeating: a5[k]); c50.addProduct(x, b0); c51.addProduct(x, b1)
            }
            do {
                let b0 = load8(b, 16), b1 = load8(b, 24)
                var x: F8
                x = F8(repeating: a0[k &+ 1]); c00.addProduct(x, b0); c01.addProduct(x, b1)
                x = F8(repeating: a1[k &+ 1]); c10.addProduct(x, b0); c11.addProduct(x, b1)
                x = F8(repeating: a2[k &+ 1]); c20.addProduct(x, b0); c21.addProduct(x, b1)
                x = F8(repeating: a3[k &+ 1]); c30.addProduct(x, b0); c31.addProduct(x, b1)
                x = F8(repeating: a4[k &+ 1]); c40.addProduct(x, b0); c41.addProduct(x, b1)
                x = F8(repeating: a5[k &+ 1]); c50.addProduct(x, b0); c51.addProduct(x, b1)
            }
            do {
                let b0 = load8(b, 32), b1 = load8(b, 40)
                var x: F8
                x = F8(repeating: a0[k &+ 2]); c00.addProduct(x, b0); c01.addProduct(x, b1)
                x = F8(repeating: a1[k &+ 2]); c10.addProduct(x, b0); c11.addProduct(x, b1)
                x = F8(repeating: a2[k &+ 2]); c20.addProduct(x, b0); c21.addProduct(x, b1)
                x = F8(repeating: a3[k &+ 2]); c30.addProduct(x, b0); c31.addProduct(x, b1)
                x = F8(repeating: a4[k &+ 2]); c40.addProduct(x, b0); c41.addProduct(x, b1)
                x = F8(repeating: a5[k &+ 2]); c50.addProduct(x, b0); c51.addProduct(x, b1)
            }
            do {
                let b0 = load8(b, 48), b1 = load8(b, 56)
                var x: F8
                x = F8(repeating: a0[k &+ 3]); c00.addProduct(x, b0); c01.addProduct(x, b1)
                x = F8(repeating: a1[k &+ 3]); c10.addProduct(x, b0); c11.addProduct(x, b1)
                x = F8(repeating: a2[k &+ 3]); c20.addProduct(x, b0); c21.addProduct(x, b1)
                x = F8(repeating: a3[k &+ 3]); c30.addProduct(x, b0); c31.addProduct(x, b1)
                x = F8(repeating: a4[k &+ 3]); c40.addProduct(x, b0); c41.addProduct(x, b1)
                x = F8(repeating: a5[k &+ 3]); c50.addProduct(x, b0); c51.addProduct(x, b1)
            }
            b += 64
            k &+= 4
        }
        while k < length {
            let b0 = load8(b, 0), b1 = load8(b, 8)
            var x: F8
            x = F8(repeating: a0[k]); c00.addProduct(x, b0); c01.addProduct(x, b1)
            x = F8(repeating: a1[k]); c10.addProduct(x, b0); c11.addProduct(x, b1)
            x = F8(repeating: a2[k]); c20.addProduct(x, b0); c21.addProduct(x, b1)
            x = F8(repeating: a3[k]); c30.addProduct(x, b0); c31.addProduct(x, b1)
            x = F8(repeating: a4[k]); c40.addProduct(x, b0); c41.addProduct(x, b1)
            x = F8(repeating: a5[k]); c50.addProduct(x, b0); c51.addProduct(x, b1)
            b += 16
            k &+= 1
        }
        rows += 6
        segment &+= 1
    }
    store8(out, 0 &* stride, c00); store8(out, 0 &* stride &+ 8, c01)
    store8(out, 1 &* stride, c10); store8(out, 1 &* stride &+ 8, c11)
    store8(out, 2 &* stride, c20); store8(out, 2 &* stride &+ 8, c21)
    store8(out, 3 &* stride, c30); store8(out, 3 &* stride &+ 8, c31)
    store8(out, 4 &* stride, c40); store8(out, 4 &* stride &+ 8, c41)
    store8(out, 5 &* stride, c50); store8(out, 5 &* stride &+ 8, c51)
}

/// 4 rows by 16 columns.
@inline(never)
func panelProduct4(
    segments: Int, length: Int, offset: Int, rows: UnsafePointer<UnsafePointer<Float>>,
    panel: UnsafePointer<Float>,
    initial: UnsafePointer<Float>?, out: UnsafeMutablePointer<Float>, stride: Int
) {
    var c00: F8, c01: F8
    var c10: F8, c11: F8
    var c20: F8, c21: F8
    var c30: F8, c31: F8
    if let initial {
        let low = load8(initial, 0), high = load8(initial, 8)
        c00 = low; c01 = high
        c10 = low; c11 = high
        c20 = low; c21 = high
        c30 = low; c31 = high
    } else {
        c00 = load8(out, 0 &* stride); c01 = load8(out, 0 &* stride &+ 8)
        c10 = load8(out, 1 &* stride); c11 = load8(out, 1 &* stride &+ 8)
        c20 = load8(out, 2 &* stride); c21 = load8(out, 2 &* stride &+ 8)
        c30 = load8(out, 3 &* stride); c31 = load8(out, 3 &* stride &+ 8)
    }
    var rows = rows
    var b = panel
    var segment = 0
    while segment < segments {
        let a0 = rows[0] + offset, a1 = rows[1] + offset, a2 = rows[2] + offset, a3 = rows[3] + offset
        var k = 0
        while k &+ 4 <= length {
            do {
                let b0 = load8(b, 0), b1 = load8(b, 8)
                var x: F8
                x = F8(repeating: a0[k]); c00.addProduct(x, b0); c01.addProduct(x, b1)
                x = F8(repeating: a1[k]); c10.addProduct(x, b0); c11.addProduct(x, b1)
                x = F8(repeating: a2[k]); c20.addProduct(x, b0); c21.addProduct(x, b1)
                x = F8(repeating: a3[k]); c30.addProduct(x, b0); c31.addProduct(x, b1)
            }
            do {
                let b0 = load8(b, 16), b1 = load8(b, 24)
                var x: F8
                x = F8(repeating: a0[k &+ 1]); c00.addProduct(x, b0); c01.addProduct(x, b1)
                x = F8(repeating: a1[k &+ 1]); c10.addProduct(x, b0); c11.addProduct(x, b1)
                x = F8(repeating: a2[k &+ 1]); c20.addProduct(x, b0); c21.addProduct(x, b1)
                x = F8(repeating: a3[k &+ 1]); c30.addProduct(x, b0); c31.addProduct(x, b1)
            }
            do {
                let b0 = load8(b, 32), b1 = load8(b, 40)
                var x: F8
                x = F8(repeating: a0[k &+ 2]); c00.addProduct(x, b0); c01.addProduct(x, b1)
                x = F8(repeating: a1[k &+ 2]); c10.addProduct(x, b0); c11.addProduct(x, b1)
                x = F8(repeating: a2[k &+ 2]); c20.addProduct(x, b0); c21.addProduct(x, b1)
                x = F8(repeating: a3[k &+ 2]); c30.addProduct(x, b0); c31.addProduct(x, b1)
            }
            do {
                let b0 = load8(b, 48), b1 = load8(b, 56)
                var x: F8
                x = F8(repeating: a0[k &+ 3]); c00.addProduct(x, b0); c01.addProduct(x, b1)
                x = F8(repeating: a1[k &+ 3]); c10.addProduct(x, b0); c11.addProduct(x, b1)
                x = F8(repeating: a2[k &+ 3]); c20.addProduct(x, b0); c21.addProduct(x, b1)
                x = F8(repeating: a3[k &+ 3]); c30.addProduct(x, b0); c31.addProduct(x, b1)
            }
            b += 64
            k &+= 4
        }
        while k < length {
            let b0 = load8(b, 0), b1 = load8(b, 8)
            var x: F8
            x = F8(repeating: a0[k]); c00.addProduct(x, b0); c01.addProduct(x, b1)
            x = F8(repeating: a1[k]); c10.addProduct(x, b0); c11.addProduct(x, b1)
            x = F8(repeating: a2[k]); c20.addProduct(x, b0); c21.addProduct(x, b1)
            x = F8(repeating: a3[k]); c30.addProduct(x, b0); c31.addProduct(x, b1)
            b += 16
            k &+= 1
        }
        rows += 4
        segment &+= 1
    }
    store8(out, 0 &* stride, c00); store8(out, 0 &* stride &+ 8, c01)
    store8(out, 1 &* stride, c10); store8(out, 1 &* stride &+ 8, c11)
    store8(out, 2 &* stride, c20); store8(out, 2 &* stride &+ 8, c21)
    store8(out, 3 &* stride, c30); store8(out, 3 &* stride &+ 8, c31)
}
