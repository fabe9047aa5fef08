/// Gradients of `groupNormalisation` with its activation, x̂ = (x - mean) / deviation, z = weight x̂ + bias,
/// y = activation(z): with dz = dOutput activation'(z) and means over each item's group, dInput = (weight dz
/// - mean(weight dz) - x̂ mean(weight dz x̂)) / deviation. dWeight and dBias (`[channels]`) are overwritten;
/// `statistics` is what the forward pass gave. dInput must not be dOutput or the input.
package func groupNormalisationBackward(
    _ dOutput: UnsafePointer<Float>, _ input: UnsafePointer<Float>, batch: Int, pixels: Int, channels: Int,
    groups: Int, statistics: UnsafePointer<Float>,
    weight: UnsafePointer<Float>, bias: UnsafePointer<Float>, activation: FusedActivation,
    dWeight: UnsafeMutablePointer<Float>,
    dBias: UnsafeMutablePointer<Float>, into dInput: UnsafeMutablePointer<Float>
) {
    let perGroup = channels / groups
    let block = max(16, min(1024, 32_768 / channels))
    let blocks = (pixels + block - 1) / block
    // Per chunk and channel: sums of dz and of dz x̂.
    let partial = BufferPool.take(batch * blocks * 2 * channels)
    // Per item and channel, of dInput = a dz + b x + c.
    let factors = BufferPool.take(batch * 3 * channels)
    defer {
        BufferPool.give(partial, batch * blocks * 2 * channels)
        BufferPool.give(factors, batch * 3 * channels)
    }

    ThreadPool.shared.run(batch * blocks) { chunk in
        let item = chunk / blocks, first = chunk % blocks * block
        let sums = partial + chunk * 2 * channels
        sums.update(repeating: 0, count: 2 * channels)
        let affine = allocateFloats(4 * channels)
        defer { affine.deallocate() }
        let (inverse, shift, scale, offset) = (
            affine, affine + channels, affine + 2 * channels, affine + 3 * channels
        )
        for c in 0..<channels {
            let at = statistics + (item * groups + c / perGroup) * 2
            inverse[c] = at[1]
            shift[c] = -at[0] * at[1]
            scale[c] = weight[c]
            offset[c] = bias[c]
        }
        for pixel in 0..<min(block, pixels - first) {
            let start = ((item * pixels) + first + pixel) * channels
            let x = input + start, dy = dOutput + start, dz = dInput + start
            var c = 0
            while c &+ 8 <= channels {
                let normal = load8(shift, c).addingProduct(load8(x, c), load8(inverse, c))
                var d = load8(dy, c)
                if activation == .silu {
                    d *= siluSlope(load8(offset, c).addingProduct(normal, load8(scale, c)))
                }
                store8(dz, c, d)
                store8(sums, c, load8(sums, c) + d)
                store8(sums, channels &+ c, load8(sums, channels &+ c).addingProduct(d, normal))
                c &+= 8
            }
            while c < channels {
                let normal = shift[c].addingProduct(x[c], inverse[c])
                var d = dy[c]
                if activation == .silu {
                    d *= siluSlope(F8(repeating: offset[c].addingProduct(normal, scale[c])))[0]
                }
                dz[c] = d
                sums[c] += d
                sums[channels &+ c] = sums[channels &+ c].addingProduct(d, normal)
                c &+= 1
            }
        }
    }

    // The chunks' sums of an item, joined in their order.
    let totals = UnsafeMutablePointer<Double>.allocate(capacity: batch * 2 * channels)
    defer { totals.deallocate() }
    ThreadPool.shared.run(batch) { item in
        let total = totals + item * 2 * channels
        for c in 0..<(2 * channels) {
            var sum = 0.0
            for b in 0..<blocks { sum += Double(partial[(item * blocks + b) * 2 * channels + c]) }
            total[c] = sum
        }
        let factor = factors + item * 3 * channels
        for group in 0..<groups {
            var plain = 0.0, along = 0.0
            for c in group * perGroup..<(group + 1) * perGroup {
                plain += total[c] * Double(weight[c])
                along += total[channels + c] * Double(weight[c])
            }
            let at = statistics + (item * groups + group) * 2
            let mean = Double(at[0]), inverse = Double(at[1]), count = Double(pixels * perGroup)
            let slope = -inverse * inverse * along / count
            for c in group * perGroup..<(group + 1) * perGroup {
                factor[c] = Float(inverse * Double(weight[c]))
                factor[channels + c] = Float(slope)
                factor[2 * channels + c] = Float(-inverse * plain / count - slope * mean)
            }
        }
    }
    for c in 0..<channels {
        var (plain, along) = (0.0, 0.0)
        for item in 0..<batch {
            plain += totals[item * 2 * channels + c]
            along += totals[item * 2 * channels + channels + c]
        }
        dBias[c] = Float(plain)
        dWeight[c] = Float(along)
    }

    ThreadPool.shared.run(batch * blocks) { chunk in
        let item = chunk / blocks, first = chunk % blocks * block
        let factor = factors + item * 3 * channels
        for pixel in 0..<min(block, pixels - first) {
            let start = ((item * pixels) + first + pixel) * channels
            let x = input + start, d = dInput + start
            var c = 0
            while c &+ 8 <= channels {
                let rest = load8(factor, 2 &* channels &+ c).addingProduct(
                    load8(x, c), load8(factor, channels &+ c))
                store8(d, c, rest.addingProduct(load8(d, c), load8(factor, c)))
                c &+= 8
            }
            while c < channels {
                d[c] = factor[2 &* channels &+ c].addingProduct(x[c], factor[channels &+ c]).addingProduct(
                    d[c], factor[c])
                c &+= 1
            }
        }
    }
}

