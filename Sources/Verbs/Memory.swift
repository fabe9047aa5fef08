import Tensors

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// What this machine has.
enum Memory {
    static var byteCount: Int { max(1, sysconf(Int32(_SC_PHYS_PAGES))) * max(1, sysconf(Int32(_SC_PAGESIZE))) }

    /// Throws if so many bytes cannot fit.
    static func check(_ bytes: Int, for what: String) throws {
        guard bytes > byteCount else { return }
        throw EngineError(
            .memory, "\(what) take \(LoadedModel.bytes(bytes)) and this machine has \(LoadedModel.bytes(byteCount))", cure: "make the network smaller")
    }
}
