internal import CFileSystem
internal import Tensors

#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

/// Writes a file so that a reader sees the old content or the new, never a part: temporary name in the same
/// folder, fsync, rename. On failure the temporary is removed and the old file is untouched.
package enum AtomicFile {
    /// Where the bytes of a file under construction go, in order.
    package struct Sink: ~Copyable {
        fileprivate let descriptor: Int32
        fileprivate let path: String

        package func write(_ bytes: UnsafeRawBufferPointer) throws {
            guard let base = bytes.baseAddress else { return }
            var done = 0
            while done < bytes.count {
                // 1 GiB at a time: Linux writes at most 0x7ffff000 bytes per call.
                #if canImport(Glibc)
                let wrote = Glibc.write(descriptor, base + done, min(bytes.count - done, 1 << 30))
                #else
                let wrote = Darwin.write(descriptor, base + done, min(bytes.count - done, 1 << 30))
                #endif
                if wrote < 0 {
                    if errno == EINTR { continue }
                    throw EngineError.system("cannot write the file", path)
                }
                done += wrote
            }
        }

        /// All of an open file.
        func copy(_ source: Int32) throws {
            if nb_clone(source, descriptor) == 0 { return }
            // Both move the file's position, so the second goes on where the first could not.
            while nb_copy_range(source, descriptor, 1 << 30) > 0 {}
            try withUnsafeTemporaryAllocation(byteCount: 1 << 20, alignment: 16) { buffer in
                while true {
                    let got = read(source, buffer.baseAddress, buffer.count)
                    if got < 0, errno == EINTR { continue }
                    if got < 0 { throw EngineError.system("cannot read the file", path) }
                    if got == 0 { return }
                    try write(UnsafeRawBufferPointer(rebasing: buffer[..<got]))
                }
            }
        }

        package func write(_ bytes: [UInt8]) throws { try bytes.withUnsafeBytes { try write($0) } }
    }

    /// - Parameter durable: whether the content is on the disk when this returns, so that even a power cut
    ///   leaves the old or the new.
    package static func write(_ bytes: [UInt8], to path: String, durable: Bool = true) throws {
        try write(to: path, durable: durable) { try $0.write(bytes) }
    }

    package static func write(_ text: String, to path: String) throws {
        try write(Array(text.utf8), to: path)
    }

    /// For content that is made piece by piece.
    package static func write(to path: String, durable: Bool = true, _ body: (borrowing Sink) throws -> Void)
        throws
    {
        // Behind a link, so that the link stays one.
        let place = try FileGate.current.place(path, forWriting: true, followsLast: true)
        let old = place.status()
        switch old?.kind {
        case nil, S_IFREG?: break
        case S_IFDIR?: throw EngineError(.file, "cannot write a file over a folder", place: path)
        // A rename would replace a device such as /dev/null by an ordinary file.
        default:
            throw EngineError(.file, "cannot write over something that is not an ordinary file", place: path)
        }
        let made = try UnderConstruction.file(beside: place, for: path)
        defer { made.release() }
        var renamed = false
        defer { if !renamed { unlinkat(place.folder, made.name, 0) } }
        if let old { _ = fchmod(made.descriptor, old.st_mode & 0o7777) }
        try body(Sink(descriptor: made.descriptor, path: path))
        if durable, fsync(made.descriptor) != 0 { throw EngineError.system("cannot write the file", path) }
        if renameat(place.folder, made.name, place.folder, place.name) != 0 {
            throw EngineError.system("cannot write the file", path)
        }
        renamed = true
        guard durable else { return }
        // The rename itself reaches the disk with the folder; a file system that refuses this has nothing to
        // lose.
        let folder = openat(place.folder, FileSystem.folder(of: place.name), O_RDONLY | O_CLOEXEC)
        if folder >= 0 {
            _ = fsync(folder)
            close(folder)
        }
    }
}
