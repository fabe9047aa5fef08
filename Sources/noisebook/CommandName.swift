import ArgumentParser
import Files
import Rendering

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Which command a line of arguments is for. Options may stand before it: `noisebook --threads 1 run FILE`.
enum CommandName {
    private static let flags: Set<String> = ["--json", "--no-cache"]
    private static let options: Set<String> = ["--threads", "--batch", "--seed", "--cache-limit", "--allow-read", "--allow-write"]

    /// The command and its arguments; no command and all arguments where the prompt is meant.
    static func found(in words: [String], among names: some Collection<String>) -> (name: String?, arguments: [String]) {
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

/// Runs a command whose output is JSON: wrong usage is an object like any error.
enum UsageAsJSON {
    static func run(_ command: any ParsableCommand.Type, _ arguments: [String]) {
        do {
            var parsed = try command.parseAsRoot(arguments)
            try parsed.run()
        } catch {
            let code = exitCode(command, error)
            guard code.rawValue == ExitCode.validationFailure.rawValue else { end(command, error) }
            StandardFile.write(ErrorObject(code: "usage", message: message(command, error)).json.text + "\n", to: STDOUT_FILENO)
            exit(code.rawValue)
        }
    }

    private static func exitCode<C: ParsableCommand>(_ command: C.Type, _ error: any Error) -> ExitCode { command.exitCode(for: error) }
    private static func message<C: ParsableCommand>(_ command: C.Type, _ error: any Error) -> String { command.message(for: error) }
    private static func end<C: ParsableCommand>(_ command: C.Type, _ error: any Error) -> Never { command.exit(withError: error) }
}
