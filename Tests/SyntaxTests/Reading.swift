import SourceText
import Syntax

/// Short ways to read a text in tests, with the verbs of the design.
enum Reading {
    static let verbs = VerbSet(
        plain: """
            load dataset items read save encode retrieve noise denoise predict step schedule decode with score first last sample where sort \
            select group stack join compare table show grid plot new fit batches expect claim why describe help
            """.split(separator: " ").map(String.init),
        withBlock: ["sweep", "each", "loop", "bench", "time"])

    static func parse(_ text: String, at place: Parser.Place = .file) -> Parse {
        Parser.parse(SourceFile(name: "test", text: text), verbs: verbs, place: place)
    }

    /// The tree with spans; errors, if any, in front.
    static func tree(_ text: String, at place: Parser.Place = .file) -> String {
        dump(parse(text, at: place), spans: true)
    }

    /// The tree without spans; errors, if any, in front.
    static func shape(_ text: String, at place: Parser.Place = .file) -> String {
        dump(parse(text, at: place), spans: false)
    }

    private static func dump(_ parse: Parse, spans: Bool) -> String {
        let errors = parse.diagnostics.map { "\($0.code.rawValue): \($0.title)\n" }.joined()
        return errors + Dump.text(parse.program, spans: spans)
    }

    /// `E010@8-13 title`, one a line.
    static func errors(_ text: String, at place: Parser.Place = .file) -> [String] {
        parse(text, at: place).diagnostics.map {
            "\($0.code.rawValue)@\($0.span.lower)-\($0.span.upper) \($0.title)"
        }
    }

    /// The problems that wait for a slot that wants an expression.
    static func waiting(_ text: String) -> [String] {
        parse(text).program.statements.flatMap { statement -> [String] in
            guard case .pipeline(let pipeline) = statement.kind else { return [] }
            return pipeline.allCommands.flatMap(\.arguments).flatMap(\.problems).map {
                "\($0.code.rawValue)@\($0.span.lower)-\($0.span.upper) \($0.title)"
            }
        }
    }
}
