import ArgumentParser
import Files
import Rendering
import SourceText

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Runs a command to the end of the process. All that is said goes through `StandardFile`, help and wrong
/// usage too; with `--json` wrong usage is an object like any error: who reads JSON reads it of that, too.
enum CommandRun {
    static func run(_ command: any ParsableCommand.Type, _ arguments: [String]) -> Never {
        var status: CInt = 0
        do {
            // What the command line names has the user's rights; what programs name, those of their notebook
            // or script.
            try FileGate.user.during {
                var parsed = try command.parseAsRoot(arguments)
                try parsed.run()
            }
        } catch let code as ExitCode {
            // All has been said.
            status = code.rawValue
        } catch {
            let code = exitCode(command, error)
            status = code.rawValue
            if code == .validationFailure, arguments.contains("--json") {
                let object = ErrorObject(code: "usage", message: message(command, error)).json
                StandardFile.write("\(JSON.object(object).text)\n", to: STDOUT_FILENO)
            } else {
                let text = onOneLine(arguments, in: fullMessage(command, error))
                if !text.isEmpty {
                    StandardFile.write(
                        "\(lines: text)\n", to: code == .success ? STDOUT_FILENO : STDERR_FILENO)
                }
            }
        }
        if tellShortage(asJSON: arguments.contains("--json")), status < ExitStatus.error {
            status = ExitStatus.error
        }
        exit(StandardFile.status(status))
    }

    /// Without descriptors files seem to be missing, or out of reach: what was said of them, or not done,
    /// then has this reason, and no result is to be trusted. True where that was so.
    private static func tellShortage(asJSON: Bool) -> Bool {
        guard let shortage = FileGate.shortage else { return false }
        if asJSON {
            let object = ErrorObject(code: DiagnosticCode.engineFile.rawValue, message: shortage).json
            StandardFile.write("\(JSON.object(object).text)\n", to: STDOUT_FILENO)
        } else {
            StandardFile.write("error: \(shortage)\n", to: STDERR_FILENO)
        }
        return true
    }

    /// A message repeats words of the command line; a line break in one of them would begin a line that looks
    /// like the program's own.
    private static func onOneLine(_ arguments: [String], in message: String) -> String {
        let words = arguments.flatMap { [$0, String($0.prefix { $0 != "=" })] }.filter {
            $0.contains(where: \.isNewline)
        }
        return words.sorted { $0.count > $1.count }.reduce(message) {
            $0.replacing($1, with: DisplayText.visible($1))
        }
    }

    private static func exitCode<C: ParsableCommand>(_ command: C.Type, _ error: any Error) -> ExitCode {
        command.exitCode(for: error)
    }
    private static func message<C: ParsableCommand>(_ command: C.Type, _ error: any Error) -> String {
        command.message(for: error)
    }
    private static func fullMessage<C: ParsableCommand>(_ command: C.Type, _ error: any Error) -> String {
        command.fullMessage(for: error)
    }
}
