internal import CFileSystem
internal import Synchronization
internal import Tensors

#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

/// The one way to files: all that is opened, made, renamed, listed and removed goes through the gate that is
/// current. A gate knows open folders and what may be done below them, and finds names relative to these,
/// links included, so that no link, no `..` and no change of a name between a check and a use leads out of
/// them.
///
/// By openat2(2) with RESOLVE_BENEATH where the system has it, else name by name (`PathWalk`).
package final class FileGate: Sendable {
    enum Reach { case everything, roots, nothing }

    let reach: Reach
    /// Whether names are looked for one by one although the system could do it in one call: for tests.
    private let walks: Bool
    /// What relative paths are relative to.
    let base: String
    struct State {
        var roots: [FileRoot] = []
        var own: Set<String> = []
    }
    let state = Mutex(State())

    // MARK: The current gate

    /// With the rights of the user.
    package static let user = FileGate(.everything)
    /// Nothing may be opened: for threads that forgot to whose work they belong.
    private static let closed = FileGate(.nothing)

    @TaskLocal private static var bound: FileGate?
    private static let isClosedElsewhere = Atomic<Bool>(false)

    package static var current: FileGate {
        bound ?? (isClosedElsewhere.load(ordering: .relaxed) ? closed : user)
    }

    /// From now on nothing is opened but inside of `during`. First thing of the program.
    package static func closeElsewhere() { isClosedElsewhere.store(true, ordering: .relaxed) }

    /// Makes this gate the current one of `body`. Other threads do not inherit it: who hands work to them
    /// hands over the gate, too.
    package func during<R>(_ body: () throws -> R) rethrows -> R {
        try Self.$bound.withValue(self, operation: body)
    }

    private init(_ reach: Reach) { (self.reach, base, walks) = (reach, "", false) }

    /// A gate to some folders.
    /// - Parameters:
    ///   - readable, writable: what lies below them may be read, and written and read.
    ///   - own: files and folders that the program keeps for itself beside a notebook. They are never links,
    ///     and neither is anything in them.
    ///   - walks: for tests of what other systems do.
    package init(readable: [String], writable: [String], own: [String] = [], walks: Bool = false) {
        self.walks = walks
        reach = .roots
        base = FileSystem.realPath(".") ?? "/"
        for folder in readable { permit(folder, isWritable: false) }
        for folder in writable { permit(folder, isWritable: true) }
        keepOwn(own)
    }

    /// Whether something is out of its reach.
    package var isRestricted: Bool { reach != .everything }

    /// Lets what lies below a folder be read as well, or written too; of a file, the file alone.
    package func permit(_ path: String, isWritable: Bool) {
        let path = FileSystem.realPath(path) ?? Self.absolute(path, base)
        let isFile = FileGate.user.during { FileSystem.isFile(path) }
        let root =
            isFile
            ? FileRoot(
                FileSystem.folder(of: path), isWritable: isWritable, names: [FileSystem.name(of: path)])
            : FileRoot(path, isWritable: isWritable)
        state.withLock { $0.roots.append(root) }
    }

    /// Files and folders that are the program's own from now on, and may be written wherever they lie: a
    /// result that the user named.
    package func permitOwn(_ paths: [String]) {
        keepOwn(paths)
        for (folder, paths) in Dictionary(grouping: paths, by: FileSystem.folder) {
            let folder = FileSystem.realPath(folder) ?? Self.absolute(folder, base)
            state.withLock {
                $0.roots.append(FileRoot(folder, isWritable: true, names: Set(paths.map(FileSystem.name))))
            }
        }
    }

    private func keepOwn(_ paths: [String]) {
        // As they were named, too: a path is looked for as it is written.
        let paths = paths.flatMap { path in
            [Self.absolute(path, base)]
                + (FileSystem.realPath(FileSystem.folder(of: path)).map {
                    [FileSystem.join($0, FileSystem.name(of: path))]
                } ?? [])
        }
        state.withLock { $0.own.formUnion(paths) }
    }

    /// From the root, and without the names `.` and those that are empty: what is the same to the system is
    /// one text here.
    private static func absolute(_ path: String, _ base: String) -> String {
        let path = FileSystem.join(base, path)
        let slash = UInt8(ascii: "/"), dot = UInt8(ascii: ".")
        var last: (UInt8, UInt8) = (0, 0), isPlain = true
        for byte in path.utf8 {
            if byte == slash, last.1 == slash || last == (slash, dot) { isPlain = false }
            last = (last.1, byte)
        }
        guard !isPlain || last == (slash, dot) || (last.1 == slash && path != "/") else { return path }
        return "/" + path.split(separator: "/").filter { $0 != "." }.joined(separator: "/")
    }

    // MARK: Shortage

    private static let lastShortage = Atomic<Int32>(0)

    /// What kept files from being opened that may well be there: too many open files. Whoever asked whether a
    /// file exists was told that it does not, so a reader must learn of it whatever else is said.
    package static var shortage: String? {
        let code = lastShortage.load(ordering: .relaxed)
        guard code != 0 else { return nil }
        let error = EngineError.system("some files could not be opened", "", code: code)
        return error.message + (error.cure.map { ": \($0)" } ?? "")
    }

    /// Gives a descriptor back after a look at why it is none.
    static func noted(_ descriptor: Int32) -> Int32 {
        if descriptor < 0, errno == EMFILE || errno == ENFILE {
            lastShortage.store(errno, ordering: .relaxed)
        }
        return descriptor
    }

    // MARK: Roots

    /// The outermost root that the path lies in, and the rest of it: by the path's text or, where that does
    /// not tell, by asking which of the folders on the way is a root.
    func root(of path: String, forWriting: Bool) -> (FileRoot, rest: Substring)? {
        let path = Self.absolute(path, base)
        let roots = state.withLock { $0.roots }
        var outermost: (FileRoot, rest: Substring)?
        for root in roots where root.isWritable || !forWriting {
            guard let rest = root.rest(of: path),
                outermost.map({ $0.rest.utf8.count < rest.utf8.count }) ?? true
            else { continue }
            outermost = (root, rest)
        }
        if let outermost { return outermost }
        // Another spelling: a link on the way to the root, say. That a folder is a root is all that is asked
        // about what lies outside.
        var above = path, rest = ""
        while above != "/", above != "." {
            rest =
                rest.isEmpty ? FileSystem.name(of: above) : FileSystem.join(FileSystem.name(of: above), rest)
            above = FileSystem.folder(of: above)
            var status = stat()
            guard stat(above, &status) == 0, status.kind == S_IFDIR else { continue }
            if let root = roots.first(where: { ($0.isWritable || !forWriting) && $0.isSame(as: status) }),
                let rest = root.rest(of: FileSystem.join(root.path, rest))
            {
                return (root, rest)
            }
        }
        return nil
    }

    /// Whether a path lies in reach by its text, wherever links in it lead.
    package func holds(_ path: String, forWriting: Bool) -> Bool {
        !isRestricted || root(of: path, forWriting: forWriting) != nil
    }

    /// Whether the path is one of the program's own, or in one: no part of it may be a link.
    func isOwn(_ path: String) -> Bool {
        if Self.isInStore(path) { return true }
        let own = state.withLock { $0.own }
        guard !own.isEmpty else { return false }
        let path = Self.absolute(path, base)
        return own.contains(path) || own.contains(FileSystem.folder(of: path))
    }

    /// Whether a part of the path is `.noisebook`. Asked of every path, hence byte by byte.
    private static func isInStore(_ path: String) -> Bool {
        let store: StaticString = ".noisebook"
        var path = path
        return path.withUTF8 { path in
            var start = 0
            while start < path.count {
                let end = path[start...].firstIndex(of: UInt8(ascii: "/")) ?? path.count
                if end - start == store.utf8CodeUnitCount, let base = path.baseAddress,
                    memcmp(base + start, store.utf8Start, end - start) == 0
                {
                    return true
                }
                start = end + 1
            }
            return false
        }
    }

    // MARK: Opening

    /// Opens what is there or makes a file, as open(2). The descriptor is the caller's; its number is below
    /// zero where `errno` tells why not.
    /// - Parameter followsLink: at the end of the path.
    func open(_ path: String, _ flags: Int32, mode: mode_t = 0, followsLink: Bool = true) throws -> Int32 {
        if path.utf8.contains(0) { throw EngineError(.file, "a path cannot hold a zero byte", place: path) }
        let flags = flags | O_CLOEXEC | (followsLink ? 0 : O_NOFOLLOW), isOwn = isOwn(path)
        let creates = flags & O_CREAT != 0, mode = creates ? UInt32(mode) : 0
        var opened: Int32 = -1
        switch reach {
        case .nothing: throw outside(path, forWriting: false)
        case .everything:
            guard isOwn else { return Self.noted(openat(AT_FDCWD, path, flags, mode_t(mode))) }
            opened = Self.noted(nb_open_linkless(path, flags, mode))
            if opened < 0, errno == ELOOP { throw Self.link(path) }
            if opened >= 0 || errno != ENOSYS { return opened }
            return openat(AT_FDCWD, path, flags | O_NOFOLLOW, mode_t(mode))
        case .roots: break
        }
        let forWriting = creates || flags & (O_WRONLY | O_RDWR) != 0
        guard let (root, rest) = root(of: path, forWriting: forWriting) else {
            throw outside(path, forWriting: forWriting)
        }
        if root.names == nil, !walks {
            var tries = 0, code = ENOENT
            while true {
                guard let folder = root.folder() else {
                    code = errno
                    break
                }
                opened = Self.noted(
                    rest.isEmpty
                        ? nb_open_beneath(folder, ".", flags, mode, 0)
                        : nb_open_beneath(folder, String(rest), flags, mode, isOwn ? 1 : 0))
                if opened >= 0 { return opened }
                code = errno
                tries += 1
                // EAGAIN: something was renamed meanwhile, and `..` could not be told to stay below.
                if code == EAGAIN, tries < 8 { continue }
                if code == ENOENT, root.forgetRemoved() { continue }
                break
            }
            // A link leads out of this root, perhaps into another; or the system has no openat2, or a filter
            // of system calls does not know it.
            let goesOn = [EXDEV, ENOSYS, EPERM, EAGAIN].contains(code) || (code == ELOOP && isOwn)
            guard goesOn else {
                errno = code
                return -1
            }
        }
        let place = try place(path, forWriting: forWriting, followsLast: followsLink)
        return Self.noted(openat(place.folder, place.name, flags | O_NOFOLLOW, mode_t(mode)))
    }

    /// Where a path leads: the folder, open, and the name in it.
    func place(_ path: String, forWriting: Bool, followsLast: Bool) throws -> FilePlace {
        if path.isEmpty || path.utf8.contains(0) {
            throw EngineError(.file, "not a usable file name", place: path)
        }
        switch reach {
        case .nothing: throw outside(path, forWriting: forWriting)
        case .everything:
            if isOwn(path) { return try linklessPlace(path) }
            return FilePlace(borrowing: AT_FDCWD, followsLast ? FileSystem.realPath(path) ?? path : path)
        case .roots: break
        }
        if let place = placeAtOnce(path, forWriting: forWriting, followsLast: followsLast) { return place }
        let ending = try walked(path, forWriting: forWriting, followsLast: followsLast)
        // Several names that are not there yet: made one by one, each in the folder before.
        guard !ending.place.name.contains("/") else {
            throw EngineError.system("cannot open the folder", FileSystem.folder(of: path), code: ENOENT)
        }
        return ending.taken()
    }

    /// The usual case in two calls: a folder below one root, and in it a name that is no link. nil where it
    /// is not that simple.
    private func placeAtOnce(_ path: String, forWriting: Bool, followsLast: Bool) -> FilePlace? {
        guard !walks, let (root, rest) = root(of: path, forWriting: forWriting), root.names == nil,
            let folder = root.folder()
        else { return nil }
        let name = FileSystem.name(of: String(rest)), isOwn = isOwn(path)
        guard !["", ".", ".."].contains(name) else { return nil }
        let above = Self.noted(
            nb_open_beneath(
                folder, FileSystem.folder(of: String(rest)), nb_name_only() | O_DIRECTORY | O_CLOEXEC, 0,
                isOwn ? 1 : 0))
        guard above >= 0 else { return nil }
        let place = FilePlace(owning: above, name)
        if place.status()?.kind == S_IFLNK, followsLast || isOwn { return nil }
        return place
    }

    /// The path without links, as far as it exists: nil where it leads out of what may be read, or written.
    package func resolved(_ path: String, forWriting: Bool) -> String? {
        guard reach == .roots else { return reach == .everything ? FileSystem.realPathAsFar(path) : nil }
        return (try? walked(path, forWriting: forWriting, followsLast: true))?.path
    }

    private func walked(_ path: String, forWriting: Bool, followsLast: Bool) throws -> PathWalk.Ending {
        let isOwn = isOwn(path)
        func walk() throws -> PathWalk.Ending {
            try PathWalk.end(
                path, gate: self, forWriting: forWriting, followsLinks: !isOwn,
                followsLast: followsLast || isOwn)
        }
        do {
            return try walk()
        } catch PathWalk.Refusal.outside {
            throw outside(path, forWriting: forWriting)
        } catch PathWalk.Refusal.link {
            throw Self.link(path)
        } catch PathWalk.Refusal.system(let code) {
            if code == ENOENT, let root = root(of: path, forWriting: forWriting)?.0, root.forgetRemoved() {
                return try walk()
            }
            throw EngineError.system("cannot open", path, code: code)
        }
    }

    /// For the program's own files where everything else may be a link.
    private func linklessPlace(_ path: String) throws -> FilePlace {
        let folder = FileSystem.folder(of: path), name = FileSystem.name(of: path)
        var opened = Self.noted(nb_open_linkless(folder, nb_name_only() | O_DIRECTORY | O_CLOEXEC, 0))
        if opened < 0, errno == ENOSYS {
            opened = openat(AT_FDCWD, folder, nb_name_only() | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        }
        if opened < 0, errno == ELOOP { throw Self.link(path) }
        guard opened >= 0 else { throw EngineError.system("cannot open", folder) }
        let place = FilePlace(owning: opened, name)
        if place.status()?.kind == S_IFLNK { throw Self.link(path) }
        return place
    }
}
