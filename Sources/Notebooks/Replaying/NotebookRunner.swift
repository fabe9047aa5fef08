import Caching
import Interpreting
import Rendering
import Results
import SourceText
import Syntax
import Tensors

/// Replays a notebook: cells in document order, in one session. The first cell that fails ends the run; what
/// came before is kept.
package struct NotebookRunner {
    package struct Run {
        /// New outputs as Markdown, by cell; cells that did not run, or whose output is not to be kept, have
        /// none.
        package var outputs: [Int: String] = [:]
        package var diagnostics: [Diagnostic] = []
        package var ending = ProgramResult.Ending.finished
        /// Cells that ran to their end.
        package var finished = 0
        /// Items of all cells that came from the cache, and that were computed.
        package var counts = CacheCounts()
        /// What the cache could not keep, and what was damaged in it.
        package var cacheRemarks = CacheRemarks()
        /// Where it was interrupted, and what of it was kept.
        package var stopped: String?
        /// What cells decoded and scored, where outputs are kept.
        package var made: [Int: CellTrace] = [:]
        /// Why the output of a cell says nothing, where the session uses stand-ins.
        package var gaps: [Int: String] = [:]
    }

    /// Which cells of a notebook are wanted.
    package enum Part: Sendable, Equatable {
        case all
        /// This cell alone.
        case only(Int)
        /// This cell and those behind it.
        case from(Int)
    }

    package let notebook: Notebook
    private let session: Session
    /// Where outputs are kept for `--write`; nil where nothing is written.
    private let folder: (any OutputFolder)?
    /// A diagnostic as plain text: the output of a cell that should fail.
    private let describe: (Diagnostic) -> String

    package init(
        _ notebook: Notebook, session: Session, folder: (any OutputFolder)? = nil,
        describe: @escaping (Diagnostic) -> String
    ) {
        self.notebook = notebook
        self.session = session
        self.folder = folder
        self.describe = describe
    }

    /// Checks the whole notebook, then runs it. `began` is called before each cell, `shown` with each output
    /// that a reader should see. An error thrown by `shown` (a picture whose file is damaged, say) counts as
    /// the cell's.
    /// - Parameter part: the cells whose outputs are wanted; others run only as far as these need their
    ///   values, and show nothing.
    package func run(
        _ part: Part = .all, began: (Cell) -> Void = { _ in },
        shown: (Cell, Output) throws -> Void = { _, _ in }
    ) -> Run {
        var run = Run()
        let program = notebook.program(session)
        let (needed, wanted) = program.cells(part, session)
        // Files that only cells read which do not run need not be there.
        let idle = program.parts.filter { !needed.contains($0.cell.index) }.map(\.program.source)
        run.diagnostics = program.check(session).filter { found in
            !found.code.isMissingFile || !idle.contains { $0 === found.source }
        }
        guard !run.diagnostics.hasErrors else {
            run.ending = .failed
            return run
        }
        defer { session.trace = nil }
        // Outputs that are kept get a lock with what they were made from.
        if folder != nil { session.readings.keepsDigests = true }
        var lost = LostNames()
        for (cell, part) in program.parts where needed.contains(cell.index) {
            began(cell)
            if let standIns = session.standIns {
                walk(cell, part, program, &run, &lost, standIns)
                continue
            }
            let isWanted = wanted.contains(cell.index)
            run.ending = perform(cell, part, &run) { if isWanted { try shown($0, $1) } }
            if !isWanted { (run.outputs[cell.index], run.made[cell.index]) = (nil, nil) }
            guard run.ending == .finished else { return run }
            // Between two cells, where no statement notices it.
            if session.cancellation.isRequested {
                run.ending = .interrupted
                return run
            }
            run.finished += 1
        }
        return run
    }

    /// With stand-ins a cell can fail because of them: then nothing is known of it, and the next follows.
    private func walk(
        _ cell: Cell, _ part: ParsedProgram, _ program: NotebookProgram, _ run: inout Run,
        _ lost: inout LostNames, _ standIns: StandIns
    ) {
        let names = program.names(part, session)
        let before = run.diagnostics
        standIns.hasGap = false
        if let gap = lost.gap(reading: names.reads) {
            run.gaps[cell.index] = gap
            lost.note(cell, makes: names.makes)
        } else {
            var isKnown = true
            let ending = perform(cell, part, &run) { _, output in
                if output.value.view.hasUnknown { isKnown = false }
            }
            let failure = ending == .finished ? nil : run.diagnostics.dropFirst(before.count).last
            lost.note(cell, part.program, failure: failure)
            if let failure {
                run.gaps[cell.index] = failure.title
            } else if !isKnown || standIns.hasGap {
                run.gaps[cell.index] = "it follows from what was left out"
            }
        }
        run.diagnostics = before
        run.finished += 1
    }

    private func perform(
        _ cell: Cell, _ part: ParsedProgram, _ run: inout Run, _ shown: (Cell, Output) throws -> Void
    ) -> ProgramResult.Ending {
        let isHidden = cell.header.flags.contains(.hide)
        var blocks: [String] = []
        var failure: Diagnostic?
        let trace = folder == nil ? nil : PictureTrace(cell: cell.name)
        session.trace = trace
        session.readings.begin(cell: cell.index)
        defer { session.readings.begin(cell: nil) }
        let source = part.source
        let result = session.run(part) { output in
            guard failure == nil else { return }
            do {
                if !isHidden { try shown(cell, output) }
                if let folder, !isHidden { blocks += try Self.markdown(output, folder) }
            } catch {
                failure = Diagnostic(error, at: output.span, of: source)
            }
        }
        run.counts.add(result.counts)
        run.cacheRemarks.add(result.cacheRemarks)
        run.stopped = result.stopped
        var ending = result.ending
        var diagnostics = result.diagnostics
        if let failure {
            diagnostics.append(failure)
            if ending == .finished { ending = .failed }
        }
        if cell.header.flags.contains(.raises), ending != .interrupted {
            if ending == .finished {
                run.diagnostics.append(
                    Diagnostic(
                        .expectedFailure, "cell \(cell.name) should fail and did not", at: Span(0, 0),
                        label: "flag `raises`", source: source))
                return .unmet
            }
            blocks += diagnostics.map { MarkdownText.fence(describe($0)) }
            run.outputs[cell.index] = isHidden ? "" : blocks.joined(separator: "\n\n")
            return .finished
        }
        run.diagnostics += diagnostics.filter { $0.code != .interrupted }
        if let trace, ending == .finished {
            do {
                run.made[cell.index] = try CellTrace(trace)
            } catch {
                run.diagnostics.append(Diagnostic(error, at: Span(0, 0), of: source))
                return .failed
            }
        }
        if ending == .finished, folder != nil { run.outputs[cell.index] = blocks.joined(separator: "\n\n") }
        return ending
    }

    /// An output as blocks of Markdown, its pictures kept in `folder`.
    package static func markdown(_ output: Output, _ folder: any OutputFolder) throws -> [String] {
        var blocks = output.warnings.map { "> **Warning:** " + MarkdownText.inline($0) }
        if !output.value.isNone {
            blocks.append(try MarkdownRenderer(folder: folder).render(output.value.view))
        }
        return blocks
    }
}
