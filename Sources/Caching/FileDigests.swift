package import Files
internal import Tensors

/// SHA-256 of files that are too big to be read again for every run: remembered by path, and by device,
/// inode, size, times and a few kilobytes of the contents. Times that are no clock's are not trusted
/// (`FileStamp.tells`): such a file is read again.
package final class FileDigests {
    private let path: String
    /// By path.
    private var known: [String: (stamp: String, digest: String)]?
    /// Files at most that are remembered.
    private static let most = 4000
    /// A file that changes once more within the resolution of a file system's clock (two seconds for some)
    /// keeps its stamp.
    private static let resolution = 2_000_000_000

    package init(path: String) { self.path = path }

    /// The digest of a file's content now.
    package func digest(of file: String) throws -> String { try digest(of: FileReading.opened(file)) }

    /// The digest of a file as it was read.
    package func digest(of reading: FileReading) throws -> String {
        if let digest = reading.knownDigest { return digest }
        let stamp = reading.stamp
        let isTrusted =
            stamp.tells && !(stamp.modified == stamp.changed && FileSystem.lacksChangeTimes(reading.path))
        guard isTrusted, let sample = try reading.sample() else { return try computed(reading) }
        let text = "\(stamp.text):\(sample)"
        if let entry = entries()[reading.path], entry.stamp == text {
            reading.note(digest: entry.digest)
            return entry.digest
        }
        let digest = try computed(reading)
        if stamp == FileStamp(path: reading.path), FileStamp.now() - stamp.changed > Self.resolution {
            remember(reading.path, text, digest)
        }
        return digest
    }

    private func computed(_ reading: FileReading) throws -> String {
        guard let digest = try reading.digest() else {
            throw EngineError(.file, "is not open any more", place: reading.path)
        }
        try reading.confirm()
        return digest
    }

    private func entries() -> [String: (stamp: String, digest: String)] {
        if let known { return known }
        let read = read()
        known = read
        return read
    }

    /// A line per file: stamp, digest, path. Lines that do not look so are left out.
    private func read() -> [String: (stamp: String, digest: String)] {
        guard FileSystem.isFile(path),
            let text = try? FileReading.$witness.withValue(nil, operation: { try FileSystem.readText(path) })
        else { return [:] }
        var result: [String: (stamp: String, digest: String)] = [:]
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ", maxSplits: 2)
            guard words.count == 3, words[1].utf8.count == 64 else { continue }
            result[String(words[2])] = (String(words[0]), String(words[1]))
        }
        return result
    }

    /// What another process has learned meanwhile is kept. Failing to write costs time only.
    private func remember(_ file: String, _ stamp: String, _ digest: String) {
        var all = read()
        if all.count >= FileDigests.most { all = [:] }
        all[file] = (stamp, digest)
        known = all
        guard !path.isEmpty, !file.contains("\n") else { return }
        let lines = all.sorted { $0.key < $1.key }.map { "\($0.value.stamp) \($0.value.digest) \($0.key)\n" }
        try? FileSystem.createFolder(FileSystem.folder(of: path))
        // Not durable: what a power cut spoils is computed again.
        try? AtomicFile.write(Array(lines.joined().utf8), to: path, durable: false)
    }
}
