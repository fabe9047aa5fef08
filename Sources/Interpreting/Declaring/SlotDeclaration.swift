import Results

/// What is said of one thing that a verb can be told; the binder, the checker, completion, hints and help
/// read it from here.
package struct SlotDeclaration: DeclaresSlot {
    package enum Kind: Sendable {
        /// A finite number; `whole` refuses fractions.
        case number(whole: Bool)
        case boolean
        /// A value that must be text, written in quotes.
        case text
        /// Raw text: a name, a path. Brackets or quotes make it a value.
        case name
        case path
        /// Raw text, one of these.
        case choice([String])
        /// Raw text naming a column of the input.
        case column
        /// Raw texts naming columns, separated by spaces or commas.
        case columns
        /// A number, or raw text naming a column.
        case columnOrNumber
        /// A list of values; a single value is a list of one.
        case list
        /// Any value: a variable, a literal, a pipeline in brackets.
        case value
        case table
        case model
        /// Evaluated once per row of the input, to what has an order.
        case expression
        /// Evaluated once per row of the input, to yes or no.
        case condition
        /// Evaluated once, to yes or no.
        case claim
        /// A condition asked of the values and of every replicate of its measures.
        case verdict
        /// `WIDTHxHEIGHT`, or one number for both.
        case size
        /// Any number of `NAME=(expression)`, evaluated per row.
        case assignments
        /// Any number of `NAME=LIST`.
        case lists
        /// Any number of names of variables, each a table: raw, because the names are wanted too.
        case tables
    }

    package enum Place: Sendable {
        /// By position only.
        case positional
        /// As `NAME=` only.
        case named
        /// Takes all arguments that no other slot takes (`assignments`, `lists`).
        case open
    }

    /// What a slot does to the command's result or to how it runs, beyond what its verb makes of it.
    package enum Role: Sendable, Equatable {
        /// Names the column of the result, or what the names of several begin with: `as=`.
        case namesResult
        /// Where it is filled, the result has a column of that name with numbers, and a block a variable.
        case addsColumn(String)
        /// Where this word stands in it, failures in the block are left out.
        case skipsErrors(String)
        /// Holds the table whose columns come beside those of the input.
        case otherTable
        /// Names columns that both tables have, and that stand once.
        case sharedColumns
    }

    package let name: String
    package let kind: Kind
    package let place: Place
    /// What it does, as half a sentence for the help page.
    package let summary: String
    package let isRequired: Bool
    package let repeats: Bool
    /// As written in the language; nil if leaving it out means something that no value says.
    package let standard: String?
    package let range: ClosedRange<Double>?
    /// Another slot whose number this one cannot exceed.
    package let atMost: String?
    package let role: Role?
    /// Words that suit it, for completion, beside what its kind tells.
    package var suggestions: (@Sendable (Session) -> [String])?
    /// The words of another slot beside which this one means something; nil where it always does.
    package var taker: (slot: String, words: [String])?

    package var declaration: SlotDeclaration { self }

    @usableFromInline init(
        _ name: String, _ kind: Kind, _ place: Place = .named, required: Bool = false, repeats: Bool = false,
        standard: String? = nil,
        in range: ClosedRange<Double>? = nil, atMost: String? = nil, role: Role? = nil, _ summary: String
    ) {
        self.name = name
        self.kind = kind
        self.place = place
        self.isRequired = required
        self.repeats = repeats
        self.standard = standard
        self.range = range
        self.atMost = atMost
        self.role = role
        self.summary = summary
    }

    /// Whether the binder reads the characters as they stand.
    package var isRaw: Bool {
        switch kind {
        case .name, .path, .choice, .column, .columns, .columnOrNumber, .size, .tables: true
        default: false
        }
    }

    /// Whether it names columns of what flows in.
    package var namesColumns: Bool {
        switch kind {
        case .column, .columns, .columnOrNumber: true
        default: false
        }
    }

    /// Whether names in it are columns first and variables second.
    package var isPerRow: Bool {
        switch kind {
        case .expression, .condition, .assignments: true
        default: false
        }
    }

    /// Whether it is asked once for yes or no.
    var isAsked: Bool {
        switch kind {
        case .claim, .verdict: true
        default: false
        }
    }

    /// As it stands in a usage line: `[K]`, `of=N`, `[scheduler=]`.
    package var usage: String {
        let core: String
        switch (place, kind) {
        case (.open, .assignments): core = "NAME=(expr) ..."
        case (.open, _): core = "NAME=LIST ..."
        case (.positional, _): core = name.uppercased() + (repeats ? " ..." : "")
        case (.named, .choice(let choices)): core = name + "=" + (standard ?? choices.joined(separator: "|"))
        case (.named, _): core = name + "=" + (standard ?? "")
        }
        return isRequired ? core : "[" + core + "]"
    }

    /// What it takes, in words: "a whole number from 1 to 1000".
    package var typePhrase: String {
        let base: String
        switch kind {
        case .number(let whole): base = whole ? "a whole number" : "a number"
        case .boolean: base = "yes or no"
        case .text: base = "text in quotes"
        case .name: base = "a name"
        case .path: base = "a path"
        case .choice(let choices): base = "one of " + choices.joined(separator: ", ")
        case .column: base = "the name of a column"
        case .columns: base = "names of columns"
        case .columnOrNumber:
            return "a number" + bounds + (range == nil ? " or one column" : ", or one column")
        case .list: base = "a list"
        case .value: base = "a value"
        case .table: base = "a table"
        case .model: base = "a model"
        case .expression: base = "an expression, evaluated for each row"
        case .condition: base = "a condition, evaluated for each row"
        case .claim, .verdict: base = "a condition"
        case .size: base = "WIDTHxHEIGHT in pixels"
        case .assignments: base = "columns, each by an expression in brackets"
        case .lists: base = "lists, each with a name"
        case .tables: base = "variables that hold tables"
        }
        return base + bounds
    }

    /// " from 1 to 64"
    private var bounds: String {
        guard let range else { return "" }
        if range.upperBound == .infinity { return " of at least \(NumberFormat.plain(range.lowerBound))" }
        return " from \(NumberFormat.plain(range.lowerBound)) to \(NumberFormat.plain(range.upperBound))"
    }

    /// What to say where it stands beside a word that it means nothing to; nil where it may.
    func refusal(beside word: String, of verb: VerbDeclaration) -> Complaint? {
        guard let taker, !taker.words.contains(word) else { return nil }
        return Complaint(
            .unknownOption, "`\(verb.name) \(word)` has no option `\(name)`",
            label: "for " + taker.words.map { "`\(verb.name) \($0)`" }.joined(separator: ", "))
    }
}
