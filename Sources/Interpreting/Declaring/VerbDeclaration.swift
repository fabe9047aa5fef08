import Results

/// Everything about a verb, said once: parsing, checking, completion, hints, help, the reference pages and
/// the tests of the examples come from here.
package final class VerbDeclaration: Sendable {
    /// What may flow into the verb.
    package enum Input: Sendable {
        /// Nothing: the verb begins a pipeline.
        case none
        /// A table; text or a list of texts becomes one with the column `text`.
        case table
        /// Any value.
        case value
        /// A table if one is there; the verb can also begin a pipeline.
        case optional
    }

    /// The names that a block may use beside the variables; `it` is always there.
    package enum BlockNames: Sendable {
        case none
        case fixed([String])
        /// Those of the open slot: `k` in `sweep k=20,40 { ... }`.
        case open
        /// The columns of what flows in.
        case columns
        /// The columns of the table in that slot.
        case columnsOf(String)

        var areColumns: Bool {
            switch self {
            case .columns, .columnsOf: true
            case .none, .fixed, .open: false
            }
        }
    }

    /// How the columns of the result follow from those of the input, for the check before running.
    package enum Columns: Sendable {
        /// Nothing is known.
        case unknown
        /// Those of the input, and `adds`.
        case kept
        /// Only `adds`.
        case made
        /// `adds`, and whatever else a file or data set holds, but none that only verbs compute.
        case sourced
        /// Those that these slots name, and `adds`.
        case listed([String])
        /// Those of the block's value, and `adds`.
        case block
        /// What flows in or what the block gave, the block's `it` too.
        case looped
        /// Those of all tables in this slot, and `adds`.
        case stacked(String)
        /// It gives no table but a value of this kind.
        case other(ValueKind)

        /// Whether a block's `it` is what flows in, in every turn.
        var isStable: Bool { if case .unknown = self { false } else { true } }
    }

    /// A column that the verb cannot do without.
    package struct Read: Sendable {
        package var column: String
        /// The slot without which the column is not needed.
        package var slot: String?
        package var cure: String

        package init(_ column: String, with slot: String? = nil, cure: String) {
            self.column = column
            self.slot = slot
            self.cure = cure
        }

        package static let latent = Read("latent", cure: "put `encode COLUMN` or `noise of=N` before it")
    }

    package enum Family: String, Sendable, CaseIterable {
        case sources = "Where items come from"
        case diffusion = "Diffusion"
        case training = "Training"
        case tables = "Tables"
        case control = "Sweeps, turns and checks"
        case looking = "Ways to look"
    }

    package let name: String
    package let family: Family
    /// One sentence.
    package let summary: String
    package let input: Input
    /// Whether the value can be written as first argument at the head of a statement (`table runs`).
    package let takesInputAsArgument: Bool
    package let slots: [SlotDeclaration]
    package let hasBlock: Bool
    package let blockNames: BlockNames
    /// Columns of the result that the input need not have. A name in capitals stands for what the slot of
    /// that name says.
    package let adds: [String]
    /// Whether only one of `adds` comes, by what the input is.
    package let addsOneOf: Bool
    /// Whether a column of `adds` that is there already is replaced; else it is an error, for it would hide
    /// data.
    package let replaces: Bool
    package let columns: Columns
    package let reads: [Read]
    /// What else the user should know, a paragraph each.
    package var notes: [String] { makeNotes() }
    /// Only who asks for help needs them, and every start declares all verbs.
    private let makeNotes: @Sendable () -> [String]
    package let examples: [String]
    /// Changed whenever the same input and arguments would give another result.
    package let version: Int
    /// The files and folders that a use opens, by its words without a name, for verbs whose result depends on
    /// them.
    package let opens: (@Sendable ([String], Session) throws -> [String])?
    /// Whether it takes the variable `model` without naming it.
    package let readsModel: Bool
    /// Whether files may be there behind it that were not before.
    package let writesFiles: Bool
    /// Whether what it gives is to be read like a page, its lines broken to the width that there is.
    package let givesProse: Bool
    /// What it computes item by item, by the names that plans and counts have for it: progress, a stop,
    /// plans, times and the cache are tested for each.
    package let computes: [String]
    /// Throws a complaint about what is written out and cannot work, before anything runs.
    package let checks: (@Sendable (VerbUse) throws -> Void)?
    /// The value that a use surely gives, where `checks` has made it already.
    package let known: (@Sendable (VerbUse) -> Value?)?
    package let run: @Sendable (Invocation) throws -> Value

    /// What a use opens, by the verb and its words, or by an option: as the keys of a notebook's cells name
    /// it.
    func openings(_ arguments: Arguments) -> [String] {
        guard !writesFiles else { return [] }
        let words = slots.filter { $0.place == .positional }.compactMap { arguments.word($0.name) }
        let options = slots.compactMap { slot -> String? in
            guard slot.place == .named, case .path = slot.kind, let path = arguments.word(slot.name) else {
                return nil
            }
            return "\(name) \(slot.name)=\(path)"
        }
        return (opens == nil ? [] : [([name] + words).joined(separator: " ")]) + options
    }

    package init(
        _ name: String, _ family: Family, _ summary: String, input: Input, asArgument: Bool = false,
        slots: [any DeclaresSlot] = [],
        block: Bool = false, blockNames: BlockNames = .none, adds: [String] = [], addsOneOf: Bool = false,
        replaces: Bool = false,
        notes: @autoclosure @escaping @Sendable () -> [String] = [],
        columns: Columns = .unknown, reads: [Read] = [], examples: [String], givesProse: Bool = false,
        computes: [String] = [], version: Int = 1,
        opens: (@Sendable ([String], Session) throws -> [String])? = nil,
        readsModel: Bool = false, writesFiles: Bool = false,
        checks: (@Sendable (VerbUse) throws -> Void)? = nil, known: (@Sendable (VerbUse) -> Value?)? = nil,
        run: @escaping @Sendable (Invocation) throws -> Value
    ) {
        self.name = name
        self.family = family
        self.summary = summary
        self.input = input
        self.takesInputAsArgument = asArgument
        self.slots = slots.map(\.declaration)
        self.hasBlock = block
        self.blockNames = blockNames
        self.adds = adds
        self.addsOneOf = addsOneOf
        self.replaces = replaces
        makeNotes = notes
        self.columns = columns
        self.reads = reads
        self.examples = examples
        self.version = version
        self.opens = opens
        self.givesProse = givesProse
        self.computes = computes
        self.checks = checks
        self.known = known
        self.readsModel = readsModel || family == .diffusion
        self.writesFiles = writesFiles
        self.run = run
    }

    package func slot(_ name: String) -> SlotDeclaration? { slots.first { $0.name == name } }
    package var positional: [SlotDeclaration] { slots.filter { $0.place == .positional } }
    package var named: [SlotDeclaration] { slots.filter { $0.place == .named } }
    func slot(_ role: SlotDeclaration.Role) -> SlotDeclaration? { slots.first { $0.role == role } }
    package var open: SlotDeclaration? { slots.first { $0.place == .open } }

    /// `noise [K] of=N [left=] [seed=0] ...`
    package var usage: String {
        ([name] + slots.map(\.usage) + (hasBlock ? ["{ ... }"] : [])).joined(separator: " ")
    }
}
