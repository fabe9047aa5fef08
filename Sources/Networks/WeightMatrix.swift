import Kernels
import Synchronization

/// The weights of a layer as a factor of products: read where they lie for the first product, packed from the second on. Packing writes all weights into
/// new memory, which takes longer than a product of few rows; who asks a network once need not wait for it. Both give the same bits.
final class WeightMatrix: Sendable {
    private let weight: Parameter
    private let bias: Parameter?
    private let taps: Int
    private let state = Mutex<State>(.unused)

    private enum State {
        case unused
        case usedOnce
        case packed(PackedMatrix)
    }

    /// - Parameter weight: `[outputs, channels, taps...]`.
    init(_ weight: Parameter, taps: Int, bias: Parameter?) { (self.weight, self.taps, self.bias) = (weight, taps, bias) }

    /// Calls `body` with the matrix.
    /// - Parameter rows: of the product.
    func use(rows: Int, _ body: (PackedMatrix) -> Void) {
        let packed: PackedMatrix? = state.withLock { state in
            switch state {
            case .packed(let matrix): return matrix
            case .unused where paysToBorrow(rows: rows):
                state = .usedOnce
                return nil
            case .unused, .usedOnce:
                // It outlives the computation that first asked for it.
                let matrix = ThreadPool.$abandonment.withValue(nil) { packing() }
                state = .packed(matrix)
                return matrix
            }
        }
        if let packed { return body(packed) }
        weight.withValues { body(PackedMatrix(borrowing: $0, outputs: outputs, channels: channels, taps: taps, bias: bias?.load().values)) }
    }

    private var outputs: Int { weight.shape[0] }
    private var channels: Int { weight.shape.dropFirst().reduce(1, *) / taps }

    /// Small matrices are packed in no time, and large products would pack each panel several times.
    private func paysToBorrow(rows: Int) -> Bool {
        WeightUse.current == .once && weight.precision == .float32 && rows <= mostRowsOfAChunk && weight.shape.reduce(1, *) >= 1 << 18
            && KernelChoice.current != .naive
    }

    private func packing() -> PackedMatrix {
        weight.withValues {
            PackedMatrix(weights: $0, outputs: outputs, channels: channels, taps: taps, bias: bias?.load().values, precision: weight.precision)
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
