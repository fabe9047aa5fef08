import Kernels
import Tensors
import TestSupport
import Testing

/// The definition, in Double, as far from the tuned kernel as can be.
private func reference(_ a: [Float], _ w: [Float], _ bias: [Float], rows: Int, inputs: Int, outputs: Int)
    -> [Float]
{
    (0..<rows * outputs).map { i in
        let row = i / outputs, output = i % outputs
        return Float(
            (0..<inputs).reduce(Double(bias[output])) {
                $0 + Double(a[row * inputs + $1]) * Double(w[output * inputs + $1])
            })
    }
}

@Suite("Matrix product")
struct MatrixProductTests {
    private func product(_ a: [Float], _ w: [Float], _ bias: [Float], rows: Int, inputs: Int, outputs: Int)
        -> [Float]
    {
        let matrix = PackedMatrix(weights: w, outputs: outputs, channels: inputs, taps: 1, bias: bias)
        var out = [Float](repeating: .nan, count: rows * outputs)
        matrixProduct(a, rows: rows, inputStride: inputs, by: matrix, into: &out, outputStride: outputs)
        return out
    }

    @Test("agrees with the definition for every number of rows in a tile, odd widths and long sums")
    func agrees() {
        var generator = Generator(seed: 3)
        for rows in Array(1...14) + [31, 192, 193, 400] {
            for (inputs, outputs) in [(1, 1), (7, 3), (16, 16), (33, 17), (700, 40), (1700, 5)] {
                let a = generator.normal(shape: [rows * inputs]).values
                let w = generator.normal(shape: [outputs * inputs]).values
                let bias = generator.normal(shape: [outputs]).values
                let expected = reference(a, w, bias, rows: rows, inputs: inputs, outputs: outputs)
                let actual = product(a, w, bias, rows: rows, inputs: inputs, outputs: outputs)
                // Partial sums of k products of unit normals are of size sqrt(k) and each is rounded with
                // 6e-8: together about 6e-8 n / sqrt(2) as a standard deviation, and the largest of thousands
                // may be five of these.
                let tolerance = 1e-6 + 6e-8 * Double(inputs) * 4
                expectClose(
                    actual: Tensor(shape: [rows, outputs], values: actual),
                    expected: Tensor(shape: [rows, outputs], values: expected), absolute: tolerance,
                    relative: 1e-6,
                    "\(rows) x \(inputs) x \(outputs)")
            }
        }
    }

    @Test(
        "weights that are not packed give the bits of packed ones",
        .enabled(if: KernelChoice.current != .naive)) func borrowed()
    {
        var generator = Generator(seed: 8)
        for (rows, inputs, outputs) in [(1, 16, 16), (5, 33, 17), (40, 1700, 50), (200, 700, 33)] {
            let a = generator.normal(shape: [rows * inputs]).values
            let w = generator.normal(shape: [outputs * inputs]).values
            let bias = generator.normal(shape: [outputs]).values
            var out = [Float](repeating: .nan, count: rows * outputs)
            w.withUnsafeBufferPointer {
                let matrix = PackedMatrix(
                    borrowing: $0.baseAddress!, outputs: outputs, channels: inputs, taps: 1, bias: bias)
                matrixProduct(
                    a, rows: rows, inputStride: inputs, by: matrix, into: &out, outputStride: outputs)
            }
            #expect(out == product(a, w, bias, rows: rows, inputs: inputs, outputs: outputs))
        }
    }

