import SourceText
import Synchronization
import Syntax

/// A program that was read once: it is checked, planned, run and looked into from the same tree. What binding
/// a command gave is kept beside the tree, so that neither the run behind the check nor the next turn of a
/// loop binds it again.
package final class ParsedProgram: Sendable {
    package let program: Program
    /// What is wrong with the text by itself, each with its place.
    package let diagnostics: [Diagnostic]
    /// The verbs that the text could use, and those that the text below it can.
    package let verbsAbove: VerbSet
    package let verbsBelow: VerbSet
    /// Whether it would go on in a further line.
    package let isIncomplete: Bool

    private struct Binding {
        var bound: BoundCommand
        var problems: [Diagnostic]
    }

    /// By the offset of the verb.
    private let bindings = Mutex<[Int: Binding]>([:])

    package var source: SourceFile { program.source }
    package var statements: [Statement] { program.statements }

    package init(_ source: SourceFile, verbs: VerbSet, place: Parser.Place = .file) {
        let parse = Parser.parse(source, verbs: verbs, place: place, hint: ForeignWord.verb)
        program = parse.program
        diagnostics = parse.diagnostics.map { $0.located(in: source) }
        verbsAbove = verbs
        verbsBelow = parse.verbs
        isIncomplete = parse.isIncomplete
    }

    /// The command with its arguments in the slots of its verb, and what does not fit.
    /// - Parameters:
    ///   - owners: the verbs that have an option, for what is said of one that this verb lacks.
    /// - knows: whether a name can be read as a variable. A command whose binding depends on that is bound
    ///   anew each time.
    func bind(
        _ command: Command, _ declaration: VerbDeclaration, supply: Binder.Supply,
        owners: @escaping (String) -> [String],
        knows: @escaping (String) -> Bool
    ) -> (BoundCommand, [Diagnostic]) {
        let place = command.verb.span.lower
        if let known = bindings.withLock({ $0[place] }), known.bound.declaration === declaration {
            return (known.bound, known.problems)
        }
        var binder = Binder(owners: owners, knows: knows)
        let bound = binder.bind(command, declaration, supply: supply)
        if !binder.hasAsked {
            bindings.withLock { $0[place] = Binding(bound: bound, problems: binder.problems) }
        }
        return (bound, binder.problems)
    }
}
