internal import Locations
internal import Tensors

/// Tells what this user's program has kept from what came with somebody's folder: results lie in `.noisebook`
/// beside the notebook, under keys that anybody can compute, and would be taken for the notebook's. Each is
/// signed by HMAC-SHA-256 (RFC 2104) with a secret of the user's.
package struct Signer: Sendable {
    /// Whose signatures these are. It tells nothing of the secret.
    package let owner: String
    /// Whether what others signed, or nobody, is taken as well.
    package let trustsOthers: Bool
    /// Why the next run will not know what this one signs.
    package let remark: String?
    private let secret: [UInt8]

    package enum Origin: Equatable {
        case own
        /// Of another user, another machine, or a version that did not sign.
        case other
        /// No signature, or one that says it is this user's and is not.
        case damaged
    }

    /// What all signatures have in length.
    package static let length = ownerLength + 1 + 64
    private static let ownerLength = 16

    /// - Parameter secret: 16 bytes at least that others cannot guess.
    package init(secret: [UInt8], trustsOthers: Bool = false, remark: String? = nil) throws {
        (self.secret, self.trustsOthers, self.remark) = (secret, trustsOthers, remark)
        owner = String(try Digest.hmac("owner", secret: secret).prefix(Self.ownerLength))
    }

    /// "OWNER CODE", of `length` ASCII characters.
    package func signature(of text: String) throws -> String {
        owner + " " + (try Digest.hmac(text, secret: secret))
    }

    /// Whose text it is; an empty signature is nobody's.
    package func origin(of signature: some StringProtocol, for text: String) throws -> Origin {
        if signature.isEmpty { return .other }
        let words = signature.split(separator: " ", omittingEmptySubsequences: false)
        let isOne =
            words.map(\.utf8.count) == [Self.ownerLength, 64]
            && words.allSatisfy { $0.utf8.allSatisfy(Self.isDigit) }
        guard isOne else { return .damaged }
        guard words[0] == owner else { return .other }
        return try signature == self.signature(of: text) ? .own : .damaged
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
            || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
    }

    /// The user's own: with the secret in the file that `NOISEBOOK_CACHE_KEY` names, which several users or
    /// containers may share, else with one in the user's state folder, which is made where it is not there.
    /// Where it cannot be, a secret that ends with the process.
    package static func user(trustsOthers: Bool = false) throws -> Signer {
        // The notebook may not read it.
        try FileGate.user.during {
            if let shared = try named() { return try Signer(secret: shared, trustsOthers: trustsOthers) }
            do {
                guard let folder = Locations.state else {
                    throw EngineError(.file, "neither HOME nor XDG_STATE_HOME says where")
                }
                return try Signer(
                    secret: SecretFile.readOrMake(FileSystem.join(folder, "cache-key")),
                    trustsOthers: trustsOthers)
            } catch let error as EngineError {
                let secret = (0..<32).map { _ in UInt8.random(in: 0 ... .max) }
                let reason = """
                    the next run will not take what this one keeps, since the key of the cache cannot be \
                    kept: \(error)
                    """
                return try Signer(
                    secret: secret, trustsOthers: trustsOthers,
                    remark: reason + "; NOISEBOOK_CACHE_KEY=FILE names another place")
            }
        }
    }

    /// The secret in the file that `NOISEBOOK_CACHE_KEY` names; nil where it names none.
    package static func named() throws -> [UInt8]? {
        guard let path = EnvironmentVariable.cacheKey.value else { return nil }
        return try FileGate.user.during {
            guard let bytes = try SecretFile.read(path) else {
                throw EngineError(
                    .file, "NOISEBOOK_CACHE_KEY names a file that is missing or holds fewer than 16 bytes",
                    place: path,
                    cure: "make one: head -c 32 /dev/urandom > FILE")
            }
            return bytes
        }
    }
}
