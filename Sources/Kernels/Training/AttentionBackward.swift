#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Gradients of `attention` with P = softmax(Q Kᵀ / sqrt(d)): dV = Pᵀ dO, dP = dO Vᵀ, dS = P (dP - rowsum(P
/// dP)), dQ = dS K / sqrt(d), dK = dSᵀ Q / sqrt(d). P is computed again, a query at a time (after Dao et al.
/// 2022), so nothing of size queries x keys is kept. All tensors are `[batch, length, heads * headWidth]`
/// without gaps; a chunk is one head of one item, so each sum has one order.
package func attentionBackward(
    _ dOutput: UnsafePointer<Float>, queries: UnsafePointer<Float>, keys: UnsafePointer<Float>,
    values: UnsafePointer<Float>, batch: Int, queryLength: Int,
    keyLength: Int, heads: Int, headWidth: Int, causal: Bool, dQueries: UnsafeMutablePointer<Float>,
    dKeys: UnsafeMutablePointer<Float>,
    dValues: UnsafeMutablePointer<Float>
) {
    let width = heads * headWidth
    // Keys run along the vectors, filled up with zeros.
    let padded = (keyLength + 7) / 8 * 8
    let factor = 1 / Float(headWidth).squareRoot()
    ThreadPool.shared.run(batch * heads) { chunk in
        let item = chunk / heads, head = chunk % heads
        let plane = headWidth * padded
        // Four queries at a time share what is loaded of keys and values.
        let size = 4 * plane + 8 * padded
        let scratch = BufferPool.take(size)
        defer { BufferPool.give(scratch, size) }
        scratch.update(repeating: 0, count: size)
        let (k, v, dK, dV) = (scratch, scratch + plane, scratch + 2 * plane, scratch + 3 * plane)
        let p = scratch + 4 * plane, dS = p + 4 * padded
        let start = item * keyLength * width + head * headWidth
        for key in 0..<keyLength {
            for i in 0..<headWidth {
                k[i * padded + key] = keys[start + key * width + i]
                v[i * padded + key] = values[start + key * width + i]
            }
        }
        // Stands in for the queries behind the last one: all zeros, so that they change nothing.
        let none = UnsafePointer(BufferPool.take(headWidth))
        defer { BufferPool.give(UnsafeMutablePointer(mutating: none), headWidth) }
        UnsafeMutablePointer(mutating: none).update(repeating: 0, count: headWidth)
        var query = 0
        while query < queryLength {
            let count = min(4, queryLength - query)
            let at = (item * queryLength + query) * width + head * headWidth
            func row(_ base: UnsafePointer<Float>, _ index: Int) -> UnsafePointer<Float> {
                index < count ? base + at + index * width : none
            }
            let (q0, q1, q2, q3) = (row(queries, 0), row(queries, 1), row(queries, 2), row(queries, 3))
            let (d0, d1, d2, d3) = (row(dOutput, 0), row(dOutput, 1), row(dOutput, 2), row(dOutput, 3))
            let seen = causal ? min(query + count, keyLength) : keyLength
            let end = (seen + 7) / 8 * 8
            let (p0, p1, p2, p3) = (p, p + padded, p + 2 * padded, p + 3 * padded)
            let (s0, s1, s2, s3) = (dS, dS + padded, dS + 2 * padded, dS + 3 * padded)
            var j = 0
            while j < end {
                var a0 = F8.zero, a1 = F8.zero, a2 = F8.zero, a3 = F8.zero
                var g0 = F8.zero, g1 = F8.zero, g2 = F8.zero, g3 = F8.zero
                var i = 0, at = j
                while i < headWidth {
                    let key = load8(k, at), value = load8(v, at)
                    a0.addProduct(key, F8(repeating: q0[i]))
                    a1.addProduct(key, F8(repeating: q1[i]))
                    a2.addProduct(key, F8(repeating: q2[i]))
                    a3.addProduct(key, F8(repeating: q3[i]))
                    g0.addProduct(value, F8(repeating: d0[i]))
                    g1.addProduct(value, F8(repeating: d1[i]))
                    g2.addProduct(value, F8(repeating: d2[i]))
                    g3.addProduct(value, F8(repeating: d3[i]))
                    at &+= padded
                    i &+= 1
                }
                store8(p0, j, a0 * factor)
                store8(p1, j, a1 * factor)
                store8(p2, j, a2 * factor)
                store8(p3, j, a3 * factor)
                store8(s0, j, g0)
                store8(s1, j, g1)
                store8(s2, j, g2)
                store8(s3, j, g3)
                j &+= 8
            }
            for index in 0..<count {
                softmaxSlopes(
                    p + index * padded, dS + index * padded,
                    seen: causal ? min(query + index + 1, keyLength) : keyLength, end: end, factor)
            }
            for index in count..<max(count, 4) {
                (p + index * padded).update(repeating: 0, count: end)
                (dS + index * padded).update(repeating: 0, count: end)
            }
            for i in 0..<headWidth {
                let row = i &* padded
                let (x0, x1, x2, x3) = (
                    F8(repeating: q0[i]), F8(repeating: q1[i]), F8(repeating: q2[i]), F8(repeating: q3[i])
                )
                let (y0, y1, y2, y3) = (
                    F8(repeating: d0[i]), F8(repeating: d1[i]), F8(repeating: d2[i]), F8(repeating: d3[i])
                )
                var t0 = F8.zero, t1 = F8.zero, t2 = F8.zero, t3 = F8.zero
                j = 0
                while j < end {
                    let key = load8(k, row &+ j)
                    var dKey = load8(dK, row &+ j), dValue = load8(dV, row &+ j)
                    var s = load8(s0, j)
                    t0.addProduct(s, key)
                    dKey.addProduct(s, x0)
                    s = load8(s1, j)
                    t1.addProduct(s, key)
                    dKey.addProduct(s, x1)
                    s = load8(s2, j)
                    t2.addProduct(s, key)
                    dKey.addProduct(s, x2)
                    s = load8(s3, j)
                    t3.addProduct(s, key)
                    dKey.addProduct(s, x3)
                    dValue.addProduct(load8(p0, j), y0)
                    dValue.addProduct(load8(p1, j), y1)
                    dValue.addProduct(load8(p2, j), y2)
                    dValue.addProduct(load8(p3, j), y3)
                    store8(dK, row &+ j, dKey)
                    store8(dV, row &+ j, dValue)
                    j &+= 8
                }
                dQueries[at + i] = t0.treeSum
                if count > 1 { dQueries[at + width + i] = t1.treeSum }
                if count > 2 { dQueries[at + 2 * width + i] = t2.treeSum }
                if count > 3 { dQueries[at + 3 * width + i] = t3.treeSum }
            }
            query += count
        }
        for key in 0..<keyLength {
            for i in 0..<headWidth {
                dKeys[start + key * width + i] = dK[i * padded + key]
                dValues[start + key * width + i] = dV[i * padded + key]
            }
        }
    }
}

/// Of one query: scores become shares P, and dP becomes dS = P (dP - sum of P dP) factor. What lies from
/// `seen` to `end` has no share.
@inline(__always) private func softmaxSlopes(
    _ p: UnsafeMutablePointer<Float>, _ dS: UnsafeMutablePointer<Float>, seen: Int, end: Int, _ factor: Float
) {
    for key in seen..<max(seen, end) { p[key] = -.infinity }
    var most = load8(p, 0)
    var j = 8
    while j < end {
        let x = load8(p, j)
        most = most.replacing(with: x, where: most .< x)
        j &+= 8
    }
    let largest = most.treeMaximum
    var total = F8.zero, along = F8.zero
    j = 0
    while j < end {
        let x = load8(p, j)
        let e = exponential(x - largest).replacing(with: 0, where: x .== -.infinity)
        store8(p, j, e)
        total += e
        along.addProduct(e, load8(dS, j))
        j &+= 8
    }
    let inverse = 1 / total.treeSum
    let mean = along.treeSum * inverse
    j = 0
    while j < end {
        let share = load8(p, j) * inverse
        store8(p, j, share)
        store8(dS, j, share * (load8(dS, j) - mean) * factor)
        j &+= 8
    }
}
