internal import CFileSystem
internal import Synchronization

#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

/// A folder below which a gate lets files be opened: an open folder, so that what happens to its name later
/// changes nothing.
final class FileRoot: Sendable {
    /// Without links.
    let path: String
    let isWritable: Bool
    /// The names directly in the folder that are meant; nil where all of it is.
    let names: Set<String>?
    /// -1 until it is needed, and again where the folder was removed.
    private let descriptor = Mutex<Int32>(-1)

    init(_ path: String, isWritable: Bool, names: Set<String>? = nil) {
        self.path = path
        self.isWritable = isWritable
        self.names = names
    }

    deinit {
        let open = descriptor.withLock { $0 }
        if open >= 0 { close(open) }
    }

    /// nil where there is no such folder.
    func folder() -> Int32? {
        descriptor.withLock { descriptor in
            if descriptor < 0 {
                descriptor = FileGate.noted(open(path, nb_name_only() | O_DIRECTORY | O_CLOEXEC))
            }
            return descriptor < 0 ? nil : descriptor
        }
    }

    /// Lets go of a folder that has been removed since it was opened: another may have its name by now. False
    /// where it is still there.
    func forgetRemoved() -> Bool {
        descriptor.withLock { descriptor in
            var status = stat()
            guard descriptor >= 0, fstat(descriptor, &status) == 0, status.st_nlink == 0 else { return false }
            close(descriptor)
            descriptor = -1
            return true
        }
    }

    /// The rest of the path below this folder, where its text begins with the folder's.
    func rest(of path: String) -> Substring? {
        if self.path == "/" { return meant(path.dropFirst()) }
        guard path.hasPrefix(self.path) else { return nil }
        let rest = path.dropFirst(self.path.count)
        if rest.isEmpty { return meant(rest) }
        return rest.first == "/" ? meant(rest.drop { $0 == "/" }) : nil
    }

    private func meant(_ rest: Substring) -> Substring? {
        guard let names else { return rest }
        return rest.split(separator: "/").first.map { names.contains(String($0)) } ?? false ? rest : nil
    }

    /// Whether an existing folder is this one, however it is called.
    func isSame(as other: stat) -> Bool {
        guard let folder = folder() else { return false }
        var status = stat()
        return fstat(folder, &status) == 0 && status.st_dev == other.st_dev && status.st_ino == other.st_ino
    }
}
