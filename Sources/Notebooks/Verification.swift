import Files
import Interpreting
import SourceText
import Tensors

/// A replay of a notebook held against its stored outputs.
package struct Verification {
    package enum State: String, Sendable {
        case same, differs
        /// Ran, and is not compared.
        case volatile
        /// Did not run: the flag `skip`, or the run ended before it.
        case skipped
    }

    package struct CellResult {
        package let cell: Cell
        package let state: State
        package let differences: [OutputComparison.Difference]
    }

    /// Holds the computed pictures too.
    private let file: NotebookFile
    package let run: NotebookRunner.Run
    package let cells: [CellResult]
    package var differs: Bool { cells.contains { $0.state == .differs } }

    /// Runs `file` in `session`, which should have no cache: a value that is only read again proves nothing.
    package init(_ file: NotebookFile, session: Session, describe: @escaping (Diagnostic) -> String) {
        let run = NotebookRunner(file.notebook, session: session, folder: file.folder, describe: describe).run()
        (self.file, self.run) = (file, run)
        cells = file.notebook.cells.map { cell in
            guard let computed = run.outputs[cell.index] else { return CellResult(cell: cell, state: .skipped, differences: []) }
            guard !cell.header.flags.contains(.volatile) else { return CellResult(cell: cell, state: .volatile, differences: []) }
            let comparison = OutputComparison(
                tolerances: cell.header.tolerances, storedFile: { try file.folder.stored($0) }, computedFile: { try file.folder.computed($0) })
            let found = comparison.differences(stored: file.notebook.storedOutput(of: cell) ?? "", computed: computed)
            return CellResult(cell: cell, state: found.isEmpty ? .same : .differs, differences: found)
        }
    }

    /// Puts the computed outputs where `accept` finds them: the new text into `NAME.md.corrected`, pictures into `NAME.out.corrected`.
    /// Nothing that the notebook shows is touched. Without a difference older corrections go.
    package func writeCorrection() throws {
        let path = Self.correctionPath(file.path)
        guard differs else {
            if FileSystem.exists(path) { try FileSystem.removeFile(path) }
            try file.folder.removeCorrection()
            return
        }
        let volatile = Set(cells.filter { $0.state == .volatile }.map(\.cell.index))
        try file.folder.writeCorrection()
        try AtomicFile.write(try file.notebook.rewriting(run.outputs.filter { !volatile.contains($0.key) }), to: path)
    }

    package static func correctionPath(_ path: String) -> String { path + ".corrected" }

    /// Moves the outputs of `NAME.md.corrected` into the notebook, whose prose may have changed meanwhile, whose cells may not.
    package static func accept(_ path: String) throws {
        let correction = correctionPath(path)
        guard FileSystem.exists(correction) else {
            throw EngineError(
                .file, "nothing to accept: there is no \(FileSystem.name(of: correction))", place: path,
                cure: "`noisebook verify` writes it where outputs differ")
        }
        let file = try NotebookFile(path)
        let corrected = try Notebook(name: correction, bytes: try FileSystem.readBytes(correction, limit: 1 << 28))
        guard corrected.cells.map(\.code) == file.notebook.cells.map(\.code), corrected.cells.map(\.header) == file.notebook.cells.map(\.header) else {
            throw EngineError(.file, "its cells were changed after it was verified", place: path, cure: "verify it again")
        }
        var outputs: [Int: String] = [:]
        for cell in corrected.cells {
            let new = corrected.storedOutput(of: cell) ?? ""
            if new != file.notebook.storedOutput(of: file.notebook.cells[cell.index]) ?? "" { outputs[cell.index] = new }
        }
        try file.folder.takeCorrection()
        try file.write(outputs)
        try FileSystem.removeFile(correction)
        try file.folder.removeCorrection()
    }
}

extension Notebook {
    /// What stands in a cell's output region, without the blank lines at its ends, lines joined by LF; nil without a region.
    package func storedOutput(of cell: Cell) -> String? {
        guard let region = cell.outputLines else { return nil }
        let inside = (region.lowerBound + 1)..<max(region.lowerBound + 1, region.upperBound)
        let all = inside.map { String(decoding: bytes[lines.content(of: $0)], as: UTF8.self) }
        guard let first = all.firstIndex(where: { !$0.isEmpty }), let last = all.lastIndex(where: { !$0.isEmpty }) else { return "" }
        return all[first...last].joined(separator: "\n")
    }
}
