import ArgumentParser
import Files
import Interpreting
import Notebooks
import Prompt
import Rendering
import SourceText
import Tensors

/// Notebooks named on the command line: a folder stands for the notebooks in it and below it.
enum NotebookArguments {
    static func expanded(_ words: [String]) throws -> [String] {
        try words.flatMap { word -> [String] in
            guard FileSystem.isFolder(word) else { return [word] }
            let found = try notebooks(below: word)
            if found.isEmpty { throw EngineError(.file, "there is no notebook (.md) in this folder", place: word) }
            return found
        }
    }

    private static func notebooks(below folder: String) throws -> [String] {
        try FileSystem.list(folder).sorted().filter { !$0.hasPrefix(".") }.flatMap { name -> [String] in
            let path = FileSystem.join(folder, name)
            if FileSystem.isFolder(path) { return name.hasSuffix(".out") ? [] : try notebooks(below: path) }
            return name.hasSuffix(".md") ? [path] : []
        }
    }
}

/// `noisebook check`: all errors that can be seen before anything runs.
struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "noisebook check", abstract: "Checks notebooks (.md) and scripts without running them.",
        usage: "noisebook check FILE|FOLDER...", discussion: "Names, verbs, options, types, ranges and columns, all errors of a file at once.")

    @Argument(help: "Notebooks, scripts, folders of notebooks.")
    var files: [String]

    @OptionGroup var options: CommonOptions

    func run() throws {
        var failed = false
        for file in try NotebookArguments.expanded(files) {
            let session = options.session(access: options.access(file: file), cache: .none)
            let reporter = Reporter(json: options.json, session: session)
            do {
                let found: [Diagnostic]
                if file.hasSuffix(".md") {
                    found = NotebookProgram(try NotebookFile(file).notebook).check(session)
                } else {
                    found = session.check(SourceFile(name: file, text: try FileSystem.readText(file)))
                }
                reporter.report(found)
                let errors = found.filter { $0.severity == .error }.count
                failed = failed || errors > 0
                if options.json {
                    reporter.print(JSON.object(["kind": "check", "file": .string(file), "errors": .number(Double(errors))]).text + "\n")
                } else {
                    reporter.print("\(file): " + (errors == 0 ? "no errors" : "\(errors) \(errors == 1 ? "error" : "errors")") + "\n")
                }
            } catch {
                reporter.report(error)
                failed = true
            }
        }
        if failed { throw ExitCode(ExitStatus.error) }
    }
}

/// `noisebook verify`: recomputes without the cache and compares with what the notebooks show.
struct VerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "noisebook verify", abstract: "Recomputes notebooks without the cache and compares with their stored outputs.",
        usage: "noisebook verify FILE.md|FOLDER...",
        discussion: """
            Text must be equal (a stored line `...` stands for any lines), whole numbers too; other numbers within 1e-3 of their size, or
            within the cell's `tol(COLUMN=0.5)`; pictures byte by byte, else by 40 dB. Differences are printed, and FILE.md.corrected is
            written for `noisebook accept`. Exit status 1 where anything differs.
            """)

    @Argument(help: "Notebooks, or folders of notebooks.")
    var files: [String]

    @OptionGroup var options: CommonOptions

    func validate() throws {
        if let other = files.first(where: { !$0.hasSuffix(".md") && !FileSystem.isFolder($0) }) { throw ValidationError("\(other) is no notebook (.md)") }
    }

    func run() throws {
        var worst: Int32 = 0
        for path in try NotebookArguments.expanded(files) {
            let session = options.session(access: options.access(file: path), cache: .none)
            let reporter = Reporter(json: options.json, session: session)
            do {
                worst = max(worst, try verify(path, session, reporter))
            } catch {
                reporter.report(error)
                worst = max(worst, ExitStatus.error)
            }
            if worst == ExitStatus.interrupted { break }
        }
        if worst != 0 { throw ExitCode(worst) }
    }

    private func verify(_ path: String, _ session: Session, _ reporter: Reporter) throws -> Int32 {
        let file = try NotebookFile(path)
        let verification = Interrupts.whileRunning { Verification(file, session: session) { LayoutRenderer(usesColour: false).text($0) } }
        reporter.report(verification.run.diagnostics)
        for result in verification.cells { show(result, path, reporter) }
        guard verification.run.ending == .finished else { return ExitStatus.of(verification.run.ending) }
        try verification.writeCorrection(of: file)
        if !options.json {
            func count(_ state: Verification.State) -> Int { verification.cells.filter { $0.state == state }.count }
            let others = [(count(.volatile), "volatile"), (count(.skipped), "skipped")].filter { $0.0 > 0 }.map { ", \($0.0) \($0.1)" }.joined()
            reporter.print("\(path): \(count(.same)) of \(verification.cells.count) cells verified, \(count(.differs)) differ\(others)\n")
            if verification.differs { reporter.print("\(Verification.correctionPath(path)) written; `noisebook accept \(path)` takes it\n") }
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
                "kind": "cell", "file": .string(path), "cell": .string(result.cell.name), "state": .string(result.state.rawValue),
                "differences": .array(differences),
            ]
            reporter.print(JSON.object(object).text + "\n")
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

/// `noisebook accept`: takes the outputs that `verify` found instead of the stored ones.
struct AcceptCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "noisebook accept", abstract: "Takes the outputs of FILE.md.corrected, which `noisebook verify` wrote.",
        usage: "noisebook accept FILE.md...")

    @Argument(help: "Notebooks.")
    var files: [String]

    @OptionGroup var options: CommonOptions

    func run() throws {
        var failed = false
        for file in files {
            let reporter = Reporter(json: options.json, session: options.session(access: options.access(file: file), cache: .none))
            do {
                let count = try Verification.accept(file)
                if options.json {
                    reporter.print(JSON.object(["kind": "accept", "file": .string(file), "cells": .number(Double(count))]).text + "\n")
                } else {
                    reporter.print("\(file): new outputs of \(count) \(count == 1 ? "cell" : "cells") accepted\n")
                }
            } catch {
                reporter.report(error)
                failed = true
            }
        }
        if failed { throw ExitCode(ExitStatus.error) }
    }
}
