import Interpreting
import SourceText
import Syntax

/// What a replay of a notebook would compute, cell by cell, told without computing it.
package struct NotebookPlan {
    package struct CellPlan {
        package let cell: Cell
        package let plan: WorkPlan
        /// Why more of the cell cannot be told before it runs.
        package let gap: String?
    }

    package private(set) var cells: [CellPlan] = []
    /// Errors that the check finds; nothing is planned then.
    package let diagnostics: [Diagnostic]
    package let total = WorkPlan()

    /// Plans in `session`, whose variables then hold stand-ins: it should be used for nothing else.
    package init(_ notebook: Notebook, session: Session) {
        let program = notebook.program(session)
        diagnostics = program.check(session)
        guard !diagnostics.hasErrors else { return }
        var lost = LostNames()
        for (cell, part) in program.parts {
            let names = program.names(part, session)
            var gap = lost.gap(reading: names.reads)
            var plan = WorkPlan()
            if gap == nil {
                let (found, result) = session.plan(part)
                guard !session.cancellation.isRequested else { return }
                plan = found
                let failure = result.ending == .finished ? nil : result.diagnostics.last
                if !cell.header.flags.contains(.raises) { gap = failure?.title }
                lost.note(cell, part.program, failure: failure)
            } else {
                lost.note(cell, makes: names.makes)
            }
            cells.append(CellPlan(cell: cell, plan: plan, gap: gap))
            total.add(plan)
        }
    }
}
