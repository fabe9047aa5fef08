/// Commands of the prompt itself. They begin with a colon and can be abbreviated as long as one is meant.
package enum MetaCommand: String, CaseIterable, Sendable {
    case help, next, to, show, keep, edit, status, plan, vars, why, history, set, time, cache, save, allow,
        reset, quit

    package var summary: String {
        switch self {
        case .help: "this page, or that of a verb, code or subject: :help noise, :help E021"
        case .next: "runs the notebook's next cell, or so many: :next 3"
        case .to: "runs the notebook's cells up to this one: :to LABEL"
        case .show: "a cell and its stored output: :show LABEL"
        case .keep: "appends the last line typed and its output to the notebook: :keep, :keep LABEL"
        case .edit: "opens the notebook in $VISUAL or $EDITOR"
        case .status: "which cells' outputs are fresh or stale"
        case .plan: "what the notebook's cells, or a line, would compute: :plan, :plan LINE"
        case .vars: "the variables and what they are"
        case .why: "how a value came to be: :why pictures[0]"
        case .history: "the last lines typed, or those that contain a word: :history sweep"
        case .set: "settings: :set, :set threads 2, :set batch 4, :set seed 7"
        case .time: "shows how long each line took, or no longer"
        case .cache: "how much is kept of what was computed, and where"
        case .save: "writes the lines typed that ran without an error as a notebook: :save FILE.md"
        case .allow: "lets the open notebook read and write below one more folder: :allow FOLDER"
        case .reset: "forgets all variables; opened models stay open"
        case .quit: "leaves, as Ctrl-D on an empty line does"
        }
    }

    /// The command that `word` (without its colon) means: its name or the beginning of one name only.
    package static func named(_ word: String) throws(UnknownMetaCommand) -> MetaCommand {
        if let exact = MetaCommand(rawValue: word) { return exact }
        let meant = word.isEmpty ? [] : allCases.filter { $0.rawValue.hasPrefix(word) }
        guard meant.count == 1 else { throw UnknownMetaCommand(word: word, meant: meant) }
        return meant[0]
    }
}

package struct UnknownMetaCommand: Error, CustomStringConvertible {
    package var word: String
    package var meant: [MetaCommand]

    package var description: String {
        let names = (meant.isEmpty ? MetaCommand.allCases : meant).map { ":" + $0.rawValue }.joined(
            separator: " ")
        return meant.isEmpty
            ? "there is no command `:\(word)`; commands are \(names)" : "`:\(word)` can mean \(names)"
    }
}
