internal import Files
internal import Tensors

/// An entry of the cache as it lies in its file: a line that names the form, the content's SHA-256, a
/// signature of that and of the key, and the content. So a damaged one is noticed whoever made it, and what
/// came with somebody's folder is not taken for this user's.
struct CacheEntry {
    let content: ArraySlice<UInt8>
    private let digest: String
    private let signature: String

    private static let head = Array("noisebook item 2\n".utf8)
    private static let digestLength = 64

    static var damage: EngineError { EngineError(.format, "a cached value is damaged") }

    /// Throws where it is no entry, or not as it was written.
    init(_ bytes: [UInt8]) throws {
        let signed = Self.head.count + Self.digestLength, start = signed + Signer.length
        guard bytes.count >= start, bytes.starts(with: Self.head) else {
            throw EngineError(.format, "not a cached value")
        }
        content = bytes[start...]
        digest = String(decoding: bytes[Self.head.count..<signed], as: UTF8.self)
        signature = String(decoding: bytes[signed..<start], as: UTF8.self)
        guard try Digest.sha256(Array(content)) == digest else { throw Self.damage }
    }

    func origin(_ key: ItemKey, _ signer: Signer) throws -> Signer.Origin {
        try signer.origin(of: signature, for: Self.text(key, digest))
    }

    static func bytes(_ content: [UInt8], _ key: ItemKey, _ signer: Signer) throws -> [UInt8] {
        let digest = try Digest.sha256(content)
        return head + Array((digest + (try signer.signature(of: text(key, digest)))).utf8) + content
    }

    /// With its key: one that is copied to another's place is not that.
    private static func text(_ key: ItemKey, _ digest: String) -> String { "item \(key) \(digest)" }
}
