import SourceText
import Tensors

extension TerminalText {
    /// An error's own words: one line, and a line for each of several findings.
    package init(_ error: any Error) {
        guard var single = error as? EngineError else {
            self.init("\(error)")
            return
        }
        let details = single.details.map { "\n  \($0)" as TerminalText }
        single.details = []
        self = TerminalText(single.description) + details.joined()
    }
}
