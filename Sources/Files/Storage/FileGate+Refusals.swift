internal import CFileSystem
internal import Synchronization
internal import Tensors

#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

/// What lies out of a gate's reach, in words.
extension FileGate {
    func outside(_ path: String, forWriting: Bool) -> EngineError {
        if reach == .nothing {
            return EngineError(
                .file, "was to be opened outside of any command: a fault of this program", place: path)
        }
        return forWriting
            ? EngineError(
                .notWritable, "lies outside what may be written here", place: path,
                cure: "allow its folder by --allow-write FOLDER")
            : EngineError(
                .notReadable, "lies outside what may be read here", place: path,
                cure: "allow its folder by --allow-read FOLDER")
    }

    static func link(_ path: String) -> EngineError {
        EngineError(
            .file, "is a link, or lies behind one; what this program keeps for itself never is", place: path,
            cure: "see where the link leads, and remove it")
    }
}
