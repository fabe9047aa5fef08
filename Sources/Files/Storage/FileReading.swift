internal import Synchronization
internal import Tensors

#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

/// One file as it was read: the bytes themselves, or the open file that was mapped. Its digest is that of
/// what was read, whatever has the file's name by now, and it notices when an open file is written over in
/// place.
package final class FileReading: Sendable {
    /// As the reader called it.
    package let path: String
    /// Before it was read.
    package let stamp: FileStamp

    private struct State: Sendable {
        /// -1 once the mapped file is let go, and for one that was read as a whole.
        var descriptor: Int32 = -1
        var bytes: [UInt8]?
        var digest: String?
        var changed: Int
    }

    private let state: Mutex<State>
    private let closesItself: Bool

    /// Where readings are noted, if anybody wants to know.
    @TaskLocal package static var witness: (any ReadingWitness)?

    /// A file that was read as a whole.
    init(path: String, stamp: FileStamp, bytes: [UInt8]) {
        (self.path, self.stamp) = (path, stamp)
        closesItself = false
        state = Mutex(State(bytes: bytes, changed: stamp.changed))
    }

    /// A mapped file, which closes its descriptor itself and says so by `close()`.
    init(path: String, stamp: FileStamp, descriptor: Int32, closesItself: Bool = false) {
        (self.path, self.stamp) = (path, stamp)
        self.closesItself = closesItself
        state = Mutex(State(descriptor: descriptor, changed: stamp.changed))
    }

    /// A file that is opened for its digest alone.
    package static func opened(_ path: String) throws -> FileReading {
        let (descriptor, stamp) = try FileSystem.openForReading(path)
        return FileReading(path: path, stamp: stamp, descriptor: descriptor, closesItself: true)
    }

    deinit {
        let descriptor = state.withLock { $0.descriptor }
        if closesItself, descriptor >= 0 { _ = Self.closed(descriptor) }
    }

    private static func closed(_ descriptor: Int32) -> Int32 {
        #if canImport(Glibc)
        Glibc.close(descriptor)
        #else
        Darwin.close(descriptor)
        #endif
    }

    func close() { state.withLock { $0.descriptor = -1 } }

    /// Whether the file is still mapped.
    package var isOpen: Bool { state.withLock { $0.descriptor >= 0 } }

    /// The digest, where it was asked for before or found elsewhere.
    package var knownDigest: String? { state.withLock { $0.digest } }

    package func note(digest: String) { state.withLock { $0.digest = digest } }

    /// SHA-256 of what was read; nil where the mapped file is let go.
    package func digest() throws -> String? {
        try state.withLock { state in
            if let digest = state.digest { return digest }
            if let bytes = state.bytes {
                state.digest = try Digest.sha256(bytes)
            } else if state.descriptor >= 0 {
                state.digest = try Digest.sha256(descriptor: state.descriptor, size: stamp.size, path: path)
            }
            return state.digest
        }
    }

    /// Keeps the digest alone of what was read as a whole.
    package func letGo() throws {
        _ = try digest()
        state.withLock { $0.bytes = nil }
    }

    /// Digest of a few kilobytes from the beginning, the middle and the end: what tells contents apart where
    /// stamps do not. nil where the file is let go.
    package func sample() throws -> String? {
        try state.withLock { state in
            if let bytes = state.bytes {
                return try FileSample.digest(size: bytes.count) { Array(bytes[$0]) }
            }
            let descriptor = state.descriptor
            guard descriptor >= 0 else { return nil }
            return try FileSample.digest(size: stamp.size) {
                try FileSystem.readPart(descriptor, $0, path: path)
            }
        }
    }

    /// Throws where the mapped file was written over since it was opened. Another name or another link
    /// changes a file's change time too; then its contents decide.
    package func confirm() throws {
        try state.withLock { state in
            guard state.descriptor >= 0, let now = FileStamp(descriptor: state.descriptor) else { return }
            guard now.changed != state.changed || now.modified != stamp.modified || now.size != stamp.size
            else { return }
            guard now.size == stamp.size, now.modified == stamp.modified else { throw rewritten }
            if let digest = state.digest,
                try Digest.sha256(descriptor: state.descriptor, size: stamp.size, path: path) != digest
            {
                throw rewritten
            }
            state.changed = now.changed
        }
    }

    private var rewritten: EngineError {
        EngineError(
            .file, "was written over while it was in use; what was computed with it is not kept", place: path,
            cure: "run it again; a file that is put in place by renaming leaves a running program the old one"
        )
    }
}

/// Learns of files that are read while it is `FileReading.witness`.
package protocol ReadingWitness: AnyObject, Sendable {
    /// - Parameter isKept: whether the reader keeps the reading itself, so that its bytes cost nothing more.
    func note(_ reading: FileReading, isKept: Bool)

    /// A file was read while something is opened, whether or not that comes to an end: a place to change it,
    /// for tests.
    func glanced(at path: String)
}

extension ReadingWitness {
    package func glanced(at path: String) {}
}

/// The files that something was opened from, in the order of their reading.
package final class OpenedFiles: ReadingWitness {
    private let readings = Mutex<[FileReading]>([])
    private let outer: (any ReadingWitness)?

    private init(outer: (any ReadingWitness)?) { self.outer = outer }

    package func note(_ reading: FileReading, isKept: Bool) {
        readings.withLock { $0.append(reading) }
        outer?.glanced(at: reading.path)
    }

    /// What `body` gives, and the files that it read: told to nobody else.
    package static func during<R>(_ body: () throws -> R) throws -> (R, [FileReading]) {
        let opened = OpenedFiles(outer: FileReading.witness)
        let result = try FileReading.$witness.withValue(opened) { try body() }
        return (result, opened.readings.withLock { $0 })
    }
}

/// Which parts of a file are looked at to tell contents apart.
enum FileSample {
    private static let length = 4096

    static func digest(size: Int, _ read: (Range<Int>) throws -> [UInt8]) throws -> String {
        let starts = size <= 3 * length ? [0] : [0, size / 2, size - length]
        let bytes = try starts.flatMap { try read($0..<min(size, $0 + (starts.count == 1 ? size : length))) }
        return String(try Digest.sha256(bytes).prefix(16))
    }
}
