import Files
import Interpreting
import Results
import SourceText
import Tensors

/// A replay of a notebook held against its stored outputs.
package struct Verification {
    package enum Method: Sendable, Equatable {
        /// Everything is computed anew.
        case full
        /// A few random pictures of each cell are computed anew and held against the lock; what follows from
        /// all of them is left out.
        case sample(Int, seed: Int)
        /// Nothing that takes long is computed: outputs are held against what the cache has.
        case cached
    }

    package enum State: String, Sendable {
        case same, differs
        /// Ran, and is not compared.
        case volatile
        /// Did not run: the flag `skip`, or the run ended before it.
        case skipped
        /// Some of its pictures and scores were computed and are as the lock says; its output was not.
        case sampled
        /// Its output follows from what was not computed.
        case uncertain = "not recomputed"
    }

    package struct CellResult {
        package let cell: Cell
        package let state: State
        package let differences: [OutputComparison.Difference]
        /// Pictures and scores that were held against the lock one by one.
        package var pictures = 0
        package var scores = 0
        /// Why it was not recomputed.
        package var reason: String?
    }

    /// Holds the computed pictures too.
    private let file: NotebookFile
    package let method: Method
    package let run: NotebookRunner.Run
    package let cells: [CellResult]
    /// Outputs that stand behind no cell: lines of the file.
    package var orphans: [ClosedRange<Int>] { file.notebook.orphans }
    package var differs: Bool { cells.contains { $0.state == .differs } || !orphans.isEmpty }
    /// What the outputs were computed from, for the lock of a correction.
    private let keys: [Int: CellKeys.Parts]

    /// Runs `file` in `session`, which should have a cache for the method `cached` alone: a value that is
    /// only read again proves nothing.
    package init(
        _ file: NotebookFile, session: Session, method: Method = .full,
        describe: @escaping (Diagnostic) -> String
    ) throws {
        let lock = try Lock(notebook: file.path)
        // Cells without a label can have got other numbers since, and rows are named by their cells.
        let entries = try file.notebook.cells.map { try lock.entry(of: $0, in: file.notebook) }
        let names = Dictionary(
            zip(file.notebook.cells, entries).compactMap { cell, entry in entry.map { ($0.cell, cell.name) } }
        ) { first, _ in first }
        let made = entries.map { $0?.made?.renamed(names) }
        if case .sample = method, lock.entries.isEmpty, !file.notebook.cells.isEmpty {
            throw EngineError(
                .file, "has no lock to hold a sample against", place: file.path,
                cure: "`noisebook run --write` makes one; without --sample all is compared")
        }
        switch method {
        case .full: break
        case .cached: session.standIns = StandIns(.cached)
        case .sample(let count, let seed):
            session.standIns = StandIns(.sample(try Self.sampled(file.notebook, made, count, seed: seed)))
        }
        defer { session.standIns = nil }
        let run = NotebookRunner(file.notebook, session: session, folder: file.folder, describe: describe)
            .run()
        (self.file, self.method, self.run) = (file, method, run)
        // As a run with --write would note them, of the files as they were read.
        keys = method == .full && run.ending == .finished ? try file.keys(session) : [:]
        cells = file.notebook.cells.map { cell in
            guard let computed = run.outputs[cell.index] ?? run.gaps[cell.index].map({ _ in "" }) else {
                return CellResult(cell: cell, state: .skipped, differences: [])
            }
            guard !cell.header.flags.contains(.volatile) else {
                return CellResult(cell: cell, state: .volatile, differences: [])
            }
            if let gap = run.gaps[cell.index] {
                return Self.partial(cell, gap, made[cell.index], run.made[cell.index])
            }
            let comparison = OutputComparison(
                tolerances: cell.header.tolerances, storedFile: { try file.folder.stored($0) },
                computedFile: { try file.folder.computed($0) })
            var found = comparison.differences(
                stored: file.notebook.storedOutput(of: cell) ?? "", computed: computed)
            // A full replay goes by what is shown, within tolerances that a digest has none of.
            if method != .full, let stored = made[cell.index], let now = run.made[cell.index] {
                found += stored.comparison(with: now)?.differences ?? []
            }
            return CellResult(cell: cell, state: found.isEmpty ? .same : .differs, differences: found)
        }
    }

    /// Rows to compute, so many of each cell's pictures, the same for the same seed.
    private static func sampled(_ notebook: Notebook, _ made: [CellTrace?], _ count: Int, seed: Int) throws
        -> Set<RowTag>
    {
        var rows: Set<RowTag> = []
        for cell in notebook.cells {
            var seen: Set<RowTag> = []
            let tags = (made[cell.index]?.pictures ?? []).compactMap(\.from).filter {
                seen.insert($0).inserted
            }
            let name = try UInt64(Digest.sha256(cell.name).prefix(8), radix: 16) ?? 0
            var generator = Generator(seed: UInt64(truncatingIfNeeded: seed) &+ name)
            rows.formUnion(generator.permutation(tags.count).prefix(count).map { tags[$0] })
        }
        return rows
    }

    /// A cell of which only some pictures were computed.
    private static func partial(_ cell: Cell, _ gap: String, _ stored: CellTrace?, _ computed: CellTrace?)
        -> CellResult
    {
        guard let stored, let computed else {
            return CellResult(cell: cell, state: .uncertain, differences: [], reason: gap)
        }
        guard let comparison = stored.comparison(with: computed) else {
            return CellResult(
                cell: cell, state: .uncertain, differences: [],
                reason: "which pictures it makes depends on what was left out")
        }
        let state: State =
            !comparison.differences.isEmpty
            ? .differs : comparison.pictures + comparison.scores > 0 ? .sampled : .uncertain
        return CellResult(
            cell: cell, state: state, differences: comparison.differences, pictures: comparison.pictures,
            scores: comparison.scores,
            reason: state == .uncertain ? gap : nil)
    }

    /// Puts the computed outputs where `accept` finds them: the new text into `NAME.md.corrected`, pictures
    /// into `NAME.out.corrected`. Nothing that the notebook shows is touched. Without a difference older
    /// corrections go.
    package func writeCorrection() throws {
        // What was computed in part corrects nothing.
        guard method == .full else { return }
        let place = NotebookPlace(file.path)
        guard differs else { return try Self.removeCorrection(place, file.folder) }
        try Self.removeCorrection(place, file.folder)
        let volatile = Set(cells.filter { $0.state == .volatile }.map(\.cell.index))
        try file.folder.writeCorrection()
        let found = Dictionary(
            uniqueKeysWithValues: file.notebook.cells.map {
                ($0.name, Found(key: keys[$0.index], made: run.made[$0.index]))
            })
        try AtomicFile.write(try JSON.encode(found), to: place.correctionLock)
        try AtomicFile.write(
            try file.notebook.rewriting(
                run.outputs.filter { !volatile.contains($0.key) }, keepsOrphans: false), to: place.correction)
    }

    private static func removeCorrection(_ place: NotebookPlace, _ folder: PictureFolder) throws {
        let text =
            FileSystem.exists(place.correction)
            ? try FileSystem.readBytes(place.correction, limit: 1 << 28) : []
        try folder.removeCorrection(shownIn: String(decoding: text, as: UTF8.self))
        try FileSystem.removeFile(place.correction)
        try FileSystem.removeFile(place.correctionLock)
    }

    /// What a cell's output was computed from and what it decoded: what `accept` writes into the lock. Files
    /// may have changed when it does.
    private struct Found: Codable {
        var key: CellKeys.Parts?
        var made: CellTrace?
    }

    /// Moves the outputs of `NAME.md.corrected` into the notebook, whose prose may have changed meanwhile,
    /// whose cells may not, and notes in the lock what they were made from.
    package static func accept(_ path: String) throws {
        let place = NotebookPlace(path)
        guard FileSystem.exists(place.correction) else {
            throw EngineError(
                .file, "nothing to accept: there is no \(FileSystem.name(of: place.correction))", place: path,
                cure: "`noisebook verify` writes it where outputs differ")
        }
        let file = try NotebookFile(path)
        let corrected = try Notebook(
            name: place.correction, bytes: try FileSystem.readBytes(place.correction, limit: 1 << 28))
        guard corrected.cells.map(\.code) == file.notebook.cells.map(\.code),
            corrected.cells.map(\.header) == file.notebook.cells.map(\.header),
            let found = try? JSON.decode([String: Found].self, path: place.correctionLock),
            found.values.contains(where: { $0.key != nil }) || found.isEmpty
        else {
            throw EngineError(
                .file, "its cells were changed after it was verified", place: path, cure: "verify it again")
        }
        var outputs: [Int: String] = [:]
        for cell in corrected.cells {
            let new = corrected.storedOutput(of: cell) ?? ""
            if new != file.notebook.storedOutput(of: file.notebook.cells[cell.index]) ?? "" {
                outputs[cell.index] = new
            }
        }
        var lock = try Lock(notebook: path, isRenewed: true)
        try file.folder.takeCorrection(shownIn: String(decoding: corrected.bytes, as: UTF8.self))
        // A `verify` that was stopped between the pictures and the text of a correction leaves an older text
        // without its pictures.
        if let picture = outputs.values.compactMap({ file.folder.missing(in: $0) }).min() {
            throw EngineError(
                .file, "is shown by the correction and is not there", place: picture, cure: "verify it again")
        }
        try file.write(outputs)
        let written = file.notebook.cells.filter { !$0.header.flags.contains(.skip) }
        func all<T>(_ part: (Found) -> T?) -> [Int: T] {
            Dictionary(
                uniqueKeysWithValues: written.compactMap { cell in
                    found[cell.name].flatMap(part).map { (cell.index, $0) }
                })
        }
        try lock.update(
            NotebookFile(path).notebook, all(\.key), written: written.map(\.index), made: all(\.made),
            seed: lock.seed ?? 0)
        try lock.write()
        try removeCorrection(place, file.folder)
    }
}

extension Notebook {
    /// What stands in a cell's output region, without the blank lines at its ends, lines joined by LF; nil
    /// without a region.
    package func storedOutput(of cell: Cell) -> String? {
        cell.outputLines.map(text(inside:))
    }

    /// The same for any region, the lines of its marks included.
    func text(inside region: ClosedRange<Int>) -> String {
        let inside = (region.lowerBound + 1)..<max(region.lowerBound + 1, region.upperBound)
        let all = inside.map { String(decoding: bytes[lines.content(of: $0)], as: UTF8.self) }
        guard let first = all.firstIndex(where: { !$0.isEmpty }),
            let last = all.lastIndex(where: { !$0.isEmpty })
        else { return "" }
        return all[first...last].joined(separator: "\n")
    }
}
