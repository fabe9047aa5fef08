internal import WideKernels

/// What follows a normalisation or a sum in the same pass over memory.
package enum FusedActivation: Sendable { case none, silu }

/// Group normalisation (Wu and He 2018) of `[batch, pixels, channels]` with an optional SiLU in the same
/// pass.
///
/// Mean and variance per group are taken in two passes over blocks of a fixed number of pixels that stay in
/// cache, and the blocks joined in Double by Chan's formula: neither the batch nor the threads change a bit,
/// and no digits are lost as they are in E[x²] - E[x]². `statistics`, if given, gets mean and inverse
/// deviation, `[batch, groups, 2]`, for the backward pass.
package func groupNormalisation(
    _ input: UnsafePointer<Float>, batch: Int, pixels: Int, channels: Int, groups: Int, epsilon: Float,
    weight: UnsafePointer<Float>, bias: UnsafePointer<Float>, activation: FusedActivation,
    statistics: UnsafeMutablePointer<Float>? = nil,
    into out: UnsafeMutablePointer<Float>
) {
    precondition(channels % groups == 0, "\(channels) channels do not split into \(groups) groups")
    let perGroup = channels / groups
    let block = max(16, min(1024, 32_768 / channels))
    let blocks = (pixels + block - 1) / block
    // Per item, block and group: sum of deviations squared and mean.
    var memory = Scratch()
    defer { memory.release() }
    let moments = memory.take(batch * blocks * groups * 2, of: Double.self)
    let factors = memory.floats(batch * channels * 2)

    func measure(_ item: Int, _ index: Int) {
        let chunk = item * blocks + index, first = index * block
        let count = min(block, pixels - first)
        let from = input + (item * pixels + first) * channels
        var memory = Scratch()
        defer { memory.release() }
        let sums = memory.floats(channels * 2)
        sums.update(repeating: 0, count: channels * 2)
        addRows(from, rows: count, channels, to: sums)
        let means = sums + channels
        for group in 0..<groups {
            var total = 0.0
            for c in 0..<perGroup { total += Double(sums[group * perGroup + c]) }
            let mean = total / Double(count * perGroup)
            moments[(chunk * groups + group) * 2] = mean
            for c in 0..<perGroup { means[group * perGroup + c] = Float(mean) }
        }
        sums.update(repeating: 0, count: channels)
        addSquares(from, rows: count, channels, around: means, to: sums)
        for group in 0..<groups {
            var total = 0.0
            for c in 0..<perGroup { total += Double(sums[group * perGroup + c]) }
            // The squares were taken around the mean rounded to Float: correct for the difference.
            let shift = moments[(chunk * groups + group) * 2] - Double(means[group * perGroup])
            moments[(chunk * groups + group) * 2 + 1] = total - Double(count * perGroup) * shift * shift
        }
    }

    func join(_ item: Int) {
        for group in 0..<groups {
            var mean = 0.0, squares = 0.0, seen = 0.0
            for b in 0..<blocks {
                let count = Double(min(block, pixels - b * block) * perGroup)
                let at = ((item * blocks + b) * groups + group) * 2
                let delta = moments[at] - mean
                let total = seen + count
                mean += delta * count / total
                squares += moments[at + 1] + delta * delta * seen * count / total
                seen = total
            }
            let inverse = 1 / (max(0, squares) / seen + Double(epsilon)).squareRoot()
            if let statistics {
                statistics[(item * groups + group) * 2] = Float(mean)
                statistics[(item * groups + group) * 2 + 1] = Float(inverse)
            }
            for c in group * perGroup..<(group + 1) * perGroup {
                let scale = inverse * Double(weight[c])
                factors[item * channels * 2 + c] = Float(scale)
                factors[item * channels * 2 + channels + c] = Float(Double(bias[c]) - mean * scale)
            }
        }
    }

    func apply(_ item: Int, _ index: Int) {
        let first = index * block
        let scale = factors + item * channels * 2
        let start = (item * pixels + first) * channels
        for pixel in 0..<min(block, pixels - first) {
            let at = start + pixel * channels
            applyAffine(input + at, scale, scale + channels, out + at, channels, activation)
        }
    }

    // An item's values stay in a core's cache from the first pass to the last where each thread has whole
    // items to itself.
    if ThreadPool.shared.isBusy || batch % ThreadPool.shared.threadCount == 0 {
        ThreadPool.shared.run(batch) { item in
            for index in 0..<blocks { measure(item, index) }
            join(item)
            for index in 0..<blocks { apply(item, index) }
        }
    } else {
        ThreadPool.shared.run(batch * blocks) { measure($0 / blocks, $0 % blocks) }
        for item in 0..<batch { join(item) }
        ThreadPool.shared.run(batch * blocks) { apply($0 / blocks, $0 % blocks) }
    }
}

/// Adds rows of `width` values to `sums`.
private func addRows(_ x: UnsafePointer<Float>, rows: Int, _ width: Int, to sums: UnsafeMutablePointer<Float>)
{
    let wide = RowTiles.wide ? width / 16 * 16 : 0
    if wide > 0 { wideColumnSums(x, rows: rows, stride: width, count: wide, into: sums) }
    var i = wide
    while i < width {
        let lanes = min(8, width - i)
        for row in 0..<rows {
            let from = x + row * width
            if lanes == 8 {
                store8(sums, i, load8(sums, i) + load8(from, i))
            } else {
                for j in i..<width { sums[j] += from[j] }
            }
        }
        i += lanes
    }
}

