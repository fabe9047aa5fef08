import SourceText
import Syntax

/// A verb that a `def` made.
struct Definition: Sendable {
    let name: String
    let parameters: [Name]
    let body: Block
    /// The program that it stands in.
    let program: ParsedProgram
    /// How it binds: each parameter takes any value, by position.
    let declaration: VerbDeclaration
    /// The definitions above it: those that its body means, whatever comes later. So none can come to call
    /// itself.
    let above: [String: Definition]
    /// One more than the largest of those above it: so far a walk from one to the next can go.
    private let rank: Int

    /// How many may stand one above the other.
    private static let mostRanks = 1_000

    init(name: String, parameters: [Name], body: Block, program: ParsedProgram, above: [String: Definition])
        throws
    {
        (self.name, self.parameters, self.body, self.program) = (name, parameters, body, program)
        declaration = VerbDeclaration(
            name, .control, "defined in \(program.source.name)", input: .optional,
            slots: parameters.map {
                Slot($0.text, .value, required: .positional, "an argument of the definition")
            }, examples: []
        ) { invocation in
            throw Complaint(
                .unknownVerb, "`\(invocation.verb.name)` runs only through the evaluator",
                label: "a definition")
        }
        // Its body does not mean what it takes the name of.
        self.above = above.filter { $0.key != name }
        rank = 1 + (self.above.values.map(\.rank).max() ?? 0)
        guard rank <= Self.mostRanks else {
            throw Complaint(
                .nestingTooDeep, "more than \(Self.mostRanks) definitions stand one above the other",
                label: "one too many")
        }
    }

    /// How many may call each other in a row.
    static let maximalDepth = 64
}
