package import Files
internal import Synchronization

/// The files that a session's programs read, as they were read: what the keys of a notebook's cells are made
/// of, and what tells that a file was written over while a program used it.
package final class RunReadings: ReadingWitness {
    private struct Entry: Sendable {
        var cell: Int?
        var reading: FileReading
    }

    private struct State: Sendable {
        var keepsDigests = false
        var cell: Int?
        var entries: [String: [Entry]] = [:]
        /// What each cell opened, by verb and words: the names that only a run can tell are among them.
        var openings: [Int: Set<String>] = [:]
        /// Where a name led to when it was opened.
        var places: [String: String] = [:]
        /// Folders that were opened, with all that was in and below them then.
        var contents: [String: Set<String>] = [:]
        /// Open files that are asked whether they were written over.
        var mapped: [FileReading] = []
    }

    private let state = Mutex(State())

    package init() {}

    /// Whether the digest of every file is wanted: where outputs are written with a lock. Else only open
    /// files are watched.
    package var keepsDigests: Bool {
        get { state.withLock { $0.keepsDigests } }
        set { state.withLock { $0.keepsDigests = newValue } }
    }

    /// A cell begins. What it read when it ran before is forgotten.
    package func begin(cell: Int?) {
        state.withLock { state in
            state.cell = cell
            guard let cell else { return }
            state.openings[cell] = nil
            for (path, entries) in state.entries {
                let left = entries.filter { $0.cell != cell }
                // The order does not matter: each path is looked at for itself.
                state.entries[path] = left.isEmpty ? nil : left
            }
        }
    }

    /// What `body` reads is noted here.
    package func watching<R>(_ body: () throws -> R) rethrows -> R {
        try FileReading.$witness.withValue(self, operation: body)
    }

    package func note(_ reading: FileReading, isKept: Bool) {
        let keeps = state.withLock { state in
            if reading.isOpen {
                state.mapped.removeAll { !$0.isOpen }
                // A model that is opened once and used by many programs stays one.
                if !state.mapped.contains(where: { $0 === reading }) { state.mapped.append(reading) }
            }
            guard state.keepsDigests else { return false }
            state.entries[reading.path, default: []].append(Entry(cell: state.cell, reading: reading))
            return true
        }
        // A data set's pictures must not all stay in memory.
        if keeps, !isKept { try? reading.letGo() }
    }

    /// Notes the files of something that was opened before and is used again.
    package func note(_ readings: [FileReading]) {
        let missing = state.withLock { state in
            readings.filter { reading in
                !(state.entries[reading.path] ?? []).contains {
                    $0.reading === reading && $0.cell == state.cell
                }
            }
        }
        for reading in missing { note(reading, isKept: true) }
    }

    /// Notes that something is opened: `load models/a`, `score statistics=s.npz`.
    package func noteOpening(_ title: String) {
        state.withLock { state in
            if state.keepsDigests, let cell = state.cell {
                _ = state.openings[cell, default: []].insert(title)
            }
        }
    }

    /// Notes where a name led to, and what is in the folder there: called before anything of it is read.
    package func noteSource(_ title: String? = nil, at path: String) {
        guard keepsDigests else { return }
        let contents = FileSystem.isFolder(path) ? Set(Self.below(path)) : []
        state.withLock { state in
            if let title { state.places[title] = path }
            if !contents.isEmpty { state.contents[path] = contents }
        }
    }

    private static func below(_ folder: String, depth: Int = 0) -> [String] {
        guard depth < 16, let names = try? FileSystem.list(folder) else { return [] }
        return names.filter { !$0.hasPrefix(".") }.flatMap { name -> [String] in
            let path = FileSystem.join(folder, name)
            return FileSystem.isFolder(path) ? [path] + below(path, depth: depth + 1) : [path]
        }
    }

    /// Throws where an open file was written over in place.
    package func confirm() throws {
        for reading in state.withLock({ $0.mapped }) { try reading.confirm() }
    }

    // MARK: For keys

    /// In the order of their texts.
    package func openings(of cell: Int) -> [String] { state.withLock { $0.openings[cell] ?? [] }.sorted() }

    package func place(of title: String) -> String? { state.withLock { $0.places[title] } }

    /// The digest of a file as it was read: by the cell itself, else by any. nil where nobody read it,
    /// "changed" where it was not the same each time, or cannot be told any more.
    package func digest(of path: String, cell: Int?, _ files: FileDigests) throws -> String? {
        let entries = state.withLock { $0.entries[path] ?? [] }
        let own = cell.map { cell in entries.filter { $0.cell == cell } } ?? []
        let digests = try Set(
            (own.isEmpty ? entries : own).map { entry in
                let reading = entry.reading
                if let known = reading.knownDigest { return known }
                // One that was written over meanwhile is an error to whoever computes with it; its own cell
                // is only out of date.
                if reading.isOpen { return (try? files.digest(of: reading)) ?? Self.changed }
                if let digest = try reading.digest() { return digest }
                return FileStamp(path: path) == reading.stamp ? try files.digest(of: path) : Self.changed
            })
        return digests.count > 1 ? Self.changed : digests.first
    }

    /// Stands in a key for what no file can have.
    package static let changed = "changed while it was read"

    /// Names below a folder that were there when it was opened; nil where it was not opened.
    package func contents(of folder: String) -> Set<String>? {
        state.withLock { state in
            // Folders that were opened do not share files, or if they do, say the same of them but for what
            // changed in between.
            guard state.contents.contains(where: { folder == $0.key || folder.hasPrefix($0.key + "/") })
            else { return nil }
            let inside = state.contents.values.reduce(into: Set<String>()) { $0.formUnion($1) }
            return inside.filter { FileSystem.folder(of: $0) == folder }
        }
    }

    /// Whether something of the folder itself was read.
    package func hasRead(in folder: String) -> Bool {
        state.withLock { $0.entries.keys.contains { FileSystem.folder(of: $0) == folder } }
    }
}
