import Results

/// What the check before running knows of a table's columns. It never says that a column is missing where it could be there.
struct ColumnGuess {
    /// Every column that the table can have; nil where others are possible.
    private var names: [String]?
    /// Where others are possible: those that are surely not among them.
    private var lacking: Set<String> = []

    /// Nothing is known.
    static let unknown = ColumnGuess(names: nil)

    /// No more than these.
    init(only names: [String]) { self.names = names }

    /// Any, but for those that only verbs compute.
    init(anyBut lacking: Set<String>) {
        names = nil
        self.lacking = lacking
    }

    private init(names: [String]?) { self.names = names }

    func lacks(_ name: String) -> Bool { name != Table.itemName && names?.contains(name) == false }

    /// Whether the column is not there as a verb computes it; a file may have a column of that name, but not of that kind.
    func lacksComputed(_ name: String) -> Bool { lacks(name) || lacking.contains(name) }

    /// Whether neither `name` nor any `name.*` can be there.
    func lacksAll(under name: String) -> Bool {
        lacks(name) && names?.contains { $0.hasPrefix(name + ".") } != true
    }

    mutating func add(_ name: String) {
        if names?.contains(name) == false { names?.append(name) }
        lacking.remove(name)
    }

    /// Others may have come, but for those of `computed` that were not there.
    mutating func addOthers(but computed: Set<String>) {
        guard let known = names else { return }
        names = nil
        lacking = computed.subtracting(known)
    }

    /// For messages and suggestions.
    var listed: [String] { names.map { [Table.itemName] + $0 } ?? [] }

    var summary: String {
        guard names != nil else { return "nothing before it makes one" }
        return "the table has " + (listed.count > 12 ? listed.prefix(12).joined(separator: ", ") + ", ..." : listed.joined(separator: ", "))
    }
}

extension VerbRegistry {
    /// Columns that some verb reads and that no file or data set holds.
    var computedColumns: Set<String> { Set(all.flatMap { $0.reads.map(\.column) }) }
}

extension VerbDeclaration {
    /// The columns of what the command gives.
    func columns(of bound: BoundCommand, input: ColumnGuess, block: ColumnGuess, computed: Set<String>) -> ColumnGuess {
        var result: ColumnGuess
        switch columns {
        case .unknown: return .unknown
        case .kept: result = input
        case .made: result = ColumnGuess(only: [])
        case .sourced: result = ColumnGuess(anyBut: computed)
        case .block: result = block
        case .listed(let slots):
            var names: [String] = []
            for part in slots.compactMap({ bound.filled($0) }).flatMap(\.parts) {
                guard case .raw(let items) = part else { return .unknown }
                names += items.map(\.column)
            }
            result = ColumnGuess(only: names)
        }
        let prefix = bound.raw("as") ?? slot("as")?.standard
        for name in adds {
            if name.hasSuffix("*") {
                result.addOthers(but: computed)
            } else if name == "NAME" {
                for (name, _) in bound.open { result.add(name.text) }
            } else if name == "AS" || name.hasPrefix("AS.") {
                if let prefix { result.add(prefix + name.dropFirst(2)) }
            } else {
                result.add(name)
            }
        }
        if let name = bound.raw("as") { result.add(name) }
        if bound.filled("repeat") != nil { result.add("repeat") }
        if bound.filled("every") != nil { result.add("left") }
        return result
    }
}

extension BoundCommand {
    /// What stands in a slot, where it is one run of plain characters.
    func raw(_ slot: String) -> String? {
        guard let filled = filled(slot), filled.parts.count == 1, case .raw(let items) = filled.parts[0], items.count == 1 else { return nil }
        return items[0].raw
    }
}
