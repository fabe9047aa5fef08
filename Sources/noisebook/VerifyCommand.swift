import ArgumentParser
import Files
import Interpreting
import Notebooks
import Prompt
import Rendering
import SourceText
import Tensors

/// `noisebook verify`: recomputes without the cache and compares with what the notebooks show.
struct VerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "noisebook verify",
        abstract: "Recomputes notebooks without the cache and compares with their stored outputs.",
        usage: "noisebook verify FILE.md|FOLDER... [name=value ...] [--sample N | --cached]",
        discussion: """
            Text must be equal (a stored line `...` stands for any lines), whole numbers too; other numbers within 1e-3 of their size, or
            within the cell's `tol(COLUMN=0.5)`; pictures byte by byte, else by 40 dB. Differences are printed, and FILE.md.corrected is
            written for `noisebook accept`. Exit status 1 where anything differs.

            --sample N computes N random pictures of each cell (others with --seed) and holds them and their scores against FILE.lock, byte by byte and within
            1e-3; what needs all of them, a Fréchet distance say, is listed as not recomputed. --cached computes nothing that takes long.
            """)

    @Argument(help: "Notebooks, folders of notebooks, and values of params that they were written with.")
    var words: [String] = []

    @Option(help: "Compute so many random pictures of each cell, and hold them against the lock.")
    var sample: Int?

    @Flag(help: "Compare with what the cache has, and compute nothing that takes long.")
    var cached = false

    @OptionGroup var options: CommonOptions

    func validate() throws {
        let files = try ParamWords(words).others
        if files.isEmpty { throw ValidationError("name a notebook: noisebook verify FILE.md") }
        if let sample, !(1...1_000_000).contains(sample) {
            throw ValidationError("--sample takes a whole number from 1")
        }
        if sample != nil, cached {
            throw ValidationError("--sample computes and --cached does not: one of them is enough")
        }
        if cached, options.noCache {
            throw ValidationError("--cached reads the cache, and --no-cache does not")
        }
        if let other = files.first(where: { !NotebookPlace.isNotebook($0) && !FileSystem.isFolder($0) }) {
            throw ValidationError("\(other) is no notebook: their names end in .md or .markdown")
        }
    }

    func run() throws {
        let words = try ParamWords(words)
        let status = NotebookArguments.forEach(words.others, options) { try verify($0, words, $1, $2) }
        if status != 0 { throw ExitCode(status) }
    }

    private func verify(_ path: String, _ words: ParamWords, _ session: Session, _ reporter: Reporter) throws
        -> Int32
    {
        let file = try NotebookFile(path)
        let changes = try words.set(session, file.notebook, path)
        if cached {
            session.cache = options.itemCache(options.access(file: path).base, .ifThere)
            guard session.cache != nil else {
                throw EngineError(
                    .file, "there is no cache beside it", place: path,
                    cure: "`noisebook run` makes one; `noisebook verify` computes without it")
            }
        }
        // The lock says with which --seed the outputs were made; that of the sample is another.
        let recorded = try Lock(notebook: path).seed ?? 0
        let isOwnSeed = sample != nil || options.seed ?? recorded == recorded
        session.settings.seed = isOwnSeed ? recorded : options.seed ?? 0
        let method =
            sample.map { Verification.Method.sample($0, seed: options.seed ?? 0) }
            ?? (cached ? .cached : .full)
        let verification = try Interrupts.whileRunning {
            try Verification(file, session: session, method: method) {
                LayoutRenderer(usesColour: false).text($0)
            }
        }
        // Outputs without a cell are told with the results.
        reporter.report(verification.run.diagnostics.filter { $0.code != .orphanOutput })
        for result in verification.cells { show(result, path, reporter) }
        guard verification.run.ending == .finished else {
            let count = file.notebook.cells.count
            if !options.json {
                reporter.tell(
                    """
                    \(path): ended after \(verification.run.finished) of \(count) cells; no correction is \
                    written\n
                    """)
            }
            return ExitStatus.of(verification.run.ending)
        }
        // Outputs of other values below the text of these would say what is not so.
        let corrects = changes.isEmpty && isOwnSeed && method == .full
        if corrects { try verification.writeCorrection() }
        for lines in verification.orphans {
            let reason = "an output without a cell, in lines \(lines.lowerBound) to \(lines.upperBound)"
            if options.json {
                reporter.print(json: [
                    "kind": "orphan", "file": .string(path), "line": .number(Double(lines.lowerBound)),
                    "reason": .string(reason),
                ])
            } else {
                reporter.print("\(path): line \(lines.lowerBound): \(reason)\n")
            }
        }
        func count(_ state: Verification.State) -> Int {
            verification.cells.filter { $0.state == state }.count
        }
        if options.json {
            var object: [String: JSON] = [
                "kind": "verify", "file": .string(path), "same": .number(Double(count(.same))),
                "differ": .number(Double(count(.differs))),
                "sampled": .number(Double(count(.sampled))),
                "not_recomputed": .number(Double(count(.uncertain))),
                "orphans": .number(Double(verification.orphans.count)),
            ]
            if verification.differs, corrects {
                object["corrected"] = .string(NotebookPlace(path).correction)
            }
            reporter.print(json: object)
        } else {
            let kinds: [(Verification.State, String)] = [
                (.sampled, "sampled"), (.uncertain, "not recomputed"), (.volatile, "volatile"),
                (.skipped, "skipped"),
            ]
            let others = kinds.map { (count($0.0), $0.1) }.filter { $0.0 > 0 }.map { ", \($0.0) \($0.1)" }
                .joined()
            let orphans = verification.orphans.count
            let rest =
                others
                + (orphans == 0 ? "" : ", \(orphans) \(orphans == 1 ? "output" : "outputs") without a cell")
            reporter.print(
                """
                \(path): \(count(.same)) of \(verification.cells.count) cells verified, \(count(.differs)) \
                differ\(rest)\n
                """)
            if verification.differs, corrects {
                reporter.print(
                    """
                    \(NotebookPlace(path).correction) written; `noisebook accept \(ShellWord.quoted(path))` \
                    takes it\n
                    """)
            } else if verification.differs, method == .full {
                reporter.print(
                    """
                    no correction is written: the notebook does not say with which values it was computed \
                    here\n
                    """)
            }
        }
        return verification.differs ? ExitStatus.differs : 0
    }

    private func show(_ result: Verification.CellResult, _ path: String, _ reporter: Reporter) {
        if options.json {
            let differences = result.differences.map { difference -> JSON in
                var object: [String: JSON] = ["reason": .string(difference.reason)]
                if let line = difference.stored { object["stored"] = .string(line) }
                if let line = difference.computed { object["computed"] = .string(line) }
                return .object(object)
            }
            let object: [String: JSON] = [
                "kind": "cell", "file": .string(path), "cell": .string(result.cell.name),
                "state": .string(result.state.rawValue),
                "differences": .array(differences), "pictures": .number(Double(result.pictures)),
                "scores": .number(Double(result.scores)),
            ]
            reporter.print(json: object)
        } else if result.state == .sampled {
            let found = [(result.pictures, "picture"), (result.scores, "score")].filter { $0.0 > 0 }.map {
                "\($0.0) \($0.1)\($0.0 == 1 ? "" : "s")"
            }
            reporter.print(
                """
                \(path): cell \(result.cell.name): as the lock says: \(found.joined(separator: " and ")); \
                its output was not recomputed\n
                """)
        } else if result.state == .uncertain {
            reporter.print(
                "\(path): cell \(result.cell.name): not recomputed\(result.reason.map { ": " + $0 } ?? "")\n")
        } else if result.state == .differs {
            reporter.print("\(path): cell \(result.cell.name), line \(result.cell.fenceLines.lowerBound)\n")
            for difference in result.differences {
                if let line = difference.stored { reporter.print("- \(line)\n") }
                if let line = difference.computed { reporter.print("+ \(line)\n") }
                reporter.print("  \(difference.reason)\n")
            }
        }
    }
}
