package import Files
package import Tensors

/// Computed values of single items in a folder, each under the digest of all that it depends on. Any number of processes may use the
/// folder at once: an entry is written beside its place and renamed, never changed, and holds the digest of its own content, so that
/// one that a crash or a bad disk left behind is noticed and computed anew. Deleting the folder loses time, never results.
package final class ItemCache {
    /// `.noisebook`, which also holds the digests of files and the log of runs; entries lie in `cache` below it.
    package let folder: String
    /// Bytes of all entries at most; beyond, those that were used longest ago go.
    package let limit: Int
    /// How long unfinished work may go unsaved.
    package var savingInterval = Duration.seconds(1)
    package let files: FileDigests
    package let log: RunLog
    /// Since `beginRun`.
    package private(set) var counts = CacheCounts()
    /// Why nothing is stored any more in this run: a full disk, a folder that may not be written.
    package private(set) var failure: EngineError?

    private let entries: String
    /// What the entries take, as far as this process knows; nil before they were counted.
    private var size: Int?

    package static let standardLimit = 16 << 30
    private static let magic = Array("noisebook item 1\n".utf8)
    private static let digestLength = 64

    /// - Parameter folder: made when the first value is stored.
    package init(folder: String, limit: Int = ItemCache.standardLimit) {
        self.folder = folder
        self.limit = limit
        entries = FileSystem.join(folder, "cache")
        files = FileDigests(path: FileSystem.join(folder, "digests"))
        log = RunLog(path: FileSystem.join(folder, "log"))
    }

    /// A program begins: counts start anew, and a disk that was full may have room again.
    package func beginRun() {
        counts = CacheCounts()
        failure = nil
    }

    /// The program is over.
    package func endRun(_ program: String) { log.end(program, counts) }

    package func count(_ verb: String, cached: Int = 0, computed: Int = 0) { counts.add(verb, cached: cached, computed: computed) }

    /// Bytes of all entries.
    package func byteCount() throws -> Int { try Eviction.size(of: entries) }

    // MARK: Entries

    /// The stored value, nil where there is none or where it is damaged; a damaged one is removed.
    package func value<T>(_ key: ItemKey, _ read: (inout ByteReader) throws -> T) -> T? {
        let path = path(of: key)
        guard FileSystem.isFile(path), let bytes = try? FileSystem.readBytes(path) else { return nil }
        do {
            var reader = ByteReader(try Self.content(bytes))
            let value = try read(&reader)
            guard reader.isAtEnd else { throw EngineError(.format, "a cached value is longer than it should be", place: path) }
            FileStamp.touch(path)
            return value
        } catch {
            try? FileSystem.removeFile(path)
            return nil
        }
    }

    private static func content(_ bytes: [UInt8]) throws -> ArraySlice<UInt8> {
        let start = magic.count + digestLength
        guard bytes.count >= start, bytes.starts(with: magic) else { throw EngineError(.format, "not a cached value") }
        let content = bytes[start...]
        guard try Array(Digest.sha256(Array(content)).utf8) == Array(bytes[magic.count..<start]) else {
            throw EngineError(.format, "a cached value is damaged")
        }
        return content
    }

    /// Stores a value. What goes wrong is kept in `failure`, and nothing more is stored until the next run: a result that cannot be
    /// kept is still a result.
    package func store(_ key: ItemKey, _ write: (inout ByteWriter) -> Void) {
        guard failure == nil else { return }
        var writer = ByteWriter()
        write(&writer)
        do {
            let bytes = Self.magic + Array(try Digest.sha256(writer.bytes).utf8) + writer.bytes
            guard bytes.count <= limit else { return }
            let path = path(of: key)
            try FileSystem.createFolder(FileSystem.folder(of: path))
            let replaced = FileStamp(path: path)?.size ?? 0
            // Not durable: what a power cut spoils is found by its digest and computed again.
            try AtomicFile.write(bytes, to: path, durable: false)
            FileStamp.touch(path)
            let known = try size ?? Eviction.size(of: entries) - bytes.count + replaced
            size = known + bytes.count - replaced
            if let total = size, total > limit { size = try Eviction.evict(entries, to: limit / 10 * 9) }
        } catch {
            failure = error as? EngineError ?? EngineError(.file, "\(error)", place: entries)
        }
    }

    /// The path of an entry that is too large to be read as a whole: a file of its own form, mapped by whoever asked for it. Made by `write`,
    /// whose errors are passed on, if it is not there.
    package func file(_ key: ItemKey, byteCount: Int, _ write: (borrowing AtomicFile.Sink) throws -> Void) throws -> String {
        let path = path(of: key)
        if FileStamp(path: path)?.size != byteCount {
            try FileSystem.createFolder(FileSystem.folder(of: path))
            try AtomicFile.write(to: path, durable: false, write)
            size = size.map { $0 + byteCount }
        }
        FileStamp.touch(path)
        return path
    }

    package func remove(_ key: ItemKey) {
        let path = path(of: key)
        guard let stamp = FileStamp(path: path) else { return }
        try? FileSystem.removeFile(path)
        size = size.map { $0 - stamp.size }
    }

    /// Two digits make a folder, so that none gets too long a list.
    private func path(of key: ItemKey) -> String {
        FileSystem.join(FileSystem.join(entries, String(key.digest.prefix(2))), String(key.digest.dropFirst(2)))
    }
}
