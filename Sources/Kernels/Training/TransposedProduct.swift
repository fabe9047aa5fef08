internal import WideKernels

// The inner loops of products with a transposed first factor, Aᵀ · B: a few columns of A against 16 columns
// of B, in registers. Gradients of weights are such products: A is the gradient of the output, B the input,
// and k runs over pixels, so that both are read as they lie, without packing.
//
// `table` holds `segments` entries of three: where in A and in B (in floats) a run of k starts, and its
// length; from one k to the next A goes on by `aStep` floats, B by `bStep`. `out` is [rows][16]: overwritten
// when `starting`, else the sums go on from it. Each sum runs over k in one order.

/// The inner loop for 12, 8 or 4 rows.
@inline(__always)
func transposedProduct(
    rows: Int, segments: Int, table: UnsafePointer<Int>, a: UnsafePointer<Float>, aStep: Int,
    b: UnsafePointer<Float>, bStep: Int, starting: Bool,
    out: UnsafeMutablePointer<Float>
) {
    switch (RowTiles.wide, rows) {
    case (true, 12):
        wideTransposedProduct12(
            segments: segments, table: table, a: a, aStep: aStep, b: b, bStep: bStep, starting: starting,
            out: out)
    case (true, 8):
        wideTransposedProduct8(
            segments: segments, table: table, a: a, aStep: aStep, b: b, bStep: bStep, starting: starting,
            out: out)
    case (true, _):
        wideTransposedProduct4(
            segments: segments, table: table, a: a, aStep: aStep, b: b, bStep: bStep, starting: starting,
            out: out)
    case (false, 12):
        transposedProduct6(
            segments: segments, table: table, a: a, aStep: aStep, b: b, bStep: bStep, starting: starting,
            out: out)
        transposedProduct6(
            segments: segments, table: table, a: a + 6, aStep: aStep, b: b, bStep: bStep, starting: starting,
            out: out + 96)
    case (false, 8):
        transposedProduct4(
            segments: segments, table: table, a: a, aStep: aStep, b: b, bStep: bStep, starting: starting,
            out: out)
        transposedProduct4(
            segments: segments, table: table, a: a + 4, aStep: aStep, b: b, bStep: bStep, starting: starting,
            out: out + 64)
    case (false, _):
        transposedProduct4(
            segments: segments, table: table, a: a, aStep: aStep, b: b, bStep: bStep, starting: starting,
            out: out)
    }
}

/// 6 rows by 16 columns.
@inline(never)
func transposedProduct6(
    segments: Int, table: UnsafePointer<Int>, a first: UnsafePointer<Float>, aStep: Int,
    b second: UnsafePointer<Float>, bStep: Int, starting: Bool,
    out: UnsafeMutablePointer<Float>
) {
    var c00: F8, c01: F8, c10: F8, c11: F8, c20: F8, c21: F8, c30: F8, c31: F8, c40: F8, c41: F8, c50: F8,
        c51: F8
    if starting {
        c00 = F8.zero; c01 = F8.zero
        c10 = F8.zero; c11 = F8.zero
        c20 = F8.zero; c21 = F8.zero
        c30 = F8.zero; c31 = F8.zero
        c40 = F8.zero; c41 = F8.zero
        c50 = F8.zero; c51 = F8.zero
    } else {
        c00 = load8(out, 0); c01 = load8(out, 8)
        c10 = load8(out, 16); c11 = load8(out, 24)
        c20 = load8(out, 32); c21 = load8(out, 40)
        c30 = load8(out, 48); c31 = load8(out, 56)
        c40 = load8(out, 64); c41 = load8(out, 72)
        c50 = load8(out, 80); c51 = load8(out, 88)
    }
    var entry = table
    var segment = 0
    while segment < segments {
        var a = first + entry[0], b = second + entry[1]
        let count = entry[2]
        var k = 0
        while k < count {
            let b0 = load8(b, 0), b1 = load8(b, 8)
            var x: F8
            x = F8(repeating: a[0]); c00.addProduct(x, b0); c01.addProduct(x, b1)
            x = F8(repeating: a[1]); c10.addProduct(x, b0); c11.addProduct(x, b1)
            x = F8(repeating: a[2]); c20.addProduct(x, b0); c21.addProduct(x, b1)
            x = F8(repeating: a[3]); c30.addProduct(x, b0); c31.addProduct(x, b1)
            x = F8(repeating: a[4]); c40.addProduct(x, b0); c41.addProduct(x, b1)
            x = F8(repeating: a[5]); c50.addProduct(x, b0); c51.addProduct(x, b1)
            a += aStep
            b += bStep
            k &+= 1
        }
        entry += 3
        segment &+= 1
    }
    store8(out, 0, c00); store8(out, 8, c01)
    store8(out, 16, c10); store8(out, 24, c11)
    store8(out, 32, c20); store8(out, 40, c21)
    store8(out, 48, c30); store8(out, 56, c31)
    store8(out, 64, c40); store8(out, 72, c41)
    store8(out, 80, c50); store8(out, 88, c51)
}

/// 4 rows by 16 columns.
@inline(never)
func transposedProduct4(
    segments: Int, table: UnsafePointer<Int>, a first: UnsafePointer<Float>, aStep: Int,
    b second: UnsafePointer<Float>, bStep: Int, starting: Bool,
    out: UnsafeMutablePointer<Float>
) {
    var c00: F8, c01: F8, c10: F8, c11: F8, c20: F8, c21: F8, c30: F8, c31: F8
    if starting {
        c00 = F8.zero; c01 = F8.zero
        c10 = F8.zero; c11 = F8.zero
        c20 = F8.zero; c21 = F8.zero
        c30 = F8.zero; c31 = F8.zero
    } else {
        c00 = load8(out, 0); c01 = load8(out, 8)
        c10 = load8(out, 16); c11 = load8(out, 24)
        c20 = load8(out, 32); c21 = load8(out, 40)
        c30 = load8(out, 48); c31 = load8(out, 56)
    }
    var entry = table
    var segment = 0
    while segment < segments {
        var a = first + entry[0], b = second + entry[1]
        let count = entry[2]
        var k = 0
        while k < count {
            let b0 = load8(b, 0), b1 = load8(b, 8)
            var x: F8
            x = F8(repeating: a[0]); c00.addProduct(x, b0); c01.addProduct(x, b1)
            x = F8(repeating: a[1]); c10.addProduct(x, b0); c11.addProduct(x, b1)
            x = F8(repeating: a[2]); c20.addProduct(x, b0); c21.addProduct(x, b1)
            x = F8(repeating: a[3]); c30.addProduct(x, b0); c31.addProduct(x, b1)
            a += aStep
            b += bStep
            k &+= 1
        }
        entry += 3
        segment &+= 1
    }
    store8(out, 0, c00); store8(out, 8, c01)
    store8(out, 16, c10); store8(out, 24, c11)
    store8(out, 32, c20); store8(out, 40, c21)
    store8(out, 48, c30); store8(out, 56, c31)
}
