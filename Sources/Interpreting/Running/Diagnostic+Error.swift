import SourceText
import Tensors

extension Diagnostic {
    /// An error that came up at a place of a source, said as a diagnostic there.
    package init(_ error: any Error, at span: Span, of source: SourceFile) {
        switch error {
        case let diagnostic as Diagnostic: self = diagnostic.located(in: source)
        case let complaint as Complaint: self.init(complaint, at: span, source: source)
        case let engine as EngineError:
            self.init(
                DiagnosticCode(engineKind: engine.kind.rawValue), (engine.place.map { "\($0): " } ?? "") + engine.message, at: span,
                help: engine.cure.map { [$0] } ?? [], notes: engine.details, source: source)
        default: self.init(.engineUnsupported, "\(error)", at: span, source: source)
        }
    }
}
