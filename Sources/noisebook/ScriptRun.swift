import Interpreting
import Prompt
import Rendering
import SourceText

/// Runs one program that is no notebook: `-e`, standard input, a `.noise` file.
struct ScriptRun {
    let session: Session
    let reporter: Reporter

    /// The exit status.
    func run(_ text: String, name: String) -> Int32 {
        let source = SourceFile(name: name, text: text)
        var failure: Diagnostic?
        let result = Interrupts.whileRunning {
            session.run(source) { output in
                guard failure == nil else { return }
                do {
                    try reporter.show(output, file: name)
                } catch {
                    failure = Diagnostic(error, at: output.span, of: source)
                }
            }
        }
        reporter.tellStopped(result.ending, result.stopped)
        reporter.report(result.diagnostics.filter { $0.code != .interrupted } + (failure.map { [$0] } ?? []))
        reporter.tell(result.counts, result.cacheRemarks)
        if result.ending == .finished, failure != nil { return ExitStatus.error }
        return ExitStatus.of(result.ending)
    }
}
