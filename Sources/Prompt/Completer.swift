import Files
import Interpreting
import Results
import SourceText

/// Completes a line at the cursor from the verbs' declarations and the session's variables. It works on the
/// raw text, because a line that is being typed seldom parses.
package struct Completer {
    private let session: Session
    /// The cells of the open notebook.
    private let labels: () -> [String]

    package init(session: Session, labels: @escaping () -> [String] = { [] }) {
        self.session = session
        self.labels = labels
    }

    /// `line` ends at the cursor; the word to complete begins `wordStart` bytes into it.
    package func completions(_ line: String, wordStart: Int) -> Completions {
        let bytes = Array(line.utf8)
        guard wordStart >= 0, wordStart <= bytes.count else { return Completions([]) }
        let word = String(decoding: bytes[wordStart...], as: UTF8.self)
        let before = String(decoding: bytes[..<wordStart], as: UTF8.self)
        if let first = line.first, first == ":" {
            guard wordStart == 0 else { return Completions(matching(arguments(of: before), word)) }
            return Completions(matching(MetaCommand.allCases.map { ":" + $0.rawValue }, word))
        }
        let context = LineContext(before, verbs: session.verbSet)
        if context.isInString { return Completions(paths(word), append: nil) }
        guard let verb = context.words.first.flatMap({ session.verb($0) }) else {
            if let fields = fields(word) { return Completions(matching(fields, word), append: nil) }
            // The head of a command. What flows comes from a verb or a variable; behind a bar only verbs can
            // stand.
            let variables = context.isBehindBar ? [] : session.globals.names
            let keywords = context.isBehindBar || context.bracketDepth > 0 ? [] : ["param", "def"]
            guard context.words.isEmpty else {
                return Completions(matching(variables + functions(context), word))
            }
            return Completions(matching(session.verbNames + variables + keywords + functions(context), word))
        }
        let hint = "usage: " + verb.usage
        if context.bracketDepth > 0 {
            if let fields = fields(word) {
                return Completions(matching(fields, word), append: nil, hint: hint)
            }
            return Completions(
                matching(session.globals.names + rowNames(line) + functions(context), word), append: nil,
                hint: hint)
        }
        if let option = context.option {
            guard let slot = verb.slot(option) ?? verb.open else { return Completions([], hint: hint) }
            return completions(of: slot, word: word, line: line, hint: hint)
        }
        let used = Set(
            context.words.dropFirst().compactMap {
                $0.split(separator: "=", maxSplits: 1).first.map(String.init)
            })
        let options = matching(verb.named.map(\.name).filter { !used.contains($0) }, word).map { $0 + "=" }
        let place = context.words.dropFirst().filter { !$0.contains("=") }.count
        let positional = verb.positional
        // The value at the head of a statement stands before the verb's own arguments; in a block `it` can
        // take its place.
        let hasInput =
            verb.takesInputAsArgument && !context.isBehindBar
            && (!context.isInBlock || place > 0 && session.globals[context.words[1]] != nil)
        let index = place - (hasInput ? 1 : 0)
        let slot =
            index < 0
            ? nil
            : index < positional.count ? positional[index] : positional.last.flatMap { $0.repeats ? $0 : nil }
        if !(slot?.isPath ?? false), let fields = fields(word) {
            return Completions(matching(fields, word), append: nil, hint: hint)
        }
        var values = slot.map { completions(of: $0, word: word, line: line, hint: hint) } ?? Completions([])
        if verb.takesInputAsArgument, place == 0, !context.isBehindBar {
            values.words += matching(session.globals.names, word)
        }
        let append: Unicode.Scalar? = options.isEmpty ? values.append : nil
        return Completions(values.words + options, append: append, hint: hint)
    }

    /// `t.` with what the variable has; nil where no variable stands before a point.
    private func fields(_ word: String) -> [String]? {
        guard let point = word.firstIndex(of: "."), let value = session.globals[String(word[..<point])] else {
            return nil
        }
        let names: [String]
        switch value {
        case .table(let table): names = [Table.itemName] + table.columnNames
        case .record(let record): names = record.fields.map(\.name)
        case .model(let model): names = model.fieldNames
        case .measure: names = Measure.fieldNames
        default: return nil
        }
        return names.map { word[...point] + $0 }
    }

    /// What stands behind a command of the prompt.
    private func arguments(of before: String) -> [String] {
        switch try? MetaCommand.named(String(before.dropFirst().prefix { $0 != " " })) {
        case .to, .show: labels()
        case .why: session.globals.names
        case .set: ["threads", "batch", "seed"]
        case .save: []
        default: session.verbNames
        }
    }

    private func completions(of slot: SlotDeclaration, word: String, line: String, hint: String)
        -> Completions
    {
        let words: [String]
        var append: Unicode.Scalar? = " "
        switch slot.kind {
        case .choice(let choices): words = choices
        case .boolean: words = ["yes", "no"]
        case .column, .columns, .columnOrNumber: words = columns(line)
        case .expression, .condition, .assignments: words = rowNames(line) + session.globals.names
        case .table, .tables: words = session.globals.names.filter { kind($0) == .table }
        case .model: words = session.globals.names.filter { kind($0) == .model }
        case .path:
            words = (slot.suggestions?(session) ?? []) + paths(word)
            append = words.first.map { $0.hasSuffix("/") } ?? false ? nil : " "
        case .name:
            let known = slot.suggestions?(session) ?? []
            let files = word.contains("/") || word.hasPrefix(".") || known.isEmpty ? paths(word) : []
            words = known + files
            append = files.contains { $0.hasSuffix("/") } ? nil : " "
        case .number, .size: words = session.globals.names.filter { kind($0) == .number }
        case .text: words = session.globals.names.filter { kind($0) == .text }
        case .list, .value, .claim, .verdict, .lists: words = session.globals.names
        }
        return Completions(matching(words, word), append: append, hint: hint)
    }

    private func functions(_ context: LineContext) -> [String] {
        context.bracketDepth > 0 || context.words.isEmpty ? Function.allCases.map { $0.rawValue + "(" } : []
    }

    private func kind(_ variable: String) -> ValueKind { session.globals[variable]?.kind ?? .none }

    /// Columns of the pipeline as far as it is typed; where they are not known, of the tables that the line
    /// names and of what its verbs add; of all tables where it names none.
    private func columns(_ line: String) -> [String] {
        let context = LineContext(line, verbs: session.verbSet)
        let known = context.pipeline.map { session.columns(of: $0) } ?? []
        if !known.isEmpty { return known }
        let words = context.names
        let tables = session.globals.names.filter { kind($0) == .table }
        let named = tables.filter { words.contains($0) }
        var found = (named.isEmpty ? tables : named).flatMap { name -> [String] in
            if case .table(let table) = session.globals[name] { table.columnNames } else { [] }
        }
        for verb in session.verbs.all where words.contains(verb.name) {
            found += verb.adds.filter { $0 == $0.lowercased() }
        }
        return found
    }

    /// A row's columns, with the point that sets them apart from variables and without.
    private func rowNames(_ line: String) -> [String] {
        let names = columns(line)
        return names + names.map { "." + $0 }
    }

    private func matching(_ words: [String], _ prefix: String) -> [String] {
        words.filter { $0.hasPrefix(prefix) }
    }

    /// Files and folders that begin as `word` does, folders with a slash. Names with spaces would need quotes
    /// and are left out.
    private func paths(_ word: String) -> [String] {
        let slash = word.lastIndex(of: "/")
        let folder = slash.map { String(word[...$0]) } ?? ""
        let beginning = slash.map { String(word[word.index(after: $0)...]) } ?? word
        let base = session.access.absolute(folder.isEmpty ? "." : folder)
        guard let names = try? FileSystem.list(base) else { return [] }
        return names.filter {
            $0.hasPrefix(beginning) && (beginning.hasPrefix(".") || !$0.hasPrefix(".")) && !$0.contains(" ")
        }
        .map { folder + $0 + (FileSystem.isFolder(FileSystem.join(base, $0)) ? "/" : "") }
    }
}

extension SlotDeclaration {
    fileprivate var isPath: Bool { if case .path = kind { true } else { false } }
}
