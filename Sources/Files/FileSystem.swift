internal import CRename
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

    /// Whether a change time there may be no more than the modification time, which any program can set: on file systems that nothing is written to, and
    /// on those that know no change times.
    package static func lacksChangeTimes(_ path: String) -> Bool {
        var flags = statvfs()
        if statvfs(path, &flags) == 0, flags.f_flag & UInt(ST_RDONLY) != 0 { return true }
        // squashfs, erofs, cramfs, romfs, iso9660, UDF, FAT, exFAT, NTFS (two), FUSE, 9P
        let without: Set<UInt> = [
            0x7371_7368, 0xE0F5_E1E2, 0x28CD_3D45, 0x7275, 0x9660, 0x1501_3346, 0x4D44, 0x2011_BAB0, 0x5346_544E, 0x7366_746E, 0x6573_5546, 0x0102_1997,
        ]
        return without.contains(nb_file_system(path))
    }

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
    /// - Parameter isNoted: whether `FileReading.witness` learns of it; what the program itself stored is no source of anything.
    package static func readBytes(_ path: String, limit: Int = 1 << 31, isNoted: Bool = true) throws -> [UInt8] {
        let descriptor = try openForReading(path)
        defer { close(descriptor) }
        var status = stat()
        let isFile = fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
        let known = isFile ? Int(status.st_size) : 0
        if known > limit { throw tooLong(path, limit: limit) }
        let witness = isFile && isNoted ? FileReading.witness : nil
        let stamp = witness == nil ? nil : FileStamp(descriptor: descriptor)
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
        if let witness, let stamp { witness.note(FileReading(path: path, stamp: stamp, bytes: bytes), isKept: false) }
        return bytes
    }

    /// Copies a file, that behind a link where it is one. The copy shares its blocks with the original where the file system can do that, until one
    /// of the two is written to; it is never the same file.
    /// - Parameter stamp: of the file that is meant; another one there now, or one that changes meanwhile, is an error.
    package static func copy(_ source: String, to target: String, expecting stamp: FileStamp? = nil, durable: Bool = false) throws {
        let descriptor = try openForReading(source)
        defer { close(descriptor) }
        guard isFile(source), let before = FileStamp(descriptor: descriptor) else { throw EngineError(.file, "expected an ordinary file", place: source) }
        func changed() -> EngineError {
            EngineError(.file, "was changed after it was opened", place: source, cure: "open it again when whatever writes there has finished")
        }
        if let stamp, stamp != before { throw changed() }
        try AtomicFile.write(to: target, durable: durable) { try $0.copy(descriptor) }
        if FileStamp(descriptor: descriptor) != before { throw changed() }
    }

    /// A part of an open file, wherever its position is. A file that ends before is an error.
    static func readPart(_ descriptor: Int32, _ range: Range<Int>, path: String) throws -> [UInt8] {
        try [UInt8](unsafeUninitializedCapacity: range.count) { buffer, count in
            try readPart(
                descriptor, at: range.lowerBound, into: UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[..<range.count]),
                path: path)
            count = range.count
        }
    }

    /// Fills the buffer.
    static func readPart(_ descriptor: Int32, at start: Int, into buffer: UnsafeMutableRawBufferPointer, path: String) throws {
        var done = 0
        while done < buffer.count {
            let got = pread(descriptor, buffer.baseAddress.map { $0 + done }, buffer.count - done, off_t(start + done))
            if got < 0, errno == EINTR { continue }
            if got < 0 { throw EngineError.system("cannot read the file", path) }
            if got == 0 { throw EngineError(.file, "the file became shorter while it was read", place: path, cure: "run it again") }
            done += got
        }
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
