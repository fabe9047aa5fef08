// The inner loops of `Kernels`' products with a transposed first factor (gradients of weights) for processors
// with 512-bit vectors; the rules of `WidePanelProduct.swift` hold here too. Arguments and order of the sums
// are those of `transposedProduct6`, so the results are equal to the bit.

/// 12 rows by 16 columns.
@inline(never)
package func wideTransposedProduct12(
    segments: Int, table: UnsafePointer<Int>, a first: UnsafePointer<Float>, aStep: Int,
    b second: UnsafePointer<Float>, bStep: Int, starting: Bool,
    out: UnsafeMutablePointer<Float>
) {
    var c0: F16, c1: F16, c2: F16, c3: F16, c4: F16, c5: F16, c6: F16, c7: F16, c8: F16, c9: F16, c10: F16,
        c11: F16
    if starting {
        let zero = F16.zero
        c0 = zero; c1 = zero; c2 = zero; c3 = zero; c4 = zero; c5 = zero; c6 = zero; c7 = zero; c8 = zero;
        c9 = zero; c10 = zero; c11 = zero
    } else {
        c0 = load16(out + 0); c1 = load16(out + 16); c2 = load16(out + 32); c3 = load16(out + 48)
        c4 = load16(out + 64); c5 = load16(out + 80); c6 = load16(out + 96); c7 = load16(out + 112)
        c8 = load16(out + 128); c9 = load16(out + 144); c10 = load16(out + 160); c11 = load16(out + 176)
    }
    var entry = table
    var segment = 0
    while segment < segments {
        var a = first + entry[0], b = second + entry[1]
        let count = entry[2]
        var k = 0
        while k < count {
            let w = load16(b)
            c0.addProduct(F16(repeating: a[0]), w); c1.addProduct(F16(repeating: a[1]), w);
            c2.addProduct(F16(repeating: a[2]), w)
            c3.addProduct(F16(repeating: a[3]), w); c4.addProduct(F16(repeating: a[4]), w);
            c5.addProduct(F16(repeating: a[5]), w)
            c6.addProduct(F16(repeating: a[6]), w); c7.addProduct(F16(repeating: a[7]), w);
            c8.addProduct(F16(repeating: a[8]), w)
            c9.addProduct(F16(repeating: a[9]), w); c10.addProduct(F16(repeating: a[10]), w);
            c11.addProduct(F16(repeating: a[11]), w)
            a += aStep
            b += bStep
            k &+= 1
        }
        entry += 3
        segment &+= 1
    }
    store16(out + 0, c0); store16(out + 16, c1); store16(out + 32, c2); store16(out + 48, c3)
    store16(out + 64, c4); store16(out + 80, c5); store16(out + 96, c6); store16(out + 112, c7)
    store16(out + 128, c8); store16(out + 144, c9); store16(out + 160, c10); store16(out + 176, c11)
}

/// 8 rows by 16 columns.
@inline(never)
package func wideTransposedProduct8(
    segments: Int, table: UnsafePointer<Int>, a first: UnsafePointer<Float>, aStep: Int,
    b second: UnsafePointer<Float>, bStep: Int, starting: Bool,
    out: UnsafeMutablePointer<Float>
) {
    var c0: F16, c1: F16, c2: F16, c3: F16, c4: F16, c5: F16, c6: F16, c7: F16
    if starting {
        let zero = F16.zero
        c0 = zero; c1 = zero; c2 = zero; c3 = zero; c4 = zero; c5 = zero; c6 = zero; c7 = zero
    } else {
        c0 = load16(out + 0); c1 = load16(out + 16); c2 = load16(out + 32); c3 = load16(out + 48)
        c4 = load16(out + 64); c5 = load16(out + 80); c6 = load16(out + 96); c7 = load16(out + 112)
    }
    var entry = table
    var segment = 0
    while segment < segments {
        var a = first + entry[0], b = second + entry[1]
        let count = entry[2]
        var k = 0
        while k < count {
            let w = load16(b)
            c0.addProduct(F16(repeating: a[0]), w); c1.addProduct(F16(repeating: a[1]), w);
            c2.addProduct(F16(repeating: a[2]), w)
            c3.addProduct(F16(repeating: a[3]), w); c4.addProduct(F16(repeating: a[4]), w);
            c5.addProduct(F16(repeating: a[5]), w)
            c6.addProduct(F16(repeating: a[6]), w); c7.addProduct(F16(repeating: a[7]), w)
            a += aStep
            b += bStep
            k &+= 1
        }
        entry += 3
        segment &+= 1
    }
    store16(out + 0, c0); store16(out + 16, c1); store16(out + 32, c2); store16(out + 48, c3)
    store16(out + 64, c4); store16(out + 80, c5); store16(out + 96, c6); store16(out + 112, c7)
}

/// 4 rows by 16 columns.
@inline(never)
package func wideTransposedProduct4(
    segments: Int, table: UnsafePointer<Int>, a first: UnsafePointer<Float>, aStep: Int,
    b second: UnsafePointer<Float>, bStep: Int, starting: Bool,
    out: UnsafeMutablePointer<Float>
) {
    var c0: F16, c1: F16, c2: F16, c3: F16
    if starting {
        let zero = F16.zero
        c0 = zero; c1 = zero; c2 = zero; c3 = zero
    } else {
        c0 = load16(out + 0); c1 = load16(out + 16); c2 = load16(out + 32); c3 = load16(out + 48)
    }
    var entry = table
    var segment = 0
    while segment < segments {
        var a = first + entry[0], b = second + entry[1]
        let count = entry[2]
        var k = 0
        while k < count {
            let w = load16(b)
            c0.addProduct(F16(repeating: a[0]), w); c1.addProduct(F16(repeating: a[1]), w);
            c2.addProduct(F16(repeating: a[2]), w)
            c3.addProduct(F16(repeating: a[3]), w)
            a += aStep
            b += bStep
            k &+= 1
        }
        entry += 3
        segment &+= 1
    }
    store16(out + 0, c0); store16(out + 16, c1); store16(out + 32, c2); store16(out + 48, c3)
}
