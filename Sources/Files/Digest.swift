internal import CCrypto
internal import Tensors

/// Checksums, by libcrypto.
package enum Digest {
    /// SHA-256 (FIPS 180-4) in 64 lower-case hexadecimal digits.
    package static func sha256(_ bytes: [UInt8]) throws -> String { try bytes.withUnsafeBytes { try sha256($0) } }

    package static func sha256(_ text: String) throws -> String { try sha256(Array(text.utf8)) }

    /// SHA-256 of a file's content, which is mapped, not read into memory.
    package static func sha256(path: String) throws -> String {
        let file = try MappedFile(path: path)
        return try withExtendedLifetime(file) { try sha256(file.bytes) }
    }

    private static func sha256(_ bytes: UnsafeRawBufferPointer) throws -> String {
        var digest = [UInt8](repeating: 0, count: 32)
        // Refused only where libcrypto is out of memory or was built without SHA-256.
        guard EVP_Digest(bytes.baseAddress, bytes.count, &digest, nil, EVP_sha256(), nil) == 1 else {
            throw EngineError(.unsupported, "libcrypto cannot compute SHA-256")
        }
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: digest.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}
