import Results

/// Something that declares a slot of a verb, whatever the body gets of it.
package protocol DeclaresSlot: Sendable {
    var declaration: SlotDeclaration { get }
}

/// One thing that a verb can be told, as its body reads it: `invocation[slot]` is the content in the type of
/// the slot's kind, with the declared default where nothing was written. A slot without a default that is not
/// required gives an optional.
package struct Slot<Content>: DeclaresSlot {
    package let declaration: SlotDeclaration
    @usableFromInline let read: @Sendable (SlotValue) -> Content?
    /// The content where nothing is written, given what the other slots hold; nil of a slot that is required.
    @usableFromInline let absent: @Sendable (Arguments) -> Content?

    @inlinable package var name: String { declaration.name }
    package var summary: String { declaration.summary }

    /// The content of what stands in the slot.
    @inlinable func content(in arguments: Arguments) -> Content {
        if let value = arguments.bySlot[name], let content = read(value) { return content }
        guard let content = absent(arguments) else {
            preconditionFailure("`\(name)` is required, and nothing that suits it was bound")
        }
        return content
    }

    @inlinable init(
        _ declaration: SlotDeclaration, absent: @escaping @Sendable (Arguments) -> Content?,
        read: @escaping @Sendable (SlotValue) -> Content?
    ) {
        (self.declaration, self.absent, self.read) = (declaration, absent, read)
    }
}

extension Slot {
    /// With a default.
    @inlinable package init(
        _ name: String, _ kind: SlotKind<Content>, _ place: SlotDeclaration.Place = .named,
        default content: Content, repeats: Bool = false,
        in range: ClosedRange<Double>? = nil, atMost: String? = nil, role: SlotDeclaration.Role? = nil,
        _ summary: String
    ) where Content: Sendable {
        let declaration = SlotDeclaration(
            name, kind.declared, place, repeats: repeats, standard: kind.written(content), in: range,
            atMost: atMost, role: role, summary)
        self.init(declaration, absent: { _ in content }, read: kind.read)
    }

    /// With a default that follows from what another slot holds.
    @inlinable package init<Other>(
        _ name: String, _ kind: SlotKind<Content>, _ place: SlotDeclaration.Place = .named,
        by other: Slot<Other>,
        default content: @escaping @Sendable (Other) -> Content, in range: ClosedRange<Double>? = nil,
        _ summary: String
    ) {
        let declaration = SlotDeclaration(name, kind.declared, place, in: range, summary)
        self.init(declaration, absent: { content(other.content(in: $0)) }, read: kind.read)
    }

    /// Without which the verb cannot be used.
    @inlinable package init(
        _ name: String, _ kind: SlotKind<Content>, required place: SlotDeclaration.Place,
        repeats: Bool = false,
        in range: ClosedRange<Double>? = nil, atMost: String? = nil, role: SlotDeclaration.Role? = nil,
        _ summary: String
    ) {
        let declaration = SlotDeclaration(
            name, kind.declared, place, required: true, repeats: repeats, in: range, atMost: atMost,
            role: role, summary)
        self.init(declaration, absent: { _ in nil }, read: kind.read)
    }

    /// That can be left out, which means something that no value says.
    @inlinable package init<Inner>(
        _ name: String, _ kind: SlotKind<Inner>, _ place: SlotDeclaration.Place = .named,
        repeats: Bool = false,
        in range: ClosedRange<Double>? = nil, atMost: String? = nil, role: SlotDeclaration.Role? = nil,
        _ summary: String
    ) where Content == Inner? {
        let declaration = SlotDeclaration(
            name, kind.declared, place, repeats: repeats, in: range, atMost: atMost, role: role, summary)
        self.init(declaration, absent: { _ in .some(nil) }, read: { .some(kind.read($0)) })
    }

    @inlinable package init<Inner>(_ name: String, _ kind: SlotKind<Inner>, _ summary: String)
    where Content == Inner? {
        self.init(name, kind, .named, summary)
    }

    /// The slot that takes all `NAME=...` that no other takes; none of them is an empty list.
    @inlinable package init<Element>(
        open name: String, _ kind: SlotKind<[Element]>, isRequired: Bool = false, _ summary: String
    ) where Content == [Element] {
        self.init(
            SlotDeclaration(name, kind.declared, .open, required: isRequired, summary), absent: { _ in [] },
            read: kind.read)
    }
}

extension Slot {
    /// The same slot for some words of another alone: beside any other word it is refused.
    @inlinable package func only<Word: RawRepresentable>(with other: Slot<Word>, _ words: Word...) -> Slot
    where Word.RawValue == String {
        var declaration = declaration
        declaration.taker = (other.name, words.map(\.rawValue))
        return Slot(declaration, absent: absent, read: read)
    }
}

extension Slot {
    /// The same slot with words for completion.
    package func suggesting(_ words: @escaping @Sendable (Session) -> [String]) -> Slot {
        var declaration = declaration
        declaration.suggestions = words
        return Slot(declaration, absent: absent, read: read)
    }
}
