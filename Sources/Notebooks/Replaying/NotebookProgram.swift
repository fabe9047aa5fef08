import Interpreting
import SourceText
import Synchronization
import Syntax

/// The cells of a notebook as programs, each read once, and as the one program that they make when they run
/// in order.
package struct NotebookProgram: Sendable {
    /// Cells that run, in their order.
    package let parts: [(cell: Cell, program: ParsedProgram)]
    /// What the notebook's text warns of.
    private let warnings: [Diagnostic]

    fileprivate init(_ notebook: Notebook, verbs: VerbSet) {
        warnings = notebook.warnings
        // What a cell that should fail defines may not be there below it: only others of its kind may use it.
        var verbs = verbs, verbsOfAll = verbs
        parts = notebook.sources.map { cell, source in
            let isShown = cell.header.flags.contains(.raises)
            let program = ParsedProgram(source, verbs: isShown ? verbsOfAll : verbs)
            if !isShown { verbs = program.verbsBelow }
            if program.verbsBelow != program.verbsAbove { verbsOfAll.formUnion(program.verbsBelow) }
            return (cell, program)
        }
    }

    package var programs: [ParsedProgram] { parts.map(\.program) }

    /// All errors that can be seen before anything runs, and what the text warns of, in its order. Cells that
    /// should fail are left out.
    package func check(_ session: Session) -> [Diagnostic] {
        let checked = parts.filter { !$0.cell.header.flags.contains(.raises) }.map(\.program)
        // Names are known across cells where every bracket is closed.
        guard checked.allSatisfy({ !$0.isIncomplete }) else {
            return (warnings + checked.flatMap(\.diagnostics)).sorted { $0.place < $1.place }
        }
        // A cell that should fail may write files before it does.
        let mayWrite = parts.contains { $0.cell.header.flags.contains(.raises) }
        return (warnings + session.check(checked, mayWriteBefore: mayWrite)).sorted { $0.place < $1.place }
    }

    /// The cells that are wanted, and with them those before that make what they read, by their indices.
    func cells(_ part: NotebookRunner.Part, _ session: Session) -> (needed: Set<Int>, wanted: Set<Int>) {
        let all = Set(parts.map(\.cell.index))
        var wanted = all
        switch part {
        case .all: return (all, all)
        case .only(let index): wanted = all.filter { $0 == index }
        case .from(let index): wanted = all.filter { $0 >= index }
        }
        let names = parts.map { self.names($0.program, session) }
        // Backwards: a cell is needed for each name that a needed one behind it reads.
        var needed: Set<Int> = []
        var missing: Set<String> = []
        for (part, names) in zip(parts, names).reversed() {
            guard wanted.contains(part.cell.index) || !names.makes.isDisjoint(with: missing) else { continue }
            needed.insert(part.cell.index)
            // What it makes may build on what was there: `x = x | ...` reads `x` of a cell before.
            missing.subtract(names.makes)
            missing.formUnion(names.reads)
        }
        return (needed, wanted)
    }

    /// The names that a program makes, and those that it may read.
    func names(_ program: ParsedProgram, _ session: Session) -> (makes: Set<String>, reads: Set<String>) {
        var makes: Set<String> = [], reads: Set<String> = []
        for statement in program.statements {
            let mentions = Mentions(statement)
            reads.formUnion(mentions.names)
            if mentions.commands.contains(where: { session.verbs[$0.verb.text]?.readsModel ?? false }) {
                reads.insert("model")
            }
            switch statement.kind {
            case .assignment(let name, _), .param(let name, _, _), .definition(let name, _, _):
                makes.insert(name.text)
            case .pipeline: break
            }
        }
        return (makes, reads)
    }
}

extension Diagnostic {
    /// Where it stands in the file, in bytes.
    fileprivate var place: Int { (source?.firstOffset ?? 0) + span.lower }
}

/// The program of a notebook, made when it is first asked for.
package final class ProgramMemo: Sendable {
    private let made = Mutex<(verbs: VerbSet, program: NotebookProgram)?>(nil)

    fileprivate func program(_ notebook: Notebook, _ verbs: VerbSet) -> NotebookProgram {
        if let made = made.withLock({ $0 }), made.verbs == verbs { return made.program }
        let program = NotebookProgram(notebook, verbs: verbs)
        made.withLock { $0 = (verbs, program) }
        return program
    }
}

extension Notebook {
    /// Cells that run, with their code as a source that knows its place in the file.
    package var sources: [(cell: Cell, source: SourceFile)] {
        cells.filter { !$0.header.flags.contains(.skip) }.map { cell in
            // The message of a cell that must fail becomes its output, which must not depend on where the
            // file lies or what stands above.
            let isShown = cell.header.flags.contains(.raises)
            let source = SourceFile(
                name: isShown ? fileName : name, text: cell.code,
                cell: isShown ? cell.name : cell.header.label,
                firstLine: cell.firstCodeLine, firstOffset: lines.start(of: cell.firstCodeLine))
            return (cell, source)
        }
    }

    /// The notebook's cells as a session's verbs have them read: once, whoever asks.
    package func program(_ session: Session) -> NotebookProgram { memo.program(self, session.verbSet) }
}
