#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

/// Where a file or folder is or is to be: an open folder and a name in it, which is no link where links are
/// followed. What is done to it is done there, whatever happens to the path meanwhile.
struct FilePlace: ~Copyable {
    /// `AT_FDCWD` where everything may be opened; `name` is then a whole path.
    let folder: Int32
    let name: String
    private let isOwned: Bool

    init(owning folder: Int32, _ name: String) { (self.folder, self.name, isOwned) = (folder, name, true) }

    init(borrowing folder: Int32, _ name: String) {
        (self.folder, self.name, isOwned) = (folder, name, false)
    }

    deinit { if isOwned { close(folder) } }

    /// A name beside this one.
    func beside(_ other: String) -> String {
        name.contains("/") ? FileSystem.join(FileSystem.folder(of: name), other) : other
    }

    /// What is there; nil where nothing is.
    func status(followingLink follows: Bool = false) -> stat? {
        var status = stat()
        return fstatat(folder, name, &status, follows ? 0 : AT_SYMLINK_NOFOLLOW) == 0 ? status : nil
    }
}

extension stat {
    /// `S_IFREG`, `S_IFDIR`, ...
    var kind: mode_t { st_mode & S_IFMT }
}
