/// Which command a line of arguments is for. Options may stand before it: `noisebook --threads 1 run FILE`.
enum CommandName {
    private static let flags: Set<String> = ["--json", "--no-cache"]
    private static let options: Set<String> = [
        "--threads", "--batch", "--seed", "--cache-limit", "--allow-read", "--allow-write",
    ]

    /// The command and its arguments; no command and all arguments where the prompt is meant.
    static func found(in words: [String], among names: some Collection<String>) -> (
        name: String?, arguments: [String]
    ) {
        var index = 0
        while index < words.count {
            let word = words[index]
            if names.contains(word) { return (word, Array(words[..<index]) + Array(words[(index + 1)...])) }
            // Whether one of the options fits does not depend on their order.
            if flags.contains(word) || options.contains(where: { word.hasPrefix($0 + "=") }) {
                index += 1
            } else if options.contains(word) {
                index += 2
            } else {
                break
            }
        }
        return (nil, words)
    }
}
