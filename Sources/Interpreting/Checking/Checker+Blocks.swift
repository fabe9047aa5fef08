import Results
import SourceText
import Syntax

/// Blocks in the check before running: the names that they can use, and what comes out of them.
extension Checker {
    /// What a block is run with.
    struct Turn {
        var bound: BoundCommand
        var input: ValueGuess
        /// Whether something flows into the verb. A verb that can do without, as `sweep` can, gives its block
        /// no `it` then beyond that of a block around it.
        var hasInput: Bool
        var slots: [String: ValueGuess]
        /// Each list of the open slot.
        var lists: [String: ValueGuess]
    }

    mutating func check(_ block: Block, _ turn: Turn) -> ValueGuess {
        guard case .looped = turn.bound.declaration.columns else { return check(block, turn, it: turn.input) }
        // A turn's `it` is what flows in or what the turn before gave: ask until nothing is added.
        var it = turn.input
        for _ in 0..<3 where turns > 0 {
            turns -= 1
            let before = problems
            let next = it.merged(with: check(block, turn, it: it))
            problems = before
            if next.isSame(as: it) { return check(block, turn, it: it) }
            it = next
        }
        return check(block, turn, it: .unknown)
    }

    mutating func check(_ block: Block, _ turn: Turn, it: ValueGuess) -> ValueGuess {
        let outside = (names, mayBeColumn, guesses, notebook, blockRow, mayFail)
        defer { (names, mayBeColumn, guesses, notebook, blockRow, mayFail) = outside }
        let bound = turn.bound
        if notebook == nil { notebook = (names, guesses) }
        if bound.skipsErrors { mayFail = true }
        if turn.hasInput {
            names.insert("it")
            guesses["it"] = bound.declaration.columns.isStable ? it : nil
        }
        switch bound.declaration.blockNames {
        case .none: break
        case .fixed(let fixed):
            names.formUnion(fixed)
            for name in fixed { guesses[name] = nil }
        case .open:
            for (name, _) in bound.open {
                names.insert(name.text)
                guesses[name.text] = turn.lists[name.text]?.element
            }
            for column in bound.addedByOptions { guesses[column] = nil }
        case .columns: bindColumns(turn.input.columns)
        case .columnsOf(let slot): bindColumns(turn.slots[slot]?.columns ?? .unknown)
        }
        var last = ValueGuess.unknown
        for statement in block.statements { if let value = check(statement, inBlock: true) { last = value } }
        return last
    }

    /// In a block that runs per row, the row's columns are variables and hide those of their names.
    mutating func bindColumns(_ columns: ColumnGuess) {
        blockRow = columns
        let it = guesses["it"]
        if let variables = columns.variables {
            names.formUnion(variables)
            for name in variables {
                guesses[name] = columns.kind(of: name).flatMap {
                    if case .one(let kind) = $0 { .kind(kind) } else { nil }
                }
            }
        } else {
            mayBeColumn = true
            guesses = [:]
        }
        guesses["it"] = it
    }
}
