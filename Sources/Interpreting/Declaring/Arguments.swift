import Results
import Syntax

/// The resolved arguments of one use of a verb, by slot. What the declaration says has been checked: required slots are there,
/// kinds and ranges fit, defaults are filled in.
package struct Arguments {
    @usableFromInline var bySlot: [String: SlotValue]
    /// Slots that the user wrote, as opposed to defaults.
    package let given: Set<String>
    /// As they stand in a recipe: `of=70`, in the order of the declaration; defaults included where the slot has one.
    package let written: [String]

    package init(_ bySlot: [String: SlotValue], given: Set<String>, written: [String]) {
        self.bySlot = bySlot
        self.given = given
        self.written = written
    }

    @inlinable package subscript<Content>(slot: Slot<Content>) -> Content { slot.content(of: bySlot[slot.name]) }

    /// Whether the user wrote it.
    package func gives(_ slot: some DeclaresSlot) -> Bool { given.contains(slot.declaration.name) }

    package func value(_ slot: String) -> Value? {
        switch bySlot[slot] {
        case .value(let value): value
        case .name(let name): .text(name)
        default: nil
        }
    }

    package func number(_ slot: String) -> Double? {
        if case .value(.number(let number)) = bySlot[slot] { number } else { nil }
    }

    /// A whole number; the binder has checked that it is one and fits.
    package func integer(_ slot: String) -> Int? { number(slot).flatMap { Int(exactly: $0) } }

    package func boolean(_ slot: String) -> Bool? {
        if case .value(.boolean(let truth)) = bySlot[slot] { truth } else { nil }
    }

    /// A name, path, choice, column or text.
    package func text(_ slot: String) -> String? {
        switch bySlot[slot] {
        case .name(let name): name
        case .value(.text(let text)): text
        default: nil
        }
    }

    package func names(_ slot: String) -> [String]? {
        switch bySlot[slot] {
        case .names(let names): names
        case .name(let name): [name]
        default: nil
        }
    }

    package func list(_ slot: String) -> [Value]? {
        switch bySlot[slot] {
        case .value(.list(let values)): values
        case .value(let value): [value]
        default: nil
        }
    }

    package func table(_ slot: String) -> Table? {
        if case .value(.table(let table)) = bySlot[slot] { table } else { nil }
    }

    package func verdict(_ slot: String) -> Verdict? {
        if case .verdict(let verdict) = bySlot[slot] { verdict } else { nil }
    }

    package func perRow(_ slot: String) -> RowExpression? {
        if case .perRow(let expression) = bySlot[slot] { expression } else { nil }
    }

    package func assignments(_ slot: String) -> [(name: String, expression: RowExpression)] {
        if case .assignments(let list) = bySlot[slot] { list } else { [] }
    }

    package func lists(_ slot: String) -> [(name: String, values: [Value])] {
        if case .lists(let list) = bySlot[slot] { list } else { [] }
    }

    package func tables(_ slot: String) -> [(name: String, table: Table)] {
        if case .tables(let list) = bySlot[slot] { list } else { [] }
    }
}

/// An expression that sees the columns of a row before the variables.
package struct RowExpression {
    /// As written, for recipes and headings.
    package let source: String
    private let body: (Table, Int) throws -> Value

    package init(source: String, body: @escaping (Table, Int) throws -> Value) {
        self.source = source
        self.body = body
    }

    package func callAsFunction(_ table: Table, row: Int) throws -> Value { try body(table, row) }
}

/// The `{ ... }` of a verb: runs with `it` and further names bound, and gives the value of its last statement.
package struct BoundBlock {
    private let block: Block
    private let body: (Value?, [(name: String, value: Value)]) throws -> Value

    init(_ block: Block, body: @escaping (Value?, [(name: String, value: Value)]) throws -> Value) {
        self.block = block
        self.body = body
    }

    /// The names that it may read.
    package var names: Set<String> { Mentions(block).names }

    package func callAsFunction(it: Value?, _ bindings: [(name: String, value: Value)] = []) throws -> Value {
        try body(it, bindings)
    }
}
