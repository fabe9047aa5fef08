import Files
import TestSupport
import Testing

@Suite("Signatures of what is kept") struct SignerTests {
    private static func signer(_ secret: String, trustsOthers: Bool = false) throws -> Signer {
        try Signer(secret: Array(secret.utf8), trustsOthers: trustsOthers)
    }

    @Test("HMAC-SHA-256 is that of RFC 4231, test cases 1 to 3 and 6") func vectors() throws {
        let cases: [(secret: [UInt8], text: String, code: String)] = [
            (
                Array(repeating: 0x0b, count: 20), "Hi There",
                "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
            ),
            (
                Array("Jefe".utf8), "what do ya want for nothing?",
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
            ),
            (
                Array(repeating: 0xaa, count: 131), "Test Using Larger Than Block-Size Key - Hash Key First",
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
            ),
        ]
        for (secret, text, code) in cases { #expect(try Digest.hmac(text, secret: secret) == code) }
    }

    @Test("own, another user's, nobody's and a damaged one are told apart, whatever byte was changed")
    func origins() throws {
        let mine = try Self.signer("mine, and long enough"), other = try Self.signer("of another user")
        let signature = try mine.signature(of: "a")
        #expect(signature.utf8.count == Signer.length)
        #expect(try mine.origin(of: signature, for: "a") == .own)
        #expect(try mine.origin(of: signature, for: "b") == .damaged)
        #expect(try other.origin(of: signature, for: "a") == .other)
        #expect(try mine.origin(of: "", for: "a") == .other)
        for place in signature.utf8.indices {
            var bytes = Array(signature.utf8)
            bytes[signature.utf8.distance(from: signature.utf8.startIndex, to: place)] ^= 1
            #expect(try mine.origin(of: String(decoding: bytes, as: UTF8.self), for: "a") != .own)
        }
        for text in ["x", " ", "\n", signature + " ", " " + signature, String(signature.dropLast())] {
            #expect(try mine.origin(of: text, for: "a") == .damaged)
        }
        // Who puts another's name before a code of their own has not signed.
        let forged = mine.owner + (try other.signature(of: "a")).dropFirst(mine.owner.count)
        #expect(try mine.origin(of: forged, for: "a") == .damaged)
    }

    @Test("a folder's signature is of its files and its name") func folders() throws {
        let folder = try TemporaryFolder(), mine = try Self.signer("mine, and long enough"),
            other = try Self.signer("of another user")
        try FileSystem.createFolder(folder.path("m"))
        try AtomicFile.write("{}", to: folder.path("m/config.json"))
        try FolderSeal.write(folder.path("m"), of: "key", mine)
        #expect(FolderSeal.damage(folder.path("m")) { try Digest.sha256(path: $0) } == nil)
        #expect(try FolderSeal.origin(folder.path("m"), of: "key", mine) == .own)
        #expect(try FolderSeal.origin(folder.path("m"), of: "another key", mine) == .damaged)
        #expect(try FolderSeal.origin(folder.path("m"), of: "key", other) == .other)
        let seal = try FileSystem.readText(folder.path("m/.sha256"))
        // As versions before signatures wrote it.
        try AtomicFile.write(
            seal.split(separator: "\n").dropLast().map { $0 + "\n" }.joined(), to: folder.path("m/.sha256"))
        #expect(try FolderSeal.origin(folder.path("m"), of: "key", mine) == .other)
        try FolderSeal.sign(folder.path("m"), of: "key", mine)
        #expect(try FileSystem.readText(folder.path("m/.sha256")) == seal)
        // Other digests under the same signature.
        try AtomicFile.write(seal.replacing(seal.prefix(4), with: "0000"), to: folder.path("m/.sha256"))
        #expect(try FolderSeal.origin(folder.path("m"), of: "key", mine) == .damaged)
    }
}
