import Results

/// What a slot takes and what the verb's body gets of it: `.whole` takes a number without a fraction and
/// gives an `Int`.
package struct SlotKind<Content>: Sendable {
    @usableFromInline let declared: SlotDeclaration.Kind
    /// The content as the body gets it; nil of what the declaration lets nobody write there.
    @usableFromInline let read: @Sendable (SlotValue) -> Content?
    /// A default as the language writes it; nil of one that no words say, such as an empty list.
    @usableFromInline let written: @Sendable (Content) -> String?

    @inlinable init(
        _ declared: SlotDeclaration.Kind, written: @escaping @Sendable (Content) -> String? = { _ in nil },
        read: @escaping @Sendable (SlotValue) -> Content?
    ) {
        self.declared = declared
        self.read = read
        self.written = written
    }
}

extension SlotKind where Content == Double {
    @inlinable package static var number: Self {
        Self(.number(whole: false), written: NumberFormat.decimal) { $0.number }
    }
}

extension SlotKind where Content == Int {
    @inlinable package static var whole: Self {
        Self(.number(whole: true), written: String.init) { $0.number.flatMap(Int.init(exactly:)) }
    }
}

extension SlotKind where Content == Bool {
    @inlinable package static var boolean: Self {
        Self(.boolean, written: { $0 ? "yes" : "no" }) { $0.truth }
    }
    /// A condition that is asked once.
    @inlinable package static var claim: Self { Self(.claim) { $0.truth } }
}

extension SlotKind where Content == String {
    @inlinable package static var text: Self { Self(.text, written: { "\"\($0)\"" }) { $0.text } }
    @inlinable package static var name: Self { Self(.name, written: { $0 }) { $0.text } }
    @inlinable package static var path: Self { Self(.path, written: { $0 }) { $0.text } }
    @inlinable package static var column: Self { Self(.column, written: { $0 }) { $0.text } }
    /// One of some words that are known only when the program runs.
    @inlinable package static func choice(_ words: [String]) -> Self {
        Self(.choice(words), written: { $0 }) { $0.text }
    }
}

extension SlotKind where Content: CaseIterable & RawRepresentable & Sendable, Content.RawValue == String {
    /// One of the cases, by its word.
    @inlinable package static func choice(_ cases: Content.Type) -> Self {
        Self(.choice(cases.allCases.map(\.rawValue)), written: \.rawValue) { $0.text.flatMap(Content.init) }
    }
}

extension SlotKind where Content == [String] {
    @inlinable package static var columns: Self { Self(.columns) { $0.names } }
    @inlinable package static func choices(_ words: [String]) -> Self { Self(.choice(words)) { $0.names } }
}

extension SlotKind {
    /// Some of the cases, by their words.
    @inlinable package static func choices<Case: CaseIterable & RawRepresentable & Sendable>(
        _ cases: Case.Type
    ) -> Self
    where Content == [Case], Case.RawValue == String {
        Self(.choice(cases.allCases.map(\.rawValue))) { $0.names?.compactMap(Case.init) }
    }
}

extension SlotKind where Content == ColumnOrCount {
    @inlinable package static var columnOrCount: Self {
        Self(.columnOrNumber) { content in
            content.number.flatMap(Int.init(exactly:)).map { .count($0) } ?? content.text.map { .column($0) }
        }
    }
}

extension SlotKind where Content == PixelSize {
    @inlinable package static var size: Self {
        Self(.size) { content in
            guard case .value(.list(let sides)) = content, sides.count == 2,
                case .number(let width) = sides[0],
                case .number(let height) = sides[1]
            else { return nil }
            return PixelSize(width: Int(width), height: Int(height))
        }
    }
}

extension SlotKind where Content == [Value] {
    @inlinable package static var list: Self {
        Self(.list) { content in
            guard case .value(let value) = content else { return nil }
            return if case .list(let values) = value { values } else { [value] }
        }
    }
}

extension SlotKind where Content == Value {
    @inlinable package static var value: Self {
        Self(.value) { if case .value(let value) = $0 { value } else { nil } }
    }
}

extension SlotKind where Content == Table {
    @inlinable package static var table: Self {
        Self(.table) { if case .value(.table(let table)) = $0 { table } else { nil } }
    }
}

extension SlotKind where Content == any ModelHandle {
    @inlinable package static var model: Self {
        Self(.model) { if case .value(.model(let model)) = $0 { model } else { nil } }
    }
}

extension SlotKind where Content == RowExpression {
    @inlinable package static var expression: Self {
        Self(.expression) { if case .perRow(let expression) = $0 { expression } else { nil } }
    }
    @inlinable package static var condition: Self {
        Self(.condition) { if case .perRow(let expression) = $0 { expression } else { nil } }
    }
}

extension SlotKind where Content == Verdict {
    @inlinable package static var verdict: Self {
        Self(.verdict) { if case .verdict(let verdict) = $0 { verdict } else { nil } }
    }
}

extension SlotKind where Content == [(name: String, expression: RowExpression)] {
    @inlinable package static var assignments: Self {
        Self(.assignments) { if case .assignments(let all) = $0 { all } else { nil } }
    }
}

extension SlotKind where Content == [(name: String, values: [Value])] {
    @inlinable package static var lists: Self {
        Self(.lists) { if case .lists(let all) = $0 { all } else { nil } }
    }
}

extension SlotKind where Content == [(name: String, table: Table)] {
    @inlinable package static var tables: Self {
        Self(.tables) { if case .tables(let all) = $0 { all } else { nil } }
    }
}

/// What a slot takes that names a column or counts.
package enum ColumnOrCount: Sendable {
    case column(String)
    case count(Int)
}

/// The size of a picture in pixels.
package struct PixelSize: Sendable {
    package let width: Int
    package let height: Int
}

extension SlotValue {
    @usableFromInline var number: Double? {
        if case .value(.number(let number)) = self { number } else { nil }
    }
    @usableFromInline var truth: Bool? { if case .value(.boolean(let truth)) = self { truth } else { nil } }

    /// A name, path, choice, column or text.
    @usableFromInline var text: String? {
        switch self {
        case .name(let name): name
        case .value(.text(let text)): text
        default: nil
        }
    }

    @usableFromInline var names: [String]? {
        switch self {
        case .names(let names): names
        case .name(let name): [name]
        default: nil
        }
    }
}
