internal import CCrypto
internal import Tensors

#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

/// Checksums, by libcrypto.
package enum Digest {
    /// SHA-256 (FIPS 180-4) in 64 lower-case hexadecimal digits.
    package static func sha256(_ bytes: [UInt8]) throws -> String {
        try bytes.withUnsafeBytes { try sha256($0) }
    }

    package static func sha256(_ text: String) throws -> String { try sha256(Array(text.utf8)) }

    /// SHA-256 of a file's content, which is read piece by piece.
    package static func sha256(path: String) throws -> String {
        let (descriptor, stamp) = try FileSystem.openForReading(path)
        defer { close(descriptor) }
        return try sha256(descriptor: descriptor, size: stamp.size, path: path)
    }

    /// SHA-256 of the first `size` bytes of an open file. Read, not mapped: a file that is cut meanwhile is
    /// an error, not the end of the process.
    static func sha256(descriptor: Int32, size: Int, path: String) throws -> String {
        var stream = try Stream()
        // One buffer for all pieces, which stays in the cache.
        try withUnsafeTemporaryAllocation(byteCount: 1 << 18, alignment: 64) { buffer in
            for start in stride(from: 0, to: size, by: buffer.count) {
                let piece = UnsafeMutableRawBufferPointer(
                    rebasing: buffer[..<min(buffer.count, size - start)])
                try FileSystem.readPart(descriptor, at: start, into: piece, path: path)
                try stream.add(UnsafeRawBufferPointer(piece))
            }
        }
        return try stream.digest()
    }

    /// HMAC-SHA-256 (RFC 2104), in 64 lower-case hexadecimal digits: only who knows the secret can tell it.
    package static func hmac(_ text: String, secret: [UInt8]) throws -> String {
        var code = [UInt8](repeating: 0, count: 32)
        let bytes = Array(text.utf8)
        guard HMAC(EVP_sha256(), secret, Int32(secret.count), bytes, bytes.count, &code, nil) != nil else {
            throw refusal
        }
        return Self.text(code)
    }

    /// A digest whose bytes come one after the other.
    package struct Stream: ~Copyable {
        private let context: OpaquePointer

        package init() throws {
            guard let context = EVP_MD_CTX_new(), EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1 else {
                throw Digest.refusal
            }
            self.context = context
        }

        deinit { EVP_MD_CTX_free(context) }

        package mutating func add(_ bytes: UnsafeRawBufferPointer) throws {
            guard EVP_DigestUpdate(context, bytes.baseAddress, bytes.count) == 1 else { throw Digest.refusal }
        }

        package mutating func add(_ text: String) throws {
            try Array(text.utf8).withUnsafeBytes { try add($0) }
        }

        /// Of all that was added; nothing can be added afterwards.
        package mutating func digest() throws -> String {
            var digest = [UInt8](repeating: 0, count: 32)
            guard EVP_DigestFinal_ex(context, &digest, nil) == 1 else { throw Digest.refusal }
            return Digest.text(digest)
        }
    }

    // Refused only where libcrypto is out of memory or was built without SHA-256.
    private static var refusal: EngineError { EngineError(.unsupported, "libcrypto cannot compute SHA-256") }

    private static func text(_ digest: [UInt8]) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(
            decoding: digest.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    private static func sha256(_ bytes: UnsafeRawBufferPointer) throws -> String {
        var digest = [UInt8](repeating: 0, count: 32)
        guard EVP_Digest(bytes.baseAddress, bytes.count, &digest, nil, EVP_sha256(), nil) == 1 else {
            throw refusal
        }
        return text(digest)
    }
}
