import ArgumentParser
import Files
import Notebooks
import SourceText

/// `noisebook accept`: takes the outputs that `verify` found instead of the stored ones.
struct AcceptCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "noisebook accept",
        abstract: "Takes the outputs of FILE.md.corrected, which `noisebook verify` wrote.",
        usage: "noisebook accept FILE.md...")

    @Argument(help: "Notebooks.")
    var files: [String] = []

    @OptionGroup var options: FileOptions

    func validate() throws {
        if files.isEmpty { throw ValidationError("name a notebook: noisebook accept FILE.md") }
    }

    func run() throws {
        let status = try NotebookArguments.forEach(files, options.common) { file, _, reporter in
            try Verification.accept(file)
            if options.json {
                reporter.print(json: ["kind": "accept", "file": .string(file)])
            } else {
                reporter.print("\(file): computed outputs accepted\n")
            }
            return 0
        }
        if status != 0 { throw ExitCode(status) }
    }
}
