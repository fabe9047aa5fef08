/// Where the prompt's lines come from: readline at a terminal, a list in tests.
package protocol LineEditor: AnyObject {
    /// Asks for one line; `prompt` is shown where a person sees it.
    func readLine(prompt: String) -> LineInput
    /// Adds an entry, which may have several lines, to what the arrow keys bring back.
    func remember(_ entry: String)
}

package enum LineInput: Equatable, Sendable {
    /// A line without its end; pasted text may hold line breaks.
    case line(String)
    /// Ctrl-C: what was typed is dropped.
    case interrupted
    /// Ctrl-D on an empty line, or no more input.
    case end
}

/// Reads from a fixed list; then input ends.
package final class ListedLines: LineEditor {
    private var inputs: [LineInput]
    package private(set) var prompts: [String] = []
    package private(set) var remembered: [String] = []

    package init(_ inputs: [LineInput]) { self.inputs = inputs.reversed() }
    package convenience init(_ lines: String...) { self.init(lines.map { .line($0) }) }

    package func readLine(prompt: String) -> LineInput {
        prompts.append(prompt)
        return inputs.popLast() ?? .end
    }

    package func remember(_ entry: String) { remembered.append(entry) }
}
