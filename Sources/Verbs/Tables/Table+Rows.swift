import Interpreting
import OpenedModels
import Results
import SourceText
import Tensors

extension Table {
    /// Asked before the run, and again in it: what may fail inside a sweep is not checked before.
    static func refuseItem(among names: [String]) throws {
        guard names.contains(itemName) else { return }
        throw Complaint(
            .columnExists, "`item` says which row this is and cannot be replaced",
            label: "choose another name", slot: itemName)
    }

    /// For messages: `item 17 "a small golem ..."`.
    func itemPhrase(_ row: Int) -> String {
        var phrase = "item \(items[row])"
        if case .text(let text)? = value("text", row) { phrase += " \"\(LoadedModel.shortened(text))\"" }
        return phrase
    }

    func itemsPhrase(_ rows: [Int]) -> String {
        rows.count == 1
            ? itemPhrase(rows[0]) : "items " + rows.map { String(items[$0]) }.joined(separator: ", ")
    }

    /// Whether all rows that agree with this one in some columns are there.
    func isWhole(_ columns: [Column], _ row: Int) -> Bool {
        partial?.isWhole(
            at: Dictionary(columns.map { ($0.name, $0.values[row].summary) }) { first, _ in first }) ?? true
    }
}

extension Value {
    /// Order among numbers, texts, and no before yes; false between kinds.
    func precedes(_ other: Value) -> Bool {
        switch (self, other) {
        case (.number(let a), .number(let b)): a < b
        case (.text(let a), .text(let b)): a < b
        case (.boolean(let a), .boolean(let b)): !a && b
        default: false
        }
    }
}
