import Caching
import Files
import Interpreting
import SourceText
import Syntax
import Tensors

/// What each cell's output depends on, without running anything: its syntax tree (comments and spaces do not
/// matter), the values that it reads, each by the statements that make it, versions of verbs, params, and the
/// digests of files that `load`, `dataset` and `read` open.
package struct CellKeys {
    /// The parts of a key, so that a change can be named.
    package struct Parts: Codable, Equatable, Sendable {
        /// Digest of the cell's canonical text and of its verbs' versions.
        package var text: String
        /// The key of each variable or definition that the cell reads.
        package var reads: [String: String]
        /// The digest of each model, data set or file that it opens, by the name in the text.
        package var sources: [String: String]
    }

    package let parts: [Int: Parts]

    /// Of the cells that run, by their index. A cell with an error in it has none, nor have those that read
    /// what it would make.
    /// - Parameters:
    ///   - engine: of which version the keys are.
    ///   - readings: what the cells read when they ran; without, files count as they are now.
    ///   - openings: what a cell opened when it ran. Names that its text does not tell, `load (name)`, are
    ///     known from there alone.
    package init(
        _ program: NotebookProgram, session: Session, files: FileDigests,
        engine: Int = ItemKeyBuilder.engineVersion, readings: RunReadings? = nil,
        openings: (Cell) -> [String]
    ) throws {
        /// The key of each name at this point; nil for what an erroneous cell would make.
        var known: [String: String?] = [:]
        /// Texts that a variable is known to hold without running anything: a param's, above all.
        var texts: [String: String] = [:]
        var found: [Int: Parts] = [:]
        for (cell, part) in program.parts {
            let hasErrors = part.diagnostics.hasErrors
            var parts = Parts(text: "", reads: [:], sources: [:])
            var lines: [String] = [
                cell.header.flags.contains(.hide) ? "hide" : "",
                cell.header.flags.contains(.raises) ? "raises" : "",
            ]
            var isKnown = !hasErrors || cell.header.flags.contains(.raises)
            /// Names that this cell makes, which are no reads of it.
            var own: Set<String> = []
            for statement in part.statements {
                let mentions = Mentions(statement)
                var names = mentions.names
                if mentions.commands.contains(where: { session.verbs[$0.verb.text]?.readsModel ?? false }) {
                    names.insert("model")
                }
                var words = ["\(engine)", Printer.text(statement)]
                for name in Set(mentions.commands.map(\.verb.text)).sorted() {
                    if let verb = session.verbs[name] { words.append("\(name) \(verb.version)") }
                }
                if case .param(let name, _, _) = statement.kind, let value = session.parameters[name.text] {
                    words.append("= \(value)")
                }
                lines += words
                for name in names.sorted() {
                    guard let key = known[name] else { continue }
                    guard let key else {
                        isKnown = false
                        continue
                    }
                    words.append("\(name) \(key)")
                    if !own.contains(name) { parts.reads[name] = key }
                }
                /// What stands in a slot of words: a variable in brackets by the text that it is known to
                /// hold.
                func paths(_ argument: Argument) -> [String] {
                    argument.items.enumerated().map { index, item in
                        guard item.isForced, let value = argument.value?.items[index].ungrouped else {
                            return item.raw
                        }
                        if case .name(let name) = value.kind { return texts[name] ?? item.raw }
                        return value.literalText ?? item.raw
                    }
                }
                func add(_ title: String, _ paths: [String]) throws {
                    let digest = try Digest.sha256(
                        paths.map { try Self.digest($0, files, readings, cell: cell.index) }.joined(
                            separator: "\n"))
                    parts.sources[title] = digest
                    words.append("\(title) \(digest)")
                }
                for command in mentions.commands {
                    guard let verb = session.verbs[command.verb.text] else { continue }
                    // Files behind names: `statistics=`.
                    for argument in command.arguments where !verb.writesFiles {
                        guard let name = argument.name?.text, case .path? = verb.slot(name)?.kind,
                            let word = paths(argument).first
                        else { continue }
                        let path = session.access.absolute(word)
                        if FileSystem.exists(path) { try add("\(verb.name) \(name)=\(word)", [path]) }
                    }
                    guard let opens = verb.opens else { continue }
                    let named = command.arguments.filter { $0.name == nil }.flatMap(paths)
                    let title = ([verb.name] + named).joined(separator: " ")
                    // What is not there is no error yet: an `if` may leave it out.
                    try add(
                        title,
                        readings?.place(of: title).map { [$0] } ?? (try? opens(named, session)) ?? ["missing"]
                    )
                }
                let key = try Digest.sha256(words.joined(separator: "\n"))
                if let (name, text) = statement.knownText {
                    texts[name] = session.parameters[name].map(ParamText.unquoted) ?? text
                }
                switch statement.kind {
                case .assignment(let name, _), .param(let name, _, _), .definition(let name, _, _):
                    known[name.text] = .some(isKnown ? key : nil)
                    own.insert(name.text)
                case .pipeline: break
                }
            }
            var further: [String] = []
            for title in openings(cell) where parts.sources[title] == nil {
                let paths = readings?.place(of: title).map { [$0] } ?? session.opened(title) ?? ["missing"]
                let digest = try Digest.sha256(
                    paths.map { try Self.digest($0, files, readings, cell: cell.index) }.joined(
                        separator: "\n"))
                parts.sources[title] = digest
                further.append("\(title) \(digest)")
            }
            if !further.isEmpty {
                // Which of the cell's names depend on it is not known, so all of them do.
                for name in own.sorted() {
                    if let key = known[name] ?? nil {
                        known[name] = try Digest.sha256(([key] + further).joined(separator: "\n"))
                    }
                }
            }
            parts.text = try Digest.sha256((hasErrors ? [part.source.text] : lines).joined(separator: "\n"))
            if isKnown { found[cell.index] = parts }
        }
        parts = found
    }

    /// Of a file, or of all files below a folder with their places in it: as the run read them, the others as
    /// they are.
    private static func digest(
        _ path: String, _ files: FileDigests, _ readings: RunReadings?, cell: Int? = nil
    ) throws -> String {
        guard FileSystem.isFolder(path) else {
            if let digest = try readings?.digest(of: path, cell: cell, files) { return digest }
            // Small files are read faster than looked up.
            let isSmall = (FileStamp(path: path)?.size ?? 0) < 1 << 20
            return FileSystem.isFile(path)
                ? try isSmall ? Digest.sha256(path: path) : files.digest(of: path) : "missing"
        }
        // What came into a folder after it was opened, and what went, may be what a reader looks for there.
        let before = readings?.contents(of: path)
        let present = try FileSystem.list(path).filter { !$0.hasPrefix(".") }
        // Files by their endings, and folders; not what a writer calls a file until it has its name.
        func isSought(_ name: String) -> Bool {
            !name.contains(".") || WeightFile.isNamedSo(name)
                || [".json", ".jsonl", ".csv", ".txt"].contains(where: name.hasSuffix)
        }
        let gone = (before ?? []).map(FileSystem.name).filter { !present.contains($0) && isSought($0) }
        var lines: [String] = []
        for name in (present + gone).sorted() {
            let inner = FileSystem.join(path, name)
            let isNew = before.map { !$0.contains(inner) } ?? false
            let isChange = isNew && isSought(name) && readings?.hasRead(in: path) ?? false
            lines.append("\(name) \(isChange ? RunReadings.changed : try digest(inner, files, readings))")
        }
        return try Digest.sha256(lines.joined(separator: "\n"))
    }
}

