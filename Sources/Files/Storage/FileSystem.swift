internal import CFileSystem
internal import Tensors

#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

/// The few file operations that the other modules need, all through the current `FileGate`. Every failure is
/// an `EngineError` that names the path.
package enum FileSystem {
    /// False, too, for what the gate keeps out of reach.
    package static func exists(_ path: String) -> Bool { isThere(path) }

    package static func isFolder(_ path: String) -> Bool { isThere(path, S_IFDIR) }

    /// Whether this process may write the file, or make files in the folder.
    package static func isWritable(_ path: String) -> Bool {
        guard let place = try? FileGate.current.place(path, forWriting: true, followsLast: true) else {
            return false
        }
        return faccessat(place.folder, place.name, W_OK, 0) == 0
    }

    /// Throws what the gate says to a path that is out of its reach, or to a link where none may be; whether
    /// anything is there is not asked.
    package static func checkReach(_ path: String) throws {
        if FileGate.current.isRestricted { _ = try status(of: path) }
    }

    /// Whether a change time there may be no more than the modification time, which any program can set: on
    /// file systems that nothing is written to, and on those that know no change times.
    package static func lacksChangeTimes(_ path: String) -> Bool {
        guard let descriptor = try? FileGate.current.open(path, nb_name_only()), descriptor >= 0 else {
            return false
        }
        defer { close(descriptor) }
        var flags = statvfs()
        if fstatvfs(descriptor, &flags) == 0, flags.f_flag & UInt(ST_RDONLY) != 0 { return true }
        // squashfs, erofs, cramfs, romfs, iso9660, UDF, FAT, exFAT, NTFS (two), FUSE, 9P
        let without: Set<UInt> = [
            0x7371_7368, 0xE0F5_E1E2, 0x28CD_3D45, 0x7275, 0x9660, 0x1501_3346, 0x4D44, 0x2011_BAB0,
            0x5346_544E, 0x7366_746E, 0x6573_5546, 0x0102_1997,
        ]
        return without.contains(nb_file_system(descriptor))
    }

    /// The same of all that lies in a folder: what opens the folder must not pass over a file that it may not
    /// see.
    package static func checkReach(below folder: String) throws {
        guard FileGate.current.isRestricted, isFolder(folder) else { return }
        for name in try list(folder) { try checkReach(join(folder, name)) }
    }

    /// True for an ordinary file, false for folders, devices and pipes and where nothing is.
    package static func isFile(_ path: String) -> Bool { isThere(path, S_IFREG) }

    /// Which of many names in a folder are ordinary files: each folder on the way is opened once, for one
    /// name after the other in it.
    package static func areFiles(_ names: [String], in folder: String) -> [Bool] {
        var opened: (path: String, descriptor: Int32)?
        defer { if let opened { close(opened.descriptor) } }
        return names.map { name in
            let isNear = !name.isEmpty && !name.utf8.contains(UInt8(ascii: "/"))
            let path = join(folder, name), above = isNear ? folder : self.folder(of: path),
                last = isNear ? name : self.name(of: path)
            if opened?.path != above {
                if let opened { close(opened.descriptor) }
                opened = nil
                if let descriptor = try? FileGate.current.open(above, nb_name_only() | O_DIRECTORY),
                    descriptor >= 0
                {
                    opened = (above, descriptor)
                }
            }
            var status = stat()
            let isPlain = last != ".." && !last.utf8.contains(0)
            guard isPlain, let opened, fstatat(opened.descriptor, last, &status, AT_SYMLINK_NOFOLLOW) == 0,
                status.kind != S_IFLNK
            else { return isFile(path) }
            return status.kind == S_IFREG
        }
    }

    /// `folder/name`, without doubling the separator; an absolute `name` stands for itself.
    package static func join(_ folder: String, _ name: String) -> String {
        if name.hasPrefix("/") || folder.isEmpty { return name }
        return folder.hasSuffix("/") ? folder + name : folder + "/" + name
    }

    /// The last component: `c.png` of `a/b/c.png`.
    package static func name(of path: String) -> String {
        let end = end(of: path)
        guard let slash = path.utf8[..<end].lastIndex(of: UInt8(ascii: "/")) else {
            return end == path.endIndex ? path : String(path[..<end])
        }
        // `/` itself
        return path.utf8.index(after: slash) == end ? path : String(path[path.utf8.index(after: slash)..<end])
    }

    /// Where a path ends without the slashes behind it. Byte by byte, as all here: paths are taken apart for
    /// each file of a data set.
    private static func end(of path: String) -> String.Index {
        let bytes = path.utf8
        var end = bytes.endIndex
        while end > bytes.startIndex, bytes[bytes.index(before: end)] == UInt8(ascii: "/") {
            let before = bytes.index(before: end)
            if before == bytes.startIndex { break }
            end = before
        }
        return end
    }

    /// The part before the last component: `a/b` of `a/b/c.png`, `.` of `c.png`, `/` of `/c.png`.
    package static func folder(of path: String) -> String {
        guard let slash = path.utf8[..<end(of: path)].lastIndex(of: UInt8(ascii: "/")) else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// The path without links, `.` and `..`; nil where nothing is. Of paths that the user named: what a
    /// program named is resolved by its gate.
    package static func realPath(_ path: String) -> String? {
        guard !path.utf8.contains(0), let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    /// The same; of what does not exist yet, the part that does.
    package static func realPathAsFar(_ path: String) -> String {
        if let resolved = realPath(path) { return resolved }
        let above = folder(of: path), name = name(of: path)
        if above == path || name == "." || name == ".." || path.utf8.contains(0) { return path }
        return join(realPathAsFar(above), name)
    }

    /// The file that a path names, where the path is a link, or a link to one; relative where the links are.
    /// Of paths that the user named.
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

    /// Names in a folder, hidden ones included, sorted by their UTF-8 bytes, so that the order is the same
    /// everywhere.
    package static func list(_ folder: String) throws -> [String] {
        let descriptor = try FileGate.current.open(folder, O_RDONLY | O_DIRECTORY | O_NONBLOCK)
        guard descriptor >= 0 else {
            if errno == ENOTDIR { throw EngineError(.file, "expected a folder, found a file", place: folder) }
            throw EngineError.system("cannot list the folder", folder)
        }
        return try names(in: descriptor, folder)
    }

    /// Names in an open folder, which is closed.
    static func names(in descriptor: Int32, _ path: String) throws -> [String] {
        guard let folder = fdopendir(descriptor) else {
            close(descriptor)
            throw EngineError.system("cannot list the folder", path)
        }
        defer { closedir(folder) }
        var names: [String] = []
        while let name = nb_next_name(folder).map({ String(cString: $0) }) {
            if name != ".", name != ".." { names.append(name) }
        }
        guard errno == 0 else { throw EngineError.system("cannot list the folder", path) }
        return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    /// Makes a folder and those above it; one that exists already is fine.
    /// - Parameter isPrivate: whether the folders that this makes are their owner's alone.
    package static func createFolder(_ path: String, isPrivate: Bool = false) throws {
        if isFolder(path) { return }
        let above = folder(of: path)
        if above != path, above != "." { try createFolder(above, isPrivate: isPrivate) }
        guard !["", ".", ".."].contains(name(of: path)) else {
            throw EngineError.system("cannot make the folder", path, code: ENOENT)
        }
        let place = try FileGate.current.place(path, forWriting: true, followsLast: true)
        if mkdirat(place.folder, place.name, isPrivate ? 0o700 : 0o777) == 0 { return }
        guard errno == EEXIST else { throw EngineError.system("cannot make the folder", path) }
        // What is there is looked at only now: another process may have made the folder since the first look.
        if isFolder(path) { return }
        // A root that was removed meanwhile is not made again.
        guard exists(path) else { throw EngineError.system("cannot make the folder", path, code: ENOENT) }
        throw EngineError(.file, "expected a folder, found a file", place: path)
    }

    /// Appends to a file in one write, so that what several processes append stays whole. A file that this
    /// makes is its owner's alone.
    package static func append(_ text: String, to path: String) throws {
        let descriptor = try FileGate.current.open(
            path, O_WRONLY | O_CREAT | O_APPEND | O_NONBLOCK, mode: 0o600)
        guard descriptor >= 0 else { throw EngineError.system("cannot be opened for writing", path) }
        defer { close(descriptor) }
        _ = try checkedOrdinary(descriptor, path)
        let bytes = Array(text.utf8)
        let written = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
        guard written == bytes.count else { throw EngineError.system("cannot be written", path) }
    }

    /// Removes a file, or the link that has its name; one that is not there is fine.
    package static func removeFile(_ path: String) throws {
        guard exists(folder(of: path)) else { return }
        let place = try FileGate.current.place(path, forWriting: true, followsLast: false)
        if unlinkat(place.folder, place.name, 0) != 0, errno != ENOENT {
            throw EngineError.system("cannot remove the file", path)
        }
    }

    /// Removes a folder where it is empty.
    package static func removeEmptyFolder(_ path: String) throws {
        let place = try FileGate.current.place(path, forWriting: true, followsLast: false)
        if unlinkat(place.folder, place.name, AT_REMOVEDIR) != 0,
            ![ENOENT, ENOTEMPTY, EEXIST].contains(errno)
        {
            throw EngineError.system("cannot remove the folder", path)
        }
    }
    private enum Finding {
        case found(stat)
        case nothing
        /// By the gate.
        case refused(EngineError)
        /// As no descriptor is left, say.
        case unknown(EngineError)
    }

    private static func look(at path: String) -> Finding {
        let gate = FileGate.current
        var status = stat()
        if !gate.isRestricted, !gate.isOwn(path) {
            return path.utf8.contains(0) || stat(path, &status) != 0 ? .nothing : .found(status)
        }
        do {
            let descriptor = try gate.open(path, nb_name_only())
            guard descriptor >= 0 else {
                return [EMFILE, ENFILE, ENOMEM].contains(errno)
                    ? .unknown(EngineError.system("cannot be asked for", path)) : .nothing
            }
            defer { close(descriptor) }
            return fstat(descriptor, &status) == 0 ? .found(status) : .nothing
        } catch let error as EngineError {
            return .refused(error)
        } catch {
            return .nothing
        }
    }

    /// What a path leads to; nil where nothing is. Throws where the gate lets nothing through, and where it
    /// cannot be told.
    static func status(of path: String) throws -> stat? {
        switch look(at: path) {
        case .found(let status): return status
        case .nothing: return nil
        case .refused(let error), .unknown(let error): throw error
        }
    }

    /// Whether there is something of a kind (`S_IFREG`, `S_IFDIR`, ...; any where none is named), behind a
    /// link too. Yes where it cannot be told: whoever opens it then gets the reason, and does not go on as if
    /// a file were not there.
    private static func isThere(_ path: String, _ kind: mode_t? = nil) -> Bool {
        switch look(at: path) {
        case .found(let status): kind == nil || status.kind == kind
        case .nothing, .refused: false
        case .unknown: true
        }
    }

    static func tooLong(_ path: String, limit: Int) -> EngineError {
        EngineError(.file, "the file is longer than the \(limit) bytes allowed here", place: path)
    }
}
