internal import Tensors

#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

/// A file of random bytes that its owner alone can read, made by whoever needs it first.
enum SecretFile {
    /// Fewer bytes are no secret: what a full disk left of one, say.
    private static let least = 16
    private static let count = 32

    /// nil where there is none, or none that is long enough.
    static func read(_ path: String) throws -> [UInt8]? {
        guard FileSystem.exists(path) else { return nil }
        let bytes = try FileSystem.readBytes(path, isNoted: false)
        return bytes.count >= least ? bytes : nil
    }

    /// The one that is there or a new one; of several processes that make it at once, all get the same.
    static func readOrMake(_ path: String) throws -> [UInt8] {
        if let bytes = try read(path) { return bytes }
        try FileSystem.createFolder(FileSystem.folder(of: path), isPrivate: true)
        let place = try FileGate.current.place(path, forWriting: true, followsLast: true)
        let made = try UnderConstruction.file(beside: place, for: path)
        defer {
            unlinkat(place.folder, made.name, 0)
            made.release()
        }
        let bytes = (0..<count).map { _ in UInt8.random(in: 0 ... .max) }
        guard fchmod(made.descriptor, 0o600) == 0, write(made.descriptor, bytes, count) == count,
            fsync(made.descriptor) == 0
        else {
            throw EngineError.system("cannot write the file", path)
        }
        // Where one came first it stays: a link replaces nothing, unlike a rename.
        if linkat(place.folder, made.name, place.folder, place.name, 0) == 0 { return bytes }
        if errno == EEXIST, let first = try read(path) { return first }
        // One that is no secret, or a file system without links.
        guard renameat(place.folder, made.name, place.folder, place.name) == 0 else {
            throw EngineError.system("cannot write the file", path)
        }
        return bytes
    }
}
