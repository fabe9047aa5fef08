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
                DiagnosticCode(engine.kind), (engine.place.map { "\($0): " } ?? "") + engine.message,
                at: span,
                help: engine.cure.map { [$0] } ?? [], notes: engine.details, source: source)
        default: self.init(.engineUnsupported, "\(error)", at: span, source: source)
        }
    }
}

extension DiagnosticCode {
    /// The code of the engine's errors of a kind.
    package init(_ kind: EngineError.Kind) {
        self =
            switch kind {
            case .file: .engineFile
            case .format: .engineFormat
            case .weights: .engineWeights
            case .configuration: .engineConfiguration
            case .unsupported: .engineUnsupported
            case .shape: .engineShape
            case .text: .engineText
            case .schedule: .engineSchedule
            case .data: .engineData
            case .memory: .engineMemory
            case .training: .engineTraining
            case .numbers: .engineNumbers
            case .notReadable: .notReadable
            case .notWritable: .notWritable
            case .interrupted: .interrupted
            }
    }
}
