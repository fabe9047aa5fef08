import Files
import Interpreting
import Notebooks
import Tensors

/// Notebooks named on the command line: a folder stands for the notebooks in it and below it.
enum NotebookArguments {
    /// Calls `body` for each file with a session and a reporter of its own, and gives the largest exit
    /// status. An error is reported and the next file follows; an interruption ends it.
    static func forEach(
        _ words: [String], _ options: CommonOptions, _ body: (String, Session, Reporter) throws -> Int32
    ) -> Int32 {
        var worst: Int32 = 0
        for word in words {
            var files = [word]
            if FileSystem.isFolder(word) {
                do {
                    // Links that lead out of the project are nobody's request: they are not followed.
                    files = try FileGate(readable: [Project.root(of: word)], writable: []).during {
                        try notebooks(below: word)
                    }
                    if files.isEmpty {
                        throw EngineError(
                            .file, "there is no notebook (.md or .markdown) in this folder", place: word)
                    }
                } catch {
                    Reporter(
                        json: options.json,
                        session: options.session(access: options.access(file: word), cache: .none)
                    ).report(error)
                    worst = max(worst, ExitStatus.error)
                    continue
                }
            }
            for file in files {
                let session = options.session(access: options.access(file: file), cache: .none)
                let reporter = Reporter(json: options.json, session: session)
                do {
                    worst = max(worst, try session.access.gate.during { try body(file, session, reporter) })
                } catch {
                    reporter.report(error)
                    worst = max(worst, ExitStatus.error)
                }
                if worst == ExitStatus.interrupted { return worst }
            }
        }
        return worst
    }

    /// - Parameter above: the folders that this one lies in, as they are called without links: a link to one
    ///   of them leads round and round.
    private static func notebooks(below folder: String, above: Set<String> = []) throws -> [String] {
        let real = Project.resolved(folder)
        guard !above.contains(real) else { return [] }
        return try FileSystem.list(folder).sorted().filter { !$0.hasPrefix(".") }.flatMap {
            name -> [String] in
            let path = FileSystem.join(folder, name)
            if FileSystem.isFolder(path) {
                return name.hasSuffix(".out") ? [] : try notebooks(below: path, above: above.union([real]))
            }
            return NotebookPlace.isNotebook(name) && FileSystem.isFile(path) ? [path] : []
        }
    }
}
