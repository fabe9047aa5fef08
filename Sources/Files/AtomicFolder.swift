internal import CRename
internal import Tensors

#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

/// Writes a folder so that a reader sees all of it or nothing: under a temporary name beside its place, then renamed.
package enum AtomicFolder {
    /// - Parameters:
    ///   - replaces: whether an existing folder may be replaced; it is removed when the new one stands.
    ///   - body: fills the folder whose path it gets.
    package static func write(to path: String, replacing replaces: Bool = false, _ body: (String) throws -> Void) throws {
        let place = FileSystem.folder(of: path)
        try FileSystem.createFolder(place)
        let made = try UnderConstruction.folder(in: place, for: path)
        defer { made.release() }
        let temporary = made.path
        do {
            try body(temporary)
            if rename(temporary, path) == 0 { return }
            let refusal = EngineError.system("cannot write the folder", path)
            guard replaces, FileSystem.exists(path) else { throw refusal }
            try replace(path, by: temporary)
        } catch {
            try? remove(temporary)
            throw named(error, path, insteadOf: temporary)
        }
    }

    /// An error about a file in the folder, with the name that the file was to have: the temporary one says nothing to anybody.
    private static func named(_ error: any Error, _ path: String, insteadOf temporary: String) -> any Error {
        guard var error = error as? EngineError, let place = error.place, place.hasPrefix(temporary) else { return error }
        error.place = path + place.dropFirst(temporary.count)
        return error
    }

    /// The two change places in one step where the file system can do that, so that a kill leaves one or the other at `path`.
    private static func replace(_ path: String, by temporary: String) throws {
        if nb_exchange(temporary, path) == 0 { return try remove(temporary) }
        let old = temporary + ".old"
        guard rename(path, old) == 0 else { throw EngineError.system("cannot replace the folder", path) }
        guard rename(temporary, path) == 0 else {
            let error = EngineError.system("cannot write the folder", path)
            _ = rename(old, path)
            throw error
        }
        try remove(old)
    }

    /// Removes a folder and all that is in it; links are removed, not followed.
    package static func remove(_ path: String) throws {
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFDIR else { return try FileSystem.removeFile(path) }
        for name in try FileSystem.list(path) { try remove(FileSystem.join(path, name)) }
        guard rmdir(path) == 0 else { throw EngineError.system("cannot remove the folder", path) }
    }

    /// The files of one folder in another, and what links in it lead to. Copied, never linked: who writes into one of two names of a file changes
    /// the other. Folders inside are left out.
    package static func copyFiles(of source: String, to target: String) throws {
        try FileSystem.createFolder(target)
        for name in try FileSystem.list(source) where name != FolderSeal.file {
            let from = FileSystem.join(source, name)
            if FileSystem.isFile(from) { try FileSystem.copy(from, to: FileSystem.join(target, name)) }
        }
    }
}
