package import Kernels
internal import Tensors

// Layers with parameters, forward and backward side by side. `name` is the layer's prefix in the parameters'
// names; sizes come from their shapes.

extension Tape {
    /// y = x Wᵀ + b over the last axis. dx = dy W, dW = dyᵀ x, db = the sum of dy over rows. A 1 x 1
    /// convolution is the same.
    package func linear(_ x: Node, _ name: String) -> Node {
        let weight = parameters.known(name + ".weight")
        let bias = parameters.index(of: name + ".bias")
        let shape = parameters.shape(weight)
        let outputs = shape[0], inputs = shape[1]
        precondition(x.shape.last == inputs, "\(name): expected [..., \(inputs)], found \(x.shape)")
        let rows = x.value.count / inputs
        let matrix = packed(weight, outputs: outputs, channels: inputs, taps: 1, bias: bias)
        let value = x.value.withUnsafePointer { source in
            Tensor(shape: x.shape.dropLast() + [outputs]) {
                matrixProduct(
                    source, rows: rows, inputStride: inputs, by: matrix, into: $0, outputStride: outputs)
            }
        }
        return record(value, from: [x], learns: true) { [self] dOutput in
            dOutput.withUnsafePointer { d in
                parameters.add(weight) { dWeight, adding in
                    x.value.withUnsafePointer {
                        linearWeightGradient(
                            $0, rows: rows, inputs: inputs, dOutput: d, outputs: outputs, adding: adding,
                            into: dWeight)
                    }
                }
                if let bias {
                    parameters.add(bias) { columnSums(d, rows: rows, columns: outputs, adding: $1, into: $0) }
                }
                guard x.isVariable else { return }
                let turned = turnedWeights(weight, outputs: outputs, channels: inputs, taps: 1)
                let back = turned.withUnsafePointer {
                    PackedMatrix(weights: $0, outputs: inputs, channels: outputs, taps: 1, bias: nil)
                }
                x.receive(
                    Tensor(shape: x.shape) {
                        matrixProduct(
                            d, rows: rows, inputStride: outputs, by: back, into: $0, outputStride: inputs)
                    })
            }
        }
    }

    /// A convolution over `[batch, height, width, channels]`. The gradient of the input is a convolution of
    /// the output's gradient, spread out by the stride, with the kernel turned by half a turn and its
    /// channels exchanged.
    /// - Parameter padsEnd: one pixel below and to the right only.
    package func convolution(
        _ x: Node, _ name: String, stride: Int = 1, padding: Int = 1, padsEnd: Bool = false
    ) -> Node {
        let weight = parameters.known(name + ".weight")
        let bias = parameters.index(of: name + ".bias")
        let shape = parameters.shape(weight)
        let outputs = shape[0], channels = shape[1], kernel = shape[2]
        precondition(
            x.value.rank == 4 && x.shape[3] == channels,
            "\(name): expected [batch, height, width, \(channels)], found \(x.shape)")
        if kernel == 1, stride == 1, padding == 0 { return linear(x, name) }
        var geometry = ConvolutionGeometry(
            batch: x.shape[0], height: x.shape[1], width: x.shape[2], channels: channels, kernel: kernel,
            stride: stride, padding: padding)
        if padsEnd {
            (geometry.padTop, geometry.padLeft, geometry.padBottom, geometry.padRight) = (0, 0, 1, 1)
        }
        let g = geometry
        let values = parameters.value(weight)
        let value = convolved(
            x.value, g, values, outputs: outputs, bias: bias.map { parameters.value($0).values })
        return record(value, from: [x], learns: true) { [self] dOutput in
            dOutput.withUnsafePointer { d in
                parameters.add(weight) { dWeight, adding in
                    x.value.withUnsafePointer {
                        convolutionWeightGradient(
                            $0, g, dOutput: d, outputs: outputs, adding: adding, into: dWeight)
                    }
                }
                if let bias {
                    parameters.add(bias) {
                        columnSums(
                            d, rows: g.batch * g.outputHeight * g.outputWidth, columns: outputs, adding: $1,
                            into: $0)
                    }
                }
            }
            guard x.isVariable else { return }
            let spread = dOutput.spread(by: stride)
            let turned = turnedWeights(weight, outputs: outputs, channels: channels, taps: kernel * kernel)
            var back = ConvolutionGeometry(
                batch: g.batch, height: spread.shape[1], width: spread.shape[2], channels: outputs,
                kernel: kernel, stride: 1, padding: 0)
            back.padTop = kernel - 1 - g.padTop
            back.padLeft = kernel - 1 - g.padLeft
            back.padBottom = g.height - back.height - back.padTop + kernel - 1
            back.padRight = g.width - back.width - back.padLeft + kernel - 1
            x.receive(convolved(spread, back, turned, outputs: channels, bias: nil))
        }
    }

