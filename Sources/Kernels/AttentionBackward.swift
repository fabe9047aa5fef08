#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Gradients of `attention` with P = softmax(Q Kᵀ / sqrt(d)): dV = Pᵀ dO, dP = dO Vᵀ, dS = P (dP - rowsum(P dP)), dQ = dS K / sqrt(d),
/// dK = dSᵀ Q / sqrt(d). P is computed again, a query at a time (after Dao et al. 2022), so nothing of size queries x keys is kept.
/// All tensors are `[batch, length, heads * headWidth]` without gaps; a chunk is one head of one item, so each sum has one order.
package func attentionBackward(
    _ dOutput: UnsafePointer<Float>, queries: UnsafePointer<Float>, keys: UnsafePointer<Float>, values: UnsafePointer<Float>, batch: Int, queryLength: Int,
    keyLength: Int, heads: Int, headWidth: Int, causal: Bool, dQueries: UnsafeMutablePointer<Float>, dKeys: UnsafeMutablePointer<Float>,
    dValues: UnsafeMutablePointer<Float>
) {
    let width = heads * headWidth
    // Keys run along the vectors, filled up with zeros.
    let padded = (keyLength + 7) / 8 * 8
    let factor = 1 / Float(headWidth).squareRoot()
    ThreadPool.shared.run(batch * heads) { chunk in
        let item = chunk / heads, head = chunk % heads
        let plane = headWidth * padded
        let size = 4 * plane + 2 * padded
        let scratch = BufferPool.take(size)
        defer { BufferPool.give(scratch, size) }
        scratch.update(repeating: 0, count: size)
        let (k, v, dK, dV) = (scratch, scratch + plane, scratch + 2 * plane, scratch + 3 * plane)
        let p = scratch + 4 * plane, dS = p + padded
        let start = item * keyLength * width + head * headWidth
        for key in 0..<keyLength {
            for i in 0..<headWidth {
                k[i * padded + key] = keys[start + key * width + i]
                v[i * padded + key] = values[start + key * width + i]
            }
        }
        for query in 0..<queryLength {
            let at = (item * queryLength + query) * width + head * headWidth
            let q = queries + at, d = dOutput + at
            let seen = causal ? min(query + 1, keyLength) : keyLength
            let end = (seen + 7) / 8 * 8
            var largest = -Float.infinity
            var j = 0
            while j < end {
                var s = F8.zero, g = F8.zero
                for i in 0..<headWidth {
                    s.addProduct(load8(k, i &* padded &+ j), F8(repeating: q[i]))
                    g.addProduct(load8(v, i &* padded &+ j), F8(repeating: d[i]))
                }
                store8(p, j, s * factor)
                store8(dS, j, g)
                j &+= 8
            }
            for key in seen..<end { p[key] = -.infinity }
            for key in 0..<seen { largest = max(largest, p[key]) }
            var total = F8.zero, along = F8.zero
            j = 0
            while j < end {
                // What lies behind the last key seen has no share.
                let e = exponential(load8(p, j) - largest).replacing(with: 0, where: load8(p, j) .== -.infinity)
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
            for i in 0..<headWidth {
                let row = i &* padded
                let qi = F8(repeating: q[i]), di = F8(repeating: d[i])
                var sum = F8.zero
                j = 0
                while j < end {
                    let s = load8(dS, j)
                    sum.addProduct(s, load8(k, row &+ j))
                    store8(dK, row &+ j, load8(dK, row &+ j).addingProduct(s, qi))
                    store8(dV, row &+ j, load8(dV, row &+ j).addingProduct(load8(p, j), di))
                    j &+= 8
                }
                dQueries[at + i] = sum.treeSum
            }
        }
        for key in 0..<keyLength {
            for i in 0..<headWidth {
                dKeys[start + key * width + i] = dK[i * padded + key]
                dValues[start + key * width + i] = dV[i * padded + key]
            }
        }
    }
}
