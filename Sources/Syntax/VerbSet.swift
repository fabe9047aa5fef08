/// The verbs that a text may use: the reserved words of the parser. A `def` adds to it for the text below.
package struct VerbSet: Sendable, Equatable {
    private enum Entry: Sendable {
        case plain
        case withBlock
        case defined
    }

    private var entries: [String: Entry] = [:]

    package init() {}

    /// The verbs of the language: `plain` ones and those that declare a block (`sweep`, `each`, ...).
    package init(plain: some Sequence<String>, withBlock: some Sequence<String>) {
        for name in plain { entries[name] = .plain }
        for name in withBlock { entries[name] = .withBlock }
    }

    package func contains(_ name: String) -> Bool { entries[name] != nil }
    package func declaresBlock(_ name: String) -> Bool { entries[name] == .withBlock }
    /// Whether a `def` made the verb.
    package func isDefined(_ name: String) -> Bool { entries[name] == .defined }

    /// All verbs in alphabetical order.
    package var names: [String] { entries.keys.sorted() }

    /// Adds what a `def` defines. A verb of the language stays what it is.
    package mutating func define(_ name: String) {
        if entries[name] == nil { entries[name] = .defined }
    }

    /// Adds what another set has; a verb of the language stays what it is.
    package mutating func formUnion(_ other: VerbSet) { entries.merge(other.entries) { mine, _ in mine } }

    package mutating func remove(_ name: String) { entries[name] = nil }
}
