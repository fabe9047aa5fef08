internal import Interpreting
internal import SourceText
package import Tensors

/// How verbs say that the user stopped them before anything whole was there. What is whole they return, as a
/// partial table.
package enum Stop {
    private static let beginning = "stopped at "

    package static func error(at place: String) -> EngineError {
        EngineError(.interrupted, beginning + place)
    }

    /// Where work was stopped, if that is what the error says: "k=40, turn 3 of 10".
    package static func place(of error: any Error) -> String? {
        switch error {
        case let noted as NotedError:
            guard let inner = place(of: noted.underlying) else { return nil }
            return inner.isEmpty ? noted.note : "\(noted.note), \(inner)"
        case let engine as EngineError: return engine.kind == .interrupted ? place(in: engine.message) : nil
        case let complaint as Complaint:
            return complaint.code == .interrupted ? place(in: complaint.title) : nil
        case let diagnostic as Diagnostic:
            return diagnostic.code == .interrupted ? place(in: diagnostic.title) : nil
        default: return nil
        }
    }

    /// Whether an error comes of a stop: it is one, or too little was left for what came after.
    package static func isStop(_ error: any Error) -> Bool {
        if place(of: error) != nil { return true }
        switch error {
        case let noted as NotedError: return isStop(noted.underlying)
        case let complaint as Complaint: return [.emptyTable, .partialValue].contains(complaint.code)
        case let diagnostic as Diagnostic: return [.emptyTable, .partialValue].contains(diagnostic.code)
        default: return false
        }
    }

    private static func place(in message: String) -> String {
        message.hasPrefix(beginning) ? String(message.dropFirst(beginning.count)) : ""
    }

    /// What `body` gives, nil if the user abandoned it.
    package static func unlessAbandoned<R>(_ body: () throws -> R) throws -> R? {
        do {
            return try body()
        } catch  where place(of: error) != nil {
            return nil
        }
    }
}
