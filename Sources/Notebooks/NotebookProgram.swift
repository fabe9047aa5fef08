import Interpreting
import SourceText
import Syntax

/// The cells of a notebook as programs, and as the one program that they make when they run in order.
package struct NotebookProgram {
    /// Cells that run, with their code as a source that knows its place in the file.
    package let parts: [(cell: Cell, source: SourceFile)]
    /// What the notebook's text warns of.
    private let warnings: [Diagnostic]

    package init(_ notebook: Notebook) {
        warnings = notebook.warnings
        parts = notebook.cells.filter { !$0.header.flags.contains(.skip) }.map { cell in
            // The message of a cell that must fail becomes its output, which must not depend on where the file lies or what stands above.
            let isShown = cell.header.flags.contains(.raises)
            let source = SourceFile(
                name: isShown ? notebook.fileName : notebook.name, text: cell.code, cell: isShown ? cell.name : cell.header.label,
                firstLine: cell.firstCodeLine,
                firstOffset: notebook.lines.start(of: cell.firstCodeLine))
            return (cell, source)
        }
    }

    package var sources: [SourceFile] { parts.map(\.source) }

    /// All errors that can be seen before anything runs, and what the text warns of, in its order. Cells that should fail are left out.
    package func check(_ session: Session) -> [Diagnostic] {
        var verbs = session.verbSet
        var syntax: [Diagnostic] = []
        for (cell, source) in parts where !cell.header.flags.contains(.raises) {
            let parse = Parser.parse(source, verbs: verbs)
            verbs = parse.verbs
            syntax += parse.diagnostics.map { $0.located(in: source) }
        }
        // Where every bracket is closed, all cells parse in a row too: names are then known across cells.
        let checked = parts.filter { !$0.cell.header.flags.contains(.raises) }.map(\.source)
        guard checked.allSatisfy({ !Outline($0).isIncomplete }) else { return (warnings + syntax).sorted { $0.place < $1.place } }
        var text = ""
        var starts: [Int] = []
        for source in checked {
            starts.append(text.utf8.count)
            text += source.text + "\n"
        }
        // A cell that should fail may write files before it does.
        let mayWrite = parts.contains { $0.cell.header.flags.contains(.raises) }
        let found = session.check(SourceFile(name: checked.first?.name ?? "", text: text), mayWriteBefore: mayWrite).map { diagnostic in
            guard let index = starts.lastIndex(where: { $0 <= diagnostic.span.lower }) else { return diagnostic }
            return diagnostic.moved(by: -starts[index], to: checked[index])
        }
        // What one cell's text alone shows has been found both times.
        let isNew = { (diagnostic: Diagnostic) in
            !syntax.contains { $0.code == diagnostic.code && $0.span == diagnostic.span && $0.source === diagnostic.source }
        }
        return (warnings + syntax + found.filter(isNew)).sorted { $0.place < $1.place }
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
        var verbs = session.verbSet
        let names = parts.map { part -> (makes: Set<String>, reads: Set<String>) in
            let parse = Parser.parse(part.source, verbs: verbs)
            verbs = parse.verbs
            return self.names(parse.program, session)
        }
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
    func names(_ program: Program, _ session: Session) -> (makes: Set<String>, reads: Set<String>) {
        var makes: Set<String> = [], reads: Set<String> = []
        for statement in program.statements {
            let mentions = Mentions(statement)
            reads.formUnion(mentions.names)
            if mentions.commands.contains(where: { session.verbs[$0.verb.text]?.readsModel ?? false }) { reads.insert("model") }
            switch statement.kind {
            case .assignment(let name, _), .param(let name, _, _), .definition(let name, _, _): makes.insert(name.text)
            case .pipeline: break
            }
        }
        return (makes, reads)
    }
}

extension Diagnostic {
    /// Where it stands in the file, in bytes.
    fileprivate var place: Int { (source?.firstOffset ?? 0) + span.lower }

    /// The same diagnostic in a text of which it saw a longer one; labels of other texts stay.
    fileprivate func moved(by distance: Int, to source: SourceFile) -> Diagnostic {
        func moved(_ label: Label) -> Label {
            Label(Span(max(0, label.span.lower + distance), max(0, label.span.upper + distance)), label.text, source: nil)
        }
        var copy = self
        copy.primary = moved(primary)
        copy.related = related.map { $0.source == nil ? moved($0) : $0 }
        copy.source = source
        return copy
    }
}
