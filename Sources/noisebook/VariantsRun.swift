import ArgumentParser
import Files
import Interpreting
import Notebooks
import Prompt
import Rendering
import Results
import SourceText

/// One run of a notebook for each combination of several values of its params, over one cache; the last
/// tables of all are shown as one, the params in front. A variant that fails is named, and the others run.
struct VariantsRun {
    let options: CommonOptions
    let file: NotebookFile
    let part: NotebookRunner.Part
    let reporter: Reporter

    private struct Outcome {
        var status: Int32
        /// The last table, of a run that ended well.
        var table: Table?
        var values: [(name: String, value: Value)] = []
        /// What the user stopped.
        var stopped: String?
    }

    /// The exit status: the worst of all.
    func run(_ variants: [[ParamWords.Setting]]) throws -> Int32 {
        // The same for all of them, whatever the params are.
        let session = options.session(access: options.access(file: file.path), cache: .none)
        session.parameters = Dictionary(variants.first ?? []) { $1 }
        let found = file.notebook.program(session).check(session).filter { !$0.code.isMissingFile }
        reporter.report(found)
        guard !found.hasErrors else { return ExitStatus.error }
        var worst: Int32 = 0
        var tables: [(values: [(name: String, value: Value)], table: Table)] = []
        // Between two of them Ctrl-C stops too, and what is finished is shown.
        try Interrupts.whileRunning {
            for (index, variant) in variants.enumerated() {
                let outcome = try run(variant)
                worst = max(worst, outcome.status)
                if let table = outcome.table { tables.append((outcome.values, table)) }
                if let stopped = outcome.stopped {
                    reporter.tellStopped(
                        .interrupted,
                        """
                        \(ParamWords.text(variant)): \(stopped) (\(index) of \(variants.count) variants \
                        ended before)
                        """)
                    break
                }
            }
        }
        guard !tables.isEmpty else { return worst }
        try reporter.show(
            Output(value: .table(Self.joined(tables)), span: Span(0, 0), warnings: []), file: file.path)
        return worst
    }

    private struct Unshown: Error, CustomStringConvertible {
        var variant: String
        var description: String {
            "\(variant): no cell shows a table, so there is nothing to put beside the others"
        }
    }

    private func run(_ variant: [ParamWords.Setting]) throws -> Outcome {
        let session = options.session(access: options.access(file: file.path), cache: .make)
        return try session.access.gate.during { try run(variant, session) }
    }

    private func run(_ variant: [ParamWords.Setting], _ session: Session) throws -> Outcome {
        let name = ParamWords.text(variant)
        do {
            try ParamWords.set(variant, session, file.notebook)
        } catch let problem as Diagnostic {
            reporter.report([problem], variant: name)
            return Outcome(status: ExitStatus.error)
        }
        guard !session.cancellation.isRequested else {
            return Outcome(status: ExitStatus.interrupted, stopped: "stopped")
        }
        var last: Table?
        let run = Interrupts.whileRunning {
            NotebookRunner(file.notebook, session: session) { LayoutRenderer(usesColour: false).text($0) }
                .run(
                    part,
                    shown: { _, output in
                        if let table = output.value.shownTable { last = table }
                    })
        }
        // Warnings of the text came before.
        reporter.report(run.diagnostics.filter { $0.severity == .error }, variant: name)
        reporter.tell(run.counts, run.cacheRemarks)
        var outcome = Outcome(status: ExitStatus.of(run.ending))
        if run.ending == .interrupted || session.cancellation.isRequested {
            (outcome.status, outcome.stopped) = (ExitStatus.interrupted, run.stopped ?? "stopped")
        }
        guard run.ending == .finished else { return outcome }
        guard let last else {
            reporter.report(Unshown(variant: name))
            outcome.status = max(outcome.status, ExitStatus.error)
            return outcome
        }
        outcome.table = last
        outcome.values = variant.map { (name: $0.name, value: session.globals[$0.name] ?? .text($0.value)) }
        return outcome
    }

    /// The tables below each other. A param of which a table has a column already goes by another name, which
    /// a note says.
    private static func joined(_ tables: [(values: [(name: String, value: Value)], table: Table)]) -> Table {
        var taken: Set<String> = []
        for (_, table) in tables { taken.formUnion(table.shownColumns.map(\.name)) }
        var notes: [String] = []
        let names = (tables.first?.values ?? []).map { param -> String in
            var name = param.name
            while taken.contains(name) { name = "param.\(name)" }
            taken.insert(name)
            if name != param.name {
                notes.append("`\(name)` is the param, `\(param.name)` the table's own column")
            }
            return name
        }
        var result = Table.stacked(
            tables.map { values, table in
                var table = table.withItemAsColumn
                table.prepend(
                    zip(names, values).map { name, param in
                        Column(name, Array(repeating: param.value, count: table.rowCount))
                    })
                return table
            })
        for (_, table) in tables {
            for note in table.notes where !notes.contains(note) { notes.append(note) }
        }
        result.notes = notes
        return result
    }
}

extension Value {
    /// The table that is shown for it; nil where it is none.
    fileprivate var shownTable: Table? {
        switch self {
        case .table(let table): return table
        case .record(let record):
            return Table(columns: [
                Column("field", texts: record.fields.map(\.name)),
                Column("value", record.fields.map(\.value)),
            ])
        case .view(.table(let view)):
            return view.source
                ?? Table(
                    columns: view.headings.enumerated().map { place, heading in
                        Column(
                            heading.name,
                            view.rows.map { row in
                                switch row[place] {
                                case .text(let text): .text(text)
                                case .picture(let picture): .picture(picture)
                                case .missing: .none
                                }
                            })
                    }, rowCount: view.rows.count)
        default: return nil
        }
    }
}

extension Table {
    /// With the numbers of its items as an ordinary column, where they are shown: behind the params, as they
    /// stand in a single run.
    fileprivate var withItemAsColumn: Table {
        guard showsItem else { return self }
        var table = self
        table.showsItem = false
        table.prepend([itemColumn])
        return table
    }
}
