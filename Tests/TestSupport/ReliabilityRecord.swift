internal import Files

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// What a test tried to break the program with, and how that ended: a row of the table in
/// `notebooks/reliability.md`. Where `NOISEBOOK_RELIABILITY` names a folder, `write` puts the row into a file
/// of its own there, and `.ci/reliability` makes the table of all of them.
package struct ReliabilityRecord: Sendable {
    /// The rows come in this order.
    package enum Part: String, Sendable, CaseIterable {
        case kills, disks, limits, files, inputs, pages, terminals, duration
    }

    private let part: Part
    private let what: String
    private var outcomes: [(kind: String, count: Int)] = []

    /// - Parameter what: was tried, in a few words: it names the row, so two tests must not use the same.
    package init(_ part: Part, _ what: String) {
        self.part = part
        self.what = what
    }

    /// Another try ended so: in words that hold for many, such as "an error that names the file".
    package mutating func note(_ kind: String, times: Int = 1) {
        guard times > 0 else { return }
        let index = outcomes.firstIndex { $0.kind == kind } ?? outcomes.endIndex
        if index == outcomes.endIndex { outcomes.append((kind, 0)) }
        outcomes[index].count += times
    }

    package var tries: Int { outcomes.reduce(0) { $0 + $1.count } }

    /// `run --write, SIGKILL | 105 | as before 80, as after 25`, the kinds from the most frequent to the
    /// rarest.
    package var line: String {
        let kinds = outcomes.sorted { ($1.count, $0.kind) < ($0.count, $1.kind) }.map {
            "\($0.kind) \($0.count)"
        }
        return ([what, String(tries)] + [kinds.joined(separator: ", ")]).map { $0.replacing("|", with: "/") }
            .joined(separator: " | ")
    }

    /// Nothing where nobody asked for it.
    package func write() throws {
        guard let named = getenv("NOISEBOOK_RELIABILITY") else { return }
        let folder = String(cString: named)
        try FileSystem.createFolder(folder)
        let name = String(what.map { $0.isLetter || $0.isNumber ? $0 : "-" })
        let place = Part.allCases.firstIndex(of: part) ?? 0
        try AtomicFile.write(
            line + "\n", to: FileSystem.join(folder, "\(place)-\(part.rawValue)-\(name).row"))
    }
}
