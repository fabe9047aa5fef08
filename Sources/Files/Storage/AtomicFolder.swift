internal import CFileSystem
internal import Tensors

#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

/// Writes a folder so that a reader sees all of it or nothing: under a temporary name beside its place, then
/// renamed.
package enum AtomicFolder {
    /// - Parameters:
    ///   - replaces: whether an existing folder may be replaced; it is removed when the new one stands.
    ///   - body: fills the folder whose path it gets.
    package static func write(
        to path: String, replacing replaces: Bool = false, _ body: (String) throws -> Void
    ) throws {
        try FileSystem.createFolder(FileSystem.folder(of: path))
        let place = try FileGate.current.place(path, forWriting: true, followsLast: false)
        let made = try UnderConstruction.folder(beside: place, for: path)
        defer { made.release() }
        let temporary = FileSystem.join(FileSystem.folder(of: path), FileSystem.name(of: made.name))
        do {
            try body(temporary)
            if renameat(place.folder, made.name, place.folder, place.name) == 0 { return }
            let refusal = EngineError.system("cannot write the folder", path)
            guard replaces, place.status() != nil else { throw refusal }
            try replace(place, by: made.name, path)
        } catch {
            try? remove(FilePlace(borrowing: place.folder, made.name), temporary)
            throw named(error, path, insteadOf: temporary)
        }
    }

    /// An error about a file in the folder, with the name that the file was to have: the temporary one says
    /// nothing to anybody.
    private static func named(_ error: any Error, _ path: String, insteadOf temporary: String) -> any Error {
        guard var error = error as? EngineError, let place = error.place, place.hasPrefix(temporary) else {
            return error
        }
        error.place = path + place.dropFirst(temporary.count)
        return error
    }

    /// The two change places in one step where the file system can do that, so that a kill leaves one or the
    /// other at `path`.
    private static func replace(_ place: borrowing FilePlace, by temporary: String, _ path: String) throws {
        if nb_exchange(place.folder, temporary, place.name) == 0 {
            return try remove(FilePlace(borrowing: place.folder, temporary), path)
        }
        let old = temporary + ".old"
        guard renameat(place.folder, place.name, place.folder, old) == 0 else {
            throw EngineError.system("cannot replace the folder", path)
        }
        guard renameat(place.folder, temporary, place.folder, place.name) == 0 else {
            let error = EngineError.system("cannot write the folder", path)
            _ = renameat(place.folder, old, place.folder, place.name)
            throw error
        }
        try remove(FilePlace(borrowing: place.folder, old), path)
    }

    /// Removes a folder and all that is in it; links are removed, not followed.
    package static func remove(_ path: String) throws {
        guard FileSystem.exists(FileSystem.folder(of: path)) else { return }
        try remove(FileGate.current.place(path, forWriting: true, followsLast: false), path)
    }

    /// - Parameter path: for errors.
    static func remove(_ place: borrowing FilePlace, _ path: String) throws {
        guard let status = place.status() else { return }
        guard status.kind == S_IFDIR else {
            if unlinkat(place.folder, place.name, 0) != 0, errno != ENOENT {
                throw EngineError.system("cannot remove the file", path)
            }
            return
        }
        let descriptor = openat(place.folder, place.name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else { throw EngineError.system("cannot remove the folder", path) }
        defer { close(descriptor) }
        for name in try FileSystem.names(in: fcntl(descriptor, F_DUPFD_CLOEXEC, 0), path) {
            try remove(FilePlace(borrowing: descriptor, name), FileSystem.join(path, name))
        }
        if unlinkat(place.folder, place.name, AT_REMOVEDIR) != 0, errno != ENOENT {
            throw EngineError.system("cannot remove the folder", path)
        }
    }

    /// The files of one folder in another, and what links in it lead to. Copied, never linked: who writes
    /// into one of two names of a file changes the other. Folders inside are left out.
    package static func copyFiles(of source: String, to target: String) throws {
        try FileSystem.createFolder(target)
        for name in try FileSystem.list(source) where name != FolderSeal.file {
            let from = FileSystem.join(source, name)
            try FileSystem.checkReach(from)
            if FileSystem.isFile(from) { try FileSystem.copy(from, to: FileSystem.join(target, name)) }
        }
    }
}
