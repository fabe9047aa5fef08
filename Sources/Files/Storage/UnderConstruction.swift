internal import Synchronization
internal import Tensors

#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

/// Files and folders that are being made, under names of their own beside their places. Whoever makes one
/// holds a lock on it until it has its name; a lock ends with its process. So what a killed process left is
/// what nobody holds, and it goes before the next write into its folder.
package struct UnderConstruction {
    /// In the folder of the place that it is beside.
    let name: String
    let descriptor: Int32

    private static let prefix = ".noisebook-", suffix = ".partial"
    /// Folders that this process has looked through: once is enough, and a folder can hold many files.
    private static let cleared = Mutex<Set<String>>([])

    /// A new file beside `place`, open for writing. Errors are about `target`, what it is to become.
    static func file(beside place: borrowing FilePlace, for target: String) throws -> UnderConstruction {
        removeLeftovers(beside: place, FileSystem.folder(of: target))
        while true {
            let name = place.beside(fresh)
            let descriptor = openat(
                place.folder, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o666)
            guard descriptor >= 0 else { throw EngineError.system("cannot write the file", target) }
            let made = UnderConstruction(name: name, descriptor: descriptor)
            if made.isHeld(in: place.folder) { return made }
            made.release()
        }
    }

    /// A new folder beside `place`.
    static func folder(beside place: borrowing FilePlace, for target: String) throws -> UnderConstruction {
        removeLeftovers(beside: place, FileSystem.folder(of: target))
        while true {
            let name = place.beside(fresh)
            guard mkdirat(place.folder, name, 0o777) == 0 else {
                throw EngineError.system("cannot make the folder", target)
            }
            let descriptor = openat(place.folder, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)
            // Else another process took it for a leftover. Tried again for any other reason, this would fill
            // the disk with folders.
            if descriptor < 0, errno != ENOENT {
                let refusal = EngineError.system("cannot make the folder", target)
                unlinkat(place.folder, name, AT_REMOVEDIR)
                throw refusal
            }
            let made = UnderConstruction(name: name, descriptor: descriptor)
            if made.descriptor >= 0, made.isHeld(in: place.folder) { return made }
            made.release()
        }
    }

    private init(name: String, descriptor: Int32) { (self.name, self.descriptor) = (name, descriptor) }

    /// Ends the lock: after it has its name, or was removed.
    func release() { if descriptor >= 0 { close(descriptor) } }

    private static var fresh: String { prefix + String(UInt64.random(in: 0 ... .max), radix: 36) + suffix }

    /// False where another process took it for a leftover in the moment before the lock. Where a file system
    /// knows no locks nobody could.
    private func isHeld(in folder: Int32) -> Bool {
        if flock(descriptor, LOCK_EX | LOCK_NB) != 0 { return errno != EWOULDBLOCK }
        var held = stat(), named = stat()
        return fstat(descriptor, &held) == 0 && fstatat(folder, name, &named, AT_SYMLINK_NOFOLLOW) == 0
            && held.st_ino == named.st_ino
    }

    /// A folder that may not be listed keeps what is in it.
    private static func removeLeftovers(beside place: borrowing FilePlace, _ path: String) {
        guard cleared.withLock({ $0.insert(path).inserted }) else { return }
        let descriptor = openat(
            place.folder, FileSystem.folder(of: place.name), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        guard let names = try? FileSystem.names(in: fcntl(descriptor, F_DUPFD_CLOEXEC, 0), path) else {
            return
        }
        for name in names where isOne(name) { removeIfLeft(FilePlace(borrowing: descriptor, name)) }
    }

    /// Whether a file or folder is one that is being made, or that was left so, by its name.
    package static func isOne(_ name: String) -> Bool { name.hasPrefix(prefix) && name.hasSuffix(suffix) }

    /// Removes one that nobody makes any more. False where somebody does.
    @discardableResult package static func removeIfLeft(_ path: String) -> Bool {
        guard let place = try? FileGate.current.place(path, forWriting: true, followsLast: false) else {
            return false
        }
        return removeIfLeft(place)
    }

    @discardableResult private static func removeIfLeft(_ place: borrowing FilePlace) -> Bool {
        let descriptor = openat(place.folder, place.name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return flock(descriptor, LOCK_EX | LOCK_NB) == 0
            && (try? AtomicFolder.remove(place, place.name)) != nil
    }
}