    @Test(
        """
        weights that stay in a cache give the bits of others for every number of rows, and nothing is \
        written beside the result
        """,
        .enabled(if: KernelChoice.current != .naive)) func cached()
    {
        var generator = Generator(seed: 12)
        for rows in Array(12...37) + [193, 197, 204, 400, 1001] {
            for (inputs, outputs) in [(16, 16), (48, 48), (33, 96), (40, 112), (640, 160)] {
                let inputStride = inputs + 5, outputStride = outputs + 3
                let a = generator.normal(shape: [rows * inputStride]).values,
                    w = generator.normal(shape: [outputs * inputs]).values
                let bias = generator.normal(shape: [outputs]).values,
                    residual = generator.normal(shape: [rows * outputStride]).values
                func result(_ matrix: PackedMatrix) -> [Float] {
                    var out = [Float](repeating: -7, count: (rows + 12) * outputStride)
                    matrixProduct(
                        a, rows: rows, inputStride: inputStride, by: matrix, adding: residual, into: &out,
                        outputStride: outputStride)
                    return out
                }
                let packed = result(
                    PackedMatrix(weights: w, outputs: outputs, channels: inputs, taps: 1, bias: bias))
                w.withUnsafeBufferPointer {
                    #expect(
                        packed
                            == result(
                                PackedMatrix(
                                    borrowing: $0.baseAddress!, outputs: outputs, channels: inputs, taps: 1,
                                    bias: bias)),
                        "\(rows) x \(inputs) x \(outputs)")
                }
                let outside = packed.indices.filter {
                    $0 >= rows * outputStride || $0 % outputStride >= outputs
                }
                #expect(outside.allSatisfy { packed[$0] == -7 }, "\(rows) x \(inputs) x \(outputs)")
            }
        }
    }

    @Test("a residual gives the bits of a sum after the product, also in tiles and panels that are not full")
    func residuals() {
        var generator = Generator(seed: 9)
        for (rows, inputs, outputs) in [
            (1, 16, 16), (5, 33, 17), (24, 96, 48), (40, 1700, 50), (200, 700, 40), (130, 600, 96),
            (130, 2048, 96), (90, 1700, 80),
        ] {
            let a = generator.normal(shape: [rows * inputs]).values
            let w = generator.normal(shape: [outputs * inputs]).values
            let bias = generator.normal(shape: [outputs]).values,
                residual = generator.normal(shape: [rows * outputs]).values
            let matrix = PackedMatrix(weights: w, outputs: outputs, channels: inputs, taps: 1, bias: bias)
            var out = [Float](repeating: .nan, count: rows * outputs)
            matrixProduct(
                a, rows: rows, inputStride: inputs, by: matrix, adding: residual, into: &out,
                outputStride: outputs)
            #expect(
                out
                    == zip(product(a, w, bias, rows: rows, inputs: inputs, outputs: outputs), residual).map {
                        $0 + $1
                    }, "\(rows) x \(inputs) x \(outputs)")
        }
    }

    @Test("a low picture, whose taps on padding are left out, agrees with one that has the padding in it")
    func lowConvolutions() {
        var generator = Generator(seed: 11)
        for (items, height, width, inputs, outputs) in [
            (1, 1, 1, 5, 3), (1, 1, 3, 16, 16), (1, 2, 2, 300, 33), (2, 2, 2, 20, 48), (3, 2, 5, 40, 70),
            (2, 3, 3, 100, 17), (2, 4, 4, 300, 64),
            (16, 4, 4, 30, 40),
        ] {
            for enlargement in 1...2 where height * enlargement <= 4 {
                var geometry = ConvolutionGeometry(
                    batch: items, height: height, width: width, channels: inputs)
                (geometry.seenHeight, geometry.seenWidth) = (height * enlargement, width * enlargement)
                let x = generator.normal(shape: [items * height * width * inputs]).values,
                    w = generator.normal(shape: [outputs * inputs * 9]).values
                let bias = generator.normal(shape: [outputs]).values,
                    count = items * geometry.outputHeight * geometry.outputWidth * outputs
                let residual = generator.normal(shape: [count]).values
                func result(_ x: [Float], _ geometry: ConvolutionGeometry, _ matrix: PackedMatrix) -> [Float]
                {
                    var out = [Float](repeating: .nan, count: count)
                    convolution(x, geometry, by: matrix, adding: residual, into: &out)
                    return out
                }
                // Where the padding above and below is part of the picture, all of it is multiplied.
                let (tall, wide) = (height * enlargement + 2, width * enlargement)
                var padded = ConvolutionGeometry(batch: items, height: tall, width: wide, channels: inputs)
                (padded.padTop, padded.padBottom) = (0, 0)
                var picture = [Float](repeating: 0, count: items * tall * wide * inputs)
                for i in picture.indices {
                    let (item, y, column, channel) = (
                        i / inputs / wide / tall, i / inputs / wide % tall - 1, i / inputs % wide, i % inputs
                    )
                    if (0..<tall - 2).contains(y) {
                        picture[i] =
                            x[
                                ((item * height + y / enlargement) * width + column / enlargement) * inputs
                                    + channel]
                    }
                }
                let packed = PackedMatrix(weights: w, outputs: outputs, channels: inputs, taps: 9, bias: bias)
                let name = "\(items) x \(height) x \(width) x \(inputs) x \(outputs), \(enlargement) times"
                let short = result(x, geometry, packed)
                // Another order of sums of at most 2,700 products of unit normals: as for any convolution.
                expectClose(
                    actual: Tensor(shape: [count], values: short),
                    expected: Tensor(shape: [count], values: result(picture, padded, packed)),
                    absolute: 1e-6 + 6e-8 * Double(inputs * 9) * 4, "\(name)")
                if items > 1 {
                    var one = geometry
                    one.batch = 1
                    var alone = [Float](repeating: .nan, count: count / items)
                    let last = Array(
                        x[(items - 1) * height * width * inputs..<items * height * width * inputs])
                    convolution(
                        last, one, by: packed, adding: Array(residual[(count - count / items)...]),
                        into: &alone)
                    #expect(
                        alone == Array(short[(count - count / items)...]), "alone and in a batch: \(name)")
                }
                w.withUnsafeBufferPointer {
                    #expect(
                        short
                            == result(
                                x, geometry,
                                PackedMatrix(
                                    borrowing: $0.baseAddress!, outputs: outputs, channels: inputs, taps: 9,
                                    bias: bias)),
                        "not packed: \(name)")
                }
            }
        }
    }

    /// Square pictures, enlarged where that is what the algorithm is for, and how many values come out.
    private func square(_ items: Int, _ side: Int, _ inputs: Int, _ outputs: Int, for size: WinogradSize?)
        -> (ConvolutionGeometry, count: Int)
    {
        var geometry = ConvolutionGeometry(batch: items, height: side, width: side, channels: inputs)
        if size == .doubled { (geometry.seenHeight, geometry.seenWidth) = (2 * side, 2 * side) }
        return (geometry, items * geometry.outputHeight * geometry.outputWidth * outputs)
    }

    @Test("a residual of a convolution likewise", arguments: [nil] + WinogradSize.allCases)
    func convolutionResiduals(size: WinogradSize?) {
        var generator = Generator(seed: 10)
        for (items, side, inputs, outputs) in [(1, 5, 7, 9), (2, 8, 32, 48), (3, 9, 40, 33)] {
            let (geometry, count) = square(items, side, inputs, outputs, for: size)
            let x = generator.normal(shape: [items * side * side * inputs]).values,
                w = generator.normal(shape: [outputs * inputs * 9]).values
            let bias = generator.normal(shape: [outputs]).values,
                residual = generator.normal(shape: [count]).values
            func result(_ residual: UnsafePointer<Float>?) -> [Float] {
                var out = [Float](repeating: .nan, count: count)
                if let size {
                    let weights = WinogradWeights(
                        size, weights: w, outputs: outputs, channels: inputs, bias: bias)
                    winogradConvolution(x, geometry, by: weights, adding: residual, into: &out)
                } else {
                    let matrix = PackedMatrix(
                        weights: w, outputs: outputs, channels: inputs, taps: 9, bias: bias)
                    convolution(x, geometry, by: matrix, adding: residual, into: &out)
                }
                return out
            }
            let together = residual.withUnsafeBufferPointer { result($0.baseAddress) }
            #expect(
                together == zip(result(nil), residual).map { $0 + $1 },
                "\(items) x \(side)² x \(inputs) x \(outputs)")
        }
    }

    @Test(
        "a kernel that is transformed on the way gives the bits of one that is before",
        arguments: WinogradSize.allCases)
    func borrowedKernels(size: WinogradSize) {
        var generator = Generator(seed: 12)
        // The last two have so many tiles that transformed kernels take them block by block, those that are
        // transformed on the way in phases.
        for (items, side, inputs, outputs) in [
            (1, 5, 7, 9), (2, 8, 32, 48), (3, 9, 40, 33), (2, 16, 64, 100), (50, 16, 32, 48),
            (28, 16, 176, 192),
        ] {
            let (geometry, count) = square(items, side, inputs, outputs, for: size)
            let x = generator.normal(shape: [items * side * side * inputs]).values,
                w = generator.normal(shape: [outputs * inputs * 9]).values
            let bias = generator.normal(shape: [outputs]).values,
                residual = generator.normal(shape: [count]).values
            var kept = [Float](repeating: .nan, count: count), borrowed = kept
            let weights = WinogradWeights(size, weights: w, outputs: outputs, channels: inputs, bias: bias)
            winogradConvolution(x, geometry, by: weights, adding: residual, into: &kept)
            winogradConvolution(
                x, geometry, size, borrowing: w, outputs: outputs, bias: bias, adding: residual,
                into: &borrowed)
            #expect(kept == borrowed, "\(items) x \(side)² x \(inputs) x \(outputs)")
        }
    }

    @Test("weights of half precision give the bits of a product with rounded weights, in half of the memory")
    func half() {
        var generator = Generator(seed: 5)
        for (rows, inputs, outputs) in [(1, 16, 16), (5, 33, 17), (40, 1150, 50), (200, 700, 33)] {
            let a = generator.normal(shape: [rows * inputs]).values
            // Some beyond what the form holds, at both ends.
            let w = generator.normal(shape: [outputs * inputs]).values.enumerated().map {
                $0.offset % 97 == 0 ? $0.element * 1e-7 : $0.element
            }
            let rounded = w.map { Float(Float16($0)) }
            let bias = generator.normal(shape: [outputs]).values
            let matrix = PackedMatrix(
                weights: w, outputs: outputs, channels: inputs, taps: 1, bias: bias, precision: .float16)
            var out = [Float](repeating: .nan, count: rows * outputs)
            matrixProduct(a, rows: rows, inputStride: inputs, by: matrix, into: &out, outputStride: outputs)
            #expect(out == product(a, rounded, bias, rows: rows, inputs: inputs, outputs: outputs))
            let whole = PackedMatrix(weights: w, outputs: outputs, channels: inputs, taps: 1, bias: bias)
            #expect(Double(matrix.byteCount) < 0.6 * Double(whole.byteCount))
        }
    }

    @Test("a weight beyond the largest half is infinity, which the results show")
    func largestHalf() {
        let matrix = PackedMatrix(
            weights: [1e6, -1e9], outputs: 2, channels: 1, taps: 1, bias: nil, precision: .float16)
        #expect(
            matrix.element(input: 0, output: 0) == .infinity
                && matrix.element(input: 0, output: 1) == -.infinity)
    }

    @Test("a row's result is the same bits alone and among others, with any number of threads")
    func independent() {
        var generator = Generator(seed: 4)
        let (rows, inputs, outputs) = (211, 1150, 50)
        let a = generator.normal(shape: [rows * inputs]).values
        let w = generator.normal(shape: [outputs * inputs]).values
        let bias = generator.normal(shape: [outputs]).values
        let all = product(a, w, bias, rows: rows, inputs: inputs, outputs: outputs)
        for count in [1, 2, 5, 6, 7, 50] {
            let part = product(
                Array(a[0..<count * inputs]), w, bias, rows: count, inputs: inputs, outputs: outputs)
            #expect(part == Array(all[0..<count * outputs]), "\(count) rows")
        }
    }
}

