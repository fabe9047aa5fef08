internal import Kernels
package import Tensors

/// Named float32 parameters in the reference library's names, order and layout (convolutions `[outputs,
/// inputs, height, width]`, linear layers `[outputs, inputs]`), each with its gradient. Not for use from
/// several threads at once.
package final class Parameters {
    package let names: [String]
    private var values: [Tensor]
    private let shapes: [[Int]]
    private var gradients: [Tensor?]
    /// Whether a gradient was written since `clearGradients`: the first writer overwrites, so nothing is
    /// filled with zeros in vain.
    private var isWritten: [Bool]
    private let indices: [String: Int]

    /// - Parameter tensors: the order is kept.
    package init(_ tensors: [(name: String, tensor: Tensor)]) {
        names = tensors.map(\.name)
        values = tensors.map(\.tensor)
        shapes = values.map(\.shape)
        gradients = Array(repeating: nil, count: tensors.count)
        isWritten = Array(repeating: false, count: tensors.count)
        indices = Dictionary(uniqueKeysWithValues: names.enumerated().map { ($1, $0) })
    }

    package var count: Int { shapes.reduce(0) { $0 + $1.reduce(1, *) } }

    package func index(of name: String) -> Int? { indices[name] }
    package func shape(_ index: Int) -> [Int] { shapes[index] }

    /// The value of a parameter; a new one must have the same shape.
    package subscript(name: String) -> Tensor {
        get { values[known(name)] }
        set {
            let index = known(name)
            precondition(
                newValue.shape == values[index].shape,
                "\(name): expected \(values[index].shape), found \(newValue.shape)")
            values[index] = newValue
        }
    }

    func known(_ name: String) -> Int {
        guard let index = indices[name] else { preconditionFailure("no parameter is named \(name)") }
        return index
    }

    func value(_ index: Int) -> Tensor { values[index] }

    /// The values in place.
    package func withValues<R>(_ index: Int, _ body: (UnsafeMutableBufferPointer<Float>) throws -> R) rethrows
        -> R
    {
        // Taken out for the time, so that `body` may ask for the gradient, and so that storage of one owner
        // is not copied.
        var tensor = values[index]
        values[index] = Self.nothing
        defer { values[index] = tensor }
        let count = tensor.count
        return try tensor.withUnsafeMutablePointer {
            try body(UnsafeMutableBufferPointer(start: $0, count: count))
        }
    }

    private static let nothing = Tensor(zeros: [0])

    /// The gradient in place; zeros where nothing was learnt.
    package func withGradient<R>(_ index: Int, _ body: (UnsafeMutableBufferPointer<Float>) throws -> R)
        rethrows -> R
    {
        let count = shapes[index].reduce(1, *)
        return try add(index) { pointer, adding in
            if !adding { pointer.update(repeating: 0, count: count) }
            return try body(UnsafeMutableBufferPointer(start: pointer, count: count))
        }
    }

    /// The gradient of a parameter, copied.
    package func gradient(_ name: String) -> Tensor {
        let index = known(name)
        return withGradient(index) { Tensor(shape: shapes[index], values: Array($0)) }
    }

    package func clearGradients() {
        for index in isWritten.indices { isWritten[index] = false }
    }

    /// Lets `body` write a gradient: over what is there, or adding to it.
    func add<R>(_ index: Int, _ body: (_ gradient: UnsafeMutablePointer<Float>, _ adding: Bool) throws -> R)
        rethrows -> R
    {
        let adding = isWritten[index]
        isWritten[index] = true
        var gradient = gradients[index] ?? Tensor(shape: shapes[index]) { _ in }
        gradients[index] = nil
        defer { gradients[index] = gradient }
        return try gradient.withUnsafeMutablePointer { try body($0, adding) }
    }

    /// Adds a gradient that was made elsewhere.
    func add(_ index: Int, _ part: Tensor) {
        let count = part.count
        add(index) { to, adding in
            part.withUnsafePointer { from in
                if adding {
                    addScaled(from, by: 1, count: count, to: to)
                } else {
                    to.update(from: from, count: count)
                }
            }
        }
    }
}
