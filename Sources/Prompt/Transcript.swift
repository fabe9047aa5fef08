/// The prompts, and what they make of pasted text: where it is a transcript, only its prompt lines are input.
package enum Transcript {
    package static let prompt = "noise> "
    package static let continuation = "   ... "

    /// The input in `text`: all of it, unless a line begins with the prompt; then the lines that do and their
    /// continuations, each without its prompt.
    package static func input(in text: String) -> String {
        let lines = text.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" || $0 == "\r" }
        guard lines.contains(where: { $0.hasPrefix(prompt) }) else { return lines.joined(separator: "\n") }
        var result: [Substring] = []
        var isInput = false
        for line in lines {
            if line.hasPrefix(prompt) {
                result.append(line.dropFirst(prompt.count))
                isInput = true
            } else if isInput, line.hasPrefix(continuation) {
                result.append(line.dropFirst(continuation.count))
            } else {
                isInput = false
            }
        }
        return result.joined(separator: "\n")
    }
}