extension Session {
    /// The files behind a title such as `load models/a` or `score statistics=s.npz`, as it is told now; nil
    /// where nothing is there.
    fileprivate func opened(_ title: String) -> [String]? {
        guard let space = title.firstIndex(of: " "), let verb = verbs[String(title[..<space])] else {
            return nil
        }
        let rest = String(title[title.index(after: space)...])
        if let sign = rest.firstIndex(of: "="), case .path? = verb.slot(String(rest[..<sign]))?.kind {
            let path = access.absolute(String(rest[rest.index(after: sign)...]))
            return FileSystem.exists(path) ? [path] : nil
        }
        guard let opens = verb.opens else { return nil }
        // A name may have spaces, and `load clip models/a` has two words.
        return (try? opens([rest], self))
            ?? (try? opens(rest.split(separator: " ", maxSplits: 1).map(String.init), self))
    }
}

extension Statement {
    /// `x = "a"` and `param x = "a"`: the name and the text.
    fileprivate var knownText: (name: String, text: String)? {
        let made: (name: String, list: ListExpression)
        switch kind {
        case .param(let name, let values, _): made = (name.text, values)
        case .assignment(let name, let pipeline):
            guard case .values(let list) = pipeline.head, pipeline.commands.isEmpty else { return nil }
            made = (name.text, list)
        default: return nil
        }
        guard made.list.items.count == 1, let text = made.list.items[0].ungrouped.literalText else {
            return nil
        }
        return (made.name, text)
    }
}

extension Expression {
    /// The text of a string without interpolations.
    fileprivate var literalText: String? {
        guard case .text(let parts) = kind, parts.count <= 1 else { return nil }
        guard let part = parts.first else { return "" }
        return if case .literal(let text) = part { text } else { nil }
    }
}
