internal import Files

#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

/// Work whose time is proportional to a number of units: calls of one network on items of one size, say.
package struct WorkKind: Hashable, Sendable, CustomStringConvertible {
    package let description: String

    /// - Parameter parameters: of the network, which stand for its architecture.
    package init(_ verb: String, parameters: Int, shape: [Int]) {
        description = "\(verb) \(parameters) " + shape.map(String.init).joined(separator: "x")
    }
}

/// `.noisebook/log`: a line of JSON for each program that computed something, with what took how long. Read
/// to tell how long a plan will take; never for a result. Lines are appended whole, so any number of
/// processes may write.
package final class RunLog {
    private let path: String
    private var pending: [WorkKind: Work] = [:]
    private var known: [Entry]?

    private struct Work {
        var units = 0
        var seconds = 0.0
    }

    private struct Entry: Codable {
        /// Seconds since 1970.
        var time: Int
        var program: String
        var cached: Int
        var computed: Int
        /// Units and seconds by kind.
        var work: [String: [Double]]
    }

    /// Bytes from which on the older half goes.
    private static let limit = 1 << 20
    /// Lines of a kind that its rate is taken from, the newest.
    private static let most = 10

    package init(path: String) { self.path = path }

    /// - Parameter units: what `kind` counts: items times calls of the network, say.
    package func note(_ kind: WorkKind, units: Int, _ duration: Duration) {
        pending[kind, default: Work()].units += units
        pending[kind, default: Work()].seconds += duration / .seconds(1)
    }

    /// The program is over: what it noted becomes a line. Failing to write costs an estimate only.
    /// - Parameter makesFolder: whether to make the folder for it; one that was removed meanwhile should not
    ///   come back for this alone.
    func end(_ program: String, _ counts: CacheCounts, makesFolder: Bool) {
        defer { pending = [:] }
        guard !pending.isEmpty else { return }
        let entry = Entry(
            time: Int(time(nil)), program: program, cached: counts.verbs.reduce(0) { $0 + $1.count.cached },
            computed: counts.verbs.reduce(0) { $0 + $1.count.computed },
            work: Dictionary(
                uniqueKeysWithValues: pending.map {
                    ($0.key.description, [Double($0.value.units), $0.value.seconds])
                }))
        known?.append(entry)
        guard let line = try? JSON.encode(entry) else { return }
        if makesFolder { try? FileSystem.createFolder(FileSystem.folder(of: path)) }
        try? FileSystem.append(line + "\n", to: path)
        if let size = FileStamp(path: path)?.size, size > Self.limit { shorten() }
    }

    private func shorten() {
        guard let text = try? FileSystem.readText(path) else { return }
        let lines = text.split(separator: "\n")
        try? AtomicFile.write(
            Array((lines.suffix(lines.count / 2).joined(separator: "\n") + "\n").utf8), to: path,
            durable: false)
    }

    /// nil where nothing of the kind was timed here.
    package func secondsPerUnit(_ kind: WorkKind) -> Double? {
        let works = entries().reversed().lazy.compactMap { $0.work[kind.description] }.filter(Self.isTiming)
            .prefix(Self.most)
        let units = works.reduce(0) { $0 + $1[0] }
        return units > 0 ? works.reduce(0) { $0 + $1[1] } / units : nil
    }

    /// Units and seconds, both such as a run has: whoever writes into the log must not end the program that
    /// reads it.
    private static func isTiming(_ work: [Double]) -> Bool {
        work.count == 2 && (1...1e15).contains(work[0]) && (0...1e12).contains(work[1])
    }

    /// Lines that a crash cut off are left out.
    private func entries() -> [Entry] {
        if let known { return known }
        let text = FileSystem.isFile(path) ? (try? FileSystem.readText(path)) ?? "" : ""
        let read = text.split(separator: "\n").compactMap {
            try? JSON.decode(Entry.self, from: Array($0.utf8), place: path)
        }
        known = read
        return read
    }
}
