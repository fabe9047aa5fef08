internal import Tensors

#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

/// What tells whether a file is still the one that was looked at before, without reading it. The change time
/// is the system's own: a program that sets the modification time back cannot set this one back.
package struct FileStamp: Sendable {
    package let device: UInt64
    package let inode: UInt64
    package let size: Int
    /// In nanoseconds since 1970.
    package let modified: Int
    package let changed: Int
    /// Whether the times are a clock's. In an image that was made with fixed times, and where a file system
    /// knows no change time, there are no parts of a second, or all three times are one: then two contents
    /// can have one stamp, and it says nothing.
    package let tells: Bool

    /// Of the file behind a link; nil where nothing is.
    package init?(path: String) {
        guard let status = try? FileSystem.status(of: path) else { return nil }
        self.init(status)
    }

    /// Of an open file, whatever has its name by now.
    package init?(descriptor: Int32) {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { return nil }
        self.init(status)
    }

    init(_ status: stat) {
        #if canImport(Glibc)
        let (used, modified, changed) = (status.st_atim, status.st_mtim, status.st_ctim)
        #else
        let (used, modified, changed) = (status.st_atimespec, status.st_mtimespec, status.st_ctimespec)
        #endif
        device = UInt64(truncatingIfNeeded: status.st_dev)
        inode = UInt64(status.st_ino)
        size = Int(status.st_size)
        self.modified = FileStamp.nanoseconds(modified)
        self.changed = FileStamp.nanoseconds(changed)
        let areOne = self.modified == self.changed && self.changed == FileStamp.nanoseconds(used)
        tells = changed.tv_sec > 0 && changed.tv_nsec != 0 && !areOne
    }

    private static func nanoseconds(_ time: timespec) -> Int {
        Int(time.tv_sec) &* 1_000_000_000 &+ Int(time.tv_nsec)
    }

    /// One word, to be stored beside what was found out about the file.
    package var text: String { "\(device):\(inode):\(size):\(modified):\(changed)" }

    /// Sets a file's modification time to now: it was used. A file that is gone or not ours is left alone.
    /// From the precise clock: the one that a file system stamps with by itself stands still for some
    /// milliseconds, and uses within them would have no order.
    package static func touch(_ path: String) {
        var now = timespec()
        guard clock_gettime(CLOCK_REALTIME, &now) == 0 else { return }
        let times = [now, now]
        guard let place = try? FileGate.current.place(path, forWriting: true, followsLast: true) else {
            return
        }
        _ = utimensat(place.folder, place.name, times, AT_SYMLINK_NOFOLLOW)
    }

    /// By the clock that files are stamped with, in nanoseconds since 1970.
    package static func now() -> Int {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return nanoseconds(time)
    }
}

/// Whether a stamp tells anything is no part of what it tells: reading a file can change that.
extension FileStamp: Hashable {
    package static func == (a: Self, b: Self) -> Bool {
        (a.device, a.inode, a.size, a.modified, a.changed) == (
            b.device, b.inode, b.size, b.modified, b.changed
        )
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(inode)
        hasher.combine(size)
        hasher.combine(changed)
    }
}
