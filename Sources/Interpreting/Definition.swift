import SourceText
import Syntax

/// A verb that a `def` made.
struct Definition: Sendable {
    var name: String
    var parameters: [Name]
    var body: Block
    var source: SourceFile
    /// The definitions above it: those that its body means, whatever comes later. So none can come to call itself.
    var above: [String: Definition]

    /// How many may call each other in a row.
    static let maximalDepth = 64

    /// How it binds: each parameter takes any value, by position.
    var declaration: VerbDeclaration {
        VerbDeclaration(
            name, .control, "defined in \(source.name)", input: .optional,
            slots: parameters.map { Slot($0.text, .value, .positional, required: true, "an argument of the definition") }, examples: []
        ) { invocation in
            throw Complaint(.unknownVerb, "`\(invocation.verb.name)` runs only through the evaluator", label: "a definition")
        }
    }
}
