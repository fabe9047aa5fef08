internal import Tensors

#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif
#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

/// The few file operations that the other modules need. Every failure is an `EngineError` that names the path.
package enum FileSystem {
    package static func exists(_ path: String) -> Bool { mode(of: path) != nil }

    package static func isFolder(_ path: String) -> Bool { mode(of: path) == S_IFDIR }

    /// Whether this process may write the file, or make files in the folder.
    package static func isWritable(_ path: String) -> Bool { access(path, W_OK) == 0 }

    /// True for an ordinary file, false for folders, devices and pipes and where nothing is.
    package static func isFile(_ path: String) -> Bool { mode(of: path) == S_IFREG }

    /// `folder/name`, without doubling the separator; an absolute `name` stands for itself.
    package static func join(_ folder: String, _ name: String) -> String {
        if name.hasPrefix("/") || folder.isEmpty { return name }
        return folder.hasSuffix("/") ? folder + name : folder + "/" + name
    }

    /// The last component: `c.png` of `a/b/c.png`.
    package static func name(of path: String) -> String {
        let parts = path.split(separator: "/")
        return parts.last.map(String.init) ?? path
    }

    /// The part before the last component: `a/b` of `a/b/c.png`, `.` of `c.png`, `/` of `/c.png`.
    package static func folder(of path: String) -> String {
        var rest = Substring(path)
        while rest.count > 1, rest.hasSuffix("/") { rest.removeLast() }
        guard let slash = rest.lastIndex(of: "/") else { return "." }
        return slash == rest.startIndex ? "/" : String(rest[..<slash])
    }

    /// The file that a path names, where the path is a link, or a link to one; relative where the links are.
    package static func followingLinks(_ path: String) -> String {
        var path = path
        // As many as Linux follows.
        for _ in 0..<40 {
            guard !path.utf8.contains(0), let target = linkTarget(path) else { return path }
            path = join(path.contains("/") ? folder(of: path) : "", target)
        }
        return path
    }

    private static func linkTarget(_ path: String) -> String? {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
        let length = readlink(path, &buffer, buffer.count - 1)
        guard length > 0 else { return nil }
        return String(decoding: buffer[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Names in a folder, hidden ones included, sorted by their UTF-8 bytes, so that the order is the same everywhere.
    package static func list(_ folder: String) throws -> [String] {
        guard exists(folder) else { throw EngineError.system("cannot list the folder", folder, code: ENOENT) }
        guard isFolder(folder) else { throw EngineError(.file, "expected a folder, found a file", place: folder) }
        do {
            return try FileManager.default.contentsOfDirectory(atPath: folder).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        } catch {
            throw EngineError.system("cannot list the folder", folder, code: EACCES)
        }
    }

    /// Makes a folder and those above it; one that exists already is fine.
    package static func createFolder(_ path: String) throws {
        if isFolder(path) { return }
        let above = folder(of: path)
        if above != path, above != "." { try createFolder(above) }
        if mkdir(path, 0o777) == 0 { return }
        guard errno == EEXIST else { throw EngineError.system("cannot make the folder", path) }
        // What is there is looked at only now: another process may have made the folder since the first look.
        guard isFolder(path) else { throw EngineError(.file, "expected a folder, found a file", place: path) }
    }

    /// Appends to a file in one write, so that what several processes append stays whole. A file that this makes is its owner's alone.
    package static func append(_ text: String, to path: String) throws {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw EngineError.system("cannot be opened for writing", path) }
        defer { close(descriptor) }
        let bytes = Array(text.utf8)
        let written = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
        guard written == bytes.count else { throw EngineError.system("cannot be written", path) }
    }

    /// Removes a file; one that is not there is fine.
    package static func removeFile(_ path: String) throws {
        if unlink(path) != 0, errno != ENOENT { throw EngineError.system("cannot remove the file", path) }
    }

    /// The whole file. A longer one than `limit` bytes is an error before more than `limit` bytes are read, also for pipes and devices.
    package static func readBytes(_ path: String, limit: Int = 1 << 31) throws -> [UInt8] {
        let descriptor = try openForReading(path)
        defer { close(descriptor) }
        var status = stat()
        let known = fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFREG ? Int(status.st_size) : 0
        if known > limit { throw tooLong(path, limit: limit) }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(known)
        let chunk = min(max(known, 1 << 16), 1 << 22)
        try withUnsafeTemporaryAllocation(byteCount: chunk, alignment: 16) { buffer in
            while true {
                let got = read(descriptor, buffer.baseAddress, chunk)
                if got < 0 {
                    if errno == EINTR { continue }
                    throw EngineError.system("cannot read the file", path)
                }
                if got == 0 { return }
                if bytes.count + got > limit { throw tooLong(path, limit: limit) }
                bytes.append(contentsOf: UnsafeRawBufferPointer(rebasing: buffer[..<got]))
            }
        }
        return bytes
    }

    /// The first bytes of a file, fewer where it is shorter.
    package static func readPrefix(_ path: String, count: Int) throws -> [UInt8] {
        let descriptor = try openForReading(path)
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: count)
        var done = 0
        while done < count {
            let got = bytes.withUnsafeMutableBytes { read(descriptor, $0.baseAddress.map { $0 + done }, count - done) }
            if got < 0 {
                if errno == EINTR { continue }
                throw EngineError.system("cannot read the file", path)
            }
            if got == 0 { break }
            done += got
        }
        return Array(bytes.prefix(done))
    }

    /// The whole file as text; bytes that are not UTF-8 are an error.
    package static func readText(_ path: String, limit: Int = 1 << 28) throws -> String {
        let bytes = try readBytes(path, limit: limit)
        try UTF8Text.check(0..<bytes.count, of: bytes, in: path)
        return String(decoding: bytes, as: UTF8.self)
    }

    static func openForReading(_ path: String) throws -> Int32 {
        if path.utf8.contains(0) { throw EngineError(.file, "a path cannot hold a zero byte", place: path) }
        if isFolder(path) { throw EngineError(.file, "expected a file, found a folder", place: path) }
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        if descriptor < 0 { throw EngineError.system("cannot open the file", path) }
        return descriptor
    }

    /// The kind bits of the mode (`S_IFREG`, `S_IFDIR`, ...), following links; nil where nothing is.
    static func mode(of path: String) -> mode_t? {
        var status = stat()
        return stat(path, &status) == 0 ? status.st_mode & S_IFMT : nil
    }

    private static func tooLong(_ path: String, limit: Int) -> EngineError {
        EngineError(.file, "the file is longer than the \(limit) bytes allowed here", place: path)
    }
}
