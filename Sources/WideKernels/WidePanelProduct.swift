// The inner loops of `Kernels` for processors with 512-bit vectors: up to twice the rows at once, a panel's
// 16 columns in one register. The module is compiled for such processors alone; `Kernels` calls it only where
// the processor is one, and nothing here may be generic or shared with other modules, or the linker could
// take its instructions for everybody (CI looks). The three sizes differ only in their rows: written out, as
// in `panelProduct6`, so that the sums stay in registers.
//
// Each element's sum takes the same values in the same order as in `panelProduct6`, so the results are equal
// to the bit. Arguments are as there: `segments` groups of one row pointer per row, each with `length`
// consecutive k from `offset` on; `panel` is [segments * length][16]; with `initial` (16 values) the sums
// start there, without they go on from `out`.

/// 12 rows by 16 columns.
@inline(never)
package func widePanelProduct12(
    segments: Int, length: Int, offset: Int, rows: UnsafePointer<UnsafePointer<Float>>,
    panel: UnsafePointer<Float>,
    initial: UnsafePointer<Float>?, out: UnsafeMutablePointer<Float>, stride: Int
) {
    var c0: F16, c1: F16, c2: F16, c3: F16, c4: F16, c5: F16, c6: F16, c7: F16, c8: F16, c9: F16, c10: F16,
        c11: F16
    if let initial {
        let start = load16(initial)
        c0 = start; c1 = start; c2 = start; c3 = start; c4 = start; c5 = start; c6 = start; c7 = start;
        c8 = start; c9 = start; c10 = start; c11 = start
    } else {
        c0 = load16(out + 0 &* stride); c1 = load16(out + 1 &* stride); c2 = load16(out + 2 &* stride);
        c3 = load16(out + 3 &* stride)
        c4 = load16(out + 4 &* stride); c5 = load16(out + 5 &* stride); c6 = load16(out + 6 &* stride);
        c7 = load16(out + 7 &* stride)
        c8 = load16(out + 8 &* stride); c9 = load16(out + 9 &* stride); c10 = load16(out + 10 &* stride);
        c11 = load16(out + 11 &* stride)
    }
    var rows = rows, b = panel
    var segment = 0
    while segment < segments {
        let a0 = rows[0] + offset, a1 = rows[1] + offset, a2 = rows[2] + offset, a3 = rows[3] + offset,
            a4 = rows[4] + offset, a5 = rows[5] + offset
        let a6 = rows[6] + offset, a7 = rows[7] + offset, a8 = rows[8] + offset, a9 = rows[9] + offset,
            a10 = rows[10] + offset, a11 = rows[11] + offset
        var k = 0
        while k < length {
            let w = load16(b)
            c0.addProduct(F16(repeating: a0[k]), w); c1.addProduct(F16(repeating: a1[k]), w);
            c2.addProduct(F16(repeating: a2[k]), w)
            c3.addProduct(F16(repeating: a3[k]), w); c4.addProduct(F16(repeating: a4[k]), w);
            c5.addProduct(F16(repeating: a5[k]), w)
            c6.addProduct(F16(repeating: a6[k]), w); c7.addProduct(F16(repeating: a7[k]), w);
            c8.addProduct(F16(repeating: a8[k]), w)
            c9.addProduct(F16(repeating: a9[k]), w); c10.addProduct(F16(repeating: a10[k]), w);
            c11.addProduct(F16(repeating: a11[k]), w)
            b += 16
            k &+= 1
        }
        rows += 12
        segment &+= 1
    }
    store16(out + 0 &* stride, c0); store16(out + 1 &* stride, c1); store16(out + 2 &* stride, c2);
    store16(out + 3 &* stride, c3)
    store16(out + 4 &* stride, c4); store16(out + 5 &* stride, c5); store16(out + 6 &* stride, c6);
    store16(out + 7 &* stride, c7)
    store16(out + 8 &* stride, c8); store16(out + 9 &* stride, c9); store16(out + 10 &* stride, c10);
    store16(out + 11 &* stride, c11)
}

