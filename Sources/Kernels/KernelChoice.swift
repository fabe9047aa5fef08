#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Which implementation serves where a part has several. The environment variable `NOISEBOOK_KERNELS` forces one for
/// the whole process, so that the golden tests can be run once for each.
package enum KernelChoice: String, CaseIterable, Sendable {
    /// The fastest for each layer and picture size.
    case tuned
    /// Packed panels in registers, convolutions as one product.
    case direct
    /// The same, and Winograd's algorithm wherever it applies.
    case winograd
    /// The definition, as plain loops: slow, and the yardstick of the others.
    case naive

    package static let current: KernelChoice = getenv("NOISEBOOK_KERNELS").flatMap { KernelChoice(rawValue: String(cString: $0)) } ?? .tuned
}

extension WinogradSize {
    /// The size that serves a convolution best, nil where the direct product does. A function of the layer and the size of the
    /// picture alone, never of the batch or the threads, so that results stay equal.
    package static func chosen(for geometry: ConvolutionGeometry, outputs: Int) -> WinogradSize? {
        guard geometry.isWinograd else { return nil }
        switch KernelChoice.current {
        case .naive, .direct: return nil
        case .winograd: return .four
        case .tuned:
            // Few channels leave the transforms too little to save on.
            guard min(geometry.channels, outputs) >= 32 else { return nil }
            let side = min(geometry.seenHeight, geometry.seenWidth)
            return side >= 16 ? .four : side >= 8 ? .two : nil
        }
    }
}
