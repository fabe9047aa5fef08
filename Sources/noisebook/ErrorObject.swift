import ArgumentParser
import Files
import SourceText
import Tensors

/// An error or warning as a JSON object. All of them have `kind` and `severity` (`error` or `warning`),
/// `code`, `message`, `help` and `notes`, and `file` and `line` where these are known: those of programs,
/// which `JSONRenderer` writes, and those of files and of wrong usage, which this does.
struct ErrorObject {
    var severity = "error"
    var code: String
    var message: String
    var file: String?
    var line: Int?
    var help: [String] = []
    var notes: [String] = []

    init(severity: String = "error", code: String, message: String, file: String? = nil) {
        (self.severity, self.code, self.message, self.file) = (severity, code, message, file)
    }

    init(_ error: any Error) {
        guard let error = error as? EngineError else {
            self.init(
                code: error is ValidationError ? "usage" : DiagnosticCode.engineUnsupported.rawValue,
                message: "\(error)")
            return
        }
        self.init(
            code: DiagnosticCode(error.kind).rawValue,
            message: (error.place.map { "\($0): " } ?? "") + error.message, file: error.place)
        help = error.cure.map { [$0] } ?? []
        notes = error.details
        // `a.lock, line 3`
        if let words = error.place?.split(separator: ", line "), words.count == 2,
            let number = Int(words[1].prefix { $0.isNumber })
        {
            (file, line) = (String(words[0]), number)
        }
    }

    var json: [String: JSON] {
        var object: [String: JSON] = [
            "kind": .string(severity), "severity": .string(severity), "code": .string(code),
            "message": .string(message),
            "help": .array(help.map { .string($0) }), "notes": .array(notes.map { .string($0) }),
        ]
        if let file { object["file"] = .string(file) }
        if let line { object["line"] = .number(Double(line)) }
        return object
    }
}