/// 8 rows by 16 columns.
@inline(never)
package func widePanelProduct8(
    segments: Int, length: Int, offset: Int, rows: UnsafePointer<UnsafePointer<Float>>,
    panel: UnsafePointer<Float>,
    initial: UnsafePointer<Float>?, out: UnsafeMutablePointer<Float>, stride: Int
) {
    var c0: F16, c1: F16, c2: F16, c3: F16, c4: F16, c5: F16, c6: F16, c7: F16
    if let initial {
        let start = load16(initial)
        c0 = start; c1 = start; c2 = start; c3 = start; c4 = start; c5 = start; c6 = start; c7 = start
    } else {
        c0 = load16(out + 0 &* stride); c1 = load16(out + 1 &* stride); c2 = load16(out + 2 &* stride);
        c3 = load16(out + 3 &* stride)
        c4 = load16(out + 4 &* stride); c5 = load16(out + 5 &* stride); c6 = load16(out + 6 &* stride);
        c7 = load16(out + 7 &* stride)
    }
    var rows = rows, b = panel
    var segment = 0
    while segment < segments {
        let a0 = rows[0] + offset, a1 = rows[1] + offset, a2 = rows[2] + offset, a3 = rows[3] + offset,
            a4 = rows[4] + offset, a5 = rows[5] + offset
        let a6 = rows[6] + offset, a7 = rows[7] + offset
        var k = 0
        while k < length {
            let w = load16(b)
            c0.addProduct(F16(repeating: a0[k]), w); c1.addProduct(F16(repeating: a1[k]), w);
            c2.addProduct(F16(repeating: a2[k]), w)
            c3.addProduct(F16(repeating: a3[k]), w); c4.addProduct(F16(repeating: a4[k]), w);
            c5.addProduct(F16(repeating: a5[k]), w)
            c6.addProduct(F16(repeating: a6[k]), w); c7.addProduct(F16(repeating: a7[k]), w)
            b += 16
            k &+= 1
        }
        rows += 8
        segment &+= 1
    }
    store16(out + 0 &* stride, c0); store16(out + 1 &* stride, c1); store16(out + 2 &* stride, c2);
    store16(out + 3 &* stride, c3)
    store16(out + 4 &* stride, c4); store16(out + 5 &* stride, c5); store16(out + 6 &* stride, c6);
    store16(out + 7 &* stride, c7)
}

/// 4 rows by 16 columns.
@inline(never)
package func widePanelProduct4(
    segments: Int, length: Int, offset: Int, rows: UnsafePointer<UnsafePointer<Float>>,
    panel: UnsafePointer<Float>,
    initial: UnsafePointer<Float>?, out: UnsafeMutablePointer<Float>, stride: Int
) {
    var c0: F16, c1: F16, c2: F16, c3: F16
    if let initial {
        let start = load16(initial)
        c0 = start; c1 = start; c2 = start; c3 = start
    } else {
        c0 = load16(out + 0 &* stride); c1 = load16(out + 1 &* stride); c2 = load16(out + 2 &* stride);
        c3 = load16(out + 3 &* stride)
    }
    var rows = rows, b = panel
    var segment = 0
    while segment < segments {
        let a0 = rows[0] + offset, a1 = rows[1] + offset, a2 = rows[2] + offset, a3 = rows[3] + offset
        var k = 0
        while k < length {
            let w = load16(b)
            c0.addProduct(F16(repeating: a0[k]), w); c1.addProduct(F16(repeating: a1[k]), w);
            c2.addProduct(F16(repeating: a2[k]), w)
            c3.addProduct(F16(repeating: a3[k]), w)
            b += 16
            k &+= 1
        }
        rows += 4
        segment &+= 1
    }
    store16(out + 0 &* stride, c0); store16(out + 1 &* stride, c1); store16(out + 2 &* stride, c2);
    store16(out + 3 &* stride, c3)
}