    /// The convolution by the kernel that inference would choose for this size.
    private func convolved(
        _ x: Tensor, _ g: ConvolutionGeometry, _ weights: Tensor, outputs: Int, bias: [Float]?
    ) -> Tensor {
        x.withUnsafePointer { source in
            weights.withUnsafePointer { weights in
                Tensor(shape: [g.batch, g.outputHeight, g.outputWidth, outputs]) { out in
                    if let size = WinogradSize.chosen(for: g, outputs: outputs) {
                        winogradConvolution(
                            source, g,
                            by: WinogradWeights(
                                size, weights: weights, outputs: outputs, channels: g.channels, bias: bias),
                            into: out)
                    } else {
                        Kernels.convolution(
                            source, g,
                            by: PackedMatrix(
                                weights: weights, outputs: outputs, channels: g.channels,
                                taps: g.kernelHeight * g.kernelWidth, bias: bias),
                            into: out)
                    }
                }
            }
        }
    }

    private func packed(_ weight: Int, outputs: Int, channels: Int, taps: Int, bias: Int?) -> PackedMatrix {
        parameters.value(weight).withUnsafePointer {
            PackedMatrix(
                weights: $0, outputs: outputs, channels: channels, taps: taps,
                bias: bias.map { parameters.value($0).values })
        }
    }

    /// `[channels, outputs, taps]` from `[outputs, channels, taps]`, each kernel turned by half a turn.
    private func turnedWeights(_ weight: Int, outputs: Int, channels: Int, taps: Int) -> Tensor {
        parameters.value(weight).withUnsafePointer { from in
            Tensor(shape: [channels, outputs, taps]) {
                turnedKernel(from, outputs: outputs, channels: channels, taps: taps, into: $0)
            }
        }
    }

    // MARK: Normalisation

    package func groupNorm(
        _ x: Node, _ name: String, groups: Int, epsilon: Float, activation: FusedActivation = .none
    ) -> Node {
        let weight = parameters.known(name + ".weight"), bias = parameters.known(name + ".bias")
        let channels = x.shape[x.value.rank - 1], batch = x.shape[0]
        let pixels = x.value.count / batch / channels
        let (scale, offset) = (parameters.value(weight), parameters.value(bias))
        var statistics = Tensor(shape: [batch, groups, 2]) { _ in }
        let value = x.value.withUnsafePointer { source in
            scale.withUnsafePointer { scale in
                offset.withUnsafePointer { offset in
                    statistics.withUnsafeMutablePointer { statistics in
                        Tensor(shape: x.shape) {
                            groupNormalisation(
                                source, batch: batch, pixels: pixels, channels: channels, groups: groups,
                                epsilon: epsilon, weight: scale, bias: offset,
                                activation: activation, statistics: statistics, into: $0)
                        }
                    }
                }
            }
        }
        return record(value, from: [x], learns: true) { [self, statistics] dOutput in
            var dWeight = Tensor(shape: [channels]) { _ in }
            var dBias = Tensor(shape: [channels]) { _ in }
            let dInput = dOutput.withUnsafePointer { d in
                x.value.withUnsafePointer { source in
                    statistics.withUnsafePointer { statistics in
                        scale.withUnsafePointer { scale in
                            offset.withUnsafePointer { offset in
                                dWeight.withUnsafeMutablePointer { dWeight in
                                    dBias.withUnsafeMutablePointer { dBias in
                                        Tensor(shape: x.shape) {
                                            groupNormalisationBackward(
                                                d, source, batch: batch, pixels: pixels, channels: channels,
                                                groups: groups, statistics: statistics,
                                                weight: scale, bias: offset, activation: activation,
                                                dWeight: dWeight, dBias: dBias, into: $0)
                                        }
                                    }
                                }
                            }
                        }
                    }
                }
            }
            parameters.add(weight, dWeight)
            parameters.add(bias, dBias)
            x.receive(dInput)
        }
    }

