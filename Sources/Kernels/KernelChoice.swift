#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Which implementation serves where a part has several. The environment variable `NOISEBOOK_KERNELS` forces one for
/// the whole process, so that the golden tests can be run once for each.
package enum KernelChoice: String, CaseIterable, Sendable {
    /// Packed panels in registers, tiled attention.
    case tuned
    /// The definition, as plain loops: slow, and the yardstick of the others.
    case naive

    package static let current: KernelChoice = getenv("NOISEBOOK_KERNELS").flatMap { KernelChoice(rawValue: String(cString: $0)) } ?? .tuned
}
