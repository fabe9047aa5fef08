import Caching
import Files
import Interpreting
import Tensors

/// Where parts and models that were made lie, each under the digest of all that it depends on, and the
/// checkpoints of trainings under way: beside the item cache, or in a temporary folder where nothing is
/// cached. What lies beside the cache carries the digests of its files, which are looked at before it is
/// used: what is damaged is made anew, and so is what another user made, beside it.
package struct ModelStore {
    /// nil where nothing is cached.
    private let cache: ItemCache?
    private let root: String
    /// Where to put what cannot be kept in `root`.
    private let elsewhere: () throws -> String

    package init(_ session: Session) throws {
        // Models signed with a secret that ends with the process would only fill the disk.
        cache = try session.cache?.signer.remark == nil ? session.cache : nil
        // A part that was made keeps its store, and the session keeps the part.
        elsewhere = { [weak session] in
            guard let session else { throw EngineError(.file, "the session is over") }
            return try TemporaryModelStore.of(session).path
        }
        root = try cache?.folder ?? elsewhere()
    }

    /// The folder of that key, filled by `body` if it is not there.
    package func folder(_ key: ItemKey, _ body: (String) throws -> Void) throws -> String {
        try folder(key, made: {}) { _, path in try body(path) }
    }

    /// The same for what takes long to make: a process that is killed meanwhile leaves no half folder.
    package func folder<Made>(_ key: ItemKey, made: () throws -> Made, _ body: (Made, String) throws -> Void)
        throws -> String
    {
        let path = try path(key)
        if let damage = try damage(path, key) {
            cache?.note("\(path) is damaged (\(damage)) and is made anew")
            try AtomicFolder.remove(path)
        }
        guard !FileSystem.isFolder(path) else { return path }
        let made = try made()
        do {
            try write(path, key) { try body(made, $0) }
        } catch let error as EngineError where cache != nil && error.kind == .file {
            // It took long and is wanted now, whether or not it can be kept.
            let other = Self.path(key, below: try elsewhere())
            if !FileSystem.isFolder(other) { try write(other, key) { try body(made, $0) } }
            cache?.note("what was made is not kept: \(error)")
            return other
        }
        // What it was made from is not needed any more.
        let checkpoint = checkpoint(key)
        if FileSystem.exists(checkpoint) { try? FileSystem.removeFile(checkpoint) }
        return path
    }

    private func write(_ path: String, _ key: ItemKey, _ body: (String) throws -> Void) throws {
        do {
            try AtomicFolder.write(to: path) { temporary in
                try body(temporary)
                if let cache { try FolderSeal.write(temporary, of: key.digest, cache.signer) }
            }
        } catch  where FileSystem.isFolder(path) {
            // Another process was faster. What it made has the same key, so it is the same.
        }
    }

    /// What is wrong with a folder that is there.
    private func damage(_ path: String, _ key: ItemKey) throws -> String? {
        guard let cache, FileSystem.isFolder(path) else { return nil }
        if let damage = FolderSeal.damage(path, digest: { try cache.files.digest(of: $0) }) { return damage }
        return try FolderSeal.origin(path, of: key.digest, cache.signer) == .damaged
            ? "\(FolderSeal.file) is not as it was written" : nil
    }

    /// Whether the folder of that key is there and whole.
    package func has(_ key: ItemKey) throws -> Bool {
        let path = try path(key)
        return try FileSystem.isFolder(path) && damage(path, key) == nil
    }

    /// What a part that was made in such a folder comes from.
    package func source(_ folder: String) -> ModelPart.Source {
        .made(
            folder: folder,
            isSealed: cache.map { folder.hasPrefix(FileSystem.join($0.folder, "models")) } ?? false)
    }

    /// Throws where a folder that is kept is not as it was made. All of it is read.
    package static func check(_ folder: String) throws {
        guard FileSystem.isFolder(folder) else {
            throw EngineError(.file, "is gone", place: folder, cure: "run the line that makes it again")
        }
        if let damage = FolderSeal.damage(folder, digest: { try Digest.sha256(path: $0) }) {
            throw EngineError(
                .file, "is damaged (\(damage))", place: folder,
                cure: "run the line that makes it again: it is computed anew")
        }
    }

    /// Where the folder of that key is or is to be: beside one of another user, which may have taken long and
    /// stays.
    private func path(_ key: ItemKey) throws -> String {
        let path = Self.path(key, below: root)
        guard let cache, FileSystem.isFolder(path) else { return path }
        let signer = try cache.signer
        guard try FolderSeal.origin(path, of: key.digest, signer) == .other else { return path }
        if signer.trustsOthers {
            try? FolderSeal.sign(path, of: key.digest, signer)
            return path
        }
        cache.note("\(path) is another user's and is made anew: \(CacheRemarks.trusting)")
        return "\(path).\(signer.owner)"
    }

    private static func path(_ key: ItemKey, below root: String) -> String {
        FileSystem.join(FileSystem.join(root, "models"), key.digest)
    }
    package func checkpoint(_ key: ItemKey) -> String {
        FileSystem.join(FileSystem.join(root, "training"), key.digest + ".safetensors")
    }
}
