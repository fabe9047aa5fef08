import ArgumentParser
import Files
import Interpreting
import Notebooks
import SourceText

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Values of params from the command line: words such as `guidance=5`.
struct ParamWords {
    typealias Setting = (name: String, value: String)

    let settings: [Setting]
    /// The words that are none.
    let others: [String]

    init(_ words: [String]) throws {
        settings = words.compactMap(Self.setting)
        others = words.filter { Self.setting($0) == nil }
        var seen: Set<String> = []
        if let twice = settings.first(where: { !seen.insert($0.name).inserted }) {
            let values = settings.filter { $0.name == twice.name }.map(\.value).joined(separator: ",")
            throw ValidationError(
                """
                `\(twice.name)` is given twice; several values stand behind one name: \
                \(ShellWord.quoted("\(twice.name)=\(values)"))
                """)
        }
    }

    /// `guidance=5`, unless a file has that very name.
    private static func setting(_ word: String) -> Setting? {
        guard let sign = word.firstIndex(of: "="), !FileSystem.exists(word) else { return nil }
        let name = word[..<sign]
        guard let first = name.first, first.isLetter || first == "_",
            name.allSatisfy({ $0.isLetter || $0.isNumber || $0 == "_" })
        else { return nil }
        return (String(name), String(word[word.index(after: sign)...]))
    }

    /// Refuses names that `path` declares no param of.
    func check(among params: @autoclosure () -> Params, _ path: String) throws {
        // To look for the params is to read the whole notebook.
        guard !settings.isEmpty else { return }
        let params = params()
        guard let unknown = settings.first(where: { params.named($0.name).isEmpty }) else { return }
        let names = params.names
        throw ValidationError(
            "\(path) has no param `\(unknown.name)`"
                + (names.isEmpty ? "" : "; its params are \(names.joined(separator: ", "))"))
    }

    /// Sets the params of a notebook, and gives those whose value is another than the text gives them: only
    /// these change anything.
    /// - Parameter isElsewhere: whether what comes of it is kept in another folder than the notebook's.
    @discardableResult
    func set(_ session: Session, _ notebook: Notebook, _ path: String, isElsewhere: Bool = false) throws
        -> [Setting]
    {
        try check(among: Params(notebook.program(session).programs, session: session), path)
        return try Self.set(settings, session, notebook, isElsewhere: isElsewhere)
    }

    @discardableResult
    static func set(
        _ settings: [Setting], _ session: Session, _ notebook: Notebook, isElsewhere: Bool = false
    ) throws -> [Setting] {
        let settings = session.resolvingPaths(settings, isElsewhere: isElsewhere)
        session.parameters = Dictionary(settings) { $1 }
        guard !settings.isEmpty else { return [] }
        let params = Params(notebook.program(session).programs, session: session)
        for (name, value) in settings {
            for param in params.named(name) { if let problem = param.problem(value) { throw problem } }
        }
        let changes = settings.filter { name, value in params.named(name).contains { !$0.isStandard(value) } }
        session.parameters = Dictionary(changes) { $1 }
        return changes
    }

    /// All combinations of the values where a param that is no list was given several; nil where each was
    /// given one.
    func variants(_ notebook: Notebook, _ session: Session) -> [[Setting]]? {
        guard !settings.isEmpty else { return nil }
        let params = Params(notebook.program(session).programs, session: session)
        let choices = settings.map { name, value in
            let isOne = params.named(name).contains {
                $0.isList || ParamText.isBracketed(value) && $0.standard?.kind != .text
            }
            return (name: name, values: isOne ? [value] : Self.parts(value))
        }
        guard choices.contains(where: { $0.values.count > 1 }) else { return nil }
        return choices.reduce([[]]) { made, choice in
            made.flatMap { before in choice.values.map { before + [(choice.name, $0)] } }
        }
    }

    /// The values that commas separate; a path with commas in it is one.
    static func parts(_ value: String) -> [String] { path(value) == nil ? ParamText.split(value) : [value] }

    /// The absolute path of a value that names a file or folder as seen from the working folder: it has a
    /// slash or an ending.
    static func path(_ value: String) -> String? {
        let text = ParamText.unquoted(value)
        guard text.contains("/") || (text.contains(".") && Double(text) == nil), !text.utf8.contains(0) else {
            return nil
        }
        return FileSystem.realPath(text)
    }

    static func text(_ settings: [Setting]) -> String {
        settings.map { "\($0.name)=\($0.value)" }.joined(separator: " ")
    }
}
