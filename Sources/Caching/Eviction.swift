internal import Files

/// Keeps the entries of a cache within their limit. Other processes may add and remove entries meanwhile:
/// what is gone is skipped.
enum Eviction {
    private struct Entry {
        var path: String
        var stamp: FileStamp
    }

    /// Bytes of all entries.
    static func size(of folder: String) throws -> Int { try list(folder).reduce(0) { $0 + $1.stamp.size } }

    /// Removes entries, those used longest ago first, until all take at most `goal` bytes; gives what they
    /// take then.
    /// - Parameter spared: paths that stay.
    static func evict(_ folder: String, to goal: Int, sparing spared: Set<String>) throws -> Int {
        let entries = try list(folder).sorted { ($0.stamp.modified, $0.path) < ($1.stamp.modified, $1.path) }
        var size = entries.reduce(0) { $0 + $1.stamp.size }
        for entry in entries {
            if size <= goal { break }
            guard !spared.contains(entry.path) else { continue }
            // One that cannot be removed stays, and the next goes. What another user is writing at this
            // moment has a name of its own until it is whole: without that name it could not be kept.
            let isGone =
                UnderConstruction.isOne(FileSystem.name(of: entry.path))
                ? UnderConstruction.removeIfLeft(entry.path) : (try? FileSystem.removeFile(entry.path)) != nil
            if isGone { size -= entry.stamp.size }
        }
        return size
    }

    /// Files that a killed process left half-written are among them: nobody uses them, so they go too.
    private static func list(_ folder: String) throws -> [Entry] {
        guard FileSystem.isFolder(folder) else { return [] }
        return try FileSystem.list(folder).map { FileSystem.join(folder, $0) }.filter(FileSystem.isFolder)
            .flatMap { inner in
                try FileSystem.list(inner).compactMap { name in
                    let path = FileSystem.join(inner, name)
                    return FileStamp(path: path).map { Entry(path: path, stamp: $0) }
                }
            }
    }
}
