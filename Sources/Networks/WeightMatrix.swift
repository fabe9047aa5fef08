import Kernels
import Synchronization

/// The weights of a layer as a factor of products: read where they lie for the first product, packed from the
/// second on. Packing writes all weights into new memory, which takes longer than a product of few rows; who
/// asks a network once need not wait for it. Both give the same bits. The pages of the file stay until
/// weights are packed: to let go of them costs an eighth of the first use, and they are the system's to take
/// when memory is short.
final class WeightMatrix: Sendable {
    private let weight: Parameter
    private let bias: Parameter?
    private let taps: Int
    private let packed = FromSecondUse<PackedMatrix>()

    /// - Parameter weight: `[outputs, channels, taps...]`.
    init(_ weight: Parameter, taps: Int, bias: Parameter?) {
        (self.weight, self.taps, self.bias) = (weight, taps, bias)
    }

    /// Calls `body` with the matrix.
    /// - Parameter rows: of the product.
    func use(rows: Int, _ body: (PackedMatrix) -> Void) {
        if let matrix = packed.value(firstWithout: paysToBorrow(rows: rows), make: packing) {
            return body(matrix)
        }
        weight.withValues(lettingGo: false) {
            body(
                PackedMatrix(
                    borrowing: $0, outputs: outputs, channels: channels, taps: taps, bias: bias?.load().values
                ))
        }
    }

    private var outputs: Int { weight.shape[0] }
    private var channels: Int { weight.shape.dropFirst().reduce(1, *) / taps }

    /// Small matrices are packed in no time, and large products would pack each panel several times.
    private func paysToBorrow(rows: Int) -> Bool {
        WeightUse.current == .once && weight.precision == .float32 && rows <= mostRowsOfAChunk
            && weight.shape.reduce(1, *) >= 1 << 18
            && KernelChoice.current != .naive
    }

    private func packing() -> PackedMatrix {
        weight.withValues(lettingGo: true) {
            PackedMatrix(
                weights: $0, outputs: outputs, channels: channels, taps: taps, bias: bias?.load().values,
                precision: weight.precision)
        }
    }
}

/// What is made of a layer's weights for many uses: at its second use, where the first one can do without.
final class FromSecondUse<Value: Sendable>: Sendable {
    private enum State {
        case unused
        case usedOnce
        case made(Value)
    }
    private let state = Mutex<State>(.unused)

    /// Nil at the first use if that is to do without.
    func value(firstWithout: Bool, make: () -> Value) -> Value? {
        state.withLock { state in
            switch state {
            case .made(let value): return value
            case .unused where firstWithout:
                state = .usedOnce
                return nil
            case .unused, .usedOnce:
                // It outlives the computation that first asked for it.
                let value = ThreadPool.$abandonment.withValue(nil) { make() }
                state = .made(value)
                return value
            }
        }
    }
}

/// The kernel of a convolution for Winograd's algorithm: borrowed where it lies for the first use,
/// transformed from the second on. Both give the same bits.
final class WinogradKernel: Sendable {
    private let size: WinogradSize
    private let weight: Parameter
    private let bias: Parameter?
    private let transformed = FromSecondUse<WinogradWeights>()

    /// - Parameter weight: `[outputs, channels, 3, 3]`.
    init(_ size: WinogradSize, _ weight: Parameter, bias: Parameter?) {
        (self.size, self.weight, self.bias) = (size, weight, bias)
    }

    /// The convolution with it; `residual` and `out` as `winogradConvolution` takes them.
    func convolve(
        _ input: UnsafePointer<Float>, _ geometry: ConvolutionGeometry,
        adding residual: UnsafePointer<Float>?, into out: UnsafeMutablePointer<Float>
    ) {
        let outputs = weight.shape[0], channels = weight.shape[1]
        // Of more tiles than go through the algorithm at once each block would transform the kernel again.
        let borrows =
            WeightUse.current == .once && weight.precision == .float32 && weight.shape.reduce(1, *) >= 1 << 16
            && geometry.batch * geometry.outputHeight * geometry.outputWidth <= 2048
        let weights = transformed.value(firstWithout: borrows) {
            weight.withValues(lettingGo: true) {
                WinogradWeights(
                    size, weights: $0, outputs: outputs, channels: channels, bias: bias?.load().values,
                    precision: weight.precision)
            }
        }
        if let weights {
            return winogradConvolution(input, geometry, by: weights, adding: residual, into: out)
        }
        weight.withValues(lettingGo: false) {
            winogradConvolution(
                input, geometry, size, borrowing: $0, outputs: outputs, bias: bias?.load().values,
                adding: residual, into: out)
        }
    }
}

/// What is known of how often networks are about to be asked.
package enum WeightUse: Sendable {
    /// Perhaps once: the first product does without packing.
    case once
    /// Many times: weights are packed at their first use.
    case often

    @TaskLocal package static var current = WeightUse.once
}
