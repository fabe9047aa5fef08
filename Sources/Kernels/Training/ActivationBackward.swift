// Gradients of the activations: dInput from dOutput and the input. dInput may be the same memory as either.

package func siluBackward(
    _ dOutput: UnsafePointer<Float>, _ input: UnsafePointer<Float>, count: Int,
    into dInput: UnsafeMutablePointer<Float>
) {
    combined(dOutput, input, count, dInput) { $0 * siluSlope($1) }
}

package func geluBackward(
    _ dOutput: UnsafePointer<Float>, _ input: UnsafePointer<Float>, count: Int,
    into dInput: UnsafeMutablePointer<Float>
) {
    combined(dOutput, input, count, dInput) { $0 * geluSlope($1) }
}

package func quickGeluBackward(
    _ dOutput: UnsafePointer<Float>, _ input: UnsafePointer<Float>, count: Int,
    into dInput: UnsafeMutablePointer<Float>
) {
    combined(dOutput, input, count, dInput) { d, x in
        let s = 1 / (1 + exponential(x * -1.702))
        return d * s * (1 + x * 1.702 * (1 - s))
    }
}

/// Of `geglu`: dOutput `[rows, width]`, input and dInput `[rows, 2 * width]`.
package func gegluBackward(
    _ dOutput: UnsafePointer<Float>, _ input: UnsafePointer<Float>, rows: Int, width: Int,
    into dInput: UnsafeMutablePointer<Float>
) {
    forEachBlock(rows, size: max(1, 16_384 / width)) { range in
        for row in range {
            let d = dOutput + row * width
            let a = input + row * 2 * width, gate = a + width
            let dA = dInput + row * 2 * width, dGate = dA + width
            var i = 0
            while i &+ 8 <= width {
                let g = load8(gate, i), dy = load8(d, i)
                let share = normalShare(g)
                store8(dGate, i, dy * load8(a, i) * share.addingProduct(g, normalDensity(g)))
                store8(dA, i, dy * (g * share))
                i &+= 8
            }
            while i < width {
                let g = F8(repeating: gate[i]), dy = d[i]
                let share = normalShare(g)
                dGate[i] = dy * a[i] * share.addingProduct(g, normalDensity(g))[0]
                dA[i] = dy * (g * share)[0]
                i &+= 1
            }
        }
    }
}

/// The derivative of x sigmoid(x).
@inline(__always) func siluSlope(_ x: F8) -> F8 {
    let s = 1 / (1 + exponential(-x))
    return s * (1 + x * (1 - s))
}

/// The derivative of x Φ(x).
@inline(__always) private func geluSlope(_ x: F8) -> F8 { normalShare(x).addingProduct(x, normalDensity(x)) }

/// φ(x).
@inline(__always) private func normalDensity(_ x: F8) -> F8 { exponential(x * x * -0.5) * 0.398_942_28 }