/// Adds the squares of what rows of `width` values are away from `means` to `sums`.
private func addSquares(
    _ x: UnsafePointer<Float>, rows: Int, _ width: Int, around means: UnsafePointer<Float>,
    to sums: UnsafeMutablePointer<Float>
) {
    let wide = RowTiles.wide ? width / 16 * 16 : 0
    if wide > 0 { wideColumnSquares(x, rows: rows, stride: width, count: wide, around: means, into: sums) }
    var i = wide
    while i < width {
        let lanes = min(8, width - i)
        for row in 0..<rows {
            let from = x + row * width
            if lanes == 8 {
                let d = load8(from, i) - load8(means, i)
                store8(sums, i, load8(sums, i).addingProduct(d, d))
            } else {
                for j in i..<width {
                    let d = from[j] - means[j]
                    sums[j].addProduct(d, d)
                }
            }
        }
        i += lanes
    }
}

@inline(__always) private func applyAffine(
    _ x: UnsafePointer<Float>, _ scale: UnsafePointer<Float>, _ shift: UnsafePointer<Float>,
    _ out: UnsafeMutablePointer<Float>, _ count: Int,
    _ activation: FusedActivation
) {
    let fused = activation == .silu
    var i = RowTiles.wide ? count / 16 * 16 : 0
    if i > 0 { wideAffine(x, scale: scale, shift: shift, count: i, activated: fused, into: out) }
    while i &+ 8 <= count {
        var v = load8(shift, i).addingProduct(load8(x, i), load8(scale, i))
        if fused { v = silu(v) }
        store8(out, i, v)
        i &+= 8
    }
    while i < count {
        var v = shift[i].addingProduct(x[i], scale[i])
        if fused { v = silu(F8(repeating: v))[0] }
        out[i] = v
        i &+= 1
    }
}

/// Layer normalisation (Ba et al. 2016) of each row of `[rows, width]`, two passes over the row.
package func layerNormalisation(
    _ input: UnsafePointer<Float>, rows: Int, width: Int, epsilon: Float, weight: UnsafePointer<Float>,
    bias: UnsafePointer<Float>,
    into out: UnsafeMutablePointer<Float>
) {
    let whole = width / 8 * 8
    /// Sums over four rows at a time, lane by lane: one row alone waits for each addition.
    @inline(__always) func sums(
        _ x: UnsafePointer<Float>, _ add: (_ row: Int, _ values: F8, _ sum: inout F8) -> Void
    ) -> (F8, F8, F8, F8) {
        var sums = (F8.zero, F8.zero, F8.zero, F8.zero)
        var i = 0
        while i < whole {
            add(0, load8(x, i), &sums.0)
            add(1, load8(x, width &+ i), &sums.1)
            add(2, load8(x, 2 &* width &+ i), &sums.2)
            add(3, load8(x, 3 &* width &+ i), &sums.3)
            i &+= 8
        }
        return sums
    }
    @inline(__always) func mean(_ x: UnsafePointer<Float>, _ sum: F8) -> Float {
        var total = Double(sum.treeSum)
        for i in whole..<width { total += Double(x[i]) }
        return Float(total / Double(width))
    }
    /// The row from its mean and its squares around it.
    @inline(__always) func finish(
        _ x: UnsafePointer<Float>, _ mean: Float, _ squares: F8, _ y: UnsafeMutablePointer<Float>
    ) {
        var variance = Double(squares.treeSum)
        for i in whole..<width {
            let d = Double(x[i] - mean)
            variance += d * d
        }
        let inverse = Float(1 / (variance / Double(width) + Double(epsilon)).squareRoot())
        var i = 0
        while i < whole {
            let normal = (load8(x, i) - mean) * inverse
            store8(y, i, load8(bias, i).addingProduct(normal, load8(weight, i)))
            i &+= 8
        }
        while i < width {
            y[i] = bias[i].addingProduct((x[i] - mean) * inverse, weight[i])
            i &+= 1
        }
    }
    forEachBlock(rows, size: max(4, 16_384 / width / 4 * 4)) { range in
        var row = range.lowerBound
        while row &+ 4 <= range.upperBound {
            let x = input + row &* width, y = out + row &* width
            let total = sums(x) { _, values, sum in sum += values }
            let m = (
                mean(x, total.0), mean(x + width, total.1), mean(x + 2 &* width, total.2),
                mean(x + 3 &* width, total.3)
            )
            let squares = sums(x) { row, values, sum in
                let d = values - (row == 0 ? m.0 : row == 1 ? m.1 : row == 2 ? m.2 : m.3)
                sum.addProduct(d, d)
            }
            finish(x, m.0, squares.0, y)
            finish(x + width, m.1, squares.1, y + width)
            finish(x + 2 &* width, m.2, squares.2, y + 2 &* width)
            finish(x + 3 &* width, m.3, squares.3, y + 3 &* width)
            row &+= 4
        }
        while row < range.upperBound {
            let x = input + row &* width
            var sum = F8.zero, squares = F8.zero
            for i in stride(from: 0, to: whole, by: 8) { sum += load8(x, i) }
            let m = mean(x, sum)
            for i in stride(from: 0, to: whole, by: 8) {
                let d = load8(x, i) - m
                squares.addProduct(d, d)
            }
            finish(x, m, squares, out + row &* width)
            row &+= 1
        }
    }
}
