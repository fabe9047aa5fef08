internal import Files

#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

/// SHA-256 of files that are too big to be read again for every run: remembered by path, inode, size and change time.
package final class FileDigests {
    private let path: String
    /// By path.
    private var known: [String: (stamp: String, digest: String)]?
    /// Files at most that are remembered.
    private static let most = 4000

    package init(path: String) { self.path = path }

    /// The digest of a file's content.
    package func digest(of file: String) throws -> String {
        let stamp = FileStamp(path: file)
        if let stamp, let entry = entries()[file], entry.stamp == stamp.text { return entry.digest }
        let digest = try Digest.sha256(path: file)
        // A file that changes once more within the clock's resolution would keep its stamp, so a fresh one is not remembered yet.
        if let stamp, stamp == FileStamp(path: file), FileDigests.now() - stamp.changed > 2_000_000_000 { remember(file, stamp.text, digest) }
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
        guard FileSystem.isFile(path), let text = try? FileSystem.readText(path) else { return [:] }
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
        guard !file.contains("\n") else { return }
        let lines = all.sorted { $0.key < $1.key }.map { "\($0.value.stamp) \($0.value.digest) \($0.key)\n" }
        try? FileSystem.createFolder(FileSystem.folder(of: path))
        try? AtomicFile.write(lines.joined(), to: path)
    }

    private static func now() -> Int {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int(time.tv_sec) &* 1_000_000_000 &+ Int(time.tv_nsec)
    }
}
