import Caching
import Interpreting
import SourceText
import Tensors

/// Which cells' stored outputs still belong to them, found without running anything.
package struct NotebookStatus {
    package enum State: String, Sendable, CaseIterable {
        /// The output was made from what the cell reads now.
        case fresh
        /// Something that it depends on has changed since.
        case stale
        /// Nothing that it depends on has changed but the engine, whose numbers differ from the stored ones
        /// by rounding: `verify` tells whether they still hold.
        case older
        /// There is no output of it as it is now, yet some of its items are in the cache: a run of it was
        /// begun.
        case partial
        /// There is no output yet, or nothing says what it was made from.
        case unknown
        /// It cannot run: the check finds an error in it or before it.
        case error
        /// Does not run: the flag `skip`.
        case skipped
    }

    package struct CellStatus {
        package let cell: Cell
        package let state: State
        /// What changed, in words.
        package let reason: String?

        /// What to say beside the cell's output where it may not be that of the cell as it stands.
        var doubt: String? {
            switch state {
            case .fresh, .older, .skipped: nil
            case .stale, .partial:
                "stale: this output was not made by the cell as it stands\(reason.map { ": " + $0 } ?? "")"
            case .unknown: "nothing says what this output was made from"
            case .error: "stale: the cell as it stands does not run\(reason.map { ": " + $0 } ?? "")"
            }
        }
    }

    package let cells: [CellStatus]

    /// - Parameter session: with the cache in which begun runs are looked for, if there is one.
    package init(_ file: NotebookFile, session: Session, files: FileDigests, lock: Lock) throws {
        let notebook = file.notebook
        let program = notebook.program(session)
        func keys(_ engine: Int) throws -> CellKeys {
            try CellKeys(program, session: session, files: files, engine: engine) {
                lock[$0]?.key.sources.keys.sorted() ?? []
            }
        }
        let earlier = try Dictionary(
            uniqueKeysWithValues: lock.earlierEngines.sorted().map { ($0, try keys($0)) })
        let now = try keys(ItemKeyBuilder.engineVersion)
        let errors = program.check(session).filter { $0.severity == .error }
        let found = try notebook.cells.map { cell -> CellStatus in
            if cell.header.flags.contains(.skip) {
                return CellStatus(cell: cell, state: .skipped, reason: nil)
            }
            let range =
                notebook.lines.start(
                    of: cell.fenceLines.lowerBound)...notebook.lines.start(of: cell.fenceLines.upperBound)
            if let error = errors.first(where: {
                range.contains(($0.source?.firstOffset ?? -1) + $0.span.lower)
            }) {
                return CellStatus(cell: cell, state: .error, reason: "\(error.code.rawValue): \(error.title)")
            }
            guard let now = now.parts[cell.index] else {
                return CellStatus(
                    cell: cell, state: .error, reason: "it reads what a cell with an error would make")
            }
            let output = try Lock.digest(notebook, cell)
            if cell.header.label == nil, lock[cell]?.key != now, lock.moved(now, output: output) != nil {
                return CellStatus(cell: cell, state: .fresh, reason: nil)
            }
            guard let entry = lock[cell] else {
                return CellStatus(cell: cell, state: .unknown, reason: "not run with --write yet")
            }
            let then = earlier[entry.madeByEngine]?.parts[cell.index]
            if let change = Self.change(from: entry.key, to: then ?? now) {
                return CellStatus(cell: cell, state: .stale, reason: change)
            }
            if let lost = file.folder.missing(in: notebook.storedOutput(of: cell) ?? "") {
                return CellStatus(
                    cell: cell, state: .stale, reason: "its output shows \(lost), which is not there")
            }
            let isEdited = entry.output != output && !cell.header.flags.contains(.volatile)
            if isEdited { return CellStatus(cell: cell, state: .stale, reason: "its output was edited") }
            guard then == nil else {
                return CellStatus(cell: cell, state: .older, reason: "made by engine \(entry.madeByEngine)")
            }
            return CellStatus(cell: cell, state: .fresh, reason: nil)
        }
        // Which cells were begun is looked up only where it makes a difference.
        func isOpen(_ status: CellStatus) -> Bool { [.stale, .older, .unknown].contains(status.state) }
        guard found.contains(where: isOpen), session.cache != nil else {
            cells = found
            return
        }
        let plans = NotebookPlan(notebook, session: session).cells
        cells = found.map { status in
            guard isOpen(status), let plan = plans.first(where: { $0.cell.index == status.cell.index })?.plan
            else {
                return status
            }
            // What the cell itself makes and needs again is not what an earlier run has begun.
            let begun = plan.counts.verbs.filter {
                $0.count.cached > plan.repeated[$0.name] ?? 0 && $0.count.computed > 0
            }
            guard !begun.isEmpty else { return status }
            let parts = begun.map { verb -> String in
                let cached = verb.count.cached - (plan.repeated[verb.name] ?? 0)
                return "\(cached) of \(cached + verb.count.computed) of `\(verb.name)` are cached"
            }
            return CellStatus(
                cell: status.cell, state: .partial,
                reason: ([status.reason].compactMap { $0 } + parts).joined(separator: "; "))
        }
    }

    private static func change(from old: CellKeys.Parts, to new: CellKeys.Parts) -> String? {
        guard old != new else { return nil }
        if old.text != new.text { return "its text, a param or a verb's version changed" }
        func changed(_ a: [String: String], _ b: [String: String]) -> [String] {
            Set(a.keys).union(b.keys).filter { a[$0] != b[$0] }.sorted()
        }
        let reads = changed(old.reads, new.reads), sources = changed(old.sources, new.sources)
        return (sources.map { "`\($0)` opens other content" } + reads.map { "`\($0)` changed" }).joined(
            separator: ", ")
    }
}
