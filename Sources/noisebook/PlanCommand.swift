import ArgumentParser
import Files
import Interpreting
import Notebooks
import Prompt
import SourceText

/// `noisebook plan`: what a run would compute, what is cached, and about how long it takes.
struct PlanCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "noisebook plan",
        abstract: "Tells what a run would compute and what is cached, without computing it.",
        usage: "noisebook plan FILE|FOLDER... [name=value ...]",
        discussion: """
            Walks through notebooks and scripts with stand-ins for what is not cached. Where the course of a program depends on values that are not known yet (a
            `where` over scores, say) the plan says so, or counts as if nothing were chosen. Times come from what was timed here before.
            """)

    @Argument(help: "Notebooks, scripts, folders of notebooks, and values of params.")
    var words: [String] = []

    @OptionGroup var options: CommonOptions

    func validate() throws {
        if try ParamWords(words).others.isEmpty {
            throw ValidationError("name a notebook: noisebook plan FILE.md")
        }
    }

    func run() throws {
        let words = try ParamWords(words)
        let status = NotebookArguments.forEach(words.others, options) { path, session, reporter in
            session.cache = options.itemCache(options.access(file: path).base, .ifThere)
            guard NotebookPlace.isNotebook(path) else {
                session.parameters = Dictionary(session.resolvingPaths(words.settings, isElsewhere: false)) {
                    $1
                }
                return try planScript(path, session, reporter)
            }
            let notebook = try NotebookFile(path).notebook
            guard let variants = words.variants(notebook, session) else {
                try words.set(session, notebook, path)
                return plan(notebook, path, session, reporter)
            }
            try words.check(among: Params(notebook.program(session).programs, session: session), path)
            // What one variant computes the next one finds; each is counted as if it were the first.
            for variant in variants {
                let own = options.session(access: options.access(file: path), cache: .ifThere)
                let status = try own.access.gate.during {
                    try ParamWords.set(variant, own, notebook)
                    return plan(notebook, "\(path) " + ParamWords.text(variant), own, reporter)
                }
                if status != 0 { return status }
            }
            return 0
        }
        if status != 0 { throw ExitCode(status) }
    }

    private func plan(_ notebook: Notebook, _ path: String, _ session: Session, _ reporter: Reporter) -> Int32
    {
        let plan = Interrupts.whileRunning { NotebookPlan(notebook, session: session) }
        reporter.report(plan.diagnostics)
        guard !plan.diagnostics.hasErrors else { return ExitStatus.error }
        guard !session.cancellation.isRequested else { return ExitStatus.interrupted }
        for cell in plan.cells { show(cell.plan, cell.gap, path, "cell", cell.cell.name, session, reporter) }
        show(plan.total, nil, path, "total", nil, session, reporter)
        return 0
    }

    private func planScript(_ path: String, _ session: Session, _ reporter: Reporter) throws -> Int32 {
        let source = try CheckCommand.script(path)
        let (plan, result) = Interrupts.whileRunning { session.plan(source) }
        let found = session.check(source)
        reporter.report(found)
        guard !found.hasErrors else { return ExitStatus.error }
        guard !session.cancellation.isRequested else { return ExitStatus.interrupted }
        show(
            plan, result.ending == .finished ? nil : result.diagnostics.last?.title, path, "total", nil,
            session, reporter)
        return 0
    }

    private func show(
        _ plan: WorkPlan, _ gap: String?, _ path: String, _ kind: String, _ cell: String?, _ session: Session,
        _ reporter: Reporter
    ) {
        guard options.json else {
            let gap = gap.map {
                (plan.counts.verbs.isEmpty ? "" : "; then ") + "cannot be told before it runs: \($0)"
            }
            let text = gap != nil && plan.counts.verbs.isEmpty ? "" : plan.text(session.cache?.log)
            return reporter.print(
                "\(path): \(cell.map { "cell \($0): " } ?? "in all: ")\(text)\(gap ?? "")\n")
        }
        var object: [String: JSON] = [
            "kind": .string("plan"), "file": .string(path), "of": .string(kind),
            "work": .array(
                plan.counts.verbs.map {
                    [
                        "verb": .string($0.name), "cached": .number(Double($0.count.cached)),
                        "compute": .number(Double($0.count.computed)),
                    ]
                }),
        ]
        if let cell { object["cell"] = .string(cell) }
        if let gap { object["gap"] = .string(gap) }
        if !plan.units.isEmpty, let (seconds, isWhole) = session.cache.flatMap({ plan.estimate($0.log) }) {
            object["seconds"] = .number(seconds)
            object["all_known"] = .bool(isWhole)
        }
        reporter.print(json: object)
    }
}
