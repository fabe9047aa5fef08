internal import Kernels
package import Tensors

/// A value of a recorded computation, with what its gradient does to the values that it was made from.
package final class Node {
    package let value: Tensor
    /// Whether a gradient is wanted: it depends on a parameter.
    let isVariable: Bool
    fileprivate(set) var gradient: Tensor?
    fileprivate var backward: ((Tensor) -> Void)?

    fileprivate init(_ value: Tensor, isVariable: Bool, backward: ((Tensor) -> Void)?) {
        self.value = value
        self.isVariable = isVariable
        self.backward = backward
    }

    package var shape: [Int] { value.shape }
    /// The only element, of a loss.
    package var scalar: Double { Double(value.values[0]) }

    /// Adds to the gradient.
    func receive(_ part: @autoclosure () -> Tensor) {
        guard isVariable else { return }
        let part = part()
        guard var sum = gradient else {
            gradient = part
            return
        }
        gradient = nil
        let count = part.count
        part.withUnsafePointer { from in
            sum.withUnsafeMutablePointer { addScaled(from, by: 1, count: count, to: $0) }
        }
        gradient = sum
    }
}

/// A recorded forward pass (reverse-mode differentiation; Griewank and Walther, chapter 3). Activations are
/// `[batch, height, width, channels]` or `[batch, length, width]`. `backward` goes through it once, from the
/// end, and lets each activation go as soon as it has been used.
package final class Tape {
    package let parameters: Parameters
    /// False for values without gradients: a validation.
    package let isRecording: Bool
    /// Share of the activations that dropout sets to zero; 0 leaves it out.
    package let dropoutRate: Float
    /// Whether blocks keep only their inputs and are computed again on the way back: less memory for a third
    /// more work.
    package let recomputes: Bool
    private var nodes: [Node] = []
    private var dropoutSeed: UInt64

    package init(
        _ parameters: Parameters, recording: Bool = true, dropout: Float = 0, seed: UInt64 = 0,
        recomputing: Bool = false
    ) {
        self.parameters = parameters
        isRecording = recording
        dropoutRate = dropout
        dropoutSeed = seed
        recomputes = recomputing
    }

    /// A value that no gradient is wanted of.
    package func constant(_ value: Tensor) -> Node { Node(value, isVariable: false, backward: nil) }

    /// A value that a gradient is wanted of although it is no parameter: an input in a test, or of a block
    /// that is computed again.
    package func variable(_ value: Tensor) -> Node {
        let node = Node(value, isVariable: true, backward: nil)
        if isRecording { nodes.append(node) }
        return node
    }

    /// - Parameters:
    ///   - learns: whether a parameter takes part.
    ///   - backward: gets the gradient of the value, and hands gradients to the inputs.
    func record(
        _ value: Tensor, from inputs: [Node], learns: Bool = false, backward: @escaping (Tensor) -> Void
    ) -> Node {
        guard isRecording, learns || inputs.contains(where: \.isVariable) else {
            return Node(value, isVariable: false, backward: nil)
        }
        let node = Node(value, isVariable: true, backward: backward)
        nodes.append(node)
        return node
    }

    /// Adds the gradients of `scale` times the loss, which has one element, to the parameters' gradients.
    package func backward(_ loss: Node, scale: Float = 1) {
        precondition(loss.value.count == 1, "a loss has one element, found \(loss.shape)")
        backward(loss, gradient: Tensor(repeating: scale, shape: loss.shape))
    }

    func backward(_ output: Node, gradient: Tensor) {
        output.receive(gradient)
        while let node = nodes.popLast() {
            let backward = node.backward
            node.backward = nil
            // Inputs keep theirs for whoever made them.
            guard let backward, let gradient = node.gradient else { continue }
            node.gradient = nil
            backward(gradient)
        }
    }

    /// The gradient of an input made by `variable`, after `backward`.
    package func gradient(of node: Node) -> Tensor { node.gradient ?? Tensor(zeros: node.shape) }

    // MARK: Blocks

    /// A part of a network that keeps its inputs only, where the tape recomputes; else the plain call.
    func block(_ inputs: [Node], _ body: @escaping (Tape, [Node]) -> Node) -> Node {
        guard recomputes, isRecording else { return body(self, inputs) }
        let seed = dropoutSeed
        let quick = Tape(parameters, recording: false, dropout: dropoutRate, seed: seed)
        let value = body(quick, inputs.map { quick.constant($0.value) }).value
        dropoutSeed = quick.dropoutSeed
        return record(value, from: inputs, learns: true) { [parameters, dropoutRate] gradient in
            let inner = Tape(parameters, dropout: dropoutRate, seed: seed)
            let seen = inputs.map { $0.isVariable ? inner.variable($0.value) : inner.constant($0.value) }
            let output = body(inner, seen)
            inner.backward(output, gradient: gradient)
            for (input, node) in zip(inputs, seen) where input.isVariable {
                if let part = node.gradient { input.receive(part) }
            }
        }
    }

    func nextDropoutSeed() -> UInt64 {
        dropoutSeed = (dropoutSeed &+ 0x9E37_79B9_7F4A_7C15) &* 0xBF58_476D_1CE4_E5B9
        return dropoutSeed
    }
}
