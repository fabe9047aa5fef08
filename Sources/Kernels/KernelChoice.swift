internal import Locations

/// Which implementation serves where a part has several. The environment variable `NOISEBOOK_KERNELS` forces
/// one for the whole process, so that the golden tests can be run once for each.
package enum KernelChoice: String, CaseIterable, Sendable {
    /// The fastest for each layer and picture size.
    case tuned
    /// The same without 512-bit vectors, on a processor that has them. Equal to `tuned` to the bit.
    case narrow
    /// Packed panels in registers, convolutions as one product.
    case direct
    /// The same, and Winograd's algorithm wherever it applies.
    case winograd
    /// Every product of inference by OpenBLAS, convolutions as one product: somebody else's inner loops for
    /// the golden tests.
    case openblas
    /// The definition, as plain loops: slow, and the yardstick of the others.
    case naive

    /// Whether a row of a product has the same bits wherever it stands and whatever stands beside it.
    /// OpenBLAS computes every second group of rows in another order.
    package var isBlindToPlaces: Bool { self != .openblas }

    /// A program checks `unknownRequest` first; without that, in tests say, a misspelt name must not pass for
    /// `tuned`.
    package static let current: KernelChoice = {
        guard let request else { return .tuned }
        guard let choice = KernelChoice(rawValue: request) else {
            preconditionFailure("NOISEBOOK_KERNELS names no kernels: \(request)")
        }
        return choice
    }()

    private static let request: String? = EnvironmentVariable.kernels.text

    /// The value of `NOISEBOOK_KERNELS` where it names no kernels. `noisebook` refuses to start with one.
    package static var unknownRequest: String? {
        request.flatMap { KernelChoice(rawValue: $0) == nil ? $0 : nil }
    }
}

extension WinogradSize {
    /// The size that serves a convolution best, nil where the direct product does. A function of the layer
    /// and the size of the picture alone, never of the batch or the threads, so that results stay equal.
    package static func chosen(for geometry: ConvolutionGeometry, outputs: Int) -> WinogradSize? {
        guard geometry.isWinograd else { return nil }
        switch KernelChoice.current {
        case .naive, .openblas, .direct: return nil
        case .winograd: return geometry.isDoubled ? .doubled : .four
        case .tuned, .narrow:
            // Few channels leave the transforms too little to save on.
            guard geometry.channels >= 32 else { return nil }
            if geometry.isDoubled { return .doubled }
            let side = min(geometry.seenHeight, geometry.seenWidth)
            // Four times the weights are nothing where there are few: 9 MB at most here.
            if geometry.channels * outputs <= 1 << 16 { return side >= 8 ? .four : side >= 4 ? .two : nil }
            // The VAE's widest layers: the larger tiles would save a sixth of the time of a decoding and take
            // 350 MB more.
            if side >= 32, geometry.channels * outputs >= 1 << 18 { return .two }
            return side >= 16 ? .four : side >= 8 ? .two : nil
        }
    }
}
