internal import Tensors

#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

/// What tells whether a file is still the one that was looked at before, without reading it. The change time is the system's own:
/// a program that sets the modification time back cannot set this one back.
package struct FileStamp: Sendable, Hashable {
    package let device: UInt64
    package let inode: UInt64
    package let size: Int
    /// In nanoseconds since 1970.
    package let modified: Int
    package let changed: Int

    /// Of the file behind a link; nil where nothing is.
    package init?(path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        #if canImport(Glibc)
        let (modified, changed) = (status.st_mtim, status.st_ctim)
        #else
        let (modified, changed) = (status.st_mtimespec, status.st_ctimespec)
        #endif
        device = UInt64(truncatingIfNeeded: status.st_dev)
        inode = UInt64(status.st_ino)
        size = Int(status.st_size)
        self.modified = FileStamp.nanoseconds(modified)
        self.changed = FileStamp.nanoseconds(changed)
    }

    private static func nanoseconds(_ time: timespec) -> Int { Int(time.tv_sec) &* 1_000_000_000 &+ Int(time.tv_nsec) }

    /// One word, to be stored beside what was found out about the file.
    package var text: String { "\(device):\(inode):\(size):\(modified):\(changed)" }

    /// Sets a file's modification time to now: it was used. A file that is gone or not ours is left alone.
    /// From the precise clock: the one that a file system stamps with by itself stands still for some milliseconds, and uses within
    /// them would have no order.
    package static func touch(_ path: String) {
        var now = timespec()
        guard clock_gettime(CLOCK_REALTIME, &now) == 0 else { return }
        let times = [now, now]
        _ = utimensat(AT_FDCWD, path, times, 0)
    }
}