    package func layerNorm(_ x: Node, _ name: String, epsilon: Float) -> Node {
        let weight = parameters.known(name + ".weight"), bias = parameters.known(name + ".bias")
        let width = x.shape[x.value.rank - 1]
        let rows = x.value.count / width
        let (scale, offset) = (parameters.value(weight), parameters.value(bias))
        let value = x.value.withUnsafePointer { source in
            scale.withUnsafePointer { scale in
                offset.withUnsafePointer { offset in
                    Tensor(shape: x.shape) {
                        layerNormalisation(
                            source, rows: rows, width: width, epsilon: epsilon, weight: scale, bias: offset,
                            into: $0)
                    }
                }
            }
        }
        return record(value, from: [x], learns: true) { [self] dOutput in
            var dWeight = Tensor(shape: [width]) { _ in }
            var dBias = Tensor(shape: [width]) { _ in }
            let dInput = dOutput.withUnsafePointer { d in
                x.value.withUnsafePointer { source in
                    scale.withUnsafePointer { scale in
                        dWeight.withUnsafeMutablePointer { dWeight in
                            dBias.withUnsafeMutablePointer { dBias in
                                Tensor(shape: x.shape) {
                                    layerNormalisationBackward(
                                        d, source, rows: rows, width: width, epsilon: epsilon, weight: scale,
                                        dWeight: dWeight, dBias: dBias, into: $0)
                                }
                            }
                        }
                    }
                }
            }
            parameters.add(weight, dWeight)
            parameters.add(bias, dBias)
            x.receive(dInput)
        }
    }

    // MARK: Tables

    /// Rows of the table `name`, `[rows, width]`, as `[count of ids, length, width]`.
    package func embedding(_ ids: [[Int]], _ name: String) -> Node {
        let index = parameters.known(name)
        let width = parameters.shape(index)[1]
        let length = ids.first?.count ?? 0
        let flat = ids.flatMap { $0 }
        let value = parameters.value(index).withUnsafePointer { table in
            Tensor(shape: [ids.count, length, width]) { out in
                for (row, id) in flat.enumerated() {
                    (out + row * width).update(from: table + id * width, count: width)
                }
            }
        }
        return record(value, from: [], learns: true) { [self] dOutput in
            let rows = parameters.shape(index)[0]
            dOutput.withUnsafePointer { d in
                parameters.add(index) { dTable, adding in
                    if !adding { dTable.update(repeating: 0, count: rows * width) }
                    for (row, id) in flat.enumerated() {
                        for i in 0..<width { dTable[id * width + i] += d[row * width + i] }
                    }
                }
            }
        }
    }

    /// Adds the first `length` rows of the parameter `name`, `[places, width]`, to every item of `[batch,
    /// length, width]`.
    package func adding(_ name: String, length: Int, toEachItemOf x: Node) -> Node {
        let index = parameters.known(name)
        let batch = x.shape[0], width = x.shape[x.value.rank - 1]
        let count = length * width, all = parameters.value(index).count
        precondition(
            x.value.count == batch * count && all >= count,
            "\(name): \(all) values for items of \(x.value.count / batch)")
        let value = x.value.withUnsafePointer { source in
            parameters.value(index).withUnsafePointer { table in
                Tensor(shape: x.shape) { out in
                    for item in 0..<batch {
                        Kernels.sum(source + item * count, table, count: count, into: out + item * count)
                    }
                }
            }
        }
        return record(value, from: [x], learns: true) { [self] dOutput in
            dOutput.withUnsafePointer { d in
                parameters.add(index) { dTable, adding in
                    if !adding { dTable.update(repeating: 0, count: all) }
                    columnSums(d, rows: batch, columns: count, adding: true, into: dTable)
                }
            }
            x.receive(dOutput)
        }
    }

    /// A parameter of one element.
    package func scalar(_ name: String) -> Node {
        let index = parameters.known(name)
        return record(parameters.value(index), from: [], learns: true) { [self] dOutput in
            parameters.add(index, dOutput)
        }
    }

    /// `[batch, length, width]` with the parameter `name` (`[width]`) as a first row of each item.
    package func prepending(_ name: String, to x: Node) -> Node {
        let index = parameters.known(name)
        let batch = x.shape[0], length = x.shape[1], width = x.shape[2]
        let value = x.value.withUnsafePointer { source in
            parameters.value(index).withUnsafePointer { token in
                Tensor(shape: [batch, length + 1, width]) { out in
                    for item in 0..<batch {
                        let to = out + item * (length + 1) * width
                        to.update(from: token, count: width)
                        (to + width).update(from: source + item * length * width, count: length * width)
                    }
                }
            }
        }
        return record(value, from: [x], learns: true) { [self] dOutput in
            dOutput.withUnsafePointer { d in
                parameters.add(index) { dToken, adding in
                    if !adding { dToken.update(repeating: 0, count: width) }
                    for item in 0..<batch {
                        for i in 0..<width { dToken[i] += d[item * (length + 1) * width + i] }
                    }
                }
                x.receive(
                    Tensor(shape: x.shape) { out in
                        for item in 0..<batch {
                            (out + item * length * width).update(
                                from: d + (item * (length + 1) + 1) * width, count: length * width)
                        }
                    })
            }
        }
    }
}
