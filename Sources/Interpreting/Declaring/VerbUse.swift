import Results

/// What is known of one use of a verb before anything runs, for the faults that only the verb can find: a
/// file's ending, a network that is not loaded. Hours may lie between a program's first line and its last.
package struct VerbUse {
    package let session: Session
    /// What flows in, where that is sure.
    package let input: ValueKind?
    /// By slot the values that stand there, where they are sure: the words of a slot that takes words, else
    /// what the expression gives.
    package let values: [String: [Value]]
    /// The slots that are filled.
    package let filled: Set<String>
    /// The open slot's names and their values; nil where one of them is not sure.
    package let open: [(name: String, values: [Value])]?
    /// The open slot's names.
    package let openNames: [String]
    /// The variable `model`, where it is sure.
    package let model: Value?
    /// The verbs that the program defines above.
    package let definitions: Set<String>
    /// Whether a command before this one writes files, so that a file that is missing now may be there then.
    package let mayWriteBefore: Bool

    /// What surely stands in a slot, or its default where it is not filled.
    package subscript<Content>(slot: Slot<Content>) -> Content? {
        guard filled.contains(slot.name) else { return slot.absent(Arguments([:], given: [], written: [])) }
        return content(of: slot.declaration).flatMap(slot.read)
    }

    package subscript<Content>(slot: Slot<Content?>) -> Content? {
        filled.contains(slot.name) ? content(of: slot.declaration).flatMap(slot.read) ?? nil : nil
    }

    private func content(of slot: SlotDeclaration) -> SlotValue? {
        guard let values = values[slot.name] else { return nil }
        if slot.repeats {
            return .names(values.compactMap { if case .text(let text) = $0 { text } else { nil } })
        }
        return values.count == 1 ? try? Resolver.check(values[0], slot) : nil
    }

    /// Whether something stands in a slot.
    package func gives(_ slot: some DeclaresSlot) -> Bool { filled.contains(slot.declaration.name) }
}
