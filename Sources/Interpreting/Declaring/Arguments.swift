import Results

/// The resolved arguments of one use of a verb, by slot. What the declaration says has been checked: required
/// slots are there, kinds and ranges fit, defaults are filled in.
package struct Arguments {
    @usableFromInline var bySlot: [String: SlotValue]
    /// Slots that the user wrote, as opposed to defaults.
    package let given: Set<String>
    /// As they stand in a recipe: `of=70`, in the order of the declaration; defaults included where the slot
    /// has one.
    package let written: [String]

    package init(_ bySlot: [String: SlotValue], given: Set<String>, written: [String]) {
        self.bySlot = bySlot
        self.given = given
        self.written = written
    }

    @inlinable package subscript<Content>(slot: Slot<Content>) -> Content { slot.content(in: self) }

    /// Whether the user wrote it.
    package func gives(_ slot: some DeclaresSlot) -> Bool { given.contains(slot.declaration.name) }

    /// A name, path, choice, column or text.
    func word(_ slot: String) -> String? { if case .text(let text)? = value(slot) { text } else { nil } }

    /// What stands in a slot as a value, where it is one; words are texts.
    func value(_ slot: String) -> Value? {
        switch bySlot[slot] {
        case .value(let value): value
        case .name(let name): .text(name)
        default: nil
        }
    }
}
