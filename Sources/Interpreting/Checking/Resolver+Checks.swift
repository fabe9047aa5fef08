import Results
import SourceText
import Syntax

/// Whether a value fits a slot, which the check asks as well as the run.
extension Resolver {
    /// Characters for a raw slot.
    static func raw(_ text: String, _ slot: SlotDeclaration) throws -> SlotValue {
        switch slot.kind {
        case .size:
            let parts = text.split(separator: "x", omittingEmptySubsequences: false)
            guard let width = parts.first.flatMap({ Int($0) }), let height = parts.last.flatMap({ Int($0) }),
                parts.count <= 2, width > 0, height > 0,
                width <= 16_384, height <= 16_384
            else {
                throw Complaint(
                    .wrongType, "a size is WIDTHxHEIGHT in pixels, such as 512x512, each at most 16384",
                    label: "`\(text)` is none")
            }
            return .value(.list([.number(Double(width)), .number(Double(height))]))
        case .columnOrNumber:
            if let number = Double(text) { return try check(.number(number), slot) }
            return .name(text)
        default: return .name(try checkedName(text, slot))
        }
    }

    /// What names a new column must be a name that expressions can use.
    private static func checkedName(_ text: String, _ slot: SlotDeclaration) throws -> String {
        guard slot.role == .namesResult else { return text }
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        let isName = parts.allSatisfy { part in
            part.first.map { $0.isLetter || $0 == "_" } ?? false
                && part.allSatisfy { $0.isLetter || $0.isNumber || $0 == "_" }
        }
        guard isName else {
            throw Complaint(
                .wrongType, "`\(slot.name)` names a column, and `\(text)` is no name",
                label: "letters, digits and _, a letter first")
        }
        return text
    }

    /// A value for a slot: its kind, range and choices.
    static func check(_ value: Value, _ slot: SlotDeclaration) throws -> SlotValue {
        switch slot.kind {
        case .number(let whole):
            // A measure stands for its value.
            guard let number = value.number else { throw unfit(value, slot) }
            try check(number, whole: whole, slot)
            return .value(.number(number))
        case .columnOrNumber:
            if case .text(let text) = value { return .name(text) }
            guard case .number(let number) = value else { throw unfit(value, slot) }
            try check(number, whole: true, slot)
        case .boolean:
            guard case .boolean = value else { throw unfit(value, slot) }
        case .claim:
            return .value(.boolean(try Arithmetic.truth(value)))
        case .text:
            guard case .text = value else { throw unfit(value, slot) }
        case .name, .path, .column:
            guard case .text(let text) = value else { throw unfit(value, slot) }
            return .name(try checkedName(text, slot))
        case .size:
            switch value {
            case .text(let text): return try raw(text, slot)
            case .number(let side): return try raw(NumberFormat.plain(side), slot)
            default: throw unfit(value, slot)
            }
        case .choice(let choices):
            guard case .text(let text) = value else { throw unfit(value, slot) }
            guard choices.contains(text) else {
                throw Complaint.unknownChoice(text, choices, of: slot)
            }
            return .name(text)
        case .list: return .value(.list(listed(value)))
        case .table:
            if case .list(let values) = value, let table = Table(texts: values) {
                return .value(.table(table))
            }
            guard case .table = value else { throw unfit(value, slot) }
        case .model:
            guard case .model = value else { throw unfit(value, slot) }
        case .value, .expression, .condition, .verdict, .assignments, .lists, .tables, .columns: break
        }
        return .value(value)
    }

    private static func check(_ number: Double, whole: Bool, _ slot: SlotDeclaration) throws {
        guard number.isFinite else {
            throw Complaint(.outOfRange, "`\(slot.name)` must be finite", label: NumberFormat.plain(number))
        }
        if whole, Int(exactly: number) == nil {
            throw Complaint(
                .wrongType, "`\(slot.name)` is \(slot.typePhrase), and this is \(NumberFormat.plain(number))",
                label: "not whole")
        }
        if let range = slot.range, !range.contains(number) {
            throw Complaint(
                .outOfRange,
                "`\(slot.name)` is \(slot.typePhrase), and this is \(NumberFormat.plain(number))",
                label: "out of range")
        }
    }

    static func unfit(_ value: Value, _ slot: SlotDeclaration) -> Complaint { unfit(value.kind, slot) }

    static func unfit(_ kind: ValueKind, _ slot: SlotDeclaration) -> Complaint {
        let help =
            kind == .list
            ? "to try several values, put the pipeline in a sweep: `sweep \(slot.name.prefix(1))=... { ... }`"
            : nil
        return Complaint(
            .wrongType, "`\(slot.name)` is \(slot.typePhrase), and this is \(kind.phrase)",
            label: kind.phrase, help: help)
    }

    /// Whether a value of that kind can suit the slot.
    static func accepts(_ kind: ValueKind, _ slot: SlotDeclaration) -> Bool {
        switch slot.kind {
        case .number: kind == .number || kind == .measure
        case .boolean: kind == .boolean
        case .text, .name, .path, .column, .choice: kind == .text
        case .columnOrNumber, .size: kind == .text || kind == .number
        case .table: kind == .table || kind == .list
        case .model: kind == .model
        case .list, .value, .expression, .condition, .claim, .verdict, .assignments, .lists, .tables,
            .columns:
            true
        }
    }

    /// A slot's default as an argument.
    static func standard(_ text: String, for slot: SlotDeclaration) -> SlotValue? {
        if text == "yes" || text == "no", !slot.isRaw { return .value(.boolean(text == "yes")) }
        if text.hasPrefix("\""), text.hasSuffix("\""), text.count >= 2 {
            return .value(.text(String(text.dropFirst().dropLast())))
        }
        if !slot.isRaw, let number = Double(text) { return .value(.number(number)) }
        return try? raw(text, slot)
    }

    /// The argument as it stands in a recipe.
    static func written(_ slot: SlotDeclaration, _ argument: SlotValue, source: String) -> String {
        let text: String
        switch argument {
        case .value(.number(let number)): text = NumberFormat.plain(number)
        case .value(.text(let value)): text = "\"\(value)\""
        case .value(.boolean(let truth)): text = truth ? "yes" : "no"
        case .name(let name): text = name.contains(where: { $0 == " " || $0 == "\"" }) ? "\"\(name)\"" : name
        case .names(let names): text = names.joined(separator: slot.place == .named ? "," : " ")
        case .perRow(let expression): text = "(\(expression.source))"
        default: return source
        }
        return slot.place == .named ? "\(slot.name)=\(text)" : text
    }
}
