package import Files
internal import Tensors

/// Computed values of single items in a folder, each under the digest of all that it depends on. Any number
/// of processes may use the folder at once: an entry is written beside its place and renamed, never changed,
/// and holds the digest of its own content, so that one that a crash or a bad disk left behind is noticed and
/// computed anew. Deleting the folder loses time, never results.
package final class ItemCache {
    /// `.noisebook`, which also holds the digests of files and the log of runs; entries lie in `cache` below
    /// it.
    package let folder: String
    /// Bytes of all entries at most; beyond, those that were used longest ago go, but none that this run made
    /// or read.
    package let limit: Int
    /// How long unfinished work may go unsaved.
    package var savingInterval = Duration.seconds(1)
    package let files: FileDigests
    package let log: RunLog
    /// Since `beginRun`.
    package private(set) var counts = CacheCounts()
    /// Since `beginRun`.
    package private(set) var remarks = CacheRemarks()

    private let entries: String
    private let uses: CacheUses
    private let makeSigner: () throws -> Signer
    private var knownSigner: Signer?
    /// Whether the folder has been seen: one that is gone then was removed meanwhile.
    private var wasThere = false
    /// Values that found no room one after the other.
    private var refusals = 0
    /// What the entries take, as far as this process knows; nil before they were counted.
    private var size: Int?

    package static let standardLimit = 16 << 30

    /// - Parameters:
    ///   - folder: made when the first value is stored.
    ///   - limit: none is kept at 0.
    ///   - uses: shared by the sessions of one command, none of which may remove what another needs.
    ///   - signer: whose results are believed; asked for when the first one is looked for or stored.
    package init(
        folder: String, limit: Int = ItemCache.standardLimit, uses: CacheUses = CacheUses(),
        signer: @escaping () throws -> Signer = { try Signer.user() }
    ) {
        self.uses = uses
        makeSigner = signer
        self.folder = folder
        self.limit = limit
        entries = FileSystem.join(folder, "cache")
        files = FileDigests(path: FileSystem.join(folder, "digests"))
        log = RunLog(path: FileSystem.join(folder, "log"))
    }

    /// A program begins: counts start anew. What cells before it made or read stays in use.
    package func beginRun() {
        counts = CacheCounts()
        remarks = CacheRemarks()
        if !wasThere { wasThere = FileSystem.isFolder(folder) }
    }

    /// The program is over.
    package func endRun(_ program: String) {
        let isNew = !wasThere
        lookForFolder()
        log.end(program, counts, makesFolder: isNew && limit > 0)
    }

    /// What was made and read before need not stay any longer: another line of the prompt.
    package func forgetUses() {
        uses.forget()
        refusals = 0
    }

    /// Whose results are believed here.
    package var signer: Signer {
        get throws {
            if let knownSigner { return knownSigner }
            let signer = try makeSigner()
            if let remark = signer.remark { note(remark) }
            knownSigner = signer
            return signer
        }
    }

    /// A sentence for the reader.
    package func note(_ sentence: String) { remarks.add(sentence) }

    /// A folder that was removed while the program ran is begun anew by the next result.
    private func lookForFolder() {
        guard wasThere, !FileSystem.isFolder(folder) else { return }
        wasThere = false
        size = nil
        note("\(folder) was removed meanwhile: what was kept in it is gone")
    }

    /// Notes how many items of a verb were found here and how many were computed.
    package func count(_ verb: String, cached: Int = 0, computed: Int = 0) {
        counts.add(verb, cached: cached, computed: computed)
    }

    /// Bytes of all entries.
    package func byteCount() throws -> Int { try Eviction.size(of: entries) }

    // MARK: Entries

    /// The stored value, nil where there is none, where it is somebody else's, or where it is damaged; a
    /// damaged one is removed.
    package func value<T>(_ key: ItemKey, _ read: (inout ByteReader) throws -> T) -> T? {
        let path = path(of: key)
        // Whose it is cannot be told without a key, which is no damage of the entry.
        guard FileSystem.isFile(path), let bytes = try? FileSystem.readBytes(path, isNoted: false),
            let signer = try? self.signer
        else { return nil }
        do {
            let entry = try CacheEntry(bytes), origin = try entry.origin(key, signer)
            if origin == .damaged { throw CacheEntry.damage }
            if origin == .other, !signer.trustsOthers {
                remarks.addForeign()
                return nil
            }
            var reader = ByteReader(entry.content)
            let value = try read(&reader)
            guard reader.isAtEnd else {
                throw EngineError(.format, "a cached value is longer than it should be", place: path)
            }
            if origin == .other {
                try? AtomicFile.write(
                    CacheEntry.bytes(Array(entry.content), key, signer), to: path, durable: false)
            }
            FileStamp.touch(path)
            uses.note(path)
            return value
        } catch {
            try? FileSystem.removeFile(path)
            return nil
        }
    }

    /// Stores a value. What goes wrong is told by `remarks`, and the next value is tried again: a result that
    /// cannot be kept is still a result.
    package func store(_ key: ItemKey, _ write: (inout ByteWriter) -> Void) {
        guard limit > 0 else { return }
        var writer = ByteWriter()
        write(&writer)
        do {
            let bytes = try CacheEntry.bytes(writer.bytes, key, signer)
            let path = path(of: key)
            let replaced = FileStamp(path: path)?.size ?? 0
            guard hasRoom(for: bytes.count - replaced) else { return }
            try prepare(path)
            // Not durable: what a power cut spoils is found by its digest and computed again.
            try AtomicFile.write(bytes, to: path, durable: false)
            FileStamp.touch(path)
            uses.note(path)
            size = (size ?? 0) + bytes.count - replaced
        } catch {
            remarks.addUnkept("\(error)")
        }
    }

    private func prepare(_ path: String) throws {
        lookForFolder()
        try FileSystem.createFolder(FileSystem.folder(of: path))
        wasThere = true
    }

    /// Makes room for so many bytes more. Where what this run uses takes all of it, nothing is stored, and
    /// the reader is told.
    private func hasRoom(for count: Int) -> Bool {
        var total = size ?? ((try? Eviction.size(of: entries)) ?? 0)
        // To look for what can go takes a while, and where nothing could go nothing can a moment later.
        if total + count > limit, refusals % 64 == 0 {
            total =
                (try? Eviction.evict(entries, to: min(limit / 10 * 9, limit - count), sparing: uses.paths))
                ?? total
        }
        size = total
        guard total + count > limit else {
            refusals = 0
            return true
        }
        refusals += 1
        remarks.addUnkept(
            "what this run uses takes the \(ByteSize(limit)) that the cache may have (`--cache-limit`)")
        return false
    }

    /// Gives so many bytes of the disk back, for what matters more than results that can be computed again:
    /// entries go, those used longest ago first. False where all of them would not do: then all stay.
    package func giveBack(_ count: Int) -> Bool {
        guard let all = try? Eviction.size(of: entries), all >= count else { return false }
        guard let left = try? Eviction.evict(entries, to: all - count, sparing: []) else { return false }
        size = left
        return left <= all - count
    }

    /// The path of an entry that is too large to be read as a whole: a file of its own form, mapped by
    /// whoever asked for it. Made by `write`, whose errors are passed on, if it is not there or is not what
    /// was written. nil where it cannot be kept.
    package func file(_ key: ItemKey, byteCount: Int, _ write: (borrowing AtomicFile.Sink) throws -> Void)
        throws -> String?
    {
        guard limit > 0 else { return nil }
        let path = path(of: key), sealKey = try key.derived("sha256")
        let sealed = value(sealKey) { Array(try $0.doubles()) }
        let isWhole =
            try sealed.map {
                try FileStamp(path: path)?.size == byteCount && $0 == Self.numbers(of: files.digest(of: path))
            } ?? false
        if !isWhole {
            if sealed != nil, FileSystem.isFile(path) { note("\(path) is damaged and is made anew") }
            let replaced = FileStamp(path: path)?.size ?? 0
            guard hasRoom(for: byteCount - replaced) else { return nil }
            do {
                try prepare(path)
                try AtomicFile.write(to: path, durable: false, write)
            } catch let error as EngineError where error.kind == .file {
                remarks.addUnkept("\(error)")
                return nil
            }
            size = (size ?? 0) + byteCount - replaced
            let digest = try Self.numbers(of: Digest.sha256(path: path))
            store(sealKey) { $0.write(digest) }
        }
        // Each touch changes the stamp that its digest is remembered by, so an hour's use is one.
        if let stamp = FileStamp(path: path), FileStamp.now() - stamp.modified > 3_600_000_000_000 {
            FileStamp.touch(path)
        }
        uses.note(path)
        return path
    }

    /// A digest as the eight numbers that an entry can hold.
    private static func numbers(of digest: String) -> [Double] {
        stride(from: 0, to: digest.utf8.count, by: 8).map {
            Double(UInt32(digest.dropFirst($0).prefix(8), radix: 16) ?? 0)
        }
    }

    package func remove(_ key: ItemKey) {
        let path = path(of: key)
        guard let stamp = FileStamp(path: path) else { return }
        try? FileSystem.removeFile(path)
        size = size.map { $0 - stamp.size }
    }

    /// Two digits make a folder, so that none gets too long a list.
    private func path(of key: ItemKey) -> String {
        FileSystem.join(
            FileSystem.join(entries, String(key.digest.prefix(2))), String(key.digest.dropFirst(2)))
    }
}
