import Tensors

/// Records what modules inside a network gave, under the reference's module names, in the reference's layout.
/// For tests and for looking inside; absent in normal use.
package final class ActivationTrace {
    package private(set) var activations: [String: Tensor] = [:]
    package init() {}

    /// `[batch, height, width, channels]` is kept as `[batch, channels, height, width]`, other ranks as they
    /// are.
    func record(_ name: String, _ value: Tensor) {
        guard activations[name] == nil else { return }
        activations[name] = value.rank == 4 ? value.channelsFirst : value
    }
}
