package import Files

extension Signer {
    /// Of the tests' user, so that they write nothing into the real one's folders.
    package static func test() throws -> Signer { try Signer(secret: Array("the secret of the tests".utf8)) }

    /// What programs that tests start use: the same for all of them.
    package static let testKeyFile = FileSystem.join(
        FileSystem.folder(of: FileSystem.folder(of: #filePath)), "Data/cache-key")
}
