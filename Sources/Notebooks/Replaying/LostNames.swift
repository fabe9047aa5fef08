import SourceText
import Syntax

/// Names that cells would have made which could not be told, while a notebook is walked through with
/// stand-ins: what reads them cannot be told either.
struct LostNames {
    /// The cell that would make each.
    private var cells: [String: String] = [:]

    /// Why a cell that reads these names cannot be told.
    func gap(reading names: Set<String>) -> String? {
        names.sorted().first { cells[$0] != nil }.map {
            "it reads `\($0)`, which cell \(cells[$0] ?? "") makes"
        }
    }

    /// - Parameter failure: what ended the cell; what stands before it was made. nil where all was.
    mutating func note(_ cell: Cell, _ program: Program, failure: Diagnostic?) {
        for statement in program.statements {
            let isLost = failure.map { statement.span.upper > $0.span.lower } ?? false
            switch statement.kind {
            case .assignment(let name, _), .param(let name, _, _), .definition(let name, _, _):
                cells[name.text] = isLost ? cell.name : nil
            case .pipeline: break
            }
        }
    }

    /// Of a cell that did not run. In any order: all names get the same cell.
    mutating func note(_ cell: Cell, makes names: Set<String>) {
        for name in names { cells[name] = cell.name }
    }
}
