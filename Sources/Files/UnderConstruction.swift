internal import Synchronization
internal import Tensors

#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

/// Files and folders that are being made, under names of their own beside their places. Whoever makes one holds a lock on it until it has its
/// name; a lock ends with its process. So what a killed process left is what nobody holds, and it goes before the next write into its folder.
package struct UnderConstruction {
    let path: String
    let descriptor: Int32

    private static let prefix = ".noisebook-", suffix = ".partial"
    /// Folders that this process has looked through: once is enough, and a folder can hold many files.
    private static let cleared = Mutex<Set<String>>([])

    /// A new file in `folder`, open for writing. Errors are about `target`, what it is to become.
    static func file(in folder: String, for target: String) throws -> UnderConstruction {
        removeLeftovers(in: folder)
        while true {
            let path = fresh(in: folder)
            let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
            guard descriptor >= 0 else { throw EngineError.system("cannot write the file", target) }
            let made = UnderConstruction(path: path, descriptor: descriptor)
            if made.isHeld() { return made }
            made.release()
        }
    }

    /// A new folder in `folder`.
    static func folder(in folder: String, for target: String) throws -> UnderConstruction {
        removeLeftovers(in: folder)
        while true {
            let path = fresh(in: folder)
            guard mkdir(path, 0o777) == 0 else { throw EngineError.system("cannot make the folder", target) }
            let made = UnderConstruction(path: path, descriptor: open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC))
            if made.descriptor >= 0, made.isHeld() { return made }
            made.release()
        }
    }

    private init(path: String, descriptor: Int32) { (self.path, self.descriptor) = (path, descriptor) }

    /// Ends the lock: after it has its name, or was removed.
    func release() { if descriptor >= 0 { close(descriptor) } }

    private static func fresh(in folder: String) -> String {
        FileSystem.join(folder, prefix + String(UInt64.random(in: 0 ... .max), radix: 36) + suffix)
    }

    /// False where another process took it for a leftover in the moment before the lock. Where a file system knows no locks nobody could.
    private func isHeld() -> Bool {
        if flock(descriptor, LOCK_EX | LOCK_NB) != 0 { return errno != EWOULDBLOCK }
        var held = stat(), named = stat()
        return fstat(descriptor, &held) == 0 && stat(path, &named) == 0 && held.st_ino == named.st_ino
    }

    /// A folder that may not be listed keeps what is in it.
    private static func removeLeftovers(in folder: String) {
        guard cleared.withLock({ $0.insert(folder).inserted }), let names = try? FileSystem.list(folder) else { return }
        for name in names where isOne(name) { removeIfLeft(FileSystem.join(folder, name)) }
    }

    /// Whether a file or folder is one that is being made, or that was left so, by its name.
    package static func isOne(_ name: String) -> Bool { name.hasPrefix(prefix) && name.hasSuffix(suffix) }

    /// Removes one that nobody makes any more. False where somebody does.
    @discardableResult package static func removeIfLeft(_ path: String) -> Bool {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return flock(descriptor, LOCK_EX | LOCK_NB) == 0 && (try? AtomicFolder.remove(path)) != nil
    }
}
