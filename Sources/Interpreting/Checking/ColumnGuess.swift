import Results

/// What the check before running knows of a table's columns. It never says that a column is missing where it
/// could be there.
struct ColumnGuess: Equatable {
    /// Every column that the table can have; nil where others are possible.
    private var names: Names?
    /// Where others are possible: those that are surely not among them.
    private var lacking: Set<String> = []
    /// Where others are possible: those that are likely, for completion.
    private var likely = Names()
    /// Those that are surely there.
    private var sure: Set<String> = []
    /// Of some of those, what their values are.
    private var kinds: [String: KindGuess] = [:]

    /// Names in their order, each once: of 20,000 columns each is asked for.
    private struct Names: Equatable {
        private(set) var list: [String] = []
        private var known: Set<String> = []

        init() {}
        init(_ names: some Sequence<String>) { for name in names { append(name) } }

        func contains(_ name: String) -> Bool { known.contains(name) }
        mutating func append(_ name: String) { if known.insert(name).inserted { list.append(name) } }

        static func + (a: Names, b: Names) -> Names {
            var both = a
            for name in b.list { both.append(name) }
            return both
        }

        static func == (a: Names, b: Names) -> Bool { a.list == b.list }
    }

    /// Nothing is known.
    static let unknown = ColumnGuess(names: nil)

    /// No more than these.
    init(only names: [String], kinds: [String: KindGuess] = [:]) {
        self.names = Names(names)
        self.kinds = kinds
        sure = Set(names)
    }

    /// Those of a table that is there.
    init(of table: Table) {
        let kinds = table.columns.map { ($0.name, KindGuess($0.values)) }
        self.init(
            only: table.columns.map(\.name),
            kinds: Dictionary(kinds.compactMap { name, kind in kind.map { (name, $0) } }) { first, _ in first
            })
    }

    /// Any, but for those that only verbs compute.
    init(anyBut lacking: Set<String>) {
        names = nil
        self.lacking = lacking
    }

    private init(names: Names?) { self.names = names }

    var certain: [String] { sure.sorted() }

    func surelyHas(_ name: String) -> Bool { sure.contains(name) }

    /// What the values of a column are that is surely there.
    func kind(of name: String) -> KindGuess? {
        if name == Table.itemName { return kinds[name] ?? .one(.number) }
        return surelyHas(name) ? kinds[name] : nil
    }

    /// The rows of a group as its expressions see them: what the groups do not agree in are lists.
    func folded(_ keys: [String]) -> ColumnGuess {
        var result = self
        for name in kinds.keys where !keys.contains(name) { result.kinds[name] = kinds[name]?.listed }
        if !keys.contains(Table.itemName) { result.kinds[Table.itemName] = .list(.number) }
        return result
    }

    /// No more than these of its columns.
    func selecting(_ names: [String]) -> ColumnGuess {
        ColumnGuess(
            only: names,
            kinds: Dictionary(names.compactMap { name in kind(of: name).map { (name, $0) } }) { first, _ in
                first
            })
    }

    func lacks(_ name: String) -> Bool { name != Table.itemName && names?.contains(name) == false }

    /// Whether the column is not there as a verb computes it; a file may have a column of that name, but not
    /// of that kind.
    func lacksComputed(_ name: String) -> Bool { lacks(name) || lacking.contains(name) }

    /// Whether neither `name` nor any `name.*` can be there.
    func lacksAll(under name: String) -> Bool {
        lacks(name) && names?.list.contains(where: Self.isUnder(name)) != true
    }

    private static func isUnder(_ name: String) -> (String) -> Bool {
        let prefix = name + "."
        return { $0.hasPrefix(prefix) }
    }

    /// Whether no beginning of a dotted name, nor anything under it, can be a column.
    func lacksLongest(_ parts: [String]) -> Bool {
        lacks(parts.joined(separator: "."))
            && parts.indices.allSatisfy { lacks(parts[...$0].joined(separator: ".")) }
    }

    /// The names that a row's columns have as variables: `near` for `near.image`; nil where there can be
    /// others.
    var variables: [String]? {
        guard let names = names?.list else { return nil }
        let records = names.compactMap { name in name.firstIndex(of: ".").map { String(name[..<$0]) } }
        return [Table.itemName] + names + records
    }

    /// What a table has that is one of the two, or both stacked.
    func merged(with other: ColumnGuess) -> ColumnGuess {
        var result = self
        if let mine = names, let others = other.names {
            result.names = mine + others
        } else {
            // A column is surely lacking where neither can have it.
            result.names = nil
            result.likely = (names ?? likely) + (other.names ?? other.likely)
            result.lacking = lacking.union(other.lacking).filter {
                lacksComputed($0) && other.lacksComputed($0)
            }
        }
        result.sure = sure.intersection(other.sure)
        result.kinds = kinds.filter { other.kinds[$0.key] == $0.value }
        return result
    }

    /// The columns of `other` come to these, each behind `prefix`.
    mutating func add(_ other: ColumnGuess, prefix: String, computed: Set<String>) {
        if let others = other.names {
            for name in others.list {
                add(prefix + name, surely: other.surelyHas(name), kind: other.kinds[name])
            }
        } else {
            addOthers(but: prefix.isEmpty ? other.lacking : computed)
            for name in other.likely.list {
                add(prefix + name, surely: other.surelyHas(name), kind: other.kinds[name])
            }
        }
    }