@Suite("Convolution")
struct ConvolutionTests {
    @Test("agrees with the definition for paddings, strides and an enlarged input")
    func agrees() {
        var generator = Generator(seed: 5)
        for kernel in [1, 3, 5] {
            for stride in [1, 2] {
                for padding in 0...(kernel / 2) {
                    for enlarged in [(7, 5), (14, 10), (13, 9)] {
                        var g = ConvolutionGeometry(
                            batch: 2, height: 7, width: 5, channels: 6, kernel: kernel, stride: stride,
                            padding: padding)
                        (g.seenHeight, g.seenWidth) = enlarged
                        if kernel == 3 && padding == 0 { (g.padBottom, g.padRight) = (1, 1) }
                        check(g, outputs: 19, &generator)
                    }
                }
            }
        }
    }

    private func check(_ g: ConvolutionGeometry, outputs: Int, _ generator: inout Generator) {
        let taps = g.kernelHeight * g.kernelWidth
        let x = generator.normal(shape: [g.batch * g.height * g.width * g.channels]).values
        let w = generator.normal(shape: [outputs * g.channels * taps]).values
        let bias = generator.normal(shape: [outputs]).values
        let matrix = PackedMatrix(weights: w, outputs: outputs, channels: g.channels, taps: taps, bias: bias)
        let shape = [g.batch, g.outputHeight, g.outputWidth, outputs]
        let actual = Tensor(shape: shape) { out in
            x.withUnsafeBufferPointer { convolution($0.baseAddress!, g, by: matrix, into: out) }
        }
        if KernelChoice.current != .naive {
            let unpacked = Tensor(shape: shape) { out in
                w.withUnsafeBufferPointer { w in
                    let matrix = PackedMatrix(
                        borrowing: w.baseAddress!, outputs: outputs, channels: g.channels, taps: taps,
                        bias: bias)
                    x.withUnsafeBufferPointer { convolution($0.baseAddress!, g, by: matrix, into: out) }
                }
            }
            #expect(unpacked.values == actual.values, "not packed: \(g)")
        }
        var expected: [Float] = []
        for b in 0..<g.batch {
            for y in 0..<g.outputHeight {
                for xx in 0..<g.outputWidth {
                    for o in 0..<outputs {
                        var sum = Double(bias[o])
                        for ky in 0..<g.kernelHeight {
                            for kx in 0..<g.kernelWidth {
                                let sy = y * g.stride + ky - g.padTop, sx = xx * g.stride + kx - g.padLeft
                                guard sy >= 0, sy < g.seenHeight, sx >= 0, sx < g.seenWidth else { continue }
                                let py = sy * g.height / g.seenHeight, px = sx * g.width / g.seenWidth
                                for c in 0..<g.channels {
                                    sum +=
                                        Double(x[((b * g.height + py) * g.width + px) * g.channels + c])
                                        * Double(w[(o * g.channels + c) * taps + ky * g.kernelWidth + kx])
                                }
                            }
                        }
                        expected.append(Float(sum))
                    }
                }
            }
        }
        // Sums of at most 150 products of unit normals: as for the matrix product.
        expectClose(
            actual: actual, expected: Tensor(shape: shape, values: expected),
            absolute: 1e-6 + 6e-8 * Double(g.channels * taps) * 4, "\(g)")
    }

