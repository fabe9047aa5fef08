import Caching
import Files
import Interpreting
import Tensors

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Where parts and models that were made lie, each under the digest of all that it depends on, and the checkpoints of trainings under way:
/// beside the item cache, or in a temporary folder where nothing is cached.
struct Workshop {
    private let root: String

    init(_ session: Session) throws {
        if let cache = session.cache {
            root = cache.folder
            return
        }
        if let temporary = session.store["workshop"] as? TemporaryWorkshop {
            root = temporary.path
            return
        }
        let temporary = try TemporaryWorkshop()
        session.store["workshop"] = temporary
        root = temporary.path
    }

    /// The folder of that key, filled by `body` if it is not there.
    func folder(_ key: ItemKey, _ body: (String) throws -> Void) throws -> String { try folder(key, made: {}) { _, path in try body(path) } }

    /// The same for what takes long to make: a process that is killed meanwhile leaves no half folder.
    func folder<Made>(_ key: ItemKey, made: () throws -> Made, _ body: (Made, String) throws -> Void) throws -> String {
        let path = self.path(key)
        if !FileSystem.isFolder(path) {
            let made = try made()
            do {
                try AtomicFolder.write(to: path) { try body(made, $0) }
            } catch  where FileSystem.isFolder(path) {
                // Another process was faster. What it made has the same key, so it is the same.
            }
            // What it was made from is not needed any more.
            let checkpoint = checkpoint(key)
            if FileSystem.exists(checkpoint) { try? FileSystem.removeFile(checkpoint) }
        }
        return path
    }

    func path(_ key: ItemKey) -> String { FileSystem.join(FileSystem.join(root, "models"), key.digest) }
    func checkpoint(_ key: ItemKey) -> String { FileSystem.join(FileSystem.join(root, "training"), key.digest + ".safetensors") }
}

/// Gone when the session is.
private final class TemporaryWorkshop {
    let path: String

    init() throws {
        let base = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        path = FileSystem.join(base, "noisebook-\(getpid())-\(UInt32.random(in: 0 ... .max))")
        try FileSystem.createFolder(path)
    }

    deinit { try? AtomicFolder.remove(path) }
}