/// Gradients of `layerNormalisation`; the means and deviations of the rows are computed again. dWeight and
/// dBias are overwritten.
package func layerNormalisationBackward(
    _ dOutput: UnsafePointer<Float>, _ input: UnsafePointer<Float>, rows: Int, width: Int, epsilon: Float,
    weight: UnsafePointer<Float>,
    dWeight: UnsafeMutablePointer<Float>, dBias: UnsafeMutablePointer<Float>,
    into dInput: UnsafeMutablePointer<Float>
) {
    let block = max(8, 16_384 / width)
    let blocks = (rows + block - 1) / block
    let partial = BufferPool.take(blocks * 2 * width)
    defer { BufferPool.give(partial, blocks * 2 * width) }
    let whole = width / 8 * 8
    forEachBlock(rows, size: block) { range in
        let dW = partial + range.lowerBound / block * 2 * width, dB = dW + width
        dW.update(repeating: 0, count: 2 * width)
        for row in range {
            let x = input + row * width, dy = dOutput + row * width, dx = dInput + row * width
            var sum = F8.zero
            var i = 0
            while i < whole { sum += load8(x, i); i &+= 8 }
            var total = Double(sum.treeSum)
            while i < width { total += Double(x[i]); i &+= 1 }
            let mean = Float(total / Double(width))
            var squares = F8.zero
            i = 0
            while i < whole { let d = load8(x, i) - mean; squares.addProduct(d, d); i &+= 8 }
            var variance = Double(squares.treeSum)
            while i < width { let d = Double(x[i] - mean); variance += d * d; i &+= 1 }
            let inverse = Float(1 / (variance / Double(width) + Double(epsilon)).squareRoot())

            var plain = F8.zero, along = F8.zero
            i = 0
            while i < whole {
                let d = load8(dy, i), normal = (load8(x, i) - mean) * inverse
                store8(dB, i, load8(dB, i) + d)
                store8(dW, i, load8(dW, i).addingProduct(d, normal))
                let g = d * load8(weight, i)
                plain += g
                along.addProduct(g, normal)
                i &+= 8
            }
            var plainTotal = Double(plain.treeSum), alongTotal = Double(along.treeSum)
            while i < width {
                let d = dy[i], normal = (x[i] - mean) * inverse
                dB[i] += d
                dW[i] = dW[i].addingProduct(d, normal)
                plainTotal += Double(d * weight[i])
                alongTotal += Double(d * weight[i] * normal)
                i &+= 1
            }
            let meanPlain = Float(plainTotal / Double(width)), meanAlong = Float(alongTotal / Double(width))
            i = 0
            while i < whole {
                let normal = (load8(x, i) - mean) * inverse
                let d = (load8(dy, i) * load8(weight, i) - meanPlain).addingProduct(
                    normal, F8(repeating: -meanAlong))
                store8(dx, i, d * inverse)
                i &+= 8
            }
            while i < width {
                dx[i] = inverse * (dy[i] * weight[i] - meanPlain - (x[i] - mean) * inverse * meanAlong)
                i &+= 1
            }
        }
    }
    for i in 0..<width {
        var (w, b) = (0.0, 0.0)
        for k in 0..<blocks {
            w += Double(partial[k * 2 * width + i])
            b += Double(partial[k * 2 * width + width + i])
        }
        dWeight[i] = Float(w)
        dBias[i] = Float(b)
    }
}