    @Test(
        "Winograd's algorithm agrees with the direct product on odd sizes, enlarged inputs and few channels",
        arguments: WinogradSize.allCases)
    func winograd(_ size: WinogradSize) {
        var generator = Generator(seed: 6)
        for (height, width, channels, outputs) in [
            (16, 16, 40, 33), (9, 7, 3, 5), (5, 13, 24, 16), (1, 1, 8, 8), (33, 18, 16, 20),
        ] {
            for enlarges in size == .doubled ? [true] : [false, true] {
                var g = ConvolutionGeometry(batch: 3, height: height, width: width, channels: channels)
                if enlarges { (g.seenHeight, g.seenWidth) = (2 * height, 2 * width) }
                let x = generator.normal(shape: [3, height, width, channels])
                let w = generator.normal(shape: [outputs, channels, 3, 3])
                let bias = generator.normal(shape: [outputs]).values
                let shape = [3, g.outputHeight, g.outputWidth, outputs]
                let expected = x.withUnsafePointer { x in
                    w.withUnsafePointer { w in
                        let matrix = PackedMatrix(
                            weights: w, outputs: outputs, channels: channels, taps: 9, bias: bias)
                        return Tensor(shape: shape) { convolution(x, g, by: matrix, into: $0) }
                    }
                }
                func transformed(_ x: Tensor, _ g: ConvolutionGeometry, _ size: WinogradSize = size) -> Tensor
                {
                    x.withUnsafePointer { x in
                        w.withUnsafePointer { w in
                            let weights = WinogradWeights(
                                size, weights: w, outputs: outputs, channels: channels, bias: bias)
                            return Tensor(shape: [g.batch] + shape.dropFirst()) {
                                winogradConvolution(x, g, by: weights, into: $0)
                            }
                        }
                    }
                }
                let actual = transformed(x, g)
                // Twice the direct sum's allowance for the products, and the transforms' own rounding: they
                // pass through values some ten times those of the result (up to 20 here), each rounded with
                // 6e-8.
                expectClose(
                    actual: actual, expected: expected, absolute: 1.5e-5 + 6e-8 * Double(channels * 9) * 8,
                    "\(g)")
                if size == .doubled {
                    #expect(
                        actual.values == transformed(x, g, .two).values,
                        "the products that are left out are zero")
                }
                var one = g
                one.batch = 1
                #expect(transformed(x[rows: 1..<2], one).values == actual[1].values, "alone and in a batch")
            }
        }
    }
}
