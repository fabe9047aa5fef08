internal import CFileSystem

#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

/// Finds a path name by name, each opened in the folder before and without following links; a link's target
/// is walked like the rest, and from another root where it leads out of this one. What `openat2` does in one
/// call, for systems that have none and for links from root to root. After `cap-primitives`, where this is
/// done for whole programs: https://github.com/bytecodealliance/cap-std
struct PathWalk {
    /// How a walk can end.
    enum Refusal: Error {
        case outside
        case link
        case system(Int32)
    }

    private let gate: FileGate
    private let forWriting: Bool
    /// Whether links on the way are followed, and one at the end.
    private let followsLinks: Bool, followsLast: Bool

    private var root: FileRoot
    private var pending: [Substring] = []
    /// Folders below the root, the last the deepest, and their names.
    private var folders: [Int32] = []
    private var names: [String] = []
    /// Links and changes of root so far.
    private var turns = 0
    /// As many as Linux follows links.
    private static let mostTurns = 40

    /// Where a walk came to, with what is not there yet of the path.
    struct Ending: ~Copyable {
        let place: FilePlace
        /// The path without links, as far as it exists, and the rest.
        let path: String

        consuming func taken() -> FilePlace { place }
    }

    static func end(
        _ path: String, gate: FileGate, forWriting: Bool, followsLinks: Bool = true, followsLast: Bool = true
    ) throws -> Ending {
        guard let (root, rest) = gate.root(of: path, forWriting: forWriting) else { throw Refusal.outside }
        var walk = PathWalk(
            gate: gate, forWriting: forWriting, followsLinks: followsLinks, followsLast: followsLast,
            root: root)
        walk.pending = rest.split(separator: "/").reversed()
        defer { walk.leave(to: 0) }
        return try walk.go()
    }

    private init(gate: FileGate, forWriting: Bool, followsLinks: Bool, followsLast: Bool, root: FileRoot) {
        (self.gate, self.forWriting, self.followsLinks, self.followsLast, self.root) = (
            gate, forWriting, followsLinks, followsLast, root
        )
    }

    private var here: String { names.reduce(root.path) { FileSystem.join($0, $1) } }

    private mutating func leave(to depth: Int) {
        while folders.count > depth { close(folders.removeLast()) }
        names.removeLast(names.count - depth)
    }

    private func folder() throws -> Int32 {
        if let deepest = folders.last { return deepest }
        guard let folder = root.folder() else { throw Refusal.system(ENOENT) }
        return folder
    }

    /// Goes on from the root that holds `path`.
    private mutating func turn(to path: String) throws {
        turns += 1
        guard turns <= Self.mostTurns else { throw Refusal.system(ELOOP) }
        guard let (root, rest) = gate.root(of: path, forWriting: forWriting) else { throw Refusal.outside }
        leave(to: 0)
        self.root = root
        pending = rest.split(separator: "/").reversed()
    }

    private var rest: String { pending.reversed().joined(separator: "/") }

    private mutating func go() throws -> Ending {
        while let next = pending.popLast() {
            if next == "." { continue }
            if next == ".." {
                if !folders.isEmpty {
                    leave(to: folders.count - 1)
                } else {
                    try turn(to: FileSystem.join(FileSystem.folder(of: root.path), rest))
                }
                continue
            }
            let name = String(next)
            if folders.isEmpty, let meant = root.names, !meant.contains(name) {
                // A link led to another name in a folder of which single ones are meant.
                try turn(to: FileSystem.join(FileSystem.join(root.path, name), rest))
                continue
            }
            let above = try folder()
            var status = stat()
            guard fstatat(above, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else {
                guard errno == ENOENT else { throw Refusal.system(errno) }
                // A name that is not there yet may only be followed by others: `..` behind it would mean
                // something else once it is made.
                guard !pending.contains("..") else { throw Refusal.outside }
                let missing = pending.isEmpty ? name : FileSystem.join(name, rest)
                return Ending(place: try taken(missing), path: FileSystem.join(here, missing))
            }
            let isLast = pending.isEmpty
            if status.kind == S_IFLNK, !isLast || followsLast {
                guard followsLinks else { throw Refusal.link }
                let target = try Self.target(of: name, in: above)
                if target.hasPrefix("/") {
                    try turn(to: FileSystem.join(target, rest))
                } else {
                    turns += 1
                    guard turns <= Self.mostTurns else { throw Refusal.system(ELOOP) }
                    pending += target.split(separator: "/").reversed()
                }
                continue
            }
            if isLast { return Ending(place: try taken(name), path: FileSystem.join(here, name)) }
            guard status.kind == S_IFDIR else { throw Refusal.system(ENOTDIR) }
            let opened = FileGate.noted(
                openat(above, name, nb_name_only() | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC))
            guard opened >= 0 else { throw Refusal.system(errno) }
            folders.append(opened)
            names.append(name)
        }
        return Ending(place: try taken("."), path: here)
    }

    /// The place of that name in the deepest folder, which then stays open.
    private mutating func taken(_ name: String) throws -> FilePlace {
        let copy = FileGate.noted(fcntl(try folder(), F_DUPFD_CLOEXEC, 0))
        guard copy >= 0 else { throw Refusal.system(errno) }
        return FilePlace(owning: copy, name)
    }

    private static func target(of name: String, in folder: Int32) throws -> String {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
        let length = readlinkat(folder, name, &buffer, buffer.count - 1)
        guard length > 0 else { throw Refusal.system(length < 0 ? errno : ENOENT) }
        return String(decoding: buffer[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
