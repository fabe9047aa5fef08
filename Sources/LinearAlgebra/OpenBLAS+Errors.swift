package import Kernels
internal import Tensors

extension OpenBLAS {
    /// The library, ready to be called.
    package static func ready() throws -> OpenBLAS {
        guard let library = OpenBLAS.installed else {
            throw EngineError(
                .unsupported, "distances need libopenblas, which is not installed",
                cure: "install the package libopenblas0")
        }
        guard OpenBLAS.hasRoom else {
            throw EngineError(
                .memory, "there is no room for the buffer that libopenblas needs, 136 MB of addresses")
        }
        return library
    }

    /// Of matrices that it decomposes.
    static func checkSize(_ n: Int) throws {
        guard n <= largest else {
            throw EngineError(
                .shape, "a matrix of \(n) x \(n) is too large to be decomposed; \(largest) is the most")
        }
    }
}
