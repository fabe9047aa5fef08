import Results
import SourceText

/// One use of a verb at run time.
package struct Invocation {
    package let verb: VerbDeclaration
    /// What flows in; for verbs that take a table, text has become one already.
    package let input: Value?
    package let arguments: Arguments
    package let block: BoundBlock?
    package let session: Session
    /// A variable that the command can see; `model` is the one that verbs ask for.
    package let variable: (String) -> Value?
    /// The statement's command as written, for recipes of verbs with blocks.
    package let source: String

    package init(
        verb: VerbDeclaration, input: Value?, arguments: Arguments, block: BoundBlock?, session: Session,
        source: String,
        variable: @escaping (String) -> Value?
    ) {
        self.verb = verb
        self.input = input
        self.arguments = arguments
        self.block = block
        self.session = session
        self.source = source
        self.variable = variable
    }

    /// The input of a verb that declares `.table`.
    package func table() throws -> Table {
        guard case .table(let table) = input else {
            throw Complaint(
                .missingInput, "`\(verb.name)` needs a table to work on", label: "nothing flows in here",
                help: "begin the pipeline with a table: `t | \(verb.name)`")
        }
        return table
    }

    /// What stands in a slot, or its default.
    @inlinable package subscript<Content>(slot: Slot<Content>) -> Content { arguments[slot] }

    /// Whether the user wrote it.
    package func gives(_ slot: some DeclaresSlot) -> Bool { arguments.gives(slot) }

    /// The column, or an error that says what would make it.
    package func column(_ name: String, of table: Table, slot: String? = nil, cure: String? = nil) throws
        -> Column
    {
        if let column = table.column(name) { return column }
        throw Complaint.missingColumn(
            name, for: verb, label: "the table has " + listing(table.columnNames), slot: slot,
            help: cure ?? Suggestion.question(for: name, in: table.columnNames))
    }

    /// How this use stands in the recipes of the rows it made.
    package func step(remark: String? = nil, extra: [String] = []) -> RecipeStep {
        RecipeStep(verb: verb.name, arguments: arguments.written + extra, remark: remark)
    }

    private func listing(_ names: [String]) -> String {
        names.count > 12 ? names.prefix(12).joined(separator: ", ") + ", ..." : names.joined(separator: ", ")
    }
}