    mutating func add(_ name: String, surely: Bool = true, kind: KindGuess? = nil) {
        if surely { sure.insert(name) }
        kinds[name] = kind
        names?.append(name)
        if names == nil { likely.append(name) }
        lacking.remove(name)
    }

    /// Others may have come, but for those of `computed` that were not there.
    mutating func addOthers(but computed: Set<String>) {
        guard let known = names else { return }
        names = nil
        lacking = computed.subtracting(known.list)
        likely = known
    }

    /// For completion.
    var suggested: [String] { [Table.itemName] + (names ?? likely).list }

    /// For messages and suggestions.
    var listed: [String] { names.map { [Table.itemName] + $0.list } ?? [] }

    var summary: String {
        guard names != nil else { return "nothing before it makes one" }
        return "the table has "
            + (listed.count > 12
                ? listed.prefix(12).joined(separator: ", ") + ", ..." : listed.joined(separator: ", "))
    }
}

extension VerbRegistry {
    /// Columns that some verb reads and that no file or data set holds.
    var computedColumns: Set<String> { Set(all.flatMap { $0.reads.map(\.column) }) }
}

extension VerbDeclaration {
    /// What is known of the command's result.
    /// - Parameter open: of the open slot's names, the kinds of the columns that they make.
    func value(
        of bound: BoundCommand, input: ValueGuess, slots: [String: ValueGuess], open: [String: KindGuess],
        block: ValueGuess, computed: Set<String>
    ) -> ValueGuess {
        if case .other(let kind) = columns { return .kind(kind) }
        if case .looped = columns { return input.merged(with: block) }
        return columns(
            of: bound, input: input.columns, slots: slots, open: open, block: block.columns,
            computed: computed
        ).map { .table($0) } ?? .unknown
    }

    /// The columns that the command adds to what it keeps.
    func newColumns(
        of bound: BoundCommand, slots: [String: ValueGuess], open: [String: KindGuess] = [:],
        computed: Set<String>
    ) -> ColumnGuess {
        var result = ColumnGuess(only: [])
        let prefix = bound.raw(.namesResult) ?? slot(.namesResult)?.standard
        for name in adds {
            if name == "AS.*" {
                // All of the other table's, as they are or behind the name that `as` gives.
                result.add(
                    slot(.otherTable).flatMap { slots[$0.name] }?.columns ?? .unknown,
                    prefix: prefix.map { $0 + "." } ?? "", computed: computed)
            } else if name == "NAME" {
                for (name, _) in bound.open { result.add(name.text, kind: open[name.text]) }
            } else if name == "AS" || name.hasPrefix("AS.") {
                if let prefix { result.add(prefix + name.dropFirst(2)) }
            } else {
                // Under the name that `as` gives, the column comes in this one's place.
                result.add(name, surely: !addsOneOf && bound.filled(.namesResult) == nil)
            }
        }
        if let name = bound.raw(.namesResult), !adds.contains(where: { $0.hasPrefix("AS.") }) {
            result.add(name)
        }
        for column in bound.addedByOptions { result.add(column, kind: .one(.number)) }
        return result
    }

    /// The columns of what the command gives; nil where it may give no table.
    private func columns(
        of bound: BoundCommand, input: ColumnGuess, slots: [String: ValueGuess], open: [String: KindGuess],
        block: ColumnGuess, computed: Set<String>
    ) -> ColumnGuess? {
        var result: ColumnGuess
        switch columns {
        case .unknown, .other, .looped: return nil
        case .kept: result = input
        case .made: result = ColumnGuess(only: [])
        case .sourced: result = ColumnGuess(anyBut: computed)
        case .block: result = block
        case .stacked(let slot): result = slots[slot]?.columns ?? .unknown
        case .listed(let slots):
            var names: [String] = []
            for part in slots.compactMap({ bound.filled($0) }).flatMap(\.parts) {
                guard case .raw(let items) = part else { return .unknown }
                names += items.map(\.column)
            }
            result = input.selecting(names)
        }
        // A name in quotes or brackets can be any.
        if bound.filled(.namesResult) != nil, bound.raw(.namesResult) == nil { return .unknown }
        result.add(
            newColumns(of: bound, slots: slots, open: open, computed: computed), prefix: "",
            computed: computed)
        return result
    }
}

extension BoundCommand {
    /// The words in a slot that takes words.
    func raws(_ slot: String) -> [String] {
        (filled(slot)?.parts ?? []).flatMap { part -> [String] in
            guard case .raw(let items) = part else { return [] }
            return items.map(\.column)
        }
    }

    func raws(_ role: SlotDeclaration.Role) -> [String] { filled(role).map { raws($0.slot.name) } ?? [] }

    /// The columns that come because an option is there.
    var addedByOptions: [String] {
        filled.compactMap { if case .addsColumn(let column)? = $0.slot.role { column } else { nil } }
    }

    /// Whether failures in the block are left out.
    var skipsErrors: Bool {
        filled.contains { filled in
            if case .skipsErrors(let word)? = filled.slot.role { raw(filled) == word } else { false }
        }
    }

    func raw(_ role: SlotDeclaration.Role) -> String? { filled(role).flatMap(raw) }

    /// What stands in a slot, where it is one run of plain characters.
    func raw(_ filled: Filled) -> String? {
        guard filled.parts.count == 1, case .raw(let items) = filled.parts[0], items.count == 1 else {
            return nil
        }
        return items[0].raw
    }
}
